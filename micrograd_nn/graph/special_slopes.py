"""The slopes of gelu and silu to the last digits, near their roots and in the tails, too.

Both are symmetric, f'(−t) = 1 − f'(t), so that one side is enough. There the textbook's sum of two
terms, Φ(x) + x φ(x) or σ(x) + x σ'(x), cancels at its root near −0.75 or −1.28. Written as a
positive factor times a function of the distance d from the root, which is known to 106 bits as the
sum of two floats, nothing cancels. As in ``special``, each function is here twice, and accuracies
are in ULP.
"""

from __future__ import annotations

import math

import numpy as np

from micrograd_nn.graph.expansions import NORMAL, FloatArray, gelu_root, gelu_table, silu_root
from micrograd_nn.graph.special import (
    clipped,
    elementwise,
    expand,
    expand_float,
    gaussian_parts,
    gaussian_parts_float,
)

_NEAR = 2.0**-6  # of its root: there, the series of gelu' about it is exact to 2⁻⁶⁶
_GELU_TAIL = 37.0  # beyond, exp(−t²/2) is near underflow, but not yet its product with t
_SILU_TAIL = 690.0
_SILU_END = 800.0


@elementwise
def gelu_slope_array(x: FloatArray) -> FloatArray:
    """Φ(x) + x φ(x), the derivative of gelu, within 4 ULP down to underflow at x = −38.7.

    For x = −t it is exp(−t²/2)·p(t), with a table for p as ``special`` has one for Φ, and near the
    root t = 0.7518 a series about it.
    """
    t = clipped(x, NORMAL.array_end)
    value, rest = expand(t, gelu_table())
    factor, correction = gaussian_parts(t, NORMAL.minus_scale)
    p = value + (rest + correction * (value + rest))
    below = factor * p
    tail = t > _GELU_TAIL
    if tail.any():
        factor = gaussian_parts(t[tail], 0.5 * NORMAL.minus_scale)[0]
        below[tail] = factor * (factor * p[tail])
    root = gelu_root()
    d = (t - root.high) - root.low
    near = np.abs(d) < _NEAR
    if near.any():
        d = d[near]
        series = np.zeros_like(d)
        for coefficient in reversed(root.series):
            series += coefficient
            series *= d
        below[near] = series
    return np.where(x < 0, below, 1.0 - below)


@elementwise
def silu_slope_array(x: FloatArray) -> FloatArray:
    """σ(x) (1 + x σ(−x)), the derivative of silu, within 4 ULP down to underflow at x = −752.

    For x = −t it is exp(−t)/(1 + exp(−t))²·s, with s = 1 + exp(−t) − t. Where s is 0, at t = r,
    exp(−r) = r − 1; so s = (r − 1)(exp(−d) − 1) − d, with d = t − r: both terms have one sign.
    """
    t: FloatArray = np.minimum(np.abs(x), _SILU_END)
    root = silu_root()
    d = (t - root.high) - root.low
    rise = root.power * np.expm1(-d)
    s = rise - d
    rest = np.where(
        np.abs(d) > np.abs(rise), rise - (s + d), rise - s - d
    )  # what s has rounded off
    power = np.exp(-t)
    one_more = 1.0 + power
    rest -= 2.0 * s * (power - (one_more - 1.0)) / one_more  # and what 1 + exp(−t) has
    below = power * (s + rest) / (one_more * one_more)
    tail = t > _SILU_TAIL
    if tail.any():
        half = np.exp(-0.5 * t[tail])
        below[tail] = half * (half * s[tail])
    return np.where(x < 0, below, 1.0 - below)


def gelu_slope_float(x: float) -> float:
    """Φ(x) + x φ(x) within 4 ULP, as `gelu_slope_array`."""
    t = min(abs(x), NORMAL.end)
    if t != t:
        return t
    root = gelu_root()
    d = (t - root.high) - root.low
    if abs(d) < _NEAR:
        below = 0.0
        for coefficient in reversed(root.series):
            below = (below + coefficient) * d
    else:
        value, rest = expand_float(t, gelu_table())
        half = 0.5 if t > _GELU_TAIL else 1.0
        factor, correction = gaussian_parts_float(t, -NORMAL.scale * half)
        below = factor * (value + (rest + correction / half * (value + rest)))
        if t > _GELU_TAIL:
            below *= factor
    return below if x < 0.0 else 1.0 - below


def silu_slope_float(x: float) -> float:
    """σ(x) (1 + x σ(−x)) within 4 ULP, as `silu_slope_array`."""
    t = min(abs(x), _SILU_END)
    if t != t:
        return t
    root = silu_root()
    d = (t - root.high) - root.low
    rise = root.power * math.expm1(-d)
    s = rise - d
    if t > _SILU_TAIL:
        half = math.exp(-0.5 * t)
        below = half * (half * s)
    else:
        rest = rise - (s + d) if abs(d) > abs(rise) else rise - s - d
        power = math.exp(-t)
        one_more = 1.0 + power
        rest -= 2.0 * s * (power - (one_more - 1.0)) / one_more
        below = power * (s + rest) / (one_more * one_more)
    return below if x < 0.0 else 1.0 - below
