"""Functions that give the same numbers another shape or order; their rules undo the change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from micrograd_nn.graph.functions.gathering import Axis, gathered, integers, plain_axis, positions
from micrograd_nn.graph.table import arrays
from micrograd_nn.graph.table.arrays import shape_of


def reshape(x: Any, *shape: Any) -> Any:
    """Return x in another shape, as ``np.reshape``.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values
    *shape : int, or one tuple of int
        One length may be −1: as much as is left.

    Returns
    -------
    Tensor or ndarray

    Raises
    ------
    TypeError
        If a length isn't an integer.
    ValueError
        If x has not as many elements.

    Examples
    --------
    >>> reshape([1.0, 2.0, 3.0, 4.0], 2, -1)
    array([[1., 2.],
           [3., 4.]])
    """
    x = gathered(x)
    wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    return arrays.reshape(x, shape=_full_shape(shape_of(x), integers("reshape", wanted)))


def _full_shape(old: tuple[int, ...], new: tuple[int, ...]) -> tuple[int, ...]:
    known = math.prod(n for n in new if n != -1)
    size = math.prod(old)
    if new.count(-1) == 1 and known and size % known == 0:
        return AskedShape.of((size // known if n == -1 else n for n in new), new)
    return new


class AskedShape(tuple[int, ...]):
    """A shape in which −1 was replaced; ``asked`` is what it was replaced in."""

    asked: tuple[int, ...]

    @classmethod
    def of(cls, shape: Iterable[int], asked: tuple[int, ...]) -> AskedShape:
        """Return a shape, and what was asked for."""
        made = cls(shape)
        made.asked = asked
        return made


def ravel(x: Any) -> Any:
    """Return x as one axis, as ``np.ravel``; ``flatten`` is another name for it.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values

    Returns
    -------
    Tensor or ndarray
        Of shape (size,).

    Raises
    ------
    TypeError
        If x doesn't hold real numbers.

    Examples
    --------
    >>> ravel([[1.0, 2.0], [3.0, 4.0]])
    array([1., 2., 3., 4.])
    """
    return reshape(x, -1)


flatten = ravel


def transpose(x: Any, *axes: Any) -> Any:
    """Return x with its axes permuted, as ``np.transpose``.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values
    *axes : int, or one tuple of int
        Which axis comes where; the reverse order by default.

    Returns
    -------
    Tensor or ndarray

    Raises
    ------
    ValueError
        If the axes aren't those of x, each once.

    Examples
    --------
    >>> transpose([[1.0, 2.0, 3.0]]).shape
    (3, 1)
    """
    x = gathered(x)
    wanted = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
    if not wanted or axes == (None,):
        return arrays.transpose(x, axes=None)
    return arrays.transpose(x, axes=positions("transpose", wanted, x))


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Return x with two axes exchanged, as ``np.swapaxes``.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values
    axis1, axis2 : int

    Returns
    -------
    Tensor or ndarray

    Raises
    ------
    ValueError
        If x has no such axis.

    Examples
    --------
    >>> swapaxes([[1.0, 2.0, 3.0]], 0, 1).shape
    (3, 1)
    """
    x = gathered(x)
    order = list(range(len(shape_of(x))))
    axis1, axis2 = positions("swapaxes", (axis1, axis2), x)
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return arrays.transpose(x, axes=tuple(order))


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Return x with axes moved to new positions, the others in their order, as ``np.moveaxis``.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values
    source, destination : int or sequence of int
        The axes, and where each of them goes.

    Returns
    -------
    Tensor or ndarray

    Raises
    ------
    ValueError
        If x has no such axis, one is named twice, or they aren't as many on both sides.

    Examples
    --------
    >>> import numpy as np
    >>> moveaxis(np.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = gathered(x)
    from_ = positions("moveaxis", np.atleast_1d(source), x)
    to = positions("moveaxis", np.atleast_1d(destination), x)
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
    """Return x repeated to ``shape``, as ``np.broadcast_to``.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values
    shape : int or tuple of int

    Returns
    -------
    Tensor or ndarray

    Raises
    ------
    ValueError
        If x can't be broadcast to that shape.

    Notes
    -----
    An element that was repeated gets the sum of the cotangents.

    Examples
    --------
    >>> broadcast_to([1.0, 2.0], (2, 2))
    array([[1., 2.],
           [1., 2.]])
    """
    return arrays.broadcast_to(gathered(x), shape=tuple(np.atleast_1d(shape).tolist()))


def squeeze(x: Any, axis: Axis = None) -> Any:
    """Return x without axes of length 1, as ``np.squeeze``.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values
    axis : int or tuple of int, optional
        Which to leave out; all that have length 1 by default.

    Returns
    -------
    Tensor or ndarray

    Raises
    ------
    ValueError
        If x has no such axis, or it has another length.

    Examples
    --------
    >>> squeeze([[1.0, 2.0]])
    array([1., 2.])
    """
    return _with_shape_of(np.squeeze, x, axis)


def expand_dims(x: Any, axis: Any) -> Any:
    """Return x with new axes of length 1, as ``np.expand_dims``.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values
    axis : int or tuple of int
        Where the new axes are, in the result.

    Returns
    -------
    Tensor or ndarray

    Raises
    ------
    ValueError
        If the result would have no such axis.

    Examples
    --------
    >>> expand_dims([1.0, 2.0], 0)
    array([[1., 2.]])
    """
    return _with_shape_of(np.expand_dims, x, axis)


def _with_shape_of(change: Callable[..., Any], x: Any, axis: Any) -> Any:
    """Return x in the shape that a function of NumPy gives to an array."""
    x = gathered(x)
    like = np.broadcast_to(np.float64(0.0), shape_of(x))  # takes no memory
    try:
        return arrays.reshape(x, shape=change(like, plain_axis(axis)).shape)
    except (ValueError, TypeError) as error:
        raise type(error)(
            f"{change.__name__} can't take an argument of shape {like.shape} with axis={axis}: "
            f"{error}"
        ) from None


def flip(x: Any, axis: Axis = None) -> Any:
    """Return x in reverse order, as ``np.flip``.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values
    axis : int or tuple of int, optional
        The axes to reverse; all by default.

    Returns
    -------
    Tensor or ndarray
        Of the shape of x.

    Raises
    ------
    ValueError
        If x has no such axis.

    Examples
    --------
    >>> flip([1.0, 2.0, 3.0])
    array([3., 2., 1.])
    """
    return arrays.flip(gathered(x), axis=plain_axis(axis))
