"""Copying and pickling of graphs, without recursion however deep they are.

A recorded node is copied or pickled together with the whole graph below it, as one flat table: a
column for each slot, and the inputs by number.
"""

from __future__ import annotations

import copy as copies
import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Any

import numpy as np

from micrograd_nn.graph.compared import Comparison
from micrograd_nn.graph.node import UNREACHED, Group, Node, Tag
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.read import ReadFrom

_SLOTS = (
    "_data",
    "_grad",
    "_op",
    "_tag",
    "_x",
    "_y",
    "_exposed",
    "_requires_grad",
    "draw",
    "number",
)

Columns = dict[str, list[Any]]


def _columns(nodes: list[Node]) -> Columns:
    """Return all that the nodes hold but their inputs; ``...`` stands for a slot not set."""
    columns = {slot: [getattr(node, slot, ...) for node in nodes] for slot in _SLOTS}
    for i, node in enumerate(nodes):
        if isinstance(node._a, Group):  # a copy stands alone
            columns["_grad"][i] = node.grad  # type: ignore[attr-defined]
            columns["_x"][i], columns["_y"][i] = node._recorded()[2:]
    columns["_grad"] = [_own_gradient(grad) for grad in columns["_grad"]]
    columns["_tag"] = [_own_tag(tag) for tag in columns["_tag"]]
    return {slot: column for slot, column in columns.items() if any(v is not ... for v in column)}


def _own_tag(tag: Any) -> Tag | None:
    """Return a tag without cached inputs; one without is shared, as it was."""
    if not isinstance(tag, Tag):
        return None
    return tag if tag.inputs is None else tag.copy()


def _own_gradient(grad: Any) -> Any:
    """Return a copy of a gradient; of one that is a graph, the data."""
    if type(grad) is float:
        return ... if grad == 0.0 else grad
    return np.array(grad._data if isinstance(grad, Node) else grad)


def _restored(kinds: Iterable[type[Node]], columns: Columns) -> list[Node]:
    nodes = [object.__new__(kind) for kind in kinds]
    for node in nodes:
        node._a = node._b = None
        node._grad = UNREACHED
    for slot, column in columns.items():
        for node, value in zip(nodes, column, strict=True):
            if value is not ...:
                setattr(node, slot, value)
    return nodes


def _numbered(inputs: Any, number: dict[Node, int]) -> Any:
    if type(inputs) is tuple:
        return tuple([None if i is None else number[i] for i in inputs])
    return None if inputs is None else number[inputs]


def _connect(nodes: list[Node], first: list[Any], second: list[Any]) -> None:
    """Give the last nodes their inputs, from numbers."""

    def at(numbers: Any) -> Any:
        if type(numbers) is tuple:
            return tuple([None if i is None else nodes[i] for i in numbers])
        return None if numbers is None else nodes[numbers]

    for node, a, b in zip(nodes[len(nodes) - len(first) :], first, second, strict=True):
        node._a, node._b = at(a), at(b)


def _sorted_leaves_first(root: Node) -> tuple[list[Node], list[Node], list[Any], list[Any]]:
    order = toposort(root, constants=False)
    leaves = [node for node in order if node._op is None]
    inner = [node for node in order if node._op is not None]
    number = {node: i for i, node in enumerate([*leaves, *inner])}
    first = [_numbered(node._recorded()[0], number) for node in inner]
    second = [_numbered(node._recorded()[1], number) for node in inner]
    return leaves, inner, first, second


@contextmanager
def _collector_paused() -> Iterator[None]:
    # Millions of new objects, none of them garbage, would make the collector run over and over.
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_collector_paused()
def reduce(node: Node) -> tuple[Any, ...]:
    """Return what ``pickle`` needs to make the node and the graph below it again.

    Leaves that several pickled nodes share stay shared; inner nodes are made once for each.
    """
    if node._op is None:
        return _one_restored, (type(node), _columns([node]))
    leaves, inner, first, second = _sorted_leaves_first(node)
    return _rebuilt, (leaves, list(map(type, inner)), _columns(inner), first, second)


def _one_restored(kind: type[Node], columns: Columns) -> Node:
    return _restored([kind], columns)[0]


@_collector_paused()
def _rebuilt(
    leaves: list[Node], kinds: list[type[Node]], columns: Columns, first: Any, second: Any
) -> Node:
    nodes = [*leaves, *_restored(kinds, columns)]
    _connect(nodes, first, second)
    return nodes[-1]


@_collector_paused()
def deepcopy(node: Node, memo: dict[int, Any]) -> Node:
    """Copy the node and the graph below it, each node once."""
    leaves, inner, first, second = _sorted_leaves_first(node)
    nodes = [*leaves, *inner]
    fresh = [n for n in nodes if id(n) not in memo]
    columns = _columns(fresh)
    columns["_data"] = [_own_data(data) for data in columns.get("_data", [])]
    if "draw" in columns:  # a generator is copied with what draws from it
        columns["draw"] = [d if d is ... else copies.deepcopy(d, memo) for d in columns["draw"]]
    for original, made in zip(fresh, _restored(map(type, fresh), columns), strict=True):
        memo[id(original)] = made
    _connect([memo[id(n)] for n in nodes], first, second)
    for original in fresh:
        _take_along(memo[id(original)], memo)
    return memo[id(node)]  # type: ignore[no-any-return]


def _take_along(made: Node, memo: dict[int, Any]) -> None:
    """Let what a copied node remembers of other nodes be of their copies."""

    def copied(other: Node) -> Node:
        return memo[id(other)] if id(other) in memo else deepcopy(other, memo)

    saved = getattr(made, "_x", None)
    if type(saved) is tuple and any(isinstance(x, Comparison) for x in saved):
        made._x = tuple(x.with_nodes(copied) if isinstance(x, Comparison) else x for x in saved)
    tag = made._tag
    if tag is not None and tag.params and any(map(_leaf_read, tag.params.values())):
        made._tag = tag.copy()
        made._tag.params = {
            name: value.with_nodes(copied) if _leaf_read(value) else value
            for name, value in tag.params.items()
        }


def _leaf_read(param: Any) -> bool:
    return isinstance(param, ReadFrom) and param.leaf is not None


def _own_data(data: Any) -> Any:
    return data if type(data) is float else np.array(data)


def copy(node: Node) -> Node:
    """Return another node of the same data, op and inputs."""
    copied = _restored(repeat(type(node), 1), _columns([node]))[0]
    copied._a, copied._b = node._recorded()[:2]
    if getattr(node, "_exposed", False) is True:  # somebody may write to its array
        copied._data = np.array(node._data)
    return copied
