"""The chain rule beside the graph: cotangents by node, as plain data or as nodes.

``backward`` leaves gradients in the nodes; here the nodes' own ``grad`` is left alone. The rules
run on plain data, or on the nodes themselves: then the derivative is a graph, to be
differentiated again, to any order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.backward import check_shape_of_seed, checked_seed
from micrograd_nn.graph.faults import raise_for_rule
from micrograd_nn.graph.node import UNREACHED, Group, Node, StaleGraphError
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.primitive import as_floating
from micrograd_nn.graph.pull import call, unbroadcast_axes
from micrograd_nn.graph.table.arithmetic import add
from micrograd_nn.graph.table.arrays import shape_of, sum_to
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Constant
from micrograd_nn.graph.vanishing import without_vanishing


def cotangents(
    root: Node, seed: Any, wrt: Sequence[Node] | None = None, *, create_graph: bool = False
) -> dict[Node, Any]:
    """Return the cotangent of every node between ``wrt`` and ``root``, by node.

    Parameters
    ----------
    root : Node
        The result to differentiate.
    seed : float, array or node
        Its cotangent.
    wrt : sequence of Node, optional
        The nodes whose cotangents are wanted; all leaves that require a gradient by default.
    create_graph : bool
        Whether the cotangents are nodes, recorded to be differentiated again.

    Returns
    -------
    dict
        Nodes that don't influence the root are absent.
    """
    order = toposort(root, constants=False)
    wanted = set(wrt) if wrt is not None else {n for n in order if _is_parameter(n)}
    active: set[Node] = set()
    for node in order:
        if node in wanted or any(i in active for i in node._recorded_inputs()):
            active.add(node)
    found: dict[Node, Any] = {root: seed} if root in active else {}
    with np.errstate(all="ignore"):
        for node in reversed(order):
            if node._op is None or node not in found or node not in active:
                continue
            try:
                for _, child, cotangent in pulled(node, found[node], active, create_graph):
                    cotangent = fitted(cotangent, child)
                    found[child] = cotangent if child not in found else found[child] + cotangent
            except Exception as error:
                raise_for_rule(node, found[node], error)
                raise
    return found


def _is_parameter(node: Node) -> bool:
    return node._op is None and bool(node.requires_grad)


def pulled(
    node: Node, g: Any, active: Collection[Node], create_graph: bool = False
) -> Iterator[tuple[int, Node, Any]]:
    """Yield the active inputs of a node with the cotangents that its rules give them.

    Each stands with its place among the arguments; it isn't summed over repeated axes yet.
    """
    op = node._op
    assert op is not None
    params = node.params
    z = node if create_graph else node._data
    groups = _grouped_operands(node, create_graph)
    operands = [operand for _, operand in groups]
    if op.vector:
        results: Any = op.rules[0](g, z, *operands)  # type: ignore[misc]
        (xs, _), (ws, _) = groups
        both = zip((*xs, *ws), (*results[0], *results[1]), strict=True)
        for place, (child, cotangent) in enumerate(both):
            if child in active:
                yield place, child, cotangent
        return
    for first, ((children, _), rule) in enumerate(zip(groups, op.rules, strict=True)):
        if rule is None or not any(c in active for c in children if c is not None):
            continue
        if isinstance(z, float) and not isinstance(z, np.generic):
            result = call(rule, g, z, *operands, **params)
        else:
            result = rule(g, z, *operands, **params)
        many: Any = result if op.variadic else [result]
        for place, (child, cotangent) in enumerate(zip(children, many, strict=True), start=first):
            if child is not None and child in active:
                yield place, child, without_vanishing(op, rule, cotangent, g, operands, params)


def _grouped_operands(node: Node, create_graph: bool) -> list[tuple[tuple[Any, ...], Any]]:
    """Return, for each argument of the op, its input nodes and the operand to give to the rules."""
    op = node._op
    assert op is not None
    arguments = node._saved_arguments()
    if create_graph:
        for child, saved, read in arguments:
            if child is not None and read:
                _check_fresh(node, child, saved)
        operands = [saved if child is None else child for child, saved, _ in arguments]
    else:
        operands = [saved for _, saved, _ in arguments]
    children = [child for child, _, _ in arguments]
    if op.variadic:
        return [(tuple(children), operands)]
    if op.vector:
        first = len(node._recorded()[0])
        return [
            (tuple(children[:first]), operands[:first]),
            (tuple(children[first:]), operands[first:]),
        ]
    return [((child,), operand) for child, operand in zip(children, operands, strict=True)]


def _check_fresh(node: Node, child: Node, saved: Any) -> None:
    if saved is not child._data and not np.array_equal(saved, child._data, equal_nan=True):
        raise StaleGraphError(
            f"the data of {child.describe()} were overwritten after {node.describe()} had been "
            "recorded from them: record the computation again to differentiate it with "
            "create_graph"
        )


def fitted(cotangent: Any, child: Node) -> Any:
    """Sum a cotangent over the axes along which the input was repeated."""
    shape = np.shape(child._data)
    if shape_of(cotangent) != shape:
        cotangent = (
            sum_to(cotangent, shape=shape)
            if unbroadcast_axes(shape_of(cotangent), shape)
            else add(cotangent, np.zeros_like(child._data))
        )
    if type(child._data) is float and not isinstance(cotangent, Node):
        return float(cotangent)
    return cotangent


def backward_recorded(root: Node, seed: Any) -> None:
    """Do ``root.backward(seed, create_graph=True)``: leave nodes in the nodes' ``grad``."""
    g = (
        checked_node_seed(root, seed)
        if isinstance(seed, Node)
        else leaf_of(checked_seed(root, seed))
    )
    for node, cotangent in cotangents(root, g, create_graph=True).items():
        if not isinstance(cotangent, Node):
            cotangent = leaf_of(cotangent)
        reached = node._op is None and not _is_unreached(node)
        node._grad = node._grad + cotangent if reached else cotangent
        if isinstance(node._a, Group):
            node._a._grad = UNREACHED  # what a pass on plain numbers left there


def checked_node_seed(root: Node, seed: Node) -> Node:
    """Return a seed that is a node in the shape of the root."""
    check_shape_of_seed(root, np.shape(seed._data))
    return add(seed, np.zeros(np.shape(root._data))) if np.shape(root._data) else seed


def _is_unreached(node: Node) -> bool:
    grad: Any = node._grad
    return type(grad) is float and grad == 0.0


def leaf_of(x: Any) -> Node:
    """Return a constant node of plain data."""
    x = as_floating(x)
    return Constant(x) if type(x) is float else Tensor(x, requires_grad=False)
