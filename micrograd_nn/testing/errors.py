"""What a check of gradients says when it fails."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


class GradientError(AssertionError):
    """A gradient is wrong.

    Parameters
    ----------
    message : str
        What is wrong, where, and what to look at.
    blamed : sequence of str
        The names of what is at fault: operations, or equations of a backward pass.
    disagreements : sequence of Disagreement
        The numbers, the worst first.

    Examples
    --------
    >>> error = GradientError("the gradient of x is wrong", blamed=["tanh"])
    >>> error.blamed
    ['tanh']
    """

    def __init__(
        self,
        message: str,
        blamed: Sequence[str] = (),
        disagreements: Sequence[Disagreement] = (),
    ) -> None:
        super().__init__(message)
        self.blamed = list(blamed)
        self.disagreements = list(disagreements)


@dataclass(frozen=True)
class Disagreement:
    """One number of a gradient that is not what it should be.

    Attributes
    ----------
    what : str
        Which gradient, such as ``"x"`` or ``"argument 0 of tanh"``.
    index : tuple of int
        The element of it; ``()`` for a scalar.
    got, expected : float
        The number that was given, and the oracle's.
    allowed : float
        The distance that rounding explains; 0 where only one number is right.
    """

    what: str
    index: tuple[int, ...]
    got: float
    expected: float
    allowed: float

    @property
    def error(self) -> float:
        """The distance between the two numbers."""
        if self.got == self.expected:
            return 0.0
        return abs(self.got - self.expected)

    def __str__(self) -> str:
        where = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        numbers = f"{self.what}{where}: got {self.got!r}, should be {self.expected!r}"
        if not math.isfinite(self.error):
            return f"{numbers}\n    (allowed: {self.allowed:.3g})"
        return (
            f"{numbers}\n    off by {self.error:.3g}, "
            f"{counted(ulps(self.got, self.expected))} (allowed: {self.allowed:.3g})"
        )


def ulps(got: float, expected: float) -> float:
    """Return the distance of two numbers in units in the last place of ``expected``.

    Examples
    --------
    >>> ulps(1.0 + 2**-51, 1.0)
    2.0
    >>> ulps(0.0, 0.0), ulps(math.nan, 1.0)
    (0.0, inf)
    """
    if got == expected or (got != got and expected != expected):
        return 0.0
    if not (math.isfinite(got) and math.isfinite(expected)):
        return math.inf
    return abs(got - expected) / float(np.spacing(abs(expected)))


def counted(distance: float) -> str:
    """Return a distance in units in the last place as words."""
    if distance == math.inf:
        return "no number of ULP"
    return f"{distance:.3g} ULP" if distance < 1e4 else f"{distance:.1e} ULP"
