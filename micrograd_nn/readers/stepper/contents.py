"""The data of the page: cards, groups, events and formulas."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from micrograd_nn.readers.cardbox import card_size
from micrograd_nn.readers.fonts import shortened, text_width
from micrograd_nn.readers.formulas import formula
from micrograd_nn.readers.labels import labels
from micrograd_nn.readers.scopes import Scopes
from micrograd_nn.readers.stepper.events import events
from micrograd_nn.readers.stepper.quantities import Quantity
from micrograd_nn.readers.stepper.record import Record
from micrograd_nn.readers.view import Card, collapsible, size
from micrograd_nn.readers.wording import Wording, wording

#: More cards than these are never shown at once; with more than these it begins collapsed.
MOST, READABLE = 1000, 60

_LEVELS = {"models": "networks", "layers": "layers", "neurons": "neurons", None: "everything"}
#: As wide as any number on a card.
_WIDEST = "−1.234e−05"
_WIDEST_RANGE = "−0.0123 … −0.0123"


def contents(record: Record) -> dict[str, Any]:
    """Return the data of the page, which its scripts describe where they read them.

    Raises
    ------
    ValueError
        If the graph is too large.
    StaleGraphError
        If recorded data were overwritten, so that a derivative would be wrong.
    """
    scopes = record.scopes
    levels, first = _levels(record)
    forms: dict[str, int] = {}

    def form(text: str) -> int:
        return forms.setdefault(text, len(forms))

    seed, backward = events(scopes.nodes, form)
    told = _gradients_told(scopes, seed, backward)
    faces, nodes = _nodes(record, told, form)
    return {
        "faces": faces,
        "nodes": nodes,
        "groups": _groups(record, told),
        "seed": seed,
        "events": backward,
        "forms": list(forms),
        "levels": [[name, sorted(collapsed)] for collapsed, name in levels.items()],
        "level": first,
        "isAuto": record.collapse == "auto",
        "show": [part for part in ("shape", "data", "grad") if part in record.show],
        "direction": record.direction,
        "most": MOST,
    }


def _nodes(
    record: Record, told: list[list[Quantity]], form: Callable[[str], int]
) -> tuple[list[Any], list[Any]]:
    """Return the different faces of cards, and ``[face, group, label, inputs, data, form]``."""
    scopes, names = record.scopes, labels(record.scopes.nodes)
    faces: dict[Any, int] = {}
    lines: list[Any] = []
    for n, node in enumerate(scopes.nodes):
        card = wording(scopes, Card([n]), ())
        extent = card_size(_fullest(card, record.show, [record.data[n]], told[n]))
        face = (card.kind, shortened(card.title, 30), shortened(card.op, 30), *extent)
        number = faces.setdefault(face, len(faces))
        line = [number, scopes.group_of[n], names[node], scopes.inputs[n], record.data[n]]
        lines.append([*line, form(formula(node))] if node.op is not None else line)
    return list(faces), lines


def _groups(record: Record, told: list[list[Quantity]]) -> list[Any]:
    """Return ``[parent, name, title, op, width, height, contents, width of the name]`` of each."""
    scopes = record.scopes
    lines = []
    for g, inside in enumerate(_members(scopes)):
        card = wording(scopes, Card(inside, scopes.parents[g], g), ())
        results = [n for n in inside if scopes.nodes[n].op is not None]
        data = [record.data[n] for n in results]
        gradients = [gradient for n in results for gradient in told[n]]
        extent = card_size(_fullest(card, record.show, data, gradients))
        label = shortened(scopes.names[g], 60)
        width = text_width(f"▾ {label}", 11.0, bold=True)
        lines.append(
            [
                *(scopes.parents[g], label, shortened(card.title, 30), shortened(card.op, 30)),
                *extent,
                [text for text, _ in card.rows],
                round(width, 1),
            ]
        )
    return lines


def _levels(record: Record) -> tuple[dict[frozenset[int], str], int]:
    """Return how much may be seen at once, from least to most, and which level comes first.

    A level is the groups that it collapses, with its name.
    """
    scopes = record.scopes
    levels: dict[frozenset[int], str] = {}
    for level, name in _LEVELS.items():
        levels.setdefault(collapsible(scopes, level), name)
    if callable(record.collapse):
        levels.setdefault(collapsible(scopes, record.collapse), "as asked for")
    sizes = [size(scopes, collapsed) for collapsed in levels]
    if sizes[0] > MOST:
        raise ValueError(
            f"the stepper shows at most {MOST:,} cards, and this graph has {sizes[0]:,} even with "
            "all layers collapsed: draw a smaller part of it, or save it as .svg"
        )
    if record.collapse == "auto":
        first = max((k for k, cards in enumerate(sizes) if cards <= READABLE), default=0)
    else:
        first = list(levels).index(collapsible(scopes, record.collapse))
        while sizes[first] > MOST:
            first -= 1
    return levels, first


def _members(scopes: Scopes) -> list[list[int]]:
    """Return the nodes in each group, those in the groups inside it included."""
    members: list[list[int]] = [[] for _ in scopes.names]
    for n, group in enumerate(scopes.group_of):
        while group >= 0:
            members[group].append(n)
            group = scopes.parents[group]
    return members


def _gradients_told(
    scopes: Scopes, seed: Quantity, backward: list[list[Any]]
) -> list[list[Quantity]]:
    """Return what is told of the gradient of each node in the course of the backward pass."""
    told: list[list[Quantity]] = [[] for _ in scopes.nodes]
    if seed != "":
        told[-1].append(seed)
    for node, argument, _, *quantities in backward:
        written = [q for q in quantities[1:] if q is not None]
        told[scopes.inputs[node][argument]].append(written[-1] if written else 0.0)
    return told


def _fullest(
    card: Wording, show: Collection[str], data: list[Quantity], gradients: list[Quantity]
) -> Wording:
    """Return a card with as much text as the page may ever write on it."""
    if card.kind == "constant":
        return card
    rows = list(card.rows)
    arrays = [q for q in data if isinstance(q, list)]
    if arrays and "shape" in show and card.kind != "layer":
        rows.append(("shape", arrays[0][0]))
    for part, quantities in (("data", data), ("grad", gradients)):
        if part in show and quantities:
            rows.append((part, _longest(quantities, card.kind == "layer")))
    return Wording(card.kind, card.title, card.op, tuple(rows), "", "", card.is_stack)


def _longest(quantities: list[Quantity], is_summary: bool) -> str:
    ranges = [str(q[1]) for q in quantities if isinstance(q, list)]
    numbers = len(quantities) - len(ranges)
    if numbers:
        ranges.append(_WIDEST_RANGE if is_summary and numbers > 1 else _WIDEST)
    return max(ranges, key=len)
