"""Ranks: in which layer each item stands, as late as its users allow."""

from __future__ import annotations

from collections.abc import Sequence


def topological(count: int, arrows: Sequence[tuple[int, int]]) -> list[int]:
    """Return the items 0 ... count − 1, sources before targets.

    Raises
    ------
    ValueError
        If the arrows run in a circle.

    Examples
    --------
    >>> topological(3, [(2, 0), (0, 1)])
    [2, 0, 1]
    """
    targets: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for source, target in arrows:
        targets[source].append(target)
        waiting[target] += 1
    ready = [item for item in reversed(range(count)) if not waiting[item]]
    order = []
    while ready:
        item = ready.pop()
        order.append(item)
        for target in targets[item]:
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    if len(order) < count:
        raise ValueError("the edges run in a circle: only an acyclic graph has layers")
    return order


def late_ranks(
    count: int,
    arrows: Sequence[tuple[int, int]],
    lengths: Sequence[int] | None = None,
    first: Sequence[int] = (),
    last: Sequence[int] = (),
) -> list[int]:
    """Return the layer of each item: each stands as shortly before its users as it can.

    ``lengths`` says how many layers each arrow goes on at the least: 1, unless it is given.
    ``first`` and ``last`` name the items that have the first and the last layer to themselves.
    No layer is empty.

    Examples
    --------
    >>> late_ranks(4, [(0, 1), (1, 3), (2, 3)])
    [0, 1, 1, 2]
    """
    targets: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for k, (source, target) in enumerate(arrows):
        targets[source].append((target, 1 if lengths is None else lengths[k]))
    rank = [0] * count
    pinned = set(last)
    for item in reversed(topological(count, arrows)):
        if item not in pinned:
            latest = -1 if last else 0
            rank[item] = min((rank[t] - length for t, length in targets[item]), default=latest)
    if first:
        front = min(rank) - 1
        for item in first:
            rank[item] = front
    return _without_gaps(rank)


def shorten(
    rank: list[int], arrows: Sequence[tuple[int, int]], lengths: Sequence[int], rounds: int = 8
) -> list[int]:
    """Return ranks with a smaller total length of arrows, leaves standing where they stood.

    An item with more inputs than users moves as early as its inputs allow, one with more users as
    late as they allow, until nothing moves: coordinate descent on what network simplex minimises.
    No layer is empty.

    Examples
    --------
    >>> shorten([0, 0, 2, 3], [(0, 2), (1, 2), (2, 3)], [1, 1, 1])
    [0, 0, 1, 2]
    """
    rank = list(rank)
    before: list[list[tuple[int, int]]] = [[] for _ in rank]
    after: list[list[tuple[int, int]]] = [[] for _ in rank]
    for (source, target), wished in zip(arrows, lengths, strict=True):
        length = min(wished, rank[target] - rank[source])
        before[target].append((source, length))
        after[source].append((target, length))
    order = [item for item in topological(len(rank), arrows) if before[item] and after[item]]
    for _ in range(rounds):
        moved = False
        for item in order:
            if len(before[item]) > len(after[item]):
                best = max(rank[s] + length for s, length in before[item])
            elif len(before[item]) < len(after[item]):
                best = min(rank[t] - length for t, length in after[item])
            else:
                continue
            moved |= best != rank[item]
            rank[item] = best
        if not moved:
            break
    return _without_gaps(rank)


def _without_gaps(rank: Sequence[int]) -> list[int]:
    number = {r: k for k, r in enumerate(sorted(set(rank)))}
    return [number[r] for r in rank]
