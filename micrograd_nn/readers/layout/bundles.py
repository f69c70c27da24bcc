"""Edges and groups, and the bundles in which edges enter a group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Edge:
    """An edge between two cards, by their numbers.

    ``slot`` says where on the side of the target it arrives, from −0.5 (the first argument) to
    0.5 (the last); ``room`` how much space it needs before the target, for its label.
    """

    source: int
    target: int
    slot: float = 0.0
    room: float = 0.0


@dataclass(frozen=True)
class Group:
    """A box around cards and other groups: the number of the group around it, or −1; its label."""

    parent: int = -1
    label_width: float = 0.0


#: From so many on, cards whose edges enter a group for the same targets share one way in.
_BUNDLED = 8


def bundles(
    edges: Sequence[Edge], groups: Sequence[Group], group_of: Sequence[int]
) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], float]]:
    """Return which sources enter a group as one, and where they arrive.

    Where each of a layer's many units is used by each unit of the next, single edges would only
    blacken the picture. An edge with a label stays on its own.

    Returns
    -------
    dict
        By (group, source) the first source of the bundle, for those that are in one.
    dict
        By (target, first source of the bundle) the slot where it arrives.
    """
    depth = {-1: 0}
    for g, group in enumerate(groups):
        depth[g] = depth[group.parent] + 1

    def entered(edge: Edge) -> Iterator[int]:
        outside, inside = group_of[edge.source], group_of[edge.target]
        while outside != inside:
            if depth[outside] >= depth[inside]:
                outside = groups[outside].parent
            else:
                yield inside
                inside = groups[inside].parent

    targets: dict[tuple[int, int], set[int]] = {}
    alone = set()
    for edge in edges:
        for g in entered(edge):
            targets.setdefault((g, edge.source), set()).add(edge.target)
            if edge.room:
                alone.add((g, edge.source))
    alike: dict[tuple[int, frozenset[int]], list[int]] = {}
    for (g, source), found in targets.items():
        if (g, source) not in alone:
            alike.setdefault((g, frozenset(found)), []).append(source)
    first_of = {
        (g, source): sources[0]
        for (g, _), sources in alike.items()
        for source in sources
        if len(sources) >= _BUNDLED
    }
    slots: dict[tuple[int, int], list[float]] = {}
    for edge in edges:
        first = first_of.get((group_of[edge.target], edge.source))
        if first is not None:
            slots.setdefault((edge.target, first), []).append(edge.slot)
    return first_of, {end: sum(found) / len(found) for end, found in slots.items()}
