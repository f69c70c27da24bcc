"""Functions that take parts out of a whole, and join parts to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.functions.gathering import gathered, positions
from micrograd_nn.graph.functions.shapes import ravel
from micrograd_nn.graph.node import Node
from micrograd_nn.graph.table import indexing
from micrograd_nn.graph.table.arrays import shape_of


def getitem(x: Any, index: Any) -> Any:
    """Return ``x[index]``.

    Parameters
    ----------
    x : Tensor or ndarray
    index : int, slice, array of integers or booleans, None, Ellipsis, or a tuple of them
        Every index that NumPy knows.

    Returns
    -------
    Tensor or ndarray

    Raises
    ------
    IndexError
        If the index is out of range.
    TypeError
        If the index is a node.

    Notes
    -----
    An element that is taken several times gets the sum of the cotangents, one that isn't gets 0.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import grad
    >>> grad(lambda x: getitem(x, [0, 0, 2]).sum())(np.zeros(3))
    array([2., 0., 1.])
    """
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
    """Return the elements of x at ``indices`` along an axis, as ``np.take``.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values
    indices : array-like of int
    axis : int, optional
        By default x is flattened first.

    Returns
    -------
    Tensor or ndarray
        Of the shape of x, with that of ``indices`` in place of the axis.

    Raises
    ------
    IndexError
        If an index is out of range.
    ValueError
        If x has no such axis.

    Notes
    -----
    An element that is taken several times gets the sum of the cotangents.

    Examples
    --------
    >>> take([[1.0, 2.0], [3.0, 4.0]], [1], axis=1)
    array([[2.],
           [4.]])
    """
    if axis is None:
        return getitem(ravel(x), np.asarray(indices))
    x = gathered(x)
    (axis,) = positions("take", (axis,), x)
    return getitem(x, (slice(None),) * axis + (np.asarray(indices),))


def concatenate(parts: Sequence[Any], axis: int | None = 0) -> Any:
    """Return the parts joined along an axis they have, as ``np.concatenate``.

    Parameters
    ----------
    parts : sequence of Tensor or array-like
        Of equal shape, but for the length along the axis.
    axis : int, optional
        For None they are flattened first.

    Returns
    -------
    Tensor or ndarray

    Raises
    ------
    TypeError
        If ``parts`` isn't a sequence.
    ValueError
        If there are no parts, their shapes don't fit, or they have no such axis.

    Notes
    -----
    Each part gets its own piece of the cotangent.

    Examples
    --------
    >>> concatenate([[1.0, 2.0], [3.0]])
    array([1., 2., 3.])
    """
    listed = _listed("concatenate", parts)
    if axis is None:
        return concatenate([ravel(part) for part in listed])
    return indexing.concatenate(listed, axis=axis)


def stack(parts: Sequence[Any], axis: int = 0) -> Any:
    """Return the parts joined along a new axis, as ``np.stack``; Values become a Tensor.

    Parameters
    ----------
    parts : sequence of Value, Tensor, array-like or float
        Of equal shape.
    axis : int
        Where the new axis is, in the result.

    Returns
    -------
    Tensor or ndarray

    Raises
    ------
    TypeError
        If ``parts`` isn't a sequence.
    ValueError
        If there are no parts, their shapes differ, or the result would have no such axis.

    Notes
    -----
    Each part gets its own piece of the cotangent.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> stack([Value(1.0), Value(2.0)])
    Tensor([1., 2.])
    """
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
    """Return x cut into pieces along an axis, as ``np.split``.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values
    sections : int or sequence of int
        Into how many equal pieces, or at which indices.
    axis : int

    Returns
    -------
    list of Tensor or ndarray

    Raises
    ------
    ValueError
        If x has no such axis, or it can't be cut into so many equal pieces.

    Examples
    --------
    >>> split([1.0, 2.0, 3.0, 4.0], 2)
    [array([1., 2.]), array([3., 4.])]
    """
    x = gathered(x)
    (axis,) = positions("split", (axis,), x)
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
    """Return x with zeros around it, as ``np.pad``.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values
    pad_width : int, (before, after), or a sequence of such pairs, one for each axis
        How many zeros there are.

    Returns
    -------
    Tensor or ndarray

    Raises
    ------
    ValueError
        If the widths aren't integers from 0, or don't fit the axes of x.

    Notes
    -----
    The cotangent of x is what stands in the middle of that of the result.

    Examples
    --------
    >>> pad([1.0, 2.0], (1, 2))
    array([0., 1., 2., 0., 0.])
    """
    x = gathered(x)
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
