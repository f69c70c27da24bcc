"""From a wrong gradient and the right one to the mistake that commonly makes such numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

# Two gradients that agree to this are alike: far above rounding, far below any mistake.
_ALIKE = 1e-6


def hint(got: Any, expected: Any, cotangent: Any = None) -> str | None:
    """Say in a sentence which mistake turns ``expected`` into ``got``, if it is a known one.

    Parameters
    ----------
    got, expected : array or number
        The wrong gradient, and the right one. Their shapes may differ.
    cotangent : array or number, optional
        The cotangent of the result; with it, a forgotten cotangent is recognised.

    Returns
    -------
    str or None

    Examples
    --------
    >>> hint([-1.0, 2.0], [1.0, -2.0])
    'minus the right gradient: a sign is wrong'
    >>> hint([0.25, 0.5, 0.25, 1.0], [1.0, 2.0, 1.0, 4.0])
    'the right gradient divided by 4, the number of elements: a mean where a sum is meant'
    """
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    with np.errstate(all="ignore"):
        for sentence in _suspicions(got, expected, cotangent):
            return sentence
    return None


def _suspicions(got: Array, expected: Array, cotangent: Any) -> Iterator[str]:
    """Yield what may be wrong, the most certain first."""
    yield from _of_shapes(got, expected)
    if got.shape != expected.shape or not expected.size or _alike(got, expected, 1e-12):
        return
    yield from _of_missing_numbers(got, expected)
    if _alike(got, -expected):
        yield "minus the right gradient: a sign is wrong"
    yield from _of_ratio(got, expected)
    if _alike(got, expected):
        return
    yield from _of_order(got, expected)
    yield from _of_cotangent(got, expected, cotangent)
    yield from _of_single_elements(got, expected)


def _of_shapes(got: Array, expected: Array) -> Iterator[str]:
    if got.shape == expected.shape:
        return
    if got.ndim > 1 and got.shape == expected.shape[::-1]:
        yield "transposed: the axes are in reverse order"
    elif _broadcasts(expected.shape, got.shape):
        yield "not summed over the axes along which the input was broadcast"
    elif _broadcasts(got.shape, expected.shape):
        yield "summed over an axis of the input: its elements have gradients of their own"


def _of_missing_numbers(got: Array, expected: Array) -> Iterator[str]:
    if not np.any(got):
        yield "0 everywhere: the gradient is missing, or cut off from the input"
    elif np.any(np.isnan(got) & np.isfinite(expected)):
        yield "NaN where the derivative is finite: 0·inf, inf − inf or inf/inf in the formula"
    elif np.any(np.isinf(got) & np.isfinite(expected)):
        yield "infinite where the derivative is finite: something overflows, or divides by 0"
    elif not np.any(expected):
        yield "the derivative is 0 here: the input does not influence the result"


def _of_ratio(got: Array, expected: Array) -> Iterator[str]:
    ratio = _common_ratio(got, expected)
    if ratio is None:
        return
    counts = _lengths(expected.shape)
    for length, name in counts:
        if length > 2 and _near(ratio, length):
            yield f"{length} times the right gradient, {name}: a sum where a mean is meant"
        if length > 2 and _near(ratio, 1 / length):
            yield (f"the right gradient divided by {length}, {name}: a mean where a sum is meant")
    if _near(ratio, 2):
        yield "twice the right gradient: counted twice, or the ½ of a square is missing"
    if _near(ratio, 0.5):
        yield (
            "half the right gradient: where an input is used twice, the second use overwrites "
            "(=) what must accumulate (+=)"
        )
    if abs(ratio - round(ratio)) < _ALIKE * abs(ratio) and abs(ratio) > 1.5:
        yield f"{round(ratio)} times the right gradient, everywhere"
    if abs(1 / ratio - round(1 / ratio)) < _ALIKE * abs(1 / ratio) and abs(ratio) < 0.75:
        yield f"the right gradient divided by {round(1 / ratio)}, everywhere"
    if abs(ratio - 1) > 1e-3:
        yield f"{ratio:.6g} times the right gradient, everywhere: a constant factor is wrong"
    else:
        yield f"{ratio:.12g} times the right gradient: a constant is a little off"


def _of_order(got: Array, expected: Array) -> Iterator[str]:
    if got.ndim > 1 and got.shape[0] == got.shape[-1] and _alike(got.T, expected):
        yield "transposed: element [j, i] where [i, j] is meant"
    for axis in range(got.ndim):
        if got.shape[axis] < 2:
            continue
        if _alike(np.flip(got, axis), expected):
            yield f"in reverse order along axis {axis}"
        for shift in (1, -1):
            if got.shape[axis] > 2 and _alike(np.roll(got, shift, axis), expected):
                yield f"shifted by one element along axis {axis}"
        mean = np.broadcast_to(expected.mean(axis, keepdims=True), expected.shape)
        if _alike(got, mean):
            yield f"averaged over axis {axis}: its elements have gradients of their own"
        if _alike(got, mean * got.shape[axis]):
            yield f"summed over axis {axis}: its elements have gradients of their own"


def _of_cotangent(got: Array, expected: Array, cotangent: Any) -> Iterator[str]:
    if cotangent is None:
        return
    g = np.asarray(cotangent, np.float64)
    try:
        with_g, without_g = np.broadcast_arrays(got * g, expected)
    except ValueError:
        return
    if with_g.shape == expected.shape and _alike(with_g, without_g):
        yield "the cotangent g is ignored: multiply by it"
    if with_g.shape == expected.shape and _alike(got, expected * g):
        yield "multiplied by the cotangent g twice"


def _of_single_elements(got: Array, expected: Array) -> Iterator[str]:
    if _alike(np.abs(got), np.abs(expected)):
        yield "the sign is wrong in some elements, the sizes are right"
    if _alike(got * expected, np.ones(expected.shape)):
        yield "one over the right gradient"
    if _alike(got, expected * expected):
        yield "the square of the right gradient"
    wrong = ~np.isclose(got, expected, rtol=_ALIKE, atol=0)
    number, size = int(wrong.sum()), wrong.size
    if 0 < number < size:
        yield f"{number} of {size} elements are wrong, the others right" + _where(wrong, got)
    elif size > 1 and np.ptp(got - expected) <= _ALIKE * np.max(np.abs(got - expected)):
        yield f"a constant is added everywhere: {float((got - expected).flat[0]):.6g}"


def _where(wrong: Array, got: Array) -> str:
    if not np.any(got[wrong]):
        return ": 0 in all of these"
    for axis in range(wrong.ndim):
        others = tuple(a for a in range(wrong.ndim) if a != axis)
        lines = np.asarray(wrong.any(axis=others))
        if lines.sum() == 1 and lines.size > 2:
            return f", all of them at index {int(np.argmax(lines))} of axis {axis}"
    return ""


def _common_ratio(got: Array, expected: Array) -> float | None:
    """Return c where got = c · expected in every element, of which two at least aren't 0.

    One number alone is a multiple of any other, which says nothing.
    """
    size = np.max(np.abs(expected), initial=0.0)
    told = np.abs(expected) > 1e-9 * size
    if not (np.isfinite(size) and told.sum() > 1):
        return None
    ratio = float(np.median(got[told] / expected[told]))
    if ratio == 0 or not math.isfinite(ratio) or abs(ratio - 1) < 1e-11:
        return None
    # a factor that is a little off is told from 1 by its own distance from it
    alike = min(_ALIKE, max(abs(ratio - 1) / 10, 1e-12))
    return ratio if np.allclose(got, ratio * expected, rtol=alike, atol=alike * size) else None


def _lengths(shape: tuple[int, ...]) -> Iterator[tuple[int, str]]:
    size = math.prod(shape)
    found = [(size, "the number of elements")]
    if len(shape) > 1:
        found += [(n, f"the length of axis {axis}") for axis, n in enumerate(shape)]
    yield from found


def _broadcasts(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(small, large) == large
    except ValueError:
        return False


def _near(ratio: float, other: float) -> bool:
    return abs(ratio - other) <= _ALIKE * abs(other)


def _alike(x: Array, y: Array, to: float = _ALIKE) -> bool:
    size = np.max(np.abs(y), initial=0.0)
    return bool(np.isfinite(size) and np.allclose(x, y, rtol=to, atol=to / 1000 * size))
