"""From a scene to its layout: how large the cards are, and how much room the labels need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from micrograd_nn.readers.cardbox import SMALL, card_size
from micrograd_nn.readers.fonts import shortened, text_width
from micrograd_nn.readers.layout import Edge, Group, Layout, layout
from micrograd_nn.readers.scene import SPREAD, Scene, Wire

#: The height of a line of labels on edges.
_LABEL_LINE = 13.0


def lay_out(scene: Scene, direction: str = "LR") -> Layout:
    """Place the cards, boxes and edges of a scene.

    Cards of one kind in one box that are nearly as wide as each other become equally wide.
    """
    sizes = [card_size(card) for card in scene.cards]
    widest: dict[tuple[int, str], float] = {}
    kinds = [(f, card.kind) for f, card in zip(scene.frame_of, scene.cards, strict=True)]
    for kind, (width, _) in zip(kinds, sizes, strict=True):
        widest[kind] = max(widest.get(kind, 0.0), width)
    sizes = [
        (widest[kind] if widest[kind] < 1.25 * width else width, height)
        for kind, (width, height) in zip(kinds, sizes, strict=True)
    ]
    return layout(
        _with_room_for_labels(sizes, scene.wires, direction),
        [Edge(wire.source, wire.target, wire.slot, _room(wire, direction)) for wire in scene.wires],
        [
            Group(f.parent, text_width(shortened(f.label, 60), SMALL + 1, bold=True))
            for f in scene.frames
        ],
        scene.frame_of,
        direction,
    )


def _with_room_for_labels(
    sizes: Sequence[tuple[float, float]], wires: Sequence[Wire], direction: str
) -> list[tuple[float, float]]:
    """Enlarge the cards at which so many labelled edges arrive that the labels would overlap."""
    sideways = direction == "LR"
    arriving = Counter(wire.target for wire in wires)
    least: dict[int, float] = {}
    for wire in wires:
        if wire.label:
            # From top to bottom, the first label stands left of its edge and the last one right.
            beside = arriving[wire.target] if sideways else arriving[wire.target] - 2
            one = _LABEL_LINE if sideways else text_width(wire.label, SMALL) + 8.0
            least[wire.target] = max(least.get(wire.target, 0.0), one * beside / SPREAD)
    return [
        (width, max(height, least.get(i, 0.0)))
        if sideways
        else (max(width, least.get(i, 0.0)), height)
        for i, (width, height) in enumerate(sizes)
    ]


def _room(wire: Wire, direction: str) -> float:
    """Return the space that the label of an edge takes, with the head of the arrow."""
    if not wire.label:
        return 0.0
    return text_width(wire.label, SMALL) + 12.0 if direction == "LR" else 20.0
