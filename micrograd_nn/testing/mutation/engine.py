"""Faults of the engine: each must be found by a check of a small graph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from micrograd_nn.graph import backward, cotangents, pull, vanishing
from micrograd_nn.graph.node import UNREACHED, Node
from micrograd_nn.graph.primitive import table
from micrograd_nn.graph.units import Parameters, Units
from micrograd_nn.testing.mutation.battery import first_to_fail
from micrograd_nn.testing.mutation.edits import Edit
from micrograd_nn.testing.mutation.graphs import engine_checks
from micrograd_nn.testing.mutation.report import Mutant

_HERE = "from micrograd_nn.testing.mutation import engine as faulty"


# ---------------------------------------------------------------------------------- the faults


def breadth_first(root: Node) -> list[Node]:
    """Return the nodes below a root, level by level, the root last: no topological order."""
    found, seen = [root], {root}
    for node in found:
        for child in node._recorded_inputs():
            if child not in seen:
                seen.add(child)
                found.append(child)
    return [node for node in found if node._op is not None][::-1]


def inner_gradients(root: Node) -> list[tuple[Node, Any]]:
    """Return the gradients that an earlier pass left in inner nodes."""
    return [(n, n._grad) for n in breadth_first(root) if n is not root and n._grad is not UNREACHED]


def clipped(x: Any) -> Any:
    """Return a cotangent with its numbers clipped to −1 ... 1."""
    return float(np.clip(x, -1.0, 1.0)) if type(x) is float else np.clip(x, -1.0, 1.0)


def _faults() -> list[Edit]:
    deliver, passed = backward._deliver, backward._passed
    pulled: Any = Units.pull_array
    parameters: Any = Parameters.pull_array
    return [
        Edit(
            "overwrite for accumulate",
            deliver,
            "child._grad = _added(before, cotangent)",
            "child._grad = cotangent",
        ),
        Edit(
            "overwrite for accumulate",
            deliver,
            "child._grad += cotangent if",
            "child._grad = cotangent if",
        ),
        Edit(
            "overwrite for accumulate",
            pull.float_pull,
            "{slot}._grad += {source}",
            "{slot}._grad = {source}",
        ),
        Edit(
            "overwrite for accumulate", pull.pull_tuple, "node._grad += call", "node._grad = call"
        ),
        Edit(
            "overwrite for accumulate",
            pull.pull_vectors,
            "for node, cotangent in zip(v._a, xs, strict=True):\n        node._grad += cotangent",
            "for node, cotangent in zip(v._a, xs, strict=True):\n        node._grad = cotangent",
        ),
        Edit(
            "overwrite for accumulate",
            cotangents.cotangents,
            "cotangent if child not in found else found[child] + cotangent",
            "cotangent",
        ),
        Edit("overwrite for accumulate", pulled, "else before + cotangents", "else cotangents"),
        Edit(
            "overwrite for accumulate", pulled, "node._grad += cotangent", "node._grad = cotangent"
        ),
        Edit(
            "overwrite for accumulate",
            parameters,
            "parameter._grad += cotangent",
            "parameter._grad = cotangent",
        ),
        Edit(
            "an example of a layer is lost",
            pulled,
            "parameters._grad.append((delta, self._x))",
            "parameters._grad = [(delta, self._x)]",
        ),
        Edit(
            "in place on a shared array",
            deliver,
            "child._grad = _added(before, cotangent)",
            "before += cotangent",
        ),
        Edit("a leaf shares its memory", backward._is_new, "return False", "return True"),
        Edit(
            "wrong order: breadth first",
            passed,
            "order, leaves = _reachable(root)",
            f"order, leaves = _reachable(root)\n    {_HERE}\n    order = faulty.breadth_first(root)",
        ),
        Edit("wrong order: inputs first", passed, "reversed(order)", "order"),
        Edit(
            "wrong order: the last two swapped",
            passed,
            "reversed(order)",
            "[*order[-1:], *order[-3:-1], *order[-4::-1]]",
        ),
        Edit(
            "wrong order: breadth first",
            cotangents.cotangents,
            "reversed(order)",
            "__import__('micrograd_nn.testing.mutation.engine', fromlist=['_']).breadth_first(root)[::-1]",
        ),
        Edit(
            "x * x loses an operand",
            pull.float_pull,
            'f"    if {slot} is not None:"',
            "f\"    if {slot} is not None and ({slot} is not v._a or {slot!r} == 'a'):\"",
        ),
        Edit(
            "x * x loses an operand",
            backward.pull_arrays,
            "zip(node._a, op.rules, strict=True)",
            "dict(zip(node._a, op.rules)).items()",
        ),
        Edit(
            "un-broadcast by mean", backward._summed, "np.add.reduce(cotangent", "np.mean(cotangent"
        ),
        Edit(
            "un-broadcast by mean",
            backward._summed,
            "ones.dot(cotangent)",
            "ones.dot(cotangent) / len(cotangent)",
        ),
        Edit(
            "un-broadcast over one axis",
            backward._summed,
            "axes = unbroadcast_axes(cotangent.shape, shape)",
            "axes = unbroadcast_axes(cotangent.shape, shape)[:1]",
        ),
        Edit(
            "un-broadcast over the wrong axis",
            backward._summed,
            "axis=axes",
            "axis=tuple(cotangent.ndim - 1 - a for a in axes)",
        ),
        Edit(
            "un-broadcast by mean", deliver, "float(np.sum(cotangent))", "float(np.mean(cotangent))"
        ),
        Edit(
            "un-broadcast by the first element",
            deliver,
            "float(np.sum(cotangent))",
            "float(np.ravel(cotangent)[0])",
        ),
        Edit(
            "stale second backward: inner nodes keep their gradient",
            passed,
            "order, leaves = _reachable(root)",
            f"{_HERE}\n    stale = faulty.inner_gradients(root)\n    order, leaves = _reachable(root)\n    for node, grad in stale:\n        node._grad = grad",
        ),
        Edit(
            "stale second backward: leaves are overwritten",
            backward._accumulate,
            "before if type(new) is float and new == 0.0 else before + new",
            "before if type(new) is float and new == 0.0 else new",
        ),
        Edit(
            "stale second backward: leaves count double",
            backward._accumulate,
            "before + new",
            "before + before + new",
        ),
        Edit(
            "clipped cotangent",
            passed,
            "g = node._grad",
            f"{_HERE}\n                g = faulty.clipped(node._grad)",
        ),
        Edit(
            "clipped cotangent",
            cotangents.cotangents,
            "pulled(node, found[node], active",
            "pulled(node, found[node] if create_graph else np.clip(found[node], -1.0, 1.0), active",
        ),
        Edit("the seed is ignored", backward.checked_seed, "return float(seed)", "return 1.0"),
        Edit(
            "the seed is ignored",
            backward.checked_seed,
            "np.broadcast_to(seed, shape)",
            "np.ones(shape)",
        ),
        Edit(
            "the seed in single precision",
            backward.checked_seed,
            "return float(seed)",
            "return float(np.float32(seed))",
        ),
        Edit(
            "the seed in single precision",
            backward.checked_seed,
            "np.broadcast_to(seed, shape)",
            "np.float32(np.broadcast_to(seed, shape))",
        ),
        Edit("small cotangents are dropped", passed, "elif g:", "elif abs(g) > 1e-12:"),
        Edit("0 times infinity", passed, "elif g:", "else:"),
        Edit("0 times infinity", backward.pull_arrays, "if masked:", "if False:"),
        Edit("0 times infinity, found late", backward.backward, "if has_nan:", "if False:"),
        Edit(
            "0 times infinity",
            vanishing.without_vanishing,
            "zero = np.equal(data_of(g), 0)",
            "return cotangent",
        ),
        Edit(
            "0 times infinity, in the recorded pass",
            cotangents.pulled,
            "without_vanishing(op, rule, cotangent, g, operands, params)",
            "cotangent",
        ),
        Edit(
            "0 times infinity, of a matrix product",
            vanishing.without_vanishing,
            "if op.multilinear:",
            "if False:",
        ),
        Edit(
            "0 times infinity, along an axis",
            vanishing.influences_only,
            "return np.all(zero, axis=axis, keepdims=True)",
            "return np.any(zero, axis=axis, keepdims=True)",
        ),
        Edit(
            "all is masked where one is",
            vanishing.without_vanishing,
            "zero = np.equal(data_of(g), 0)",
            "zero = np.full(np.shape(data_of(g)), True)",
        ),
        Edit(
            "un-broadcast not recorded",
            cotangents.fitted,
            "sum_to(cotangent, shape=shape)",
            "sum_to(cotangent, shape=shape) * 0.5",
        ),
        Edit(
            "a node with one constant input gets no gradient",
            cotangents.cotangents,
            "or any(i in active for i in node._recorded_inputs())",
            "or (node._op is not None and all(i in active for i in node._recorded_inputs()))",
        ),
        Edit(
            "an input of a sequence is lost",
            backward.pull_arrays,
            "zip(node._a, parts, strict=True)",
            "zip(node._a[:-1], parts)",
        ),
        Edit(
            "the rules of two arguments are swapped",
            backward.pull_arrays,
            "zip(node._a, op.rules, strict=True)",
            "zip(node._a, op.rules[::-1], strict=True)",
        ),
    ]


@contextmanager
def _installed(fault: Edit) -> Iterator[None]:
    """Let the engine be faulty; what was made by a faulty ``float_pull`` is made again."""
    try:
        with fault.made():
            _make_pulls(fault)
            yield
    finally:
        _make_pulls(fault)


def _make_pulls(fault: Edit) -> None:
    if fault.function is pull.float_pull:
        for row in table.values():
            row.rules = row.rules


def engine_mutants(every: int = 1) -> Iterator[Mutant]:
    """Yield each faulty engine, found or not; every k-th, to be quick."""
    checks = engine_checks()
    found = first_to_fail(checks)
    if found is not None:
        raise AssertionError(
            f"the engine fails as it is, before it is changed: {found}"
        ) from found.error
    for fault in _faults()[every - 1 :: every]:
        with _installed(fault):
            failure = first_to_fail(checks)
        yield Mutant("engine", fault.name, fault.change, "" if failure is None else str(failure))
