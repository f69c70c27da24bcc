"""Numbers and arrays as the few characters that a card has room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def number(x: float, digits: int = 4) -> str:
    """Return a number in at most ``digits`` significant digits, with a true minus sign.

    Examples
    --------
    >>> number(-1234.5678), number(1e-9), number(float("inf"))
    ('−1235', '1e−9', '∞')
    """
    x = float(x)
    if x != x:
        return "NaN"
    if x in (float("inf"), float("-inf")):
        return "∞" if x > 0 else "−∞"
    mantissa, e, exponent = f"{x:.{digits}g}".partition("e")
    text = f"{mantissa}e{int(exponent)}" if e else mantissa
    return "0" if text == "-0" else text.replace("-", "−")


def numbers(arrays: Sequence[Any], digits: int = 4) -> str:
    """Return arrays of numbers as the number, the few numbers, or their range.

    Examples
    --------
    >>> numbers([2.0]), numbers([[1.0, -2.5]]), numbers([np.arange(10.0)])
    ('2', '1, −2.5', '0 … 9')
    """
    flat = np.concatenate([np.ravel(np.asarray(a, dtype=np.float64)) for a in arrays])
    if flat.size == 0:
        return "empty"
    if flat.size == 1:
        return number(flat[0], digits)
    if flat.size <= 3:
        return ", ".join(number(x, 3) for x in flat)
    least, most = np.min(flat), np.max(flat)  # NaN if there is one
    if np.isnan(least):
        return f"{int(np.isnan(flat).sum())} NaN of {flat.size}"
    if least == most:
        return f"all {number(least, digits)}"
    return f"{number(least, 3)} … {number(most, 3)}"
