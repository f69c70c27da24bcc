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
   all of the result: the last addition's rounding is the only one to be felt. ``expansions``
   computes the series.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import numpy.typing as npt

from micrograd_nn.graph.expansions import (
    ERF_END,
    ERFC,
    NORMAL,
    OCTAVE_BITS,
    PER_OCTAVE,
    UNIT,
    FloatArray,
    Table,
    Tail,
    erf_table,
    root_of,
    tail_table,
)

AnyArray = npt.NDArray[Any]

# ---------------------------------------------------------------------------------------------
# Kernels on blocks of float64
# ---------------------------------------------------------------------------------------------

ONE = np.array(1.0)
ZERO = np.array(0.0)
# Read as an integer, a float is 2⁵²·(exponent + 1023 + mantissa): a log2, linear in each octave.
# Shifted right, it counts the points; half a step is added, so that it counts to the nearest one.
_SHIFT = np.array(52 - OCTAVE_BITS, np.int64)
_FIRST = np.array((1023 << 52) - (1 << (51 - OCTAVE_BITS)), np.int64)
_LEADING_26_BITS = np.array(-1 << 27, np.int64)

_FLOAT64 = np.dtype(np.float64)
_BLOCK = 8192  # elements at a time, so that what is computed stays in the cache


def elementwise(
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


def expand(t: FloatArray, table: Table) -> tuple[FloatArray, FloatArray]:
    """The function of the table at t, as value + rest, rest being small unless value is 0."""
    place = np.add(t, ONE).view(np.int64)
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


def gaussian_parts(t: FloatArray, minus_scale: FloatArray) -> tuple[FloatArray, FloatArray]:
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


def clipped(x: FloatArray, end: FloatArray) -> FloatArray:
    """min(|x|, end), where nan stays nan."""
    t: FloatArray = np.abs(x)
    np.minimum(t, end, out=t)
    return t


def _tail_kernel(x: FloatArray, tail: Tail) -> FloatArray:
    """F(x) = exp(−s·x²)·q(x) for x ≥ 0, and whole − F(−x) for x < 0."""
    t = clipped(x, tail.array_end)
    value, rest = expand(t, tail_table(tail))
    gaussian, correction = gaussian_parts(t, tail.minus_scale)
    correction *= value + rest
    rest += correction
    value += rest
    value *= gaussian
    # Both signs without a branch: (half − ±half) ± value.
    np.copysign(value, x, out=value)
    value += tail.half - np.copysign(tail.half, x)
    return value


@elementwise
def erf_array(x: FloatArray) -> FloatArray:
    """erf(x) = 2/√π ∫₀ˣ exp(−t²) dt, within 1.5 ULP.

    A Taylor series about the nearest of 360 points; see the head of this file.
    """
    value, rest = expand(clipped(x, ERF_END), erf_table())
    value += rest
    np.copysign(value, x, out=value)
    return value


@elementwise
def erfc_array(x: FloatArray) -> FloatArray:
    """erfc(x) = 1 − erf(x) = 2/√π ∫ₓ^∞ exp(−t²) dt, within 2 ULP down to underflow at x = 27.2.

    exp(−x²)·erfcx(x), erfcx by a Taylor series; see the head of this file.
    """
    return _tail_kernel(x, ERFC)


@elementwise
def normal_cdf_array(x: FloatArray) -> FloatArray:
    """Φ(x) = ½·erfc(−x/√2), the standard normal distribution, within 2 ULP down to x = −38.5.

    As `erfc_array`, with the Gaussian exp(−x²/2) and a table of its own: in ½·erfc(−x/√2) the
    rounding of x/√2 would be amplified x² times.
    """
    return _tail_kernel(-x, NORMAL)


@elementwise
def exp_minus_square_array(x: FloatArray) -> FloatArray:
    """exp(−x²) within 1.5 ULP, where np.exp(-x * x) is wrong by x² ULP (Dekker's exact product)."""
    gaussian, correction = gaussian_parts(clipped(x, ERFC.array_end), ERFC.minus_scale)
    correction *= gaussian
    gaussian += correction
    return gaussian


_PHI_0 = root_of(1) / UNIT  # φ(0)
_PHI_0_ERROR = (root_of(1) - int(_PHI_0 * UNIT)) / UNIT


@elementwise
def normal_pdf_array(x: FloatArray) -> FloatArray:
    """φ(x) = exp(−x²/2)/√(2π), the standard normal density, within 2 ULP.

    See the head of this file; what was rounded off 1/√(2π) is put back as well.
    """
    gaussian, correction = gaussian_parts(clipped(x, NORMAL.array_end), NORMAL.minus_scale)
    correction *= _PHI_0
    correction += _PHI_0_ERROR
    correction *= gaussian
    gaussian *= _PHI_0
    gaussian += correction
    return gaussian


@elementwise
def sigmoid_array(x: FloatArray) -> FloatArray:
    """σ(x) = 1/(1 + e⁻ˣ), within 2 ULP on both sides, down to underflow at x = −745.

    Computed as m − m·m/(1 + eˣ) with m = min(eˣ, 1): 1 − 1/(1 + eˣ) on the right and, on the left,
    eˣ less a small part of it, so that the rounding of 1 + eˣ is not felt. eˣ = inf does no harm.
    """
    power: FloatArray = np.exp(x)
    result: FloatArray = np.minimum(power, ONE)
    power += ONE
    np.divide(result, power, out=power)
    power *= result
    result -= power
    return result


@elementwise
def softplus_array(x: FloatArray) -> FloatArray:
    """log(1 + eˣ) = max(x, 0) + log1p(e^−|x|), within 2 ULP on both sides."""
    result: FloatArray = np.abs(x)
    np.negative(result, out=result)
    np.exp(result, out=result)
    np.log1p(result, out=result)
    result += np.maximum(x, ZERO)
    return result


# ---------------------------------------------------------------------------------------------
# The same on Python floats
# ---------------------------------------------------------------------------------------------


def expand_float(t: float, table: Table) -> tuple[float, float]:
    """As `expand`."""
    mantissa, exponent = math.frexp(1.0 + t)  # mantissa in [½, 1)
    place = int((2.0 * mantissa + exponent - 2.0) * PER_OCTAVE + 0.5)
    point, value, error, c1, c2, c3, c4, c5, c6, c7 = table.rows[place]
    d = t - point
    return value, error + d * (c1 + d * (c2 + d * (c3 + d * (c4 + d * (c5 + d * (c6 + d * c7))))))


def gaussian_parts_float(t: float, minus_scale: float) -> tuple[float, float]:
    """As `gaussian`."""
    square = t * t
    shifted = 134217729.0 * t  # 2²⁷ + 1: Veltkamp's way to the leading 26 bits
    high = shifted - (shifted - t)
    rest = (high * high - square) + (t - high) * (t + high)
    return math.exp(minus_scale * square), minus_scale * rest


def _tail_float(x: float, tail: Tail) -> float:
    """As `_tail_kernel`."""
    t = min(abs(x), tail.end)
    if t != t:
        return t
    value, rest = expand_float(t, tail_table(tail))
    gaussian, correction = gaussian_parts_float(t, -tail.scale)
    result = gaussian * (value + (rest + (value + rest) * correction))
    return result if x >= 0.0 else tail.whole - result


def erf_float(x: float) -> float:
    """erf(x) by the C library, within 1.5 ULP."""
    return math.erf(x)


def erfc_float(x: float) -> float:
    """1 − erf(x) within 2 ULP, as `erfc_array`; `math.erfc` is up to 5 ULP off in C libraries."""
    return _tail_float(x, ERFC)


def normal_cdf_float(x: float) -> float:
    """Φ(x), the standard normal distribution, within 2 ULP, as `normal_cdf_array`."""
    return _tail_float(-x, NORMAL)


def exp_minus_square_float(x: float) -> float:
    """exp(−x²) within 1.5 ULP, as `exp_minus_square_array`."""
    gaussian, correction = gaussian_parts_float(min(abs(x), ERFC.end), -1.0)
    return gaussian + gaussian * correction


def normal_pdf_float(x: float) -> float:
    """φ(x) = exp(−x²/2)/√(2π) within 2 ULP, as `normal_pdf_array`."""
    gaussian, correction = gaussian_parts_float(min(abs(x), NORMAL.end), -0.5)
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
