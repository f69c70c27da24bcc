"""Rows of the table: taking parts of arrays and putting parts together."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_nn.graph.node import are_floats
from micrograd_nn.graph.primitive import primitive
from micrograd_nn.graph.table.arrays import shape_of


def is_basic(index: Any) -> bool:
    """Tell whether an index selects each element at most once, by position."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None or part is Ellipsis or isinstance(part, (int, np.integer, slice))
        for part in parts
    )


def getitem_x(g, z, x, *, index):
    return scatter(g, shape=shape_of(x), index=index)


getitem = primitive(
    "getitem",
    lambda x, index: x[index],
    getitem_x,
    notation="{}[{index}]",
    code="{}[{index}]",
    elementwise=False,
    hides_nan=True,
)


def _scatter(x: Any, shape: tuple[int, ...], index: Any) -> Any:
    result = np.zeros(shape, dtype=np.asarray(x).dtype)
    if is_basic(index):
        result[index] = x
    else:
        np.add.at(result, index, x)  # an index array may name an element several times
    return result


def scatter_x(g, z, _x, *, shape, index):
    return getitem(g, index=index)


scatter = primitive(
    "scatter",
    _scatter,
    scatter_x,
    notation="scatter({})",
    elementwise=False,
)


def concatenate_parts(g, z, parts, *, axis):
    axis = axis % len(shape_of(g))
    slices, start = [], 0
    for part in parts:
        stop = start + shape_of(part)[axis]
        slices.append(getitem(g, index=(slice(None),) * axis + (slice(start, stop),)))
        start = stop
    return slices


concatenate = primitive(
    "concatenate",
    lambda parts, axis: np.concatenate(parts, axis=axis),
    concatenate_parts,
    notation="concatenate({})",
    code="np.concatenate([{}], axis={axis})",
    elementwise=False,
    variadic=True,
)


def _stack(parts: Any, axis: int) -> Any:
    if parts and axis in (0, -1) and are_floats(parts):  # hundreds of weights
        return np.array(parts)
    return np.stack(parts, axis=axis)


def stack_parts(g, z, parts, *, axis):
    if type(g) is np.ndarray and are_floats(parts):
        return g.tolist()
    axis = axis % len(shape_of(g))
    return [getitem(g, index=(slice(None),) * axis + (i,)) for i in range(len(parts))]


stack = primitive(
    "stack",
    _stack,
    stack_parts,
    notation="stack({})",
    code="np.stack([{}], axis={axis})",
    elementwise=False,
    variadic=True,
)


def pad_x(g, z, x, *, pad_width):
    inner = tuple(
        slice(before, before + n) for (before, _), n in zip(pad_width, shape_of(x), strict=True)
    )
    return getitem(g, index=inner)


pad = primitive(
    "pad",
    lambda x, pad_width: np.pad(x, pad_width),
    pad_x,
    notation="pad({}, {pad_width})",
    code="np.pad({}, {pad_width})",
    elementwise=False,
)
