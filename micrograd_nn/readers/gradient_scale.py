"""Colour by the size of the gradient: a logarithmic scale, on which vanishing gradients show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: The number of colours.
STEPS = 7
#: The scale goes down to this part of the largest gradient at the most.
_DEPTH = 1e-6


@dataclass(frozen=True)
class GradientScale:
    """A scale of ``STEPS`` colours between two sizes of gradients.

    Examples
    --------
    >>> scale = GradientScale.of([0.0, 1e-9, 0.01, 1.0])
    >>> scale.low, scale.high
    (1e-06, 1.0)
    >>> [scale.step(g) for g in (0.0, 1e-9, 0.01, 1.0)]
    [0, 0, 4, 6]
    """

    low: float
    high: float

    @classmethod
    def of(cls, strengths: Sequence[float | None]) -> GradientScale | None:
        """Return the scale on which these gradients have their place, None if there are none."""
        sizes = [s for s in strengths if s and math.isfinite(s)]
        if not sizes:
            return None
        return cls(max(min(sizes), _DEPTH * max(sizes)), max(sizes))

    def step(self, strength: float) -> int:
        """Return the number of the colour of a gradient."""
        if not strength > self.low:
            return 0 if strength < self.high else STEPS - 1
        if strength >= self.high:
            return STEPS - 1
        part = math.log(strength / self.low) / math.log(self.high / self.low)
        return round(part * (STEPS - 1))
