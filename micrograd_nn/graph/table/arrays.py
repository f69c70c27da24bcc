"""Rows of the table: reductions, matrix products and the shapes of arrays."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import primitive
from micrograd_nn.graph.pull import unbroadcast_axes
from micrograd_nn.graph.table.arithmetic import where


def shape_of(x: Any) -> tuple[int, ...]:
    """Return the shape of a node, an array or a number."""
    return getattr(x, "shape", ())


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes that a parameter names, counted from 0; all for None."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % ndim for a in axes) if ndim else ()  # a number has no axes


def _count(x: Any, axis: Any) -> int:
    return _count_of(shape_of(x), axis)


@lru_cache(maxsize=1000)
def _count_of(shape: tuple[int, ...], axis: Any) -> int:
    return math.prod(shape[a] for a in axes_of(axis, len(shape)))


@lru_cache(maxsize=1000)
def _kept_shape(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    axes = axes_of(axis, len(shape))
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def with_reduced_axes(g: Any, x: Any, axis: Any) -> Any:
    """Return ``g`` with the axes, as axes of length 1, that a reduction of ``x`` removed."""
    if shape_of(g) == ():
        return g  # a number broadcasts to any shape
    kept = _kept_shape(shape_of(x), axis)
    return g if shape_of(g) == kept else reshape(g, shape=kept)


# ------------------------------------------------------------------------------------- shapes


def reshape_x(g, z, x, *, shape):
    return reshape(g, shape=shape_of(x))


reshape = primitive(
    "reshape",
    lambda x, shape: np.asarray(x).reshape(shape),
    reshape_x,
    notation="reshape({}, {shape})",
    code="np.reshape({}, {shape})",
    elementwise=False,
)


def transpose_x(g, z, x, *, axes):
    return transpose(g, axes=None if axes is None else tuple(int(a) for a in np.argsort(axes)))


transpose = primitive(
    "transpose",
    lambda x, axes: np.asarray(x).transpose(axes),
    transpose_x,
    notation="{}ᵀ",
    code="np.transpose({}, {axes})",
    elementwise=False,
)


def _spread(x: Any, shape: tuple[int, ...]) -> Any:
    try:
        result = np.empty(shape, x.dtype)
        result[...] = x  # faster than np.broadcast_to, whose view costs each later reader
    except ValueError:
        return np.broadcast_to(x, shape)  # for its message
    return result


def broadcast_to_x(g, z, _x, *, shape):
    return g  # the engine sums over repeated axes, for every rule alike


broadcast_to = primitive(
    "broadcast_to",
    _spread,
    broadcast_to_x,
    notation="broadcast_to({}, {shape})",
    code="np.broadcast_to({}, {shape})",
    elementwise=False,
)


def _sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    axes = unbroadcast_axes(np.shape(x), shape)
    return np.reshape(np.sum(x, axis=axes), shape) if axes else x


def sum_to_x(g, z, x, *, shape):
    return broadcast_to(g, shape=shape_of(x))


sum_to = primitive(
    "sum_to",
    _sum_to,
    sum_to_x,
    notation="Σ {}",
    code="sum_to({}, {shape})",
    elementwise=False,
)


def flip_x(g, z, _x, *, axis):
    return flip(g, axis=axis)


flip = primitive(
    "flip",
    lambda x, axis: np.flip(x, axis),
    flip_x,
    notation="flip({}, {axis})",
    code="np.flip({}, {axis})",
    elementwise=False,
)


# --------------------------------------------------------------------------------- reductions


def sum_x(g, z, x, *, axis, keepdims):
    return broadcast_to(with_reduced_axes(g, x, axis), shape=shape_of(x))


sum_ = primitive(
    "sum",
    lambda x, axis, keepdims: np.add.reduce(x, axis=axis, keepdims=keepdims),
    sum_x,
    notation="Σ {}",
    code="np.sum({}, axis={axis}, keepdims={keepdims})",
    elementwise=False,
)


def mean_x(g, z, x, *, axis, keepdims):
    share = with_reduced_axes(g, x, axis) / float(_count(x, axis))
    return broadcast_to(share, shape=shape_of(x))


mean = primitive(
    "mean",
    lambda x, axis, keepdims: np.add.reduce(x, axis=axis, keepdims=keepdims) / _count(x, axis),
    mean_x,
    notation="mean({})",
    code="np.mean({}, axis={axis}, keepdims={keepdims})",
    elementwise=False,
)


def prod_x(g, z, x, *, axis, keepdims):
    return with_reduced_axes(g, x, axis) * product_of_others(x, axis=axis)


prod = primitive(
    "prod",
    lambda x, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims),
    prod_x,
    notation="Π {}",
    code="np.prod({}, axis={axis}, keepdims={keepdims})",
    elementwise=False,
    along="axis",
)


def lined_up(x: Any, axis: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """Return ``x`` with the given axes flattened into the last, the order and the full shape."""
    axes = axes_of(axis, len(shape_of(x)))
    order = tuple(i for i in range(len(shape_of(x))) if i not in axes) + axes
    moved = transpose(x, axes=order)
    full = shape_of(moved)
    return reshape(moved, shape=(*full[: len(full) - len(axes)], _count(x, axis))), order, full


def _product_of_others(x: Any, axis: Any) -> Any:
    lined, order, full = lined_up(x, axis)
    before, after = np.ones_like(lined), np.ones_like(lined)
    np.cumprod(lined[..., :-1], axis=-1, out=before[..., 1:])
    np.cumprod(lined[..., :0:-1], axis=-1, out=after[..., -2::-1])
    return np.transpose(np.reshape(before * after, full), np.argsort(order))


def product_of_others_x(g, z, x, *, axis):
    # Element j of the product that leaves out i, for every pair: quadratic, but right at zeros.
    lined, _, _ = lined_up(x, axis)
    weights, order, full = lined_up(g, axis)
    n = shape_of(lined)[-1]
    pairs = where(np.eye(n, dtype=bool), 1.0, reshape(lined, shape=(*shape_of(lined)[:-1], 1, n)))
    without_both = where(np.eye(n, dtype=bool), 0.0, product_of_others(pairs, axis=-1))
    moved = reshape(sum_(_column(weights) * without_both, axis=-2, keepdims=False), shape=full)
    return transpose(moved, axes=tuple(int(a) for a in np.argsort(order)))


product_of_others = primitive(
    "product_of_others",
    _product_of_others,
    product_of_others_x,
    notation="Π others({})",
    elementwise=False,
    along="axis",
)


def _share_of_extremum(x: Any, z: Any, axis: Any) -> Any:
    hit = np.equal(x, np.reshape(z, shape_of(with_reduced_axes(z, x, axis))))
    share: Any = hit / np.sum(hit, axis=axis, keepdims=True)
    return share.astype(x.dtype)


share_of_extremum = primitive(
    "share_of_extremum",
    _share_of_extremum,
    (None, None),
    notation="[{} = {}]",
    elementwise=False,
)


def extremum_x(g, z, x, *, axis, keepdims):
    return with_reduced_axes(g, x, axis) * share_of_extremum(x, z, axis=axis)


def _extremum(name: str, extreme: Any) -> Any:
    return primitive(
        name,
        lambda x, axis, keepdims: extreme(x, axis=axis, keepdims=keepdims),
        extremum_x,
        notation=f"{name} {{}}",
        code=f"np.{name}({{}}, axis={{axis}}, keepdims={{keepdims}})",
        kinks={"ties": "split evenly"},
        elementwise=False,
        along="axis",
    )


max_ = _extremum("max", np.max)
min_ = _extremum("min", np.min)


def _freedom(x: Any, axis: Any, ddof: Any) -> float:
    return float(max(_count(x, axis) - ddof, 0))  # as NumPy counts: 0 gives NaN or infinity


def var_x(g, z, x, *, axis, ddof, keepdims):
    centred = x - mean(x, axis=axis, keepdims=True)
    return with_reduced_axes(g, x, axis) * (2.0 * centred / _freedom(x, axis, ddof))


var = primitive(
    "var",
    lambda x, axis, ddof, keepdims: np.var(x, axis=axis, ddof=ddof, keepdims=keepdims),
    var_x,
    notation="var({})",
    code="np.var({}, axis={axis}, ddof={ddof}, keepdims={keepdims})",
    elementwise=False,
    along="axis",
)


def std_x(g, z, x, *, axis, ddof, keepdims):
    spread = with_reduced_axes(where(z, z, 1.0), x, axis)
    centred = x - mean(x, axis=axis, keepdims=True)
    return with_reduced_axes(g, x, axis) * (centred / spread) / _freedom(x, axis, ddof)


std = primitive(
    "std",
    lambda x, axis, ddof, keepdims: np.std(x, axis=axis, ddof=ddof, keepdims=keepdims),
    std_x,
    notation="std({})",
    code="np.std({}, axis={axis}, ddof={ddof}, keepdims={keepdims})",
    kinks={"all elements equal": "0 (the subgradient of least norm)"},
    elementwise=False,
    along="axis",
)


def _norm(x: Any, axis: Any, keepdims: bool) -> Any:
    # Scaled by a power of two near the largest element that is summed with it, so that no square
    # over- or underflows.
    largest = np.max(np.abs(x), axis=axis, keepdims=True, initial=0.0)
    scalable = (largest > 0) & (largest < np.inf)
    exponent = np.frexp(np.where(scalable, largest, 1))[1] - 1
    scale = np.ldexp(x.dtype.type(1), exponent)
    scaled = x / scale
    result = np.sqrt(np.sum(scaled * scaled, axis=axis, keepdims=True)) * scale
    return result if keepdims else np.squeeze(result, axis=axis)


def norm_x(g, z, x, *, axis, keepdims):
    length = with_reduced_axes(where(z, z, 1.0), x, axis)
    return with_reduced_axes(g, x, axis) * (x / length)


norm = primitive(
    "norm",
    _norm,
    norm_x,
    notation="‖{}‖",
    code="np.linalg.norm({}, axis={axis}, keepdims={keepdims})",
    kinks={"x == 0": "0 (the subgradient of least norm)"},
    elementwise=False,
    along="axis",
)


def cumsum_x(g, z, x, *, axis):
    if axis is None:
        return reshape(flip(cumsum(flip(g, axis=0), axis=0), axis=0), shape=shape_of(x))
    return flip(cumsum(flip(g, axis=axis), axis=axis), axis=axis)


cumsum = primitive(
    "cumsum",
    lambda x, axis: np.cumsum(x, axis=axis),
    cumsum_x,
    notation="cumsum({})",
    code="np.cumsum({}, axis={axis})",
    elementwise=False,
)


# ----------------------------------------------------------------------------- matrix products


def _column(x: Any) -> Any:
    return reshape(x, shape=(*shape_of(x), 1))


def _row(x: Any) -> Any:
    return reshape(x, shape=(*shape_of(x)[:-1], 1, shape_of(x)[-1]))


def _matrix_transpose(x: Any) -> Any:
    ndim = len(shape_of(x))
    if ndim == 2:
        return x.T
    return transpose(x, axes=(*range(ndim - 2), ndim - 1, ndim - 2))


def _without_last(x: Any) -> Any:
    return reshape(x, shape=shape_of(x)[:-1])


def matmul_x(g, z, x, y):
    if len(shape_of(y)) == 1:
        return g * y if len(shape_of(x)) == 1 else _column(g) * y
    if len(shape_of(x)) == 1:
        return _without_last(matmul(y, _column(g)))
    return g @ _matrix_transpose(y)


def matmul_y(g, z, x, y):
    if len(shape_of(x)) == 1:
        return g * x if len(shape_of(y)) == 1 else _column(x) * _row(g)
    if len(shape_of(y)) == 1:
        return _without_last(matmul(_matrix_transpose(x), _column(g)))
    return _matrix_transpose(x) @ g


matmul = primitive(
    "matmul",
    np.matmul,
    (matmul_x, matmul_y),
    notation="{} {}",
    code="{} @ {}",
    textbook=("{g} {1}ᵀ", "{0}ᵀ {g}"),
    elementwise=False,
    multilinear=True,
    about="Return the matrix product of x (..., n, k) and y (..., k, m), as ``np.matmul``.",
    example=(
        ">>> W, x = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0])\n"
        ">>> F.matmul(W, x), grad(lambda x: F.matmul(W, x).sum())(x)\n"
        "(array([-1., -1.]), array([4., 6.]))"
    ),
)
