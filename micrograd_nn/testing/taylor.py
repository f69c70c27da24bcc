"""The derivative of opaque code at one point, with an error that its own differences prove.

A six-point difference errs by a truncation that falls as h⁶ and by rounding that grows as 1/h. Both
are measured, never assumed: the first by halving the step, the second by sixth differences, which
leave nothing of a smooth function but its rounding. A step is believed only where three halvings
fell at the rate that Taylor's theorem says, in the odd part of the function (the derivative) and
in its even part (where |x| betrays itself), or were lost in rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

#: ``evaluate(offset)`` returns the values at x + offset, in the dtype that the code gives them, and
#: where they count; it evaluates nothing outside of the domain.
Evaluate = Callable[[Any], tuple[Array, Any]]

SMOOTH, KINK, ROUGH, OUTSIDE = range(4)
REASONS = (
    "",
    "a kink: its left and right derivatives differ",
    "a jump, a sudden turn or noise: differences don't fall as Taylor's theorem says",
    "not defined, or not finite, on either side",
)


@dataclass(frozen=True)
class Estimate:
    """A derivative by finite differences, and what it is worth.

    Attributes
    ----------
    value, error : ndarray
        The derivative, and a bound on its distance from the true one.
    reason : ndarray of int
        Why an element isn't reliable, as an index into ``REASONS``; 0 where it is.
    """

    value: Array
    error: Array
    reason: Array

    @property
    def reliable(self) -> Array:
        """Where the differences fell as Taylor's theorem says, so that the error is a bound."""
        return np.asarray(self.reason == SMOOTH)

    def __str__(self) -> str:
        if self.value.ndim:
            return "\n".join(
                f"[{', '.join(map(str, i))}] {Estimate(*map(np.asarray, parts))}"
                for i in np.ndindex(self.value.shape)
                for parts in [(self.value[i], self.error[i], self.reason[i])]
            )
        if not self.reliable:
            return f"unreliable ({REASONS[int(self.reason)]})"
        return f"{float(self.value)!r} ± {float(self.error):.2g}"


@dataclass(frozen=True)
class _Stencil:
    """Weights of f(x + kh) for the first derivative times h; all that follows from them."""

    points: tuple[int, ...]
    slope: tuple[float, ...]
    evenness: tuple[float, ...] | None  # right minus left derivative, times h


# Both differ from the derivative by a multiple of h⁶ f⁽⁷⁾. The third row is the difference of the
# one-sided four-point derivatives, −h³ f⁗/2 where f is smooth, the size of the kink where it isn't.
_CENTRAL = _Stencil(
    (-3, -2, -1, 1, 2, 3),
    (-1 / 60, 9 / 60, -45 / 60, 45 / 60, -9 / 60, 1 / 60),
    (2 / 6, -9 / 6, 18 / 6, 18 / 6, -9 / 6, 2 / 6),
)
_ONE_SIDED = _Stencil(
    (1, 2, 3, 4, 5, 6), (360 / 60, -450 / 60, 400 / 60, -225 / 60, 72 / 60, -10 / 60), None
)
_SIXTH = {
    _CENTRAL: (1.0, -6.0, 15.0, 15.0, -6.0, 1.0),
    _ONE_SIDED: (-6.0, 15.0, -20.0, 15.0, -6.0, 1.0),
}
_SIXTH_OF_NOISE = 924.0**0.5  # the sixth difference of independent errors of size 1

# An order is told from the one below it half-way between their rates.
_SLOPE_RATE = 2.0**5  # between 2⁴ and 2⁶: symmetric stencils have even orders
_EVENNESS_RATE = 2.0**2.5  # between 2² and 2³

_LEVELS = 44
# Noise is looked for at steps 32 times finer, where a smooth function shows none in its sixth
# differences, and a kink, whose differences fall as h, cannot pass for noise.
_AHEAD = 9
_LOOKS = 5  # any one of them may be small by chance


@dataclass(frozen=True)
class _Level:
    """What one step size tells."""

    step: Any
    slope: Array
    evenness: Array
    largest: Array  # of the values
    floor: Array  # half a unit in the last place of the largest value
    noise: Array  # the rounding that the sixth difference shows
    own: Array  # what a rounding of x does to the slope, and the rounding of its sum
    valid: Array


def derivative(evaluate: Evaluate, start: Any, position: Any = 0.0) -> Estimate:
    """Return the derivative of ``offset -> evaluate(offset)`` at 0.

    Parameters
    ----------
    evaluate : callable
        Takes an offset and returns an array of values, and where they are valid.
    start : float or array
        The largest step, a power of two; an array gives each element of the result its own.
    position : float or array
        The x to which offsets are added, for the rounding of the sum.

    Returns
    -------
    Estimate
        In the shape of the values.

    Examples
    --------
    >>> round(float(derivative(lambda t: (np.exp(50 * np.asarray(t)), True), 0.25).value), 9)
    50.0
    >>> print(derivative(lambda t: (np.abs(np.asarray(t)), True), 0.25))
    unreliable (a kink: ...)
    """
    with np.errstate(all="ignore"):
        found = _ladder(evaluate, start, position, _CENTRAL)
        for side in (1.0, -1.0):
            outside = found.reason == OUTSIDE
            if not outside.any():
                break
            onward = _ladder(evaluate, np.multiply(side, start), position, _ONE_SIDED)
            found = merged(found, onward, outside)
    return found


def merged(first: Estimate, second: Estimate, where: Array) -> Estimate:
    """Return the second estimate where asked and where it is better, the first elsewhere."""
    chosen = where & (second.reason != OUTSIDE) & (second.reliable | ~first.reliable)
    return Estimate(
        np.where(chosen, second.value, first.value),
        np.where(chosen, second.error, first.error),
        np.where(chosen, second.reason, first.reason),
    )


def _ladder(evaluate: Evaluate, start: Any, position: Any, stencil: _Stencil) -> Estimate:
    """Halve the step until rounding outweighs truncation; keep the step of the least bound."""
    centre, inside = evaluate(np.multiply(0.0, start))
    shape = np.shape(centre)
    value, error = np.full(shape, np.nan), np.full(shape, np.inf)
    reason, worse = np.full(shape, OUTSIDE), np.zeros(shape, int)
    counts = inside & np.isfinite(centre)
    levels: list[_Level] = []
    jumps = np.zeros(shape)
    for last in range(3 + _AHEAD, _LEVELS if np.any(counts) else 0):
        while len(levels) <= last:
            step = _uneven(np.multiply(start, 2.0 ** -len(levels)), position)
            levels.append(_level(evaluate, centre, step, position, stencil))
        here = last - _AHEAD
        jumps = np.fmax(jumps, _jumps(levels[here - 5 : here + 1]) if here > 4 else 0.0)
        verdict, slope, bound = _judged(
            levels[here - 3 : here + 1], levels[-_LOOKS:], jumps, stencil
        )
        better = (verdict == SMOOTH) & (bound < error) & (worse < 2)
        value, error = np.where(better, slope, value), np.where(better, bound, error)
        reason = np.where(better, SMOOTH, reason)
        still_open = (reason != SMOOTH) & (verdict != OUTSIDE) & (verdict != SMOOTH)
        reason = np.where(still_open, verdict, reason)
        worse = np.where(better, 0, worse + (reason == SMOOTH))
        if np.all((worse >= 2) | np.logical_not(counts)):
            break
    return Estimate(value, error, reason.astype(np.int8))


def _jumps(levels: list[_Level]) -> Array:
    """Return the size of jumps that steps have crossed until the last one does not.

    Rounding within the code can make stairs: (1e10 + x) − 1e10, or 1 + tanh(x) far out. On a stair
    the code is as smooth as can be, and its slope is wrong. Sixth differences then stay as large as
    they are and vanish at once. Those of a smooth function fall by 2⁶ at a time, and those of a
    kink by 2, on the whole: by 10 at least from the first two of these to the last two before.
    """
    a, b, _, c, d, last = (level.noise for level in levels)
    before = np.fmax(c, d)
    stays = before >= np.fmax(a, b) / 4
    vanishes = np.fmax(last, levels[-1].floor) <= before * 2.0**-12
    return np.where(stays & vanishes, before, 0.0)


def _judged(
    steps: list[_Level], finer: list[_Level], jumps: Array, stencil: _Stencil
) -> tuple[Array, Array, Array]:
    """Return the verdict on the last of three halvings, its slope and a bound on its error."""
    z, a, b, c = steps
    # Errors of at most ε in the values make one of ``weight``·ε/h in the slope; noise of standard
    # deviation σ counts as ε = 6σ.
    noise = 6 * np.fmax(jumps, np.fmax.reduce([level.noise for level in finer]))
    spread = np.maximum(c.floor, noise) / np.abs(c.step)
    weight = sum(map(abs, stencil.slope)) + abs(sum(stencil.slope))
    rounding = weight * spread + c.own
    rounding_before = weight * spread / 2 + b.own
    change = np.abs(b.slope - c.slope)
    change_before = np.abs(a.slope - b.slope)
    falls = (change * _SLOPE_RATE <= change_before) | (change <= rounding + rounding_before)
    fell = (change_before * _SLOPE_RATE <= np.abs(z.slope - a.slope)) | (
        change_before <= rounding_before * 1.5 + a.own
    )
    even = np.abs(c.evenness)
    even_before = np.abs(b.evenness)
    even_weight = 2 * sum(map(abs, stencil.evenness)) if stencil.evenness else 0.0
    even_falls = (even * _EVENNESS_RATE <= even_before) | (even <= even_weight * spread + c.own)
    quiet = noise <= np.ldexp(c.largest, -20)  # else there are no digits to compare
    # Truncation: what changed, and what rounding may hide of the change, over the rate. A change
    # that fell by more than 2⁶ did so by chance.
    change = np.maximum(change, change_before / 2**6)
    bound = rounding + (change + rounding + rounding_before) / (_SLOPE_RATE - 1)
    bent = ~even_falls & (even * 2**0.5 > even_before) & (even < even_before * 2**0.5)
    doubt = np.where(bent, KINK, ROUGH)
    verdict = np.where(fell & falls & even_falls & quiet & np.isfinite(bound), SMOOTH, doubt)
    return np.where(z.valid & a.valid & b.valid & c.valid, verdict, OUTSIDE), c.slope, bound


def _uneven(step: Any, position: Any) -> Any:
    """Return a step about as large that has random digits, but whose multiples are exact.

    Round steps would make round numbers, whose rounding errors are all alike and leave no noise.
    """
    unit = np.spacing(np.abs(position) + _reach(step))
    return np.round(np.divide(0.7236067977499790 * step, unit)) * unit


def _reach(step: Any) -> Any:
    return 6 * np.abs(step)


def _level(
    evaluate: Evaluate, centre: Array, step: Any, position: Any, stencil: _Stencil
) -> _Level:
    base = centre.astype(np.float64)
    sixth = slope = evenness = own = np.zeros(np.shape(base))
    largest, valid = np.abs(centre), np.isfinite(base)
    for i, point in enumerate(stencil.points):
        values, inside = evaluate(np.multiply(step, float(point)))
        largest = np.maximum(largest, np.abs(values))
        difference = values.astype(np.float64) - base
        valid = valid & inside & np.isfinite(difference)
        slope = slope + stencil.slope[i] * difference
        own = own + np.abs(stencil.slope[i] * difference)
        sixth = sixth + _SIXTH[stencil][i] * difference
        if stencil.evenness:
            evenness = evenness + stencil.evenness[i] * difference
    # Sixth differences are blind to errors that grow evenly, as those of 5·(x + kh) may. Rounding
    # of that kind acts as a rounding of x, of one unit in the last place.
    misplaced = np.spacing(np.abs(position) + _reach(step))
    weight = sum(map(abs, stencil.slope))
    return _Level(
        step=step,
        slope=slope / step,
        evenness=evenness / step,
        largest=largest.astype(np.float64),
        floor=np.maximum(np.spacing(largest).astype(np.float64) / 2, np.spacing(0.0)),
        noise=np.abs(sixth) / _SIXTH_OF_NOISE,
        own=(own * 2.0**-50 + weight * misplaced * np.abs(slope / step)) / np.abs(step),
        valid=valid,
    )
