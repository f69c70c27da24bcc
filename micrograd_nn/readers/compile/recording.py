"""A graph of tensors, recorded anew on other data: what a program of other shapes is made from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.compared import Comparison
from micrograd_nn.graph.drawn import Drawn
from micrograd_nn.graph.modes import recording
from micrograd_nn.graph.node import UNREACHED, GraphError, Node, StaleGraphError
from micrograd_nn.graph.primitive import is_overwritten
from micrograd_nn.graph.read import ReadFrom
from micrograd_nn.graph.table import arrays
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Constant, Value
from micrograd_nn.readers.compile.branches import check_branches, forward_order
from micrograd_nn.readers.compile.inputs import input_name


class Recording:
    """A recorded graph, and the leaves that are given anew.

    Parameters
    ----------
    root : Node
    inputs : sequence of Node
        Leaves of the graph.
    others : sequence of Node
        Nodes of the graph whose values are wanted besides.

    Raises
    ------
    StaleGraphError
        If recorded data were overwritten.
    GraphError
        If an input doesn't take part in the graph.
    """

    def __init__(self, root: Node, inputs: Sequence[Node], others: Sequence[Node] = ()) -> None:
        self.inputs = [*inputs]
        self.order = forward_order(root, *others)
        check_branches(self.order, self.inputs)
        self._check()
        slim = _without_data(self.order)
        self.order = [slim[node] for node in self.order]
        self.root = slim[root]
        self.others = [slim[node] for node in others]

    def _check(self) -> None:
        taking_part = set(self.order)
        for node in self.order:
            if is_overwritten(node._op):
                raise StaleGraphError(
                    f"the data of {node.describe()} were overwritten after it had been recorded: "
                    "record the computation again before you compile it"
                )
            read = map(leaf_read, node.params.values())
            taking_part.update(leaf for leaf in read if leaf is not None)
        for i, node in enumerate(self.inputs):
            if node not in taking_part:
                raise not_taking_part(i, node)

    def at(
        self, data: Sequence[Any], drawn: dict[Node, Node] | None = None
    ) -> tuple[Node, list[Node], list[Node]]:
        """Return the root, the inputs and the other nodes, recorded on other data.

        The random numbers are those of an earlier time, ``self.drawn`` then, if they are given.
        """
        self.drawn = drawn or {}
        with recording(), np.errstate(all="ignore"):
            made: dict[Node, Node] = {}
            for node, given in zip(self.inputs, data, strict=True):
                made[node] = _leaf(node, given)
            _check_axes(self.inputs, data)
            self._lengths = _lengths(self.inputs, data)
            for node in self.order:
                if node not in made:
                    made[node] = self._again(node, made)
            inputs, others = ([made[n] for n in nodes] for nodes in (self.inputs, self.others))
            return made[self.root], inputs, others

    def _again(self, node: Node, made: dict[Node, Node]) -> Node:
        """Return the node recorded once more on the new inputs."""
        row = node.op
        if row is None:
            return self._drawn(node) if isinstance(node, Drawn) else node
        saved = node._saved_arguments()
        args = [_compared(data, made) if child is None else made[child] for child, data, _ in saved]
        params = {k: _again_read(v, made) for k, v in _params(node, args, saved).items()}
        if row.vector:
            first = len(node._recorded()[0])
            again = row(args[:first], args[first:])
        else:
            again = row(args, **params) if row.variadic else row(*args, **params)
        if node.name or node.scope:
            tag = again._own_tag()
            tag.name, tag.scope = node.name, node.scope
        return again  # type: ignore[no-any-return]

    def _drawn(self, node: Drawn) -> Node:
        """Return random numbers for as many examples as there are now, without drawing any."""
        shape = node.shape
        if not shape or shape[0] not in self._lengths:
            return node
        if node not in self.drawn:
            ones = np.ones((self._lengths[shape[0]], *shape[1:]), node.dtype)
            self.drawn[node] = Drawn.holding(ones, node.draw)
        return self.drawn[node]


def _without_data(order: Sequence[Node]) -> dict[Node, Node]:
    """Return copies of the nodes of a graph that don't keep what was computed, but its shape.

    A program that holds a graph to record it anew would else keep all that was recorded in memory.
    """
    slim: dict[Node, Node] = {}
    for node in order:
        if not isinstance(node, Tensor) or node._op is None:
            slim[node] = node
            continue
        copied: Any = object.__new__(type(node))
        copied._op, copied._tag, copied._b, copied._grad = node._op, node._tag, None, UNREACHED
        copied._a = tuple(None if child is None else slim[child] for child in node._a)
        copied._data = _shape_of(node._data)
        copied._x = tuple(
            _of_slim(data, slim) if child is None else _shape_of(data)
            for child, data in zip(node._a, node._x, strict=True)
        )
        copied._exposed, copied._requires_grad = False, node._requires_grad
        slim[node] = copied
    return slim


def _shape_of(data: Any) -> Any:
    if not isinstance(data, np.ndarray) or data.ndim == 0:
        return data
    return np.broadcast_to(np.zeros((), data.dtype), data.shape)


def _of_slim(data: Any, slim: dict[Node, Node]) -> Any:
    """Return a constant; a comparison of nodes, as one of their copies."""
    if isinstance(data, Comparison) and data.source is not None:
        return data.with_nodes(slim.__getitem__)
    return data


def _check_axes(inputs: Sequence[Node], data: Sequence[Any]) -> None:
    """Raise a ValueError if data would be broadcast that weren't when the graph was recorded."""
    shapes = [(np.shape(n._data), np.shape(x)) for n, x in zip(inputs, data, strict=True)]
    for i, (before, now) in enumerate(shapes):
        what = input_name(i, inputs[i])
        if len(before) != len(now):
            raise ValueError(f"{what} was recorded with shape {before}, and has shape {now} now")
        for axis, (length, new) in enumerate(zip(before, now, strict=True)):
            others = [
                b[axis] for a, b in shapes if a[axis : axis + 1] == (length,) and axis < len(b)
            ]
            if length > 1 and new == 1 and any(other != 1 for other in others):
                raise ValueError(
                    f"{what} has length 1 along axis {axis}, where others have {max(others)}; all "
                    f"had {length} when the graph was recorded. It would be broadcast, without a "
                    "word"
                )


def not_taking_part(index: int, node: Node) -> GraphError:
    """Return what is to be raised for an input that the graph doesn't read."""
    return GraphError(
        f"{input_name(index, node)} doesn't take part in the graph, so "
        "that the program couldn't follow other data for it: compute the root from the node "
        "itself, not from its .data or float(...), or leave the input out"
    )


def _lengths(inputs: Sequence[Node], data: Sequence[Any]) -> dict[int, int]:
    """Return how many examples there are now, by how many were recorded."""
    both = [(np.shape(n._data), np.shape(x)) for n, x in zip(inputs, data, strict=True)]
    return {before[0]: now[0] for before, now in both if before and now and before[0] != now[0]}


def _params(node: Node, args: list[Any], saved: list[Any]) -> dict[str, Any]:
    """Return the static parameters; a shape that began with the number of examples does again."""
    params = dict(node.params)
    now = np.shape(getattr(args[0], "_data", args[0])) if args else ()
    if node.op is arrays.mean and 0 in now:
        raise ValueError("there is nothing to take the mean of")
    if node.op in (arrays.reshape, arrays.broadcast_to):
        before = np.shape(saved[0][1])
        shape = getattr(params["shape"], "asked", params["shape"])
        params["shape"] = _shape_now(tuple(np.ravel(shape).tolist()), before, now, node)
    return params


def _shape_now(
    shape: tuple[int, ...], before: tuple[int, ...], now: tuple[int, ...], node: Node
) -> tuple[int, ...]:
    """Return a shape, in which the number of examples is that of now.

    It is taken to stand at its front, where the shape before began with it, or with a multiple.
    """
    if not before or not shape or now == before or before[0] < 1 or shape[0] < 1:
        return shape
    times, rest = divmod(shape[0], before[0])
    if rest or (times > 1 and node.op is not arrays.reshape) or now[0] == before[0]:
        return shape
    moved = (times * now[0], *shape[1:])
    if node.op is arrays.reshape and _fits(shape, now):
        if _fits(moved, now):
            raise ValueError(
                f"{node.describe()} has a shape that begins with {shape[0]}, and there were "
                f"{before[0]} examples: whether it is their number can't be told. Record another "
                "number of examples"
            )
        return shape
    return moved


def _fits(shape: tuple[int, ...], of: tuple[int, ...]) -> bool:
    size, known = math.prod(of), math.prod(n for n in shape if n != -1)
    return size == known if -1 not in shape else known > 0 and size % known == 0


def leaf_read(param: Any) -> Node | None:
    """Return the leaf that a static parameter was read from, if it was."""
    return param.leaf if isinstance(param, ReadFrom) else None


def _again_read(param: Any, made: dict[Node, Node]) -> Any:
    leaf = leaf_read(param)
    if leaf is None:
        return param
    new = made.get(leaf, leaf)
    return ReadFrom.of(np.ravel(new._data).astype(np.intp), new)


def _compared(data: Any, made: dict[Node, Node]) -> Any:
    """Return an argument; a comparison of nodes, compared once more."""
    if not isinstance(data, Comparison):
        return data
    assert data.source is not None
    ufunc, *operands = data.source
    again = (made[x] if isinstance(x, Node) else _compared(x, made) for x in operands)
    return Comparison.of(ufunc, tuple(again), data.numbers).kept(data.dtype)


def _leaf(node: Node, data: Any) -> Node:
    if isinstance(node, Tensor):
        leaf: Node = Tensor.own(np.asarray(data), requires_grad=node.requires_grad)
    else:
        leaf = Value(data) if node.requires_grad else Constant(data)
    if node.name:
        leaf.name = node.name
    return leaf
