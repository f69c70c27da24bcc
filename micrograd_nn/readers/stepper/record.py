"""What the stepper needs of a graph, taken when the picture is drawn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from micrograd_nn.graph.node import Node
from micrograd_nn.readers.labels import labels
from micrograd_nn.readers.scopes import Scopes
from micrograd_nn.readers.stepper.quantities import Quantity, quantity
from micrograd_nn.readers.view import Card, collapsible, size
from micrograd_nn.readers.wording import Wording, wording

#: More nodes than these are too many for a page that goes through them one by one.
LIMIT = 3000
#: More cards than these are never shown at once, and more than these are collapsed at first.
MOST, READABLE = 1000, 60

LEVELS = {"models": "networks", "layers": "layers", "neurons": "neurons", None: "everything"}


@dataclass(frozen=True)
class Record:
    """A graph as it was when it was drawn.

    The texts and data are taken then. The derivatives are computed when the page is written:
    nodes keep the data that their rules read, whatever is computed or overwritten later.

    Attributes
    ----------
    scopes : Scopes
    names : list of str
        The label of each node in equations.
    data : list of Quantity
        The data of each node.
    members : list of list of int
        The nodes in each group.
    cards, group_cards : list of Wording
        What is written on the card of each node, and of each group that is collapsed.
    levels : list of (str, frozenset of int)
        How much may be seen at once, from least to most: its name, the groups to collapse.
    level : int
        The level that is shown first.
    is_auto : bool
        Whether less may be shown first, where the window is small.
    show : collection of str
        What cards tell: "data", "grad", "shape".
    direction : str
    """

    scopes: Scopes
    names: list[str]
    data: list[Quantity]
    members: list[list[int]]
    cards: list[Wording]
    group_cards: list[Wording]
    levels: list[tuple[str, frozenset[int]]]
    level: int
    is_auto: bool
    show: Collection[str]
    direction: str


def record(scopes: Scopes, collapse: str | None, show: Collection[str], direction: str) -> Record:
    """Take from a graph what the stepper needs; its parameters are those of ``draw``."""
    nodes = scopes.nodes
    called = labels(nodes)
    members: list[list[int]] = [[] for _ in scopes.names]
    for n, group in enumerate(scopes.group_of):
        while group >= 0:
            members[group].append(n)
            group = scopes.parents[group]
    levels: dict[frozenset[int], str] = {}
    for level, name in LEVELS.items():
        levels.setdefault(collapsible(scopes, level), name)
    sizes = [size(scopes, collapsed) for collapsed in levels]
    if collapse == "auto":
        first = max((k for k, cards in enumerate(sizes) if cards <= READABLE), default=0)
    else:
        first = list(levels).index(collapsible(scopes, collapse))
    return Record(
        scopes,
        [called[node] for node in nodes],
        _data_of(nodes),
        members,
        [wording(scopes, Card([n]), ()) for n in range(len(nodes))],
        [
            wording(scopes, Card(inside, scopes.parents[g], g), ())
            for g, inside in enumerate(members)
        ],
        [(name, collapsed) for collapsed, name in levels.items()],
        first,
        collapse == "auto",
        show,
        direction,
    )


def _data_of(nodes: list[Node]) -> list[Quantity]:
    """Return the data of each node; a leaf's as they were when an operation read them."""
    read: dict[Node, Any] = {}
    for node in nodes:
        if node.op is not None:
            arguments = node._saved_arguments()
            read.update((c, data) for c, data, is_read in arguments if is_read and c is not None)
    return [quantity(node._data if node.op else read.get(node, node._data)) for node in nodes]
