"""A picture before it is laid out: the text of each card, the edges, and the boxes around them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from micrograd_nn.readers.view import View
from micrograd_nn.readers.wording import Wording, wording


@dataclass(frozen=True)
class Wire:
    """An edge between two cards, which may stand for several.

    ``slot`` is where on the target's side it arrives, from −0.5 (the first argument) to 0.5.
    """

    source: int
    target: int
    slot: float
    count: int


@dataclass(frozen=True)
class Frame:
    """A box around cards and boxes: its label, and the number of the box around it, or −1."""

    label: str
    parent: int


@dataclass(frozen=True)
class Scene:
    """What a picture consists of.

    Attributes
    ----------
    cards : list of Wording
    wires : list of Wire
        In argument order for each target.
    frames : list of Frame
        Each stands after the box around it.
    frame_of : list of int
        The innermost box around each card, −1 for none.
    root : int
        The card of the root.
    nodes : int
        The number of nodes that the cards stand for.
    """

    cards: list[Wording]
    wires: list[Wire]
    frames: list[Frame]
    frame_of: list[int]
    root: int
    nodes: int


#: More edges than these between the same two cards are drawn as one, with their number.
_PARALLEL = 3
#: How much of the side of a card the edges take up that arrive there.
_SPREAD = 0.84


def scene(view: View, show: Collection[str]) -> Scene:
    """Return the text and edges of a view; ``show`` says which parts of the text."""
    scopes = view.scopes
    used = set()
    for card in view.cards:
        group = card.group
        while group >= 0:
            used.add(group)
            group = scopes.parents[group]
    number = {-1: -1, **{g: k for k, g in enumerate(sorted(used))}}
    frames = [Frame(scopes.names[g], number[scopes.parents[g]]) for g in sorted(used)]
    root = len(scopes.nodes) - 1
    return Scene(
        [wording(scopes, card, show) for card in view.cards],
        _wires(view),
        frames,
        [number[card.group] for card in view.cards],
        next(i for i, card in enumerate(view.cards) if root in card.nodes),
        len(scopes.nodes),
    )


def _wires(view: View) -> list[Wire]:
    bundles: dict[int, dict[int, list[tuple[int, int]]]] = {}
    for (source, target, argument), count in view.arrows.items():
        bundles.setdefault(target, {}).setdefault(source, []).append((argument, count))
    wires = []
    for target, sources in bundles.items():
        single = view.cards[target].layer < 0 and view.cards[target].copies == 1
        arriving: list[tuple[int, int, int]] = []
        for source, arguments in sources.items():
            if single and len(arguments) <= _PARALLEL and not view.cards[target].terms:
                arriving += [(a, source, n) for a, n in arguments]
            else:
                arriving.append((min(arguments)[0], source, sum(n for _, n in arguments)))
        if single:
            arriving.sort()
        for k, (_, source, count) in enumerate(arriving):
            slot = ((k + 0.5) / len(arriving) - 0.5) * _SPREAD
            wires.append(Wire(source, target, slot, count))
    return wires
