"""What the stepper needs of a graph, taken when the picture is drawn."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from micrograd_nn.graph.node import Node
from micrograd_nn.readers.scopes import Scopes
from micrograd_nn.readers.stepper.quantities import Quantity, quantity

#: More nodes than these are too many for a page that goes through them one by one.
LIMIT = 3000


@dataclass(frozen=True)
class Record:
    """A graph with its data as they were when it was drawn.

    The rest is worked out when the page is written: nodes keep the data that their rules read,
    whatever is computed or overwritten later.

    Attributes
    ----------
    scopes : Scopes
    data : list of Quantity
        The data of each node.
    collapse, show, direction
        As for ``draw``.
    """

    scopes: Scopes
    data: list[Quantity]
    collapse: str | Callable[[str], bool] | None
    show: Collection[str]
    direction: str


def record(
    scopes: Scopes,
    collapse: str | Callable[[str], bool] | None,
    show: Collection[str],
    direction: str,
) -> Record | None:
    """Take from a graph what the stepper needs, or None if the graph is too large for it."""
    if len(scopes.nodes) > LIMIT:
        return None
    return Record(scopes, _data_of(scopes.nodes), collapse, frozenset(show), direction)


def _data_of(nodes: list[Node]) -> list[Quantity]:
    """Return the data of each node; a leaf's as they were when an operation read them."""
    read: dict[Any, Any] = {}
    for node in nodes:
        if node.op is not None:
            arguments = node._saved_arguments()
            read.update((child, data) for child, data, is_read in arguments if is_read)
    return [quantity(node._data if node.op else read.get(node, node._data)) for node in nodes]
