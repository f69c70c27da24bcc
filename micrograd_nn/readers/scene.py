"""A picture before it is laid out: the text of each card, the edges, and the boxes around them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from micrograd_nn.graph.node import StaleGraphError
from micrograd_nn.readers.gradient_scale import GradientScale
from micrograd_nn.readers.numbers import numbers
from micrograd_nn.readers.passes import local_derivatives
from micrograd_nn.readers.view import View
from micrograd_nn.readers.wording import Wording, wording


@dataclass(frozen=True)
class Wire:
    """An edge between two cards, which may stand for several.

    ``slot`` is where on the target's side it arrives, from −0.5 (the first argument) to 0.5;
    ``derivative`` is the local derivative in words, where it is to be shown.
    """

    source: int
    target: int
    slot: float
    count: int
    derivative: str = ""

    @property
    def label(self) -> str:
        """What is written on it: the derivative, and for how many it stands."""
        number = f"×{self.count:,}" if self.count > 1 else ""
        return "  ".join(filter(None, [self.derivative, number]))


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
    scale : GradientScale, optional
        The scale by which the cards are coloured.
    """

    cards: list[Wording]
    wires: list[Wire]
    frames: list[Frame]
    frame_of: list[int]
    root: int
    nodes: int
    scale: GradientScale | None = None


#: More edges than these between the same two cards are drawn as one, with their number.
_PARALLEL = 3
#: How much of the side of a card the edges take up that arrive there.
SPREAD = 0.84


def scene(view: View, show: Collection[str], colour: str = "kind") -> Scene:
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
    cards = [wording(scopes, card, show) for card in view.cards]
    return Scene(
        cards,
        _wires(view, "local" in show),
        frames,
        [number[card.group] for card in view.cards],
        next(i for i, card in enumerate(view.cards) if root in card.nodes),
        len(scopes.nodes),
        GradientScale.of([card.strength for card in cards]) if colour == "grad" else None,
    )


def _wires(view: View, local: bool) -> list[Wire]:
    bundles: dict[int, dict[int, list[tuple[int, int]]]] = {}
    for (source, target, argument), count in view.arrows.items():
        bundles.setdefault(target, {}).setdefault(source, []).append((argument, count))
    wires = []
    for target, sources in bundles.items():
        derivatives = _derivatives(view, target) if local else {}
        single = view.cards[target].layer < 0 and view.cards[target].copies == 1
        arriving: list[tuple[int, int, int, str]] = []
        for source, arguments in sources.items():
            if single and len(arguments) <= _PARALLEL and not view.cards[target].terms:
                arriving += [(a, source, n, derivatives.get(a, "")) for a, n in arguments]
            else:
                different = {derivatives.get(a, "") for a, _ in arguments}
                count = sum(n for _, n in arguments)
                derivative = different.pop() if len(different) == 1 else ""
                arriving.append((min(arguments)[0], source, count, derivative))
        if single:
            arriving.sort()
        for k, (_, source, count, derivative) in enumerate(arriving):
            slot = ((k + 0.5) / len(arriving) - 0.5) * SPREAD
            wires.append(Wire(source, target, slot, count, derivative))
    return wires


def _derivatives(view: View, target: int) -> dict[int, str]:
    """Return the local derivative of a card with respect to each argument, in words."""
    card = view.cards[target]
    if card.layer >= 0 or card.terms or card.hidden:
        return {}
    found: dict[int, list[Any]] = {}
    for n in card.nodes:
        try:
            derivatives = local_derivatives(view.scopes.nodes[n])
        except StaleGraphError:
            continue
        for argument, derivative in enumerate(derivatives):
            if derivative is not None:
                found.setdefault(argument, []).append(derivative)
    return {argument: f"∂ {numbers(values, 3)}" for argument, values in found.items()}
