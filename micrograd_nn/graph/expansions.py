"""Taylor series about many points, computed where they are first needed.

Their functions are q, erfc or the normal distribution divided by its Gaussian, which obeys
q' = 2s·t·q − k, and erf. The coefficients follow from these equations, in integers that count units
of 2⁻¹⁶⁰ (some milliseconds), so there is not one fitted constant in this file.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Fixed-point numbers: the integer n stands for n/2¹⁶⁰. Points are counted in 128ths, exactly.
_BITS = 160
UNIT = 1 << _BITS
_PI = 31415926535897932384626433832795028841971693993751058209749445923 * UNIT // 10**64

OCTAVE_BITS = 7
PER_OCTAVE = 1 << OCTAVE_BITS  # points of expansion while 1 + t doubles
_DEGREE = 7  # of the series that are kept
_TERMS = 11  # of the series by which a table walks to its next point
_WALK_FROM, _LEVELS = 8, 24
_SERIES, _NEWTON_STEPS = 60, 8


class Table(NamedTuple):
    """Series about many points: the point, the value there, its rounding error, c1 ... c7."""

    columns: FloatArray  # one column per point
    rows: list[list[float]]  # the same, one list per point


class Tail:
    """What sets erfc and the normal distribution apart: F(x) = exp(−s·x²)·q(x) for x ≥ 0."""

    def __init__(self, scale: float, whole: float, end: float) -> None:
        self.scale = scale  # s
        self.whole = whole  # F(−∞), so that F(−x) = whole − F(x)
        self.end = end  # beyond it F underflows to 0
        self.array_end = np.array(end)
        self.minus_scale = np.array(-scale)
        self.half = np.array(0.5 * whole)


# The constants of array kernels are 0-d arrays: NumPy takes them up faster than Python floats.
ERFC = Tail(scale=1.0, whole=2.0, end=28.0)
NORMAL = Tail(scale=0.5, whole=1.0, end=40.0)
ERF_END = np.array(6.0)  # 1 − erf(6) = 2e−17


def _points(end: float) -> list[int]:
    """The points from 0 to beyond end: 1 + t takes 128 equal steps in each octave."""
    octaves = math.frexp(1.0 + end)[1]
    points = [
        ((PER_OCTAVE + step) << octave) - PER_OCTAVE
        for octave in range(octaves)
        for step in range(PER_OCTAVE)
    ]
    return [point for point in points if point <= (end + 1.0) * PER_OCTAVE]


def root_of(two_s: int) -> int:
    """√(s/π): 1/√π for s = 1, and φ(0) = 1/√(2π) for s = ½."""
    return math.isqrt(two_s * UNIT**3 // (2 * _PI))


def _taylor(value: int, two_s: int, k: int, point: int, per: int = PER_OCTAVE) -> list[int]:
    """The Taylor series at t = point/per of the solution of y' = 2s·t·y − k with y(t) = value."""
    series = [value, two_s * point * value // per - k]
    for n in range(1, _TERMS):
        following = point * series[n] + per * series[n - 1]
        series.append(two_s * following // (per * (n + 1)))
    return series


def _walk(series: list[int], step: int) -> int:
    """The value of the series at a distance step from its point."""
    total = 0
    for coefficient in reversed(series):
        total = total * step // PER_OCTAVE + coefficient
    return total


def _table(points: list[int], expansions: list[list[int]]) -> Table:
    """Round the series to floats; the value at each point keeps its rounding error beside it."""
    rows = []
    for point, (value, *rest) in zip(points, expansions, strict=True):
        rounded, error = _two_floats(value)
        coefficients = [c / UNIT for c in rest[:_DEGREE]]
        rows.append([point / PER_OCTAVE, rounded, error, *coefficients])
    return Table(np.array(rows).T.copy(), rows)


@cache
def erf_table() -> Table:
    """erf, walking up from erf(0) = 0; its derivative is 2/√π·g, with g' = −2t·g and g(0) = 1."""
    points = _points(float(ERF_END))
    slope = 2 * root_of(2)
    below, g = 0, [UNIT]
    expansions = [[0]]
    for point in points:
        value = _walk(expansions[-1], point - below)
        g = _taylor(_walk(g, point - below), -2, 0, point)
        expansions.append([value, *(slope * c // (UNIT * (n + 1)) for n, c in enumerate(g))])
        below = point
    return _table(points, expansions[1:])


@cache
def _tail_expansions(tail: Tail) -> list[list[int]]:
    """The series of q(t) = exp(s·t²)·F(t), walking down, the direction in which errors die out.

    The walk starts from 8. Beyond, its steps would be too long, but Laplace's continued fraction
    q = k/2s / (t + 1/2s / (t + 2/2s / (t + 3/2s / ...))) has 23 digits after 24 levels.
    """
    points = _points(tail.end)
    two_s = int(2 * tail.scale)
    k = int(tail.whole) * root_of(two_s)
    above = points[-1]
    expansions: list[list[int]] = []
    for point in reversed(points):
        if point < _WALK_FROM * PER_OCTAVE:
            value = _walk(expansions[-1], point - above)
        else:
            t = fraction = point * UNIT // PER_OCTAVE
            for level in range(_LEVELS, 0, -1):
                fraction = t + level * UNIT**2 // (two_s * fraction)
            value = k * UNIT // (two_s * fraction)
        expansions.append(_taylor(value, two_s, k, point))
        above = point
    return expansions[::-1]


@cache
def tail_table(tail: Tail) -> Table:
    """q(t) = exp(s·t²)·F(t), of erfc or of the normal distribution."""
    return _table(_points(tail.end), _tail_expansions(tail))


class GeluRoot(NamedTuple):
    """A root as the sum of two floats, and the series c1, c2 ... about it."""

    high: float
    low: float
    series: list[float]


class SiluRoot(NamedTuple):
    """A root r as the sum of two floats, and exp(−r)."""

    high: float
    low: float
    power: float


def _exp(x: int) -> int:
    """exp(x) by its series, for small x."""
    total = term = UNIT
    for n in range(1, _SERIES):
        term = term * x // (UNIT * n)
        total += term
    return total


@cache
def gelu_table() -> Table:
    """p(t) = q(t) − φ(0)·t of the normal distribution: gelu'(−t) = exp(−t²/2)·p(t)."""
    phi_0 = root_of(1)
    points = _points(NORMAL.end)
    expansions = [
        [q[0] - phi_0 * point // PER_OCTAVE, q[1] - phi_0, *q[2:]]
        for point, q in zip(points, _tail_expansions(NORMAL), strict=True)
    ]
    return _table(points, expansions)


@cache
def gelu_root() -> GeluRoot:
    """Where gelu'(−t) = Φ(−t) − t·φ(t) is 0, by Newton's method, and its series about the root.

    The series follows from that of φ, since the derivative of gelu'(−t) is −φ(t)·(2 − t²).
    """
    phi_0 = root_of(1)
    t = 3 * UNIT // 4
    for _ in range(_NEWTON_STEPS):
        square = t * t // UNIT
        density = phi_0 * _exp(-square // 2) // UNIT
        integral, term = 0, t
        for n in range(_SERIES):
            integral += term // (2 * n + 1)
            term = -term * square // (2 * (n + 1) * UNIT)
        below = UNIT // 2 - phi_0 * integral // UNIT
        t += (below - t * density // UNIT) * UNIT**2 // (density * (2 * UNIT - square))
    square = t * t // UNIT
    phi = [0, 0, *_taylor(phi_0 * _exp(-square // 2) // UNIT, -1, 0, t, UNIT)]
    slopes = [
        phi[n] + 2 * t * phi[n + 1] // UNIT - (2 * UNIT - square) * phi[n + 2] // UNIT
        for n in range(_TERMS)
    ]
    return GeluRoot(*_two_floats(t), [c / (UNIT * (n + 1)) for n, c in enumerate(slopes)])


@cache
def silu_root() -> SiluRoot:
    """The root of s(t) = 1 + exp(−t) − t, to which silu'(−t) is proportional."""
    t = UNIT
    for _ in range(_NEWTON_STEPS):
        power = _exp(-t)
        t += (UNIT + power - t) * UNIT // (UNIT + power)
    return SiluRoot(*_two_floats(t), (t - UNIT) / UNIT)


def _two_floats(number: int) -> tuple[float, float]:
    high = number / UNIT  # times 2¹⁶⁰ it is exact again
    return high, (number - int(high * UNIT)) / UNIT
