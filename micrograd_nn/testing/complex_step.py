"""The complex-step derivative, used only where finite differences confirm it.

``f(x + i t v).imag / t`` at a tiny t has no cancellation, and so nearly all digits. But code that
isn't analytic answers wrongly without a sign of it: abs, sign, linalg.norm, var, std, comparisons
and casts to float see another function. Finite differences see the one that was meant.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.testing.finite import Array, Domain, Function, directional
from micrograd_nn.testing.taylor import Estimate

_TINY = 2.0**-200
# Seven points this far apart (in units of the direction) differ in nothing but rounding.
_APART = 0.7236067977499790 * 2.0**-36
_SIXTH = (1, -6, 15, -20, 15, -6, 1)


def complex_step(
    f: Function, inputs: Sequence[Any], directions: Sequence[Any], domain: Domain | None = None
) -> Estimate:
    """Return the derivative along a direction to nearly all digits, where two methods agree.

    Parameters
    ----------
    f, inputs, directions, domain
        As for ``finite.directional``.

    Returns
    -------
    Estimate
        By the complex step where that is within the error of the finite differences, and
        sharper; by finite differences elsewhere.

    Examples
    --------
    >>> print(complex_step(np.exp, [0.0], [1.0]))
    1.0 ± ...e-16
    >>> print(complex_step(np.abs, [-2.0], [1.0]))  # the complex step alone says 0
    -1.0... ± ...
    """
    finite = directional(f, inputs, directions, domain)
    exact = _analytic(f, inputs, directions)
    if exact is None or exact[0].shape != finite.value.shape:
        return finite
    value, error = exact
    with np.errstate(invalid="ignore"):
        confirmed = np.abs(value - finite.value) <= finite.error + error
        better = finite.reliable & confirmed & (error < finite.error)
    return Estimate(
        np.where(better, value, finite.value),
        np.where(better, error, finite.error),
        finite.reason,
    )


def _analytic(
    f: Function, inputs: Sequence[Any], directions: Sequence[Any]
) -> tuple[Array, Array] | None:
    xs = [np.asarray(x, np.float64) for x in inputs]
    vs = [np.asarray(v, np.float64) for v in directions]

    def slope(t: float) -> Array:
        moved = [x + (t + 1j * _TINY) * v for x, v in zip(xs, vs, strict=True)]
        return np.asarray(np.imag(f(*moved)), np.float64) / _TINY

    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            slopes = [slope(k * _APART) for k in range(-3, 4)]
    except Exception:  # noqa: BLE001 (opaque code may dislike complex numbers in any way)
        return None
    value = slopes[3]
    with np.errstate(all="ignore"):
        sixth = sum(weight * s for weight, s in zip(_SIXTH, slopes, strict=True))
        noise = 6 * np.abs(sixth) / 924.0**0.5
        # what one unit in the last place of x changes
        scale = max((float(np.max(np.spacing(np.abs(x)), initial=0.0)) for x in xs), default=0.0)
        drift = np.abs(slopes[4] - slopes[2]) * scale / _APART
        return value, np.maximum(noise, 2 * np.spacing(np.abs(value))) + drift
