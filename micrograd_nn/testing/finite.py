"""Derivatives of opaque NumPy code by finite differences that estimate their own error.

``directional`` differentiates along one direction, ``vjp`` pulls a cotangent back to an argument,
element by element. Steps follow the scale of each input and never leave the domain; float32
inputs are differentiated in float64 where the code allows it. What makes a difference reliable is
in ``taylor``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from micrograd_nn.testing.taylor import SMOOTH, Estimate, derivative, merged

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]
Domain = Callable[..., Any]


def directional(
    f: Function, inputs: Sequence[Any], directions: Sequence[Any], domain: Domain | None = None
) -> Estimate:
    """Return the derivative of ``t -> f(*(x + t v))`` at t = 0.

    Parameters
    ----------
    f : callable
        A function of arrays, returning an array or a number.
    inputs : sequence of arrays or numbers
        Where to differentiate.
    directions : sequence of arrays or numbers
        One direction ``v`` per input, in its shape.
    domain : callable, optional
        ``domain(*inputs)`` tells where ``f`` is defined: a bool, or an array of them.

    Returns
    -------
    Estimate
        Value, error and reason in the shape of the result of ``f``.

    Examples
    --------
    >>> print(directional(np.exp, [0.0], [1.0]))
    1.0... ± ...e-1...
    >>> print(directional(np.abs, [0.0], [1.0]))
    unreliable (a kink: its left and right derivatives differ)
    """
    call = Opaque(f, inputs, domain)
    directions = [np.asarray(v, np.float64) for v in directions]

    def moved(t: Any) -> tuple[Array, Any]:
        points = [
            x if t == 0 or not v.any() else x + t * v
            for x, v in zip(call.inputs, directions, strict=True)
        ]
        inside = call.inside(points)
        return (call(points), inside) if np.all(inside) else (call.centre, False)

    ratios = [
        np.max(np.abs(v) / np.maximum(np.abs(x), 1.0), initial=0.0)
        for x, v in zip(call.inputs, directions, strict=True)
    ]
    fastest = max((float(ratio) for ratio in ratios), default=0.0)
    if fastest == 0.0:
        return _zero(call.centre)
    # how far t would move before the largest x moved by its own size: its rounding, in units of t
    position = max(
        float(np.max(np.abs(x[v != 0] / v[v != 0]), initial=0.0))
        for x, v in zip(call.inputs, directions, strict=True)
    )
    return derivative(moved, _power_of_two(1 / fastest, least=0.0) / 4, position)


def gradient(
    f: Function, inputs: Sequence[Any], argnum: int = 0, domain: Domain | None = None
) -> Estimate:
    """Return the gradient of a scalar function with respect to one of its inputs.

    Examples
    --------
    >>> gradient(lambda x: np.sum(x * x), [np.array([1.0, -3.0])]).value.round(9)
    array([ 2., -6.])
    """
    return vjp(f, inputs, 1.0, argnum, domain)


def vjp(
    f: Function,
    inputs: Sequence[Any],
    cotangent: Any,
    argnum: int = 0,
    domain: Domain | None = None,
) -> Estimate:
    """Return ``gᵀ ∂f/∂x``, the cotangent ``g`` of the result pulled back to one input.

    Parameters
    ----------
    f, inputs, domain
        As for ``directional``.
    cotangent : array or number
        ``g``, in the shape of the result. Results whose g is 0 do not count.
    argnum : int
        Which input.

    Returns
    -------
    Estimate
        In the shape of that input.

    Notes
    -----
    The code is run about 100 times for each element of the input; all elements together where each
    element of the result depends on its own element of the inputs only.
    """
    call = Opaque(f, inputs, domain)
    g = np.broadcast_to(np.asarray(cotangent, np.float64), call.centre.shape)
    if call.acts_elementwise():
        return pulled_back(call.slopes(argnum), g, call.inputs[argnum].shape)
    shape = call.inputs[argnum].shape
    parts = [pulled_back(call.column(argnum, i), g, ()) for i in np.ndindex(shape)]
    return Estimate(
        *(
            np.array([getattr(part, field) for part in parts]).reshape(shape)
            for field in ("value", "error", "reason")
        )
    )


def pulled_back(slopes: Estimate, g: Array, shape: tuple[int, ...]) -> Estimate:
    """Sum ``g`` times the slopes to a shape, and their errors with them."""
    with np.errstate(all="ignore"):
        counts = g != 0
        terms = np.where(counts, g * slopes.value, 0.0)
        errors = np.where(counts, np.abs(g) * slopes.error, 0.0)
        number = terms.size / max(1, int(np.prod(shape)))
        # a sum of n products, in any order, errs by less than n units of their sizes
        rounding = (number + 1) * 2.0**-53 * sum_to(np.abs(terms), shape)
        reason = sum_to(np.where(counts, slopes.reason, SMOOTH), shape, np.maximum)
        return Estimate(sum_to(terms, shape), sum_to(errors, shape) + rounding, reason)


def sum_to(x: Array, shape: tuple[int, ...], by: Any = np.add) -> Array:
    """Reduce over the axes along which ``shape`` was repeated."""
    lead = x.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(
        lead + i for i, n in enumerate(shape) if n == 1 and x.shape[lead + i] != 1
    )
    return np.asarray(by.reduce(x, axis=axes)).reshape(shape) if axes else x.reshape(shape)


class Opaque:
    """A function of arrays, at one point: called quietly, in float64 and inside its domain.

    Parameters
    ----------
    f, inputs, domain
        As for ``directional``. Inputs that aren't floats stay as they are.
    frozen : array of bool, optional
        Where elements of the result must not be moved off the point.
    """

    def __init__(
        self,
        f: Function,
        inputs: Sequence[Any],
        domain: Domain | None = None,
        frozen: Any = None,
    ) -> None:
        self.f, self.domain, self.frozen = f, domain, frozen
        given = [np.asarray(x) for x in inputs]
        self.dtypes = [x.dtype for x in given]
        self.inputs = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in given]
        self.narrow = False
        try:
            self.centre = self(self.inputs)
        except Exception:
            if all(x.dtype == y.dtype for x, y in zip(given, self.inputs, strict=True)):
                raise
            self.narrow = True  # the code insists on the dtypes it was given
            self.centre = self(self.inputs)

    def __call__(self, points: Sequence[Array]) -> Array:
        """Return f of the points as an array; floats stay in the dtype that f gives them."""
        dtypes = self.dtypes if self.narrow else [p.dtype for p in points]
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            own = [np.array(p, d) for p, d in zip(points, dtypes, strict=True)]
            result = np.asarray(self.f(*own))
        return result if result.dtype.kind == "f" else result.astype(np.float64)

    def inside(self, points: Sequence[Array]) -> Any:
        """Return where the points lie in the domain."""
        with np.errstate(all="ignore"):
            return True if self.domain is None else np.asarray(self.domain(*points), bool)

    def acts_elementwise(self) -> bool:
        """Tell whether an element of the result depends on its own elements of the inputs only."""
        shapes = [x.shape for x in self.inputs]
        try:
            if np.broadcast_shapes(*shapes) != self.centre.shape:
                return False
        except ValueError:
            return False
        for argnum, x in enumerate(self.inputs):
            numbers = np.arange(x.size).reshape(x.shape)
            for chosen, values in self.moved_in_halves(argnum, numbers):
                others = ~np.broadcast_to(chosen, values.shape)
                if not np.array_equal(values[others], self.centre[others], equal_nan=True):
                    return False
        return True

    def moved_in_halves(self, argnum: int, groups: Array) -> Iterator[tuple[Array, Array]]:
        """Move half of the elements of an input at a time: yield which, and f of them.

        What acts on each group alone leaves the results of the other half as they are. Each bit of
        a group's number splits the groups in two, so that any two are told apart. An input that
        isn't made of floats can't be moved.
        """
        x = self.inputs[argnum]
        if x.dtype.kind != "f":
            return
        for bit in range(int(np.max(groups, initial=0)).bit_length()):
            for half in (0, 1):
                chosen = (groups >> bit) & 1 == half
                yield chosen, self.moved(argnum, np.where(chosen, _power_of_two(x) / 1024, 0.0))[0]

    def moved(self, argnum: int, offset: Any) -> tuple[Array, Any]:
        """Return f with one input moved, and where that counts; the others are held still."""
        points = list(self.inputs)
        x = points[argnum]
        points[argnum] = there = x + offset
        inside = self.inside(points)
        if self.frozen is not None:
            inside = inside & ~self.frozen
        if np.all(inside):
            return self(points), inside
        if np.shape(inside) != self.centre.shape:
            return self.centre, np.all(inside)
        back = sum_to(inside, there.shape, np.logical_and)
        points[argnum] = np.where(back, there, x)
        return self(points), np.broadcast_to(back, self.centre.shape)

    def slopes(self, argnum: int) -> Estimate:
        """Return the derivative of each element of the result by its own element of an input."""
        x = self._apart(argnum)
        found = derivative(lambda t: self.moved(argnum, t), _power_of_two(x) / 4, x)
        small = np.broadcast_to((x != 0) & (np.abs(x) < 1), self.centre.shape) & ~found.reliable
        if small.any():
            start = np.where(x == 0, 1.0, _power_of_two(x, least=0.0)) / 4
            found = merged(found, derivative(lambda t: self.moved(argnum, t), start, x), small)
        return found

    def _apart(self, argnum: int) -> Array:
        """Return an input with an element for each of the result, so that each is frozen alone.

        An element that is repeated by broadcasting would have to be held still for all of them.
        """
        x = self.inputs[argnum]
        if self.frozen is None or x.shape == self.centre.shape:
            return x
        points = list(self.inputs)
        points[argnum] = np.broadcast_to(x, self.centre.shape)
        try:
            fits = self(points).shape == self.centre.shape
        except Exception:  # noqa: BLE001 (the code may insist on a number, by any exception)
            return x
        return points[argnum] if fits else x

    def column(self, argnum: int, index: tuple[int, ...]) -> Estimate:
        """Return the derivative of every element of the result by one element of an input."""
        if self.frozen is not None and np.any(self.frozen):
            raise ValueError("single elements can only be frozen where f acts elementwise")
        x = self.inputs[argnum]
        unit = np.zeros(x.shape)
        unit[index] = 1.0

        def moved(t: Any) -> tuple[Array, Any]:
            values, inside = self.moved(argnum, t * unit)
            return values, np.all(inside)

        here = float(x[index])
        found = derivative(moved, _power_of_two(here) / 4, here)
        if 0 < abs(here) < 1 and not found.reliable.all():
            start = _power_of_two(here, least=0.0) / 4
            found = merged(found, derivative(moved, start, here), ~found.reliable)
        return found


def _power_of_two(x: Any, least: float = 1.0) -> Any:
    """Return the power of two not above |x| and ``least``, of which the larger counts."""
    with np.errstate(all="ignore"):
        size = np.maximum(np.where(np.isfinite(x), np.abs(x), 1.0), max(least, 2.0**-1000))
        result = np.ldexp(1.0, np.frexp(size)[1] - 1)
    return result if np.ndim(x) else float(result)


def _zero(like: Array) -> Estimate:
    zeros = np.zeros(like.shape)
    return Estimate(zeros, zeros, np.zeros(like.shape, np.int8))
