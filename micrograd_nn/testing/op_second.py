"""Second derivatives of a row of the table: its rules, differentiated by its rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn.graph.cotangents import cotangents
from micrograd_nn.graph.node import Node, data_of
from micrograd_nn.testing.op_case import Case
from micrograd_nn.testing.op_derivative import check_derivative
from micrograd_nn.testing.op_manners import check_results
from micrograd_nn.testing.op_report import Findings
from micrograd_nn.testing.operation import Operation, as_node, is_floating
from micrograd_nn.testing.snippets import of_gradient

_LARGEST = 1024  # elements; each may need a hundred evaluations


def check_second_order(case: Case, found: Findings) -> None:
    """Check each gradient of a row as an operation of its own, of the arguments and of g.

    In g it is linear, which is checked elsewhere.
    """
    small = sum(map(np.size, case.inputs)) <= _LARGEST
    if case.op.row is None or case.at_kink.any() or not small:
        return
    for i in case.differentiable:
        second = _gradient_as_operation(case.op, i)
        label = f"{case.label}, derivative of the gradient of {case.name(i)}"
        derived = Case(second, (*case.inputs, case.g), label, (), _domain(case), case.seed + 2)
        if check_results(derived, found, "second order"):
            check_derivative(derived, found, "second order")


def _domain(case: Case) -> Callable[..., Any] | None:
    domain = case.domain
    return None if domain is None else lambda *inputs: domain(*inputs[:-1])


def _gradient_as_operation(op: Operation, i: int) -> Operation:
    """Return the operation (*inputs, g) -> gradient of argument i, and its vjp by the row's rules.

    There is no derivative by g.
    """
    assert op.row is not None

    def forward(*inputs: Any) -> Any:
        return op.gradients(inputs[-1], inputs[:-1])[i]

    def vjp(h: Any, *inputs: Any) -> tuple[Any, ...]:
        *arguments, g = inputs
        nodes = [as_node(x) if is_floating(x) else x for x in arguments]
        wanted = [node for node in nodes if isinstance(node, Node)]
        seed = as_node(g)
        first = cotangents(op.forward(*nodes), seed, [nodes[i]], create_graph=True).get(nodes[i])
        found = cotangents(first, h, wanted) if isinstance(first, Node) else {}
        gradients = (
            None
            if not isinstance(node, Node)
            else data_of(found[node])
            if node in found
            else np.zeros_like(x)
            for node, x in zip(nodes, arguments, strict=True)
        )
        return (*gradients, None)

    program = of_gradient(op.row, op.params, op.names, i)
    name = f"gradient of {op.name}"
    return Operation(forward, vjp, (*op.names, "g"), name, params=op.params, program=program)
