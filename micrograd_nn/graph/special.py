"""Special functions to the last digits: erf, the Gaussian and its integral, sigmoid, softplus.

NumPy has no erf, and the usual formulas lose digits in the tails, where the derivative rules must
still be right. Each function is here twice: ``*_array`` for arrays and ``*_float`` for Python
floats. None raises, none warns; inf and nan are treated as IEEE arithmetic has it. Accuracies are
in ULP, units in the last place of the result, and hold for every x, in the tails down to underflow.

Three ideas do the work.

1. **exp(−x²) without the rounding of x².** A relative error u in x² is a relative error x²·u in
   exp(−x²), hundreds of ULP at x = 26. But what was rounded off x² is known exactly (Dekker 1971),
   and exp(−x²) = exp(−fl(x²))·(1 − rest) puts it back.
2. **The tail divided by the Gaussian is smooth.** erfc(t) = exp(−t²)·q(t), where q, known as
   erfcx, falls slowly from 1 to 1/(t√π) and never underflows. The normal distribution has the same
   form with exp(−t²/2). Both q obey q' = 2s·t·q − k: one table builder and one kernel serve both.
3. **Short Taylor series about many points.** q (and erf) are expanded about hundreds of points, so
   close to each other that degree 7 is exact to 2⁻⁶⁰, and that the value at the point is nearly
   all of the result: the last addition's rounding is the only one to be felt. The series follow
   from the differential equation. They are computed when first needed, in integers that count
   units of 2⁻¹⁶⁰ (some milliseconds), so there is not one fitted constant in this file.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
AnyArray = npt.NDArray[Any]

# ---------------------------------------------------------------------------------------------
# The tables: Taylor series about many points
# ---------------------------------------------------------------------------------------------

# Fixed-point numbers: the integer n stands for n/2¹⁶⁰. Points are counted in 128ths, exactly.
_BITS = 160
_UNIT = 1 << _BITS
_PI = 31415926535897932384626433832795028841971693993751058209749445923 * _UNIT // 10**64

_OCTAVE_BITS = 7
_PER_OCTAVE = 1 << _OCTAVE_BITS  # points of expansion while 1 + t doubles
_DEGREE = 7  # of the series that are kept
_TERMS = 11  # of the series by which a table walks to its next point
_WALK_FROM, _LEVELS = 8, 24


class _Table(NamedTuple):
    """Series about many points: the point, the value there, its rounding error, c1 ... c7."""

    columns: FloatArray  # one column per point
    rows: list[list[float]]  # the same, one list per point


class _Tail:
    """What sets erfc and the normal distribution apart: F(x) = exp(−s·x²)·q(x) for x ≥ 0."""

    def __init__(self, scale: float, whole: float, end: float) -> None:
        self.scale = scale  # s
        self.whole = whole  # F(−∞), so that F(−x) = whole − F(x)
        self.end = end  # beyond it F underflows to 0
        self.array_end = np.array(end)
        self.minus_scale = np.array(-scale)
        self.half = np.array(0.5 * whole)


# The constants of array kernels are 0-d arrays: NumPy takes them up faster than Python floats.
_ERFC = _Tail(scale=1.0, whole=2.0, end=28.0)
_NORMAL = _Tail(scale=0.5, whole=1.0, end=40.0)
_ERF_END = np.array(6.0)  # 1 − erf(6) = 2e−17


def _points(end: float) -> list[int]:
    """The points from 0 to beyond end: 1 + t takes 128 equal steps in each octave."""
    octaves = math.frexp(1.0 + end)[1]
    points = [
        ((_PER_OCTAVE + step) << octave) - _PER_OCTAVE
        for octave in range(octaves)
        for step in range(_PER_OCTAVE)
    ]
    return [point for point in points if point <= (end + 1.0) * _PER_OCTAVE]


def _root(two_s: int) -> int:
    """√(s/π): 1/√π for s = 1, and φ(0) = 1/√(2π) for s = ½."""
    return math.isqrt(two_s * _UNIT**3 // (2 * _PI))


def _taylor(value: int, two_s: int, k: int, point: int) -> list[int]:
    """The Taylor coefficients at the point of the solution of y' = 2s·t·y − k with y(t) = value."""
    series = [value, two_s * point * value // _PER_OCTAVE - k]
    for n in range(1, _TERMS):
        following = point * series[n] + _PER_OCTAVE * series[n - 1]
        series.append(two_s * following // (_PER_OCTAVE * (n + 1)))
    return series


def _walk(series: list[int], step: int) -> int:
    """The value of the series at a distance step from its point."""
    total = 0
    for coefficient in reversed(series):
        total = total * step // _PER_OCTAVE + coefficient
    return total


def _table(points: list[int], expansions: list[list[int]]) -> _Table:
    """Round the series to floats; the value at each point keeps its rounding error beside it."""
    rows = []
    for point, (value, *rest) in zip(points, expansions, strict=True):
        rounded = value / _UNIT
        error = (value - int(rounded * _UNIT)) / _UNIT  # a float times 2¹⁶⁰ is exact
        coefficients = [c / _UNIT for c in rest[:_DEGREE]]
        rows.append([point / _PER_OCTAVE, rounded, error, *coefficients])
    return _Table(np.array(rows).T.copy(), rows)


@cache
def _erf_table() -> _Table:
    """erf, walking up from erf(0) = 0; its derivative is 2/√π·g, with g' = −2t·g and g(0) = 1."""
    points = _points(float(_ERF_END))
    slope = 2 * _root(2)
    below, g = 0, [_UNIT]
    expansions = [[0]]
    for point in points:
        value = _walk(expansions[-1], point - below)
        g = _taylor(_walk(g, point - below), -2, 0, point)
        expansions.append([value, *(slope * c // (_UNIT * (n + 1)) for n, c in enumerate(g))])
        below = point
    return _table(points, expansions[1:])


@cache
def _tail_table(tail: _Tail) -> _Table:
    """q(t) = exp(s·t²)·F(t), walking down, the direction in which errors die out.

    The walk starts from 8. Beyond, its steps would be too long, but Laplace's continued fraction
    q = k/2s / (t + 1/2s / (t + 2/2s / (t + 3/2s / ...))) has 23 digits after 24 levels.
    """
    points = _points(tail.end)
    two_s = int(2 * tail.scale)
    k = int(tail.whole) * _root(two_s)
    above = points[-1]
    expansions: list[list[int]] = []
    for point in reversed(points):
        if point < _WALK_FROM * _PER_OCTAVE:
            value = _walk(expansions[-1], point - above)
        else:
            t = fraction = point * _UNIT // _PER_OCTAVE
            for level in range(_LEVELS, 0, -1):
                fraction = t + level * _UNIT**2 // (two_s * fraction)
            value = k * _UNIT // (two_s * fraction)
        expansions.append(_taylor(value, two_s, k, point))
        above = point
    return _table(points, expansions[::-1])


# ---------------------------------------------------------------------------------------------
# Kernels on blocks of float64
# ---------------------------------------------------------------------------------------------

_ONE = np.array(1.0)
_ZERO = np.array(0.0)
# Read as an integer, a float is 2⁵²·(exponent + 1023 + mantissa): a log2, linear in each octave.
# Shifted right, it counts the points; half a step is added, so that it counts to the nearest one.
_SHIFT = np.array(52 - _OCTAVE_BITS, np.int64)
_FIRST = np.array((1023 << 52) - (1 << (51 - _OCTAVE_BITS)), np.int64)
_LEADING_26_BITS = np.array(-1 << 27, np.int64)

_FLOAT64 = np.dtype(np.float64)
_BLOCK = 8192  # elements at a time, so that what is computed stays in the cache


def _elementwise(
    kernel: Callable[[FloatArray], FloatArray],
) -> Callable[[npt.ArrayLike], AnyArray]:
    """Let a kernel for short one-dimensional float64 arrays take arrays of any dtype and shape."""

    @np.errstate(all="ignore")
    def apply(x: npt.ArrayLike) -> AnyArray:
        x = np.asarray(x)
        flat = x.ravel() if x.dtype is _FLOAT64 else x.astype(np.float64).ravel()
        if flat.size <= _BLOCK:
            result = kernel(flat)
        else:
            result = np.empty_like(flat)
            for i in range(0, flat.size, _BLOCK):
                result[i : i + _BLOCK] = kernel(flat[i : i + _BLOCK])
        if x.ndim != 1:
            result = result.reshape(x.shape)
        if x.dtype is not _FLOAT64 and x.dtype.kind == "f":
            return result.astype(x.dtype)
        return result

    return wraps(kernel)(apply)


def _expand(t: FloatArray, table: _Table) -> tuple[FloatArray, FloatArray]:
    """The function of the table at t, as value + rest, rest being small unless value is 0."""
    place = np.add(t, _ONE).view(np.int64)
    place -= _FIRST
    place >>= _SHIFT
    # With mode="clip" nan lands anywhere, and stays nan in t - point.
    point, value, error, *series = table.columns.take(place, axis=1, mode="clip")
    d = np.subtract(t, point, out=point)
    rest = series.pop()
    while series:
        rest *= d
        rest += series.pop()
    rest *= d
    rest += error
    return value, rest


def _gaussian(t: FloatArray, minus_scale: FloatArray) -> tuple[FloatArray, FloatArray]:
    """exp(−scale·t²) as (e, r), meaning e·(1 + r): r is due to what fl(t²) has rounded off."""
    square = t * t
    high = (t.view(np.int64) & _LEADING_26_BITS).view(np.float64)
    low = t - high
    rest = high * high  # 26 by 26 bits: exact
    rest -= square
    high += t
    low *= high
    rest += low  # since t² = high² + (t − high)(t + high)
    rest *= minus_scale
    square *= minus_scale
    return np.exp(square, out=square), rest


def _clipped(x: FloatArray, end: FloatArray) -> FloatArray:
    """min(|x|, end), where nan stays nan."""
    t: FloatArray = np.abs(x)
    np.minimum(t, end, out=t)
    return t


def _tail_kernel(x: FloatArray, tail: _Tail) -> FloatArray:
    """F(x) = exp(−s·x²)·q(x) for x ≥ 0, and whole − F(−x) for x < 0."""
    t = _clipped(x, tail.array_end)
    value, rest = _expand(t, _tail_table(tail))
    gaussian, correction = _gaussian(t, tail.minus_scale)
    correction *= value + rest
    rest += correction
    value += rest
    value *= gaussian
    # Both signs without a branch: (half − ±half) ± value.
    np.copysign(value, x, out=value)
    value += tail.half - np.copysign(tail.half, x)
    return value


@_elementwise
def erf_array(x: FloatArray) -> FloatArray:
    """erf(x) = 2/√π ∫₀ˣ exp(−t²) dt, within 1.5 ULP.

    A Taylor series about the nearest of 360 points; see the head of this file.
    """
    value, rest = _expand(_clipped(x, _ERF_END), _erf_table())
    value += rest
    np.copysign(value, x, out=value)
    return value


@_elementwise
def erfc_array(x: FloatArray) -> FloatArray:
    """erfc(x) = 1 − erf(x) = 2/√π ∫ₓ^∞ exp(−t²) dt, within 2 ULP down to underflow at x = 27.2.

    exp(−x²)·erfcx(x), erfcx by a Taylor series; see the head of this file.
    """
    return _tail_kernel(x, _ERFC)


@_elementwise
def normal_cdf_array(x: FloatArray) -> FloatArray:
    """Φ(x) = ½·erfc(−x/√2), the standard normal distribution, within 2 ULP down to x = −38.5.

    As `erfc_array`, with the Gaussian exp(−x²/2) and a table of its own: in ½·erfc(−x/√2) the
    rounding of x/√2 would be amplified x² times.
    """
    return _tail_kernel(-x, _NORMAL)


@_elementwise
def exp_minus_square_array(x: FloatArray) -> FloatArray:
    """exp(−x²) within 1.5 ULP, where np.exp(-x * x) is wrong by x² ULP (Dekker's exact product)."""
    gaussian, correction = _gaussian(_clipped(x, _ERFC.array_end), _ERFC.minus_scale)
    correction *= gaussian
    gaussian += correction
    return gaussian


_PHI_0 = _root(1) / _UNIT  # φ(0)
_PHI_0_ERROR = (_root(1) - int(_PHI_0 * _UNIT)) / _UNIT


@_elementwise
def normal_pdf_array(x: FloatArray) -> FloatArray:
    """φ(x) = exp(−x²/2)/√(2π), the standard normal density, within 2 ULP.

    See the head of this file; what was rounded off 1/√(2π) is put back as well.
    """
    gaussian, correction = _gaussian(_clipped(x, _NORMAL.array_end), _NORMAL.minus_scale)
    correction *= _PHI_0
    correction += _PHI_0_ERROR
    correction *= gaussian
    gaussian *= _PHI_0
    gaussian += correction
    return gaussian


@_elementwise
def sigmoid_array(x: FloatArray) -> FloatArray:
    """σ(x) = 1/(1 + e⁻ˣ), within 2 ULP on both sides, down to underflow at x = −745.

    Computed as m − m·m/(1 + eˣ) with m = min(eˣ, 1): 1 − 1/(1 + eˣ) on the right and, on the left,
    eˣ less a small part of it, so that the rounding of 1 + eˣ is not felt. eˣ = inf does no harm.
    """
    power: FloatArray = np.exp(x)
    result: FloatArray = np.minimum(power, _ONE)
    power += _ONE
    np.divide(result, power, out=power)
    power *= result
    result -= power
    return result


@_elementwise
def softplus_array(x: FloatArray) -> FloatArray:
    """log(1 + eˣ) = max(x, 0) + log1p(e^−|x|), within 2 ULP on both sides."""
    result: FloatArray = np.abs(x)
    np.negative(result, out=result)
    np.exp(result, out=result)
    np.log1p(result, out=result)
    result += np.maximum(x, _ZERO)
    return result


# ---------------------------------------------------------------------------------------------
# The same on Python floats
# ---------------------------------------------------------------------------------------------


def _expand_float(t: float, table: _Table) -> tuple[float, float]:
    """As `_expand`."""
    mantissa, exponent = math.frexp(1.0 + t)  # mantissa in [½, 1)
    place = int((2.0 * mantissa + exponent - 2.0) * _PER_OCTAVE + 0.5)
    point, value, error, c1, c2, c3, c4, c5, c6, c7 = table.rows[place]
    d = t - point
    return value, error + d * (c1 + d * (c2 + d * (c3 + d * (c4 + d * (c5 + d * (c6 + d * c7))))))


def _gaussian_float(t: float, minus_scale: float) -> tuple[float, float]:
    """As `_gaussian`."""
    square = t * t
    shifted = 134217729.0 * t  # 2²⁷ + 1: Veltkamp's way to the leading 26 bits
    high = shifted - (shifted - t)
    rest = (high * high - square) + (t - high) * (t + high)
    return math.exp(minus_scale * square), minus_scale * rest


def _tail_float(x: float, tail: _Tail) -> float:
    """As `_tail_kernel`."""
    t = min(abs(x), tail.end)
    if t != t:
        return t
    value, rest = _expand_float(t, _tail_table(tail))
    gaussian, correction = _gaussian_float(t, -tail.scale)
    result = gaussian * (value + (rest + (value + rest) * correction))
    return result if x >= 0.0 else tail.whole - result


def erf_float(x: float) -> float:
    """erf(x) by the C library, within 1.5 ULP."""
    return math.erf(x)


def erfc_float(x: float) -> float:
    """1 − erf(x) within 2 ULP, as `erfc_array`; `math.erfc` is up to 5 ULP off in C libraries."""
    return _tail_float(x, _ERFC)


def normal_cdf_float(x: float) -> float:
    """Φ(x), the standard normal distribution, within 2 ULP, as `normal_cdf_array`."""
    return _tail_float(-x, _NORMAL)


def exp_minus_square_float(x: float) -> float:
    """exp(−x²) within 1.5 ULP, as `exp_minus_square_array`."""
    gaussian, correction = _gaussian_float(min(abs(x), _ERFC.end), -1.0)
    return gaussian + gaussian * correction


def normal_pdf_float(x: float) -> float:
    """φ(x) = exp(−x²/2)/√(2π) within 2 ULP, as `normal_pdf_array`."""
    gaussian, correction = _gaussian_float(min(abs(x), _NORMAL.end), -0.5)
    return gaussian * _PHI_0 + gaussian * (_PHI_0_ERROR + _PHI_0 * correction)


def sigmoid_float(x: float) -> float:
    """σ(x) = 1/(1 + e⁻ˣ) within 2 ULP, as `sigmoid_array`."""
    if x < 0.0:
        power = math.exp(x)
        return power - power * (power / (1.0 + power))
    return 1.0 / (1.0 + math.exp(-x))


def softplus_float(x: float) -> float:
    """log(1 + eˣ) within 2 ULP, as `softplus_array`."""
    rest = math.log1p(math.exp(-abs(x)))
    return x + rest if x > 0.0 else rest
