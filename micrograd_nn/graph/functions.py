"""The functions a user calls, with NumPy's names and arguments, on nodes, floats and arrays.

Most are rows of the table, taken as they are; the others put NumPy's arguments (``axis``,
``keepdims``, ``None``) into the one form that a row takes, or are written in other functions.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.primitive import as_floating
from micrograd_nn.graph.table import activations, arithmetic, arrays, elementary, fused, indexing
from micrograd_nn.graph.table.arrays import shape_of

add, sub, mul, div = arithmetic.add, arithmetic.sub, arithmetic.mul, arithmetic.div
neg, power, sign = arithmetic.neg, arithmetic.power, arithmetic.sign
maximum, minimum, where = arithmetic.maximum, arithmetic.minimum, arithmetic.where
exp, expm1, log, log1p = elementary.exp, elementary.expm1, elementary.log, elementary.log1p
sqrt, sin, cos, tan = elementary.sqrt, elementary.sin, elementary.cos, elementary.tan
arctan, sinh, cosh, tanh = elementary.arctan, elementary.sinh, elementary.cosh, elementary.tanh
sigmoid, softplus, erf = elementary.sigmoid, elementary.softplus, elementary.erf
relu, gelu, silu = activations.relu, activations.gelu, activations.silu
matmul = arrays.matmul
abs = arithmetic.absolute

Axis = int | tuple[int, ...] | None


def leaky_relu(x: Any, slope: float = 0.01) -> Any:
    """Return x where x > 0, else slope · x; the derivative at 0 is ``slope``.

    Examples
    --------
    >>> leaky_relu(-2.0)
    -0.02
    """
    return activations.leaky_relu(x, slope)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Return x where x > 0, else α (eˣ − 1).

    Examples
    --------
    >>> elu(0.5), elu(-1.0) == math.expm1(-1.0)
    (0.5, True)
    """
    return activations.elu(x, alpha)


def clip(x: Any, lo: Any = None, hi: Any = None) -> Any:
    """Return x limited to [lo, hi]; the gradient passes at the bounds.

    Examples
    --------
    >>> clip(3.0, 0, 1), clip(-3.0, hi=1)
    (1.0, -3.0)
    """
    lo = -math.inf if lo is None else lo
    hi = math.inf if hi is None else hi
    return arithmetic.clip(x, lo, hi)


# --------------------------------------------------------------------------------- reductions


def _axis(axis: Any) -> Axis:
    return tuple(operator.index(a) for a in axis) if isinstance(axis, (tuple, list)) else axis


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the sum over ``axis`` (all axes by default), as ``np.sum``.

    A sequence of Values is summed too.

    Examples
    --------
    >>> import numpy as np
    >>> sum(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    array([4., 6.])
    """
    return arrays.sum_(_gathered(x), axis=_axis(axis), keepdims=keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the mean over ``axis`` (all axes by default), as ``np.mean``."""
    return arrays.mean(_gathered(x), axis=_axis(axis), keepdims=keepdims)


def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the product over ``axis``, as ``np.prod``; right where elements are zero, too."""
    return arrays.prod(_gathered(x), axis=_axis(axis), keepdims=keepdims)


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the maximum over ``axis``, as ``np.max``; ties share the gradient evenly."""
    return arrays.max_(_gathered(x), axis=_axis(axis), keepdims=keepdims)


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the minimum over ``axis``, as ``np.min``; ties share the gradient evenly."""
    return arrays.min_(_gathered(x), axis=_axis(axis), keepdims=keepdims)


def var(x: Any, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """Return the variance over ``axis``, Σ (x − x̄)² / (n − ddof), as ``np.var``."""
    return arrays.var(_gathered(x), axis=_axis(axis), ddof=ddof, keepdims=keepdims)


def std(x: Any, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """Return the standard deviation over ``axis``, as ``np.std``; its gradient is 0 at 0."""
    return arrays.std(_gathered(x), axis=_axis(axis), ddof=ddof, keepdims=keepdims)


def norm(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the Euclidean norm over ``axis`` (all axes by default); its gradient is 0 at 0."""
    return arrays.norm(_gathered(x), axis=_axis(axis), keepdims=keepdims)


def cumsum(x: Any, axis: int | None = None) -> Any:
    """Return the running sum along ``axis`` (of the flattened array by default)."""
    return arrays.cumsum(_gathered(x), axis=axis)


def softmax(x: Any, axis: Axis = -1) -> Any:
    """Return eˣ / Σ eˣ over ``axis``, without overflow."""
    return fused.softmax(_gathered(x), axis=_axis(axis))


def log_softmax(x: Any, axis: Axis = -1) -> Any:
    """Return x − log Σ eˣ over ``axis``, without overflow."""
    return fused.log_softmax(_gathered(x), axis=_axis(axis))


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return log Σ eˣ over ``axis`` (all axes by default), without overflow."""
    return fused.logsumexp(_gathered(x), axis=_axis(axis), keepdims=keepdims)


# ------------------------------------------------------------------------------------- shapes


def _gathered(x: Any) -> Any:
    """Return a sequence of nodes as one Tensor, a plain number or sequence as an array."""
    if isinstance(x, Node):
        return x if shape_of(x) or x.rank > 1 else stack([x]).reshape(())
    if isinstance(x, (list, tuple)) and any(isinstance(i, (Node, list, tuple)) for i in x):
        return stack([_gathered(i) for i in x])
    return np.asarray(as_floating(x))


def reshape(x: Any, *shape: Any) -> Any:
    """Return x in another shape; one length may be −1."""
    x = _gathered(x)
    wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    return arrays.reshape(x, shape=_full_shape(shape_of(x), _integers("reshape", wanted)))


def _full_shape(old: tuple[int, ...], new: tuple[int, ...]) -> tuple[int, ...]:
    known = math.prod(n for n in new if n != -1)
    size = math.prod(old)
    if new.count(-1) == 1 and known and size % known == 0:
        return tuple(size // known if n == -1 else n for n in new)
    return new


def ravel(x: Any) -> Any:
    """Return x as one axis."""
    return reshape(x, -1)


flatten = ravel


def transpose(x: Any, *axes: Any) -> Any:
    """Return x with its axes permuted: reversed by default."""
    x = _gathered(x)
    wanted = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
    if not wanted or axes == (None,):
        return arrays.transpose(x, axes=None)
    return arrays.transpose(x, axes=_positions("transpose", wanted, x))


def _positions(what: str, axes: Any, x: Any) -> tuple[int, ...]:
    """Return axes counted from the start."""
    ndim = len(shape_of(x))
    axes = _integers(what, axes)
    for axis in axes:
        if not -ndim <= axis < ndim:
            raise ValueError(f"{what}: axis {axis} is out of range for shape {shape_of(x)}")
    return tuple(axis % ndim for axis in axes)


def _integers(what: str, numbers: Any) -> tuple[int, ...]:
    try:
        return tuple(map(operator.index, numbers))
    except TypeError:
        raise TypeError(f"{what} takes axes and lengths that are integers, got {numbers}") from None


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Return x with two axes exchanged."""
    x = _gathered(x)
    order = list(range(len(shape_of(x))))
    axis1, axis2 = _positions("swapaxes", (axis1, axis2), x)
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return arrays.transpose(x, axes=tuple(order))


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Return x with axes moved to new positions, the others in their order."""
    x = _gathered(x)
    from_ = _positions("moveaxis", np.atleast_1d(source), x)
    to = _positions("moveaxis", np.atleast_1d(destination), x)
    if len({*from_}) != len(from_) or len({*to}) != len(to) or len(from_) != len(to):
        raise ValueError(
            f"moveaxis: the axes {source} can't move to {destination}: both must name as many "
            "axes, each once"
        )
    axes = [a for a in range(len(shape_of(x))) if a not in from_]
    for position, axis in sorted(zip(to, from_, strict=True)):
        axes.insert(position, axis)
    return arrays.transpose(x, axes=tuple(axes))


def broadcast_to(x: Any, shape: Any) -> Any:
    """Return x repeated to ``shape``, as NumPy broadcasts."""
    return arrays.broadcast_to(_gathered(x), shape=tuple(np.atleast_1d(shape).tolist()))


def squeeze(x: Any, axis: Axis = None) -> Any:
    """Return x without its axes of length 1, or without those named."""
    return _with_shape_of(np.squeeze, x, axis)


def expand_dims(x: Any, axis: Any) -> Any:
    """Return x with new axes of length 1."""
    return _with_shape_of(np.expand_dims, x, axis)


def _with_shape_of(change: Callable[..., Any], x: Any, axis: Any) -> Any:
    """Return x in the shape that a function of NumPy gives to an array."""
    x = _gathered(x)
    like = np.broadcast_to(np.float64(0.0), shape_of(x))  # takes no memory
    try:
        return arrays.reshape(x, shape=change(like, _axis(axis)).shape)
    except (ValueError, TypeError) as error:
        raise type(error)(
            f"{change.__name__} can't take an argument of shape {like.shape} with axis={axis}: "
            f"{error}"
        ) from None


def flip(x: Any, axis: Axis = None) -> Any:
    """Return x in reverse order along ``axis`` (all axes by default)."""
    return arrays.flip(x, axis=_axis(axis))


# -------------------------------------------------------------------------- parts and wholes


def getitem(x: Any, index: Any) -> Any:
    """Return ``x[index]``, for every index that NumPy knows; repeats accumulate gradient."""
    return indexing.getitem(x, index=_plain_index(index))


def _plain_index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(map(_plain_index, index))
    if isinstance(index, (np.ndarray, list)):
        copied = np.array(index)  # the user may write to the array later
        return copied if copied.size or copied.dtype != float else copied.astype(np.intp)
    if isinstance(index, Node):
        raise TypeError("an index must be integers, slices or booleans, not a node")
    return index


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return the elements of x at ``indices`` along ``axis``, or of the flattened x."""
    if axis is None:
        return getitem(ravel(x), np.asarray(indices))
    x = _gathered(x)
    (axis,) = _positions("take", (axis,), x)
    return getitem(x, (slice(None),) * axis + (np.asarray(indices),))


def concatenate(parts: Sequence[Any], axis: int | None = 0) -> Any:
    """Return the parts joined along an axis they have."""
    if axis is None:
        return concatenate([ravel(part) for part in _listed("concatenate", parts)])
    return indexing.concatenate(_listed("concatenate", parts), axis=axis)


def stack(parts: Sequence[Any], axis: int = 0) -> Any:
    """Return the parts joined along a new axis. Values become a Tensor."""
    return indexing.stack(_listed("stack", parts), axis=axis)


def _listed(what: str, parts: Any) -> tuple[Any, ...]:
    try:
        listed = tuple(parts)
    except TypeError:
        raise TypeError(f"{what} takes a sequence of parts, got {type(parts).__name__}") from None
    if not listed:
        raise ValueError(f"{what} needs at least one part, got an empty sequence")
    return listed


def split(x: Any, sections: Any, axis: int = 0) -> list[Any]:
    """Return x cut into equal ``sections``, or at the given indices, as ``np.split``."""
    x = _gathered(x)
    (axis,) = _positions("split", (axis,), x)
    length = shape_of(x)[axis]
    if isinstance(sections, (int, np.integer)) and (sections < 1 or length % sections):
        raise ValueError(
            f"split: axis {axis} of shape {shape_of(x)} can't be cut into {sections} equal parts: "
            "pass the indices to cut at"
        )
    pieces = np.split(np.arange(length), sections)
    ends = [(int(p[0]), int(p[-1]) + 1) if p.size else (0, 0) for p in pieces]
    return [getitem(x, (slice(None),) * axis + (slice(*end),)) for end in ends]


def pad(x: Any, pad_width: Any) -> Any:
    """Return x with zeros around it; ``pad_width`` as in ``np.pad``."""
    x = _gathered(x)
    ndim = len(shape_of(x))
    widths = np.asarray(pad_width)
    if widths.dtype.kind not in "iu" or np.any(widths < 0):
        raise ValueError(f"pad: the widths must be integers >= 0, got {pad_width!r}")
    try:
        pairs = np.broadcast_to(widths, (ndim, 2)).tolist() if ndim else []
    except ValueError:
        raise ValueError(
            f"pad: the widths for shape {shape_of(x)} are a number, (before, after) or {ndim} such "
            f"pairs, got {pad_width!r}"
        ) from None
    return indexing.pad(x, pad_width=tuple(map(tuple, pairs))) if pairs else x


def dot(x: Any, y: Any) -> Any:
    """Return ``np.dot(x, y)``: a product of vectors, matrices, or a number and an array."""
    x, y = _gathered(x), _gathered(y)
    if not shape_of(x) or not shape_of(y):
        return x * y
    if len(shape_of(y)) <= 2:
        return matmul(x, y)
    batch = shape_of(y)[:-2]
    columns = reshape(moveaxis(y, -2, 0), (shape_of(y)[-2], -1))
    return reshape(matmul(x, columns), (*shape_of(x)[:-1], *batch, shape_of(y)[-1]))


def outer(x: Any, y: Any) -> Any:
    """Return the matrix of all products of the elements of two vectors."""
    return reshape(x, (-1, 1)) * reshape(y, (1, -1))


def linear(x: Any, W: Any, b: Any = None) -> Any:
    """Return x Wᵀ + b, for rows x (..., n_in), W (n_out, n_in) and b (n_out,)."""
    return matmul(x, transpose(W)) if b is None else fused.linear(x, W, b)


def layer_norm(x: Any, w: Any = None, b: Any = None, eps: float = 1e-5) -> Any:
    """Return w (x − μ) / √(σ² + eps) + b, with μ and σ² over the last axis.

    Source: Ba, Kiros, Hinton, "Layer normalization", 2016.
    """
    return _scaled(fused.standardize(x, axis=(-1,), eps=eps), w, b)


def standardize(x: Any, axis: Axis = -1, eps: float = 1e-5) -> Any:
    """Return (x − μ) / √(σ² + eps), with μ and σ² over ``axis``."""
    return fused.standardize(x, axis=_axis(axis), eps=eps)


def _scaled(x: Any, w: Any, b: Any) -> Any:
    scaled = x if w is None else x * w
    return scaled if b is None else scaled + b
