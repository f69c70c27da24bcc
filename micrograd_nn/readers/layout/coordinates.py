"""Coordinates: how far apart the vertices of a layer stand, so that edges run straight."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

#: A wish of one vertex: where it would like to be, as an offset from another; how much it wants it.
Pull = tuple[int, float, float]


def coordinates(
    layers: Sequence[Sequence[int]],
    before: Sequence[Sequence[Pull]],
    after: Sequence[Sequence[Pull]],
    extent: Sequence[float],
    gap: Sequence[float],
    sweeps: int = 16,
) -> list[float]:
    """Return the centre of each vertex across the layers.

    Layer after layer, and back, the vertices take the places that come nearest to their wishes, in
    weighted least squares, while the order and the gaps are kept: an isotonic regression, which is
    solved exactly.

    Parameters
    ----------
    layers : sequence of sequences of int
        The vertices of each layer, in order.
    before, after : sequence of sequences of Pull
        Each vertex's wishes, relative to vertices of the layer before and of the layer after.
    extent, gap : sequence of float
        Each vertex's size, and the space it wants around itself.
    sweeps : int
        How often to go through the layers.
    """
    centre = [0.0] * len(extent)
    offsets = []
    for layer in layers:
        offset = _offsets(layer, extent, gap)
        offsets.append(offset)
        for vertex, at in zip(layer, offset, strict=True):
            centre[vertex] = at - offset[-1] / 2
    for sweep in range(sweeps):
        forwards = sweep % 2 == 0
        sides = (before, after) if sweep >= 2 else (before,) if forwards else (after,)
        for r in range(len(layers)) if forwards else reversed(range(len(layers))):
            layer, offset = layers[r], offsets[r]
            wishes, weights = [], []
            for vertex, at in zip(layer, offset, strict=True):
                total, weight = 1e-3 * centre[vertex], 1e-3
                for side in sides:
                    for other, shift, strength in side[vertex]:
                        total += strength * (centre[other] + shift)
                        weight += strength
                wishes.append(total / weight - at)
                weights.append(weight)
            for vertex, at, wish in zip(layer, offset, isotonic(wishes, weights), strict=True):
                centre[vertex] = wish + at
    return centre


def isotonic(wishes: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the non-decreasing numbers nearest to ``wishes`` in weighted least squares.

    Pools adjacent violators, in linear time.

    Examples
    --------
    >>> isotonic([1.0, 3.0, 2.0, 4.0], [1.0, 1.0, 1.0, 1.0])
    [1.0, 2.5, 2.5, 4.0]
    """
    pools: list[tuple[float, float, int]] = []
    for wish, weight in zip(wishes, weights, strict=True):
        mean, total, count = wish, weight, 1
        while pools and pools[-1][0] > mean:
            m, t, c = pools.pop()
            mean = (m * t + mean * total) / (t + total)
            total, count = t + total, c + count
        pools.append((mean, total, count))
    return [mean for mean, _, count in pools for _ in range(count)]


def _offsets(layer: Sequence[int], extent: Sequence[float], gap: Sequence[float]) -> list[float]:
    """Return how far below the first vertex of the layer each one stands at the least."""
    offsets = [0.0] if layer else []
    for above, below in pairwise(layer):
        space = (extent[above] + extent[below]) / 2 + max(gap[above], gap[below])
        offsets.append(offsets[-1] + space)
    return offsets
