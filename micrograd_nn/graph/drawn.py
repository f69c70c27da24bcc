"""Random numbers in a graph: a leaf that can be drawn anew, from the same generator."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from micrograd_nn.graph.tensor import Tensor

_numbers = count()


class Drawn(Tensor):
    """A constant tensor of random numbers.

    Attributes
    ----------
    draw : callable
        From a shape to an array of new numbers.
    number : int
        The order in which such leaves came into being, which is that of drawing anew.
    """

    __slots__ = ("draw", "number")

    draw: Callable[[tuple[int, ...]], np.ndarray[Any, Any]]
    number: int

    @classmethod
    def of(cls, draw: Callable[[tuple[int, ...]], Any], shape: tuple[int, ...]) -> Drawn:
        """Return a leaf of that shape.

        Examples
        --------
        >>> mask = Drawn.of(Kept(np.random.default_rng(0), 0.5, np.dtype(float)), (4,))
        >>> mask.data
        array([2., 0., 0., 0.])
        """
        return cls.holding(draw(shape), draw)

    @classmethod
    def holding(cls, data: np.ndarray[Any, Any], draw: Callable[..., Any]) -> Drawn:
        """Return a leaf that holds data until it is drawn anew."""
        leaf = cls(data, requires_grad=False)
        leaf.draw = draw
        leaf.number = next(_numbers)
        return leaf


class Kept:
    """What dropout multiplies by: 0 with probability p, else 1 / (1 − p)."""

    def __init__(self, generator: np.random.Generator, p: float, dtype: Any) -> None:
        self.generator = generator
        self.p = p
        self.dtype = dtype

    def __call__(self, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        """Draw for that shape."""
        kept = self.generator.random(shape) >= self.p
        mask: np.ndarray[Any, Any] = kept.astype(self.dtype) / self.dtype.type(1.0 - self.p)
        return mask
