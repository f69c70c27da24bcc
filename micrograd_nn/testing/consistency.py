"""Whether a derivative that was recorded changes with the inputs as it says.

An oracle that reads the graph of a first derivative can't see that the graph is wrong where its
numbers are right: a rule that computes with ``x.data`` has the value of the derivative, and none
of its own. So the derivative along one random direction is held against six-point differences of
the lower derivative, whose numbers are known to be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.cotangents import cotangents, leaf_of
from micrograd_nn.graph.node import Node, clock
from micrograd_nn.graph.order import toposort
from micrograd_nn.testing.errors import Disagreement
from micrograd_nn.testing.numeric import Numeric
from micrograd_nn.testing.oracle import Oracle
from micrograd_nn.testing.subject import Subject, one, total, weighted

#: Of a central difference of sixth order, and their divisor.
_STEPS = {1: 45.0, 2: -9.0, 3: 1.0}
_DIVISOR = 60.0
_STEP = 2.0**-8


def inconsistent(subject: Subject, order: int, seed: int) -> Disagreement | None:
    """Return how a derivative of some order differs from differences of the lower one.

    None where it doesn't, or where nothing can be said: at kinks, near singularities, in float32.
    """
    leaves = subject.leaves
    data = [leaf._data for leaf in leaves]
    if any(np.asarray(x).dtype != np.float64 for x in data):
        return None
    rng = np.random.default_rng(seed)
    moves = [rng.choice([-1.0, 1.0], np.shape(x)) * np.where(x == 0, 1.0, x) for x in data]
    with np.errstate(all="ignore"), subject.undisturbed():
        try:
            node = _lower(subject, order, seed)
            subject.forget_gradients()
            node.backward()  # type: ignore[attr-defined]
            slopes = [
                np.asarray(leaf.grad) * move  # type: ignore[attr-defined]
                for leaf, move in zip(leaves, moves, strict=True)
            ]
            got = float(sum(np.sum(slope) for slope in slopes))
            size = float(sum(np.sum(np.abs(slope)) for slope in slopes)) + abs(float(node._data))
            coarse, fine = (
                _difference(subject, order, seed, data, moves, h) for h in (_STEP, _STEP / 2.0)
            )
        finally:
            _move(leaves, data)
    if not np.isfinite([got, coarse, fine, size]).all():
        return None
    allowed = 4.0 * abs(coarse - fine) + 1e-9 * size
    if abs(got - fine) <= allowed or abs(coarse - fine) > 1e-3 * size:
        return None
    return Disagreement("derivative along a random direction", (), got, fine, allowed)


def inconsistent_operations(root: Node, order: int, seed: int) -> list[str]:
    """Return the names of the operations of a graph whose own derivatives are inconsistent."""
    leaves = [n for n in toposort(root, constants=False) if n._op is None and n.requires_grad]
    found: list[str] = []
    for node, at in Oracle(root, leaves, Numeric).locals.items():
        if at.op.name in found:
            continue
        saved = [x for _, x, _ in node._saved_arguments()]
        count = len(node._recorded()[0]) if at.op.vector else 0
        arguments = [saved] if at.op.variadic else saved
        if at.op.vector:
            arguments = [saved[:count], saved[count:]]
        try:
            alone = Subject(_Alone(at.op, at.params), arguments)
        except TypeError:
            continue
        if inconsistent(alone, order, seed) is not None:
            found.append(at.op.name)
    return found


class _Alone:
    def __init__(self, op: Any, params: dict[str, Any]) -> None:
        self.op, self.params = op, params

    def __call__(self, *arguments: Any) -> Any:
        return self.op(*arguments, **self.params)


def _lower(subject: Subject, order: int, seed: int) -> Node:
    """Return a number that depends on all derivatives of order - 1, weighted the same each time."""
    rng = np.random.default_rng(seed)
    with subject.undisturbed():  # the same dropout masks each time
        node = total([weighted(y, rng) for y in subject.outputs()])
    for _ in range(order - 1):
        found = cotangents(node, one(node), subject.leaves, create_graph=True)
        parts = [found.get(leaf, 0.0) for leaf in subject.leaves]
        nodes = [part if isinstance(part, Node) else leaf_of(part) for part in parts]
        node = total([weighted(part, rng) for part in nodes])
    return node


def _difference(
    subject: Subject, order: int, seed: int, data: Sequence[Any], moves: Sequence[Any], h: float
) -> float:
    sum_ = 0.0
    for steps, weight in _STEPS.items():
        for sign in (1.0, -1.0):
            shift = sign * steps * h
            _move(
                subject.leaves,
                [_like(x + shift * move, x) for x, move in zip(data, moves, strict=True)],
            )
            sum_ += sign * weight * float(_lower(subject, order, seed)._data)
    return sum_ / (_DIVISOR * h)


def _like(x: Any, before: Any) -> Any:
    return float(x) if type(before) is float else np.asarray(x)


def _move(leaves: Sequence[Node], data: Sequence[Any]) -> None:
    for leaf, x in zip(leaves, data, strict=True):
        leaf._data = x
    clock.time += 1  # what layers have gathered from their parameters is out of date
