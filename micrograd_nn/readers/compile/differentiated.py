"""A recorded graph and its backward pass as steps, in the order and by the rules of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.graph.backward import checked_seed
from micrograd_nn.graph.compared import Comparison
from micrograd_nn.graph.node import Node
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.pull import call, unbroadcast_axes
from micrograd_nn.graph.table import indexing
from micrograd_nn.graph.table.indexing import is_basic
from micrograd_nn.graph.value import Constant, Value
from micrograd_nn.readers.compile.branches import forward_order
from micrograd_nn.readers.compile.pieces import Pieces
from micrograd_nn.readers.compile.recording import leaf_read
from micrograd_nn.readers.compile.steps import UFUNC, Step, needed
from micrograd_nn.readers.compile.tracing import Traced, Tracer


@dataclass
class Steps:
    """The steps of a program.

    Attributes
    ----------
    steps : list of Step
        In order; leaves first.
    leaves : list of (Node or tuple of Node, Step)
        What is read at each call. Values that are stacked are read together, as one array.
    value : Step
        The result.
    grads : list of (Step or None, int or None)
        The gradients of the nodes asked for, ``None`` where they are 0. Those of stacked Values
        are elements of one array, at that place.
    others : list of Step
        What else was asked for.
    names : dict of Step to str
        The names of recorded values and of their gradients.
    hides_nan : bool
        Whether an operation may leave out elements, and with them a NaN.
    forward : int
        How many of the steps belong to the forward pass.
    """

    steps: list[Step]
    leaves: list[tuple[Any, Step]]
    value: Step
    grads: list[tuple[Step | None, int | None]]
    others: list[Step]
    names: dict[Step, str]
    hides_nan: bool
    forward: int


class Differentiated:
    """Follows a recorded graph forward and backward.

    Parameters
    ----------
    root : Node
    wanted : sequence of Node
        The leaves whose gradients are computed.
    given : sequence of Node
        The leaves that are given anew at each call.
    others : sequence of Node
        Nodes whose values are wanted besides.
    seed : array or float, optional
        The cotangent of the root; 1 by default.
    """

    def __init__(
        self,
        root: Node,
        wanted: Sequence[Node],
        given: Sequence[Node] = (),
        others: Sequence[Node] = (),
        seed: Any = None,
    ) -> None:
        self.root = root
        self.order = toposort(root, constants=False)
        self.wanted = set(wanted)
        self.given = set(given)
        self.others = [*others]
        self.tracer = Tracer()
        self.traced: dict[Node, Any] = {}
        self.leaves: list[tuple[Any, Step]] = []
        self.names: dict[Step, str] = {}
        self.forward_steps = 0
        self.pieces: dict[Node, Pieces] = {}
        self.labels: dict[Node, str] = {}
        self.counts: dict[str, int] = {}
        self.cotangents: dict[Node, Any] = {}
        self.seed = checked_seed(root, seed)
        self.stacked = _stacked(self.order)
        with np.errstate(all="ignore"):
            self._forward()
            self._backward()

    # ---------------------------------------------------------------------------------- forward

    def _forward(self) -> None:
        together = {leaf for leaves in self.stacked.values() for leaf in leaves}
        for node in forward_order(self.root, *self.others):
            if node._op is None:
                if node in together:
                    continue
                found = self._leaf(node)
            elif node in self.stacked:
                leaves = self.stacked[node]
                found = self.tracer.leaf(np.array([leaf._data for leaf in leaves]))
                self.leaves.append((leaves, found.step))
            else:
                found = self._applied(node)
            self.traced[node] = found
            if isinstance(found, Traced):
                self.names.setdefault(found.step, self._label(node))

    def _label(self, node: Node) -> str:
        """Return the name of a node; for one that has none, its operation and a number."""
        if node not in self.labels:
            label = node.name
            if label is None:
                kind = "w" if node.op is None else node.op.name
                self.counts[kind] = count = self.counts.get(kind, 0) + 1
                label = f"{kind}{count}"
            self.labels[node] = label
        return self.labels[node]

    def _leaf(self, node: Node) -> Any:
        if node not in self.traced:
            if type(node) is Constant and node not in self.given:
                return node._data
            self.traced[node] = self.tracer.leaf(node._data, self._label(node))
            self.leaves.append((node, self.traced[node].step))
        return self.traced[node]

    def _params(self, node: Node) -> dict[str, Any]:
        return {name: self._read(param, node) for name, param in node.params.items()}

    def _read(self, param: Any, node: Node) -> Any:
        """Return a static parameter; one that was read from a leaf is read again at each call."""
        leaf = leaf_read(param)
        if leaf is None:
            return param
        classes = np.shape(node.inputs[0]._data)[-1]
        read = self._leaf(leaf)._reshape(np.shape(param))
        return self.tracer.call(labels, (read, classes), {})

    def _arguments(self, node: Node) -> list[Any]:
        return [
            self._constant(saved) if child is None else self.traced[child]
            for child, saved, _ in node._saved_arguments()
        ]

    def _constant(self, data: Any) -> Any:
        """Return an argument that isn't a node; a comparison of nodes is compared at each call."""
        if not isinstance(data, Comparison):
            return data
        assert data.source is not None
        ufunc, *operands = data.source
        made = ufunc(
            *(self.traced[x] if isinstance(x, Node) else self._constant(x) for x in operands)
        )
        return made if data.dtype == bool else made.astype(data.dtype)

    def _applied(self, node: Node) -> Any:
        row = node.op
        assert row is not None
        args = self._arguments(node)
        if isinstance(node, Value):
            assert row.on_floats is not None
            return self.tracer.call(row.on_floats, args, self._params(node))
        if row.variadic:
            args = [args]
        if not any(isinstance(arg, Traced) for arg in (args[0] if row.variadic else args)):
            return self.tracer.constant(node._data)
        return row(*args, **self._params(node))

    # --------------------------------------------------------------------------------- backward

    def _backward(self) -> None:
        active = set()
        for node in self.order:
            if node in self.wanted or any(i in active for i in node._recorded_inputs()):
                active.add(node)
        self.active = active
        if self.root not in active:
            return
        self.tracer.backward = True
        self.forward_steps = len(self.tracer.steps)
        self.cotangents[self.root] = self._seeded()
        for node in reversed(self.order):
            self._join(node)
            if node._op is not None and node in self.cotangents and node not in self.stacked:
                self._pull(node)
        for node, g in self.cotangents.items():
            if isinstance(g, Traced):
                self.names.setdefault(g.step, f"d{self.labels[node]}")

    def _seeded(self) -> Traced:
        """Return the cotangent of the root; one that is the same everywhere as a number."""
        seed = np.asarray(self.seed)
        if not seed.ndim or not seed.size or (seed != seed.flat[0]).any():
            return self.tracer.constant(self.seed)
        return self.tracer.constant(seed.flat[0])._broadcast_to(seed.shape)

    def _pull(self, node: Node) -> None:
        row = node.op
        assert row is not None
        g, z, args = self.cotangents[node], self.traced[node], self._arguments(node)
        children = [child for child, _, _ in node._saved_arguments()]
        if row.variadic:
            (rule,) = row.rules
            if rule is not None and any(child in self.active for child in children):
                parts = self.tracer.follow(rule, (g, z, args), self._params(node))
                for child, cotangent in zip(children, parts, strict=True):
                    self._deliver(child, cotangent)
            return
        for child, rule in zip(children, row.rules, strict=True):
            if child is None or rule is None or child not in self.active:
                continue
            if row is indexing.getitem and is_basic(node.params["index"]):
                self._deliver_piece(child, g, node.params["index"])
                continue
            if isinstance(node, Value):
                cotangent = self.tracer.call(call, (rule, g, z, *args), self._params(node))
            else:
                cotangent = self.tracer.follow(rule, (g, z, *args), self._params(node))
            self._deliver(child, cotangent)

    def _deliver(self, child: Node | None, cotangent: Any) -> None:
        """Add a cotangent to that of an input, summed over repeated axes, as the engine does."""
        if child is None or child not in self.active:
            return
        if not isinstance(cotangent, Traced):
            cotangent = self.tracer.constant(cotangent)
        of = self.traced[child]
        if type(of.step.sample) is float and isinstance(child, Value):
            if cotangent.shape:
                cotangent = self.tracer.call(_total, (cotangent,), {})
        else:
            cotangent = self._fitted(cotangent, of.shape, of.dtype)
        if child in self.pieces and child in self.cotangents:
            self._join(child)  # in the order of the engine: only one whole is kept beside pieces
        before = self.cotangents.get(child)
        self.cotangents[child] = cotangent if before is None else np.add(before, cotangent)

    def _deliver_piece(self, child: Node, g: Any, index: Any) -> None:
        """Add a cotangent to that of a part of an input; parts are put together at once, later."""
        if not isinstance(g, Traced):
            g = self.tracer.constant(g)
        if child in self.pieces and self.pieces[child].takes(index, g):
            return
        self._join(child)
        of = self.traced[child]
        self.pieces[child] = Pieces(of.shape, of.dtype)
        self.pieces[child].takes(index, g)

    def _join(self, child: Node) -> None:
        """Put the parts of a cotangent together, if there are any."""
        pieces = self.pieces.pop(child, None)
        if pieces is not None:
            whole = self.cotangents.get(child)
            self.cotangents[child] = pieces.together(self.tracer, whole)

    def _fitted(self, cotangent: Traced, shape: tuple[int, ...], dtype: Any) -> Traced:
        if cotangent.shape != shape:
            cotangent = self._summed(cotangent, shape)
        return cotangent.astype(dtype)  # type: ignore[no-any-return]

    def _summed(self, cotangent: Traced, shape: tuple[int, ...]) -> Traced:
        axes = unbroadcast_axes(cotangent.shape, shape)
        if not axes:
            return cotangent._broadcast_to(shape)
        if len(axes) == 1 and cotangent.ndim == 2:  # the gradient of a bias, by BLAS
            ones = np.ones(cotangent.shape[axes[0]], cotangent.dtype)
            factors = (cotangent.whole(), ones) if axes[0] else (ones, cotangent.whole())
            summed = self.tracer.emit(UFUNC, np.dot, factors, {})
        else:
            whole = cotangent.whole()
            summed = self.tracer.emit(UFUNC, np.add.reduce, (whole,), {"axis": axes})
        return Traced(self.tracer, summed)._reshape(shape)

    # ---------------------------------------------------------------------------------- results

    def steps(self, wrt: Sequence[Node]) -> Steps:
        """Return the steps that the value, the gradients and the other nodes need."""
        value = self._step(self.traced[self.root])
        beside = [self._step(self.traced[node]) for node in self.others]
        grads = [self._gradient(node) for node in wrt]
        outputs = [value, *beside, *dict.fromkeys(g for g, _ in grads if g is not None)]
        steps = needed(outputs, self.tracer.steps)
        kept = set(steps)
        leaves = [(node, step) for node, step in self.leaves if step in kept]
        hides_nan = any(node.op is not None and node.op.hides_nan for node in self.order)
        before = set(self.tracer.steps[: self.forward_steps])
        forward = sum(step in before for step in steps)
        return Steps(steps, leaves, value, grads, beside, self.names, hides_nan, forward)

    def _gradient(self, node: Node) -> tuple[Step | None, int | None]:
        """Return the step of a gradient, and the place in it; ``None`` where it is 0."""
        for stack, leaves in self.stacked.items():
            if node in leaves:
                g = self.cotangents.get(stack)
                return (None, None) if g is None else (self._step(g), leaves.index(node))
        g = self.cotangents.get(node)
        return (None, None) if g is None else (self._step(g), None)

    def _step(self, x: Any) -> Step:
        if not isinstance(x, Traced):
            x = self.tracer.constant(x)
        return x.whole()  # type: ignore[no-any-return]


def labels(read: Any, classes: int) -> Any:
    """Return class labels as integers, or raise a ValueError, as the loss does."""
    whole = read.astype(np.intp)
    largest = np.maximum.reduce(whole.view(np.uintp), axis=None, initial=0)  # −1 is the largest
    if largest >= classes or not (whole == read).all():
        span = f"{np.min(read):g} ... {np.max(read):g}"
        raise ValueError(f"labels must be integers 0 ... {classes - 1}, got {span}")
    return whole


def _total(x: Any) -> float:
    return float(np.sum(x))


def _stacked(order: list[Node]) -> dict[Node, tuple[Node, ...]]:
    """Return the stacks of Values that are used nowhere else: they are read as one array."""
    users: dict[Node, int] = {}
    for node in order:
        for child in node._recorded_inputs():
            users[child] = users.get(child, 0) + 1
    found = {}
    for node in order:
        if node.op is indexing.stack and isinstance(node._a, tuple):
            leaves = tuple(child for child in node._a if child is not None)
            plain = len(leaves) == len(node._a) and all(
                type(leaf) is Value and leaf._op is None and users[leaf] == 1 for leaf in leaves
            )
            if plain and node.params["axis"] in (0, -1):
                found[node] = leaves
    return found
