"""Means: a sum over all numbers times 1/m, recorded as a mean, or with the number 1/m or m."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.readers.labels import is_number

#: Fewer are more often a factor of 1/2 than a number of examples.
_FEWEST = 3
#: How far a factor is followed down to the sum.
_FURTHEST = 64


@dataclass(frozen=True)
class Count:
    """The number of elements of an array, or its length along an axis."""

    number: int
    shape: tuple[int, ...]
    axis: int | None = None


@dataclass(frozen=True)
class Share:
    """``factor / count`` times the sum of all elements of ``of``, or times ``of``, a sum."""

    count: Count
    factor: float
    of: Node


def share(node: Node, on_data: set[Node], examples: int = 0) -> Share | None:
    """Return a node as a share of a sum, if it is one.

    Parameters
    ----------
    node : Node
    on_data : set of Node
        The nodes that depend on an array without a gradient: on examples.
    examples : int
        Over how many examples a sum of scalars runs, where it is known.
    """
    op = node.op
    assert op is not None
    if op.name == "mean" and np.size(node._data) == 1:
        (child,) = node.inputs
        return Share(Count(int(np.size(child._data)), np.shape(child._data)), 1.0, child)
    if op.name not in ("mul", "div") or np.size(node._data) != 1:
        return None
    numbers = [i for i in node.inputs if is_number(i)]
    others = [i for i in node.inputs if not is_number(i)]
    if len(numbers) != 1 or (op.name == "div" and is_number(node.inputs[0])):
        return None
    number = float(numbers[0]._data)
    if not np.isfinite(number) or number == 0.0:
        return None
    weight = number if op.name == "mul" else 1.0 / number
    counts = [c for c in _counts(others[0], on_data, examples) if c.number >= _FEWEST]
    for factor in (1.0, 0.5):
        for count in sorted(counts, key=lambda c: c.axis is not None):
            if abs(abs(weight) * count.number - factor) <= 1e-12:
                return Share(count, factor if weight > 0 else -factor, others[0])
    return None


def _counts(node: Node, on_data: set[Node], examples: int) -> Iterator[Count]:
    """Yield over how many elements a number is a sum, and along which axes."""
    if isinstance(node._data, float):
        terms = _terms(node)
        yield Count(terms, (terms,))
        yield Count(examples, (examples,))
    stack, seen = [node], 0
    while stack and seen < _FURTHEST:
        node = stack.pop()
        op = node.op
        seen += 1
        if op is None:
            continue
        if op.name == "sum":
            if node in on_data and np.size(node._data) == 1:
                summed = node.inputs[0]
                yield from _lengths(np.shape(summed._data))
                while summed.op is not None and summed.op.name in ("sum", "reshape"):
                    summed = summed.inputs[0]  # a sum of sums
                    yield from _lengths(np.shape(summed._data))
        elif op.name in ("neg", "reshape") or (
            op.name in ("add", "sub", "mul", "div") and np.size(node._data) == 1
        ):
            stack += (child for child in node.inputs if not is_number(child))


def _lengths(shape: tuple[int, ...]) -> Iterator[Count]:
    yield Count(int(np.prod(shape)), shape)
    if sum(n > 1 for n in shape) > 1:
        yield from (Count(n, shape, axis) for axis, n in enumerate(shape))


def _terms(node: Node) -> int:
    """Return how many numbers were added up by ``sum``, which starts from 0; 0 if they weren't."""
    terms = 0
    while node.op is not None and node.op.name in ("neg", "add"):
        terms += node.op.name == "add"
        node = node.inputs[0]
    return terms if is_number(node) else 0
