"""Ordering: who stands above whom within a layer, so that few edges cross."""

from __future__ import annotations

from collections.abc import Sequence

#: A link between neighbouring layers: the other vertex, and where the link touches the upper
#: vertex and the lower one, as offsets from their centres.
Link = tuple[int, float, float]


def order_layers(
    rank: Sequence[int],
    ups: Sequence[Sequence[Link]],
    downs: Sequence[Sequence[Link]],
    extent: Sequence[float],
    sweeps: int = 10,
) -> list[list[int]]:
    """Return the vertices of each layer in the order in which they stand.

    The first order is that of a depth-first search from the last layer, in argument order. Sweeps
    then move each vertex to the mean place of its neighbours; the order with the fewest crossings
    is kept.

    Parameters
    ----------
    rank : sequence of int
        The layer of each vertex.
    ups, downs : sequence of sequences of Link
        Each vertex's links to the layer before and to the layer after.
    extent : sequence of float
        Each vertex's size across the layers.
    sweeps : int
        How many sweeps to try.
    """
    layers = _depth_first(rank, ups, downs)
    place = [0] * len(rank)
    _number(layers, place)
    best, fewest = layers, crossings(layers, downs, place)
    idle = 0
    for sweep in range(sweeps):
        if not fewest or idle == 4:
            break
        layers = [list(layer) for layer in layers]
        forwards = sweep % 2 == 1
        for r in range(1, len(layers)) if forwards else range(len(layers) - 2, -1, -1):
            _sort_layer(layers[r], ups if forwards else downs, place, extent, forwards)
            _number([layers[r]], place)
        now = crossings(layers, downs, place)
        idle = 0 if now < fewest else idle + 1
        if now < fewest:
            best, fewest = layers, now
    return best


def crossings(
    layers: Sequence[Sequence[int]], downs: Sequence[Sequence[Link]], place: Sequence[int]
) -> int:
    """Count the pairs of links that cross, by counting inversions in a binary indexed tree."""
    total = 0
    for layer in layers:
        ends: list[tuple[int, float]] = []
        for vertex in layer:
            ends += [
                (at, arrive)
                for _, at, arrive in sorted((leave, place[w], b) for w, leave, b in downs[vertex])
            ]
        index = {end: i for i, end in enumerate(sorted(set(ends)), start=1)}
        tree = [0] * (len(index) + 1)
        for seen, end in enumerate(ends):
            i = index[end]
            before = 0
            while i:
                before += tree[i]
                i &= i - 1
            total += seen - before
            i = index[end]
            while i < len(tree):
                tree[i] += 1
                i += i & -i
    return total


def _depth_first(
    rank: Sequence[int], ups: Sequence[Sequence[Link]], downs: Sequence[Sequence[Link]]
) -> list[list[int]]:
    layers: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    seen = [False] * len(rank)
    stack = [v for v in reversed(range(len(rank))) if not downs[v]]
    while stack:
        vertex = stack.pop()
        if seen[vertex]:
            continue
        seen[vertex] = True
        layers[rank[vertex]].append(vertex)
        above = sorted(ups[vertex], key=lambda link: link[2])
        stack += [w for w, _, _ in reversed(above) if not seen[w]]
    return layers


def _number(layers: Sequence[Sequence[int]], place: list[int]) -> None:
    for layer in layers:
        for i, vertex in enumerate(layer):
            place[vertex] = i


def _sort_layer(
    layer: list[int],
    links: Sequence[Sequence[Link]],
    place: Sequence[int],
    extent: Sequence[float],
    forwards: bool,
) -> None:
    """Sort a layer by the mean place of its neighbours; those without any follow the one above."""
    wish = {}
    above = -1.0
    for vertex in layer:
        if links[vertex]:
            total = 0.0
            for w, leave, arrive in links[vertex]:
                total += place[w] + (leave if forwards else arrive) / (extent[w] + 1.0)
            above = total / len(links[vertex])
        wish[vertex] = above
    layer.sort(key=wish.__getitem__)
