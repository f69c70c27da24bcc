"""How the functions take their arguments: sequences as one array, axes and lengths as integers."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.primitive import as_floating
from micrograd_nn.graph.table import arrays, indexing
from micrograd_nn.graph.table.arrays import shape_of

Axis = int | tuple[int, ...] | None


def gathered(x: Any) -> Any:
    """Return a sequence of nodes as one Tensor, a plain number or sequence as an array."""
    if isinstance(x, Node):
        if shape_of(x) or x.rank > 1:
            return x
        return arrays.reshape(indexing.stack((x,), axis=0), shape=())
    if isinstance(x, (list, tuple)) and any(isinstance(i, (Node, list, tuple)) for i in x):
        return indexing.stack(tuple(gathered(i) for i in x), axis=0)
    return np.asarray(as_floating(x))


def plain_axis(axis: Any) -> Axis:
    """Return several axes as a tuple of integers."""
    return tuple(operator.index(a) for a in axis) if isinstance(axis, (tuple, list)) else axis


def positions(what: str, axes: Any, x: Any) -> tuple[int, ...]:
    """Return axes counted from the start.

    Raises
    ------
    ValueError
        If x has no such axis.
    """
    ndim = len(shape_of(x))
    axes = integers(what, axes)
    for axis in axes:
        if not -ndim <= axis < ndim:
            raise ValueError(f"{what}: axis {axis} is out of range for shape {shape_of(x)}")
    return tuple(axis % ndim for axis in axes)


def integers(what: str, numbers: Any) -> tuple[int, ...]:
    """Return axes or lengths as a tuple of integers.

    Raises
    ------
    TypeError
        If one isn't an integer.
    """
    try:
        return tuple(map(operator.index, numbers))
    except TypeError:
        raise TypeError(f"{what} takes axes and lengths that are integers, got {numbers}") from None
