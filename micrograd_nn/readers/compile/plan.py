"""A program for data of certain shapes: its source, its memory, and how it is run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from micrograd_nn.graph.backward import checked_seed, is_nan
from micrograd_nn.graph.cotangents import cotangents
from micrograd_nn.graph.drawn import Drawn
from micrograd_nn.graph.node import Node
from micrograd_nn.graph.value import Value
from micrograd_nn.readers.compile.differentiated import Differentiated, Steps
from micrograd_nn.readers.compile.place import Place
from micrograd_nn.readers.compile.source import Source
from micrograd_nn.readers.compile.steps import CONSTANT, INTO, LEAF, VIEW, Step

Array = np.ndarray[Any, Any]


class Recordable(Protocol):
    """What can be recorded on other data, such as a ``Recording``."""

    @property
    def inputs(self) -> Sequence[Node]:
        """What is given anew."""

    def at(self, data: Sequence[Any], /) -> tuple[Node, list[Node], list[Node]]:
        """Return the root, the inputs and the other nodes, recorded on other data."""


class Plan:
    """The steps of a recorded graph and of its backward pass, as a function.

    Parameters
    ----------
    recording : Recordable
    data : sequence of array or number
        Inputs of the shapes and dtypes that the plan is for.
    wrt : sequence of Node
        Leaves, whose gradients are computed.
    places : sequence of Place
        Where the data of parameters lie, and where their gradients are to be written.
    seed : callable, optional
        From the root to its cotangent.
    """

    def __init__(
        self,
        recording: Recordable,
        data: Sequence[Any],
        wrt: Sequence[Node],
        places: Sequence[Place] = (),
        seed: Callable[[Node], Any] = lambda root: None,
    ) -> None:
        self.recording = recording
        self.wrt = [*wrt]
        self.seed = seed
        root, inputs, others = recording.at(data)
        self.redrawn: dict[Node, Node] = getattr(recording, "drawn", {})
        renamed = dict(zip(recording.inputs, inputs, strict=True))
        wanted = [renamed.get(node, node) for node in self.wrt]
        made = Differentiated(root, wanted, inputs, others, seed(root)).steps(wanted)
        self.of_value = isinstance(root, Value)
        placed = {place.node for place in places}
        #: Whether NaN may be left out on the way to the value, and meet a cotangent of 0.
        self.careful = made.hides_nan
        self.unplaced = [renamed.get(node, node) for node in self.wrt if node not in placed]
        self._read(made.leaves, inputs, places)
        self._compile(made, places)

    def _read(
        self, leaves: list[tuple[Any, Step]], inputs: list[Node], places: Sequence[Place]
    ) -> None:
        at = {node: i for i, node in enumerate(inputs)}
        renamed = dict(zip(self.recording.inputs, inputs, strict=True))
        fixed = {
            renamed.get(place.node, place.node): place.data
            for place in places
            if place.data is not None
        }
        self.fixed = {step: fixed[node] for node, step in leaves if node in fixed}
        read = [(node, step) for node, step in leaves if step not in self.fixed]
        self.arguments = [step for _, step in read]
        self.given = [at.get(node) for node, _ in read]
        #: Whether what is read are the first of the inputs, as they stand.
        self.in_order = self.given == [*range(len(self.given))]
        self.leaves = [node for node, _ in read]
        self.drawn = _drawn(self.leaves)
        generators = [getattr(leaf.draw, "generator", None) for leaf in self.drawn]
        self._generators = [g for g in dict.fromkeys(generators) if g is not None]
        self._states: list[Any] = []

    def _compile(self, made: Steps, places: Sequence[Place]) -> None:
        targets = {place.node: place for place in places}
        given: dict[Step, Array] = {}
        outputs = [made.value, *made.others]
        self.values = len(outputs)
        #: For each gradient that is returned, its output and its element; None where it is 0.
        self.returned: list[tuple[int, int | None] | None] = []
        moved: dict[tuple[int, int], tuple[Array, list[int], list[int]]] = {}
        self.copied: list[tuple[Array, int]] = []
        for node, (step, index) in zip(self.wrt, made.grads, strict=True):
            place = targets.get(node)
            if place is not None and step is None:
                place.gradient[...] = 0
                continue
            if step is None:
                self.returned.append(None)
                continue
            written = step.base() if step.kind == INTO else step
            if place is not None and index is None and _writable(written) and written not in given:
                given[written] = place.gradient
                continue
            if step not in outputs:
                outputs.append(step)
            at = outputs.index(step)
            if place is None:
                self.returned.append((at, index))
            elif index is None:
                self.copied.append((place.gradient, at))
            else:
                flat, position = place.element
                _, froms, tos = moved.setdefault((at, id(flat)), (flat, [], []))
                froms.append(index)
                tos.append(position)
        self.moved = [
            (flat, np.array(tos), at, np.array(froms))
            for (at, _), (flat, froms, tos) in moved.items()
        ]
        bases = [step.base() for step in outputs]
        self.internal = [
            base.kind in (LEAF, CONSTANT) or base in bases[:i]
            for i, (step, base) in enumerate(zip(outputs, bases, strict=True))
        ]
        self.has_internal = any(self.internal)
        used = [at for at, index in filter(None, self.returned) if index is None]
        self.twice = {i for i, at in enumerate(used) if at in used[:i]}
        #: Whether only the value, a number, is returned, and nothing else is to be done.
        self.plain = (
            not (self.has_internal or self.copied or self.moved or self.returned)
            and len(outputs) == 1
            and not made.value.is_array
        )
        self.source = Source(
            made.steps, self.arguments, outputs, made.names, given, self.fixed, made.forward
        )
        self.function = self.source.function()
        for step in made.steps:
            step.forget()

    def describe(self) -> str:
        """Return how the plan runs, in words."""
        lines = sum(not line.startswith("#") for line in self.source.body)
        return f"{lines} lines of NumPy, {self.nbytes:,} bytes of buffers"

    @property
    def nbytes(self) -> int:
        """How many bytes its buffers take."""
        return self.source.memory.nbytes

    def run(self, data: Sequence[Any]) -> tuple[Sequence[Any], list[Any]] | None:
        """Return the value and the other nodes' values, and the gradients that aren't in places.

        ``None`` where arithmetic came upon what is no number: that is for the engine.
        """
        self._states = [generator.bit_generator.state for generator in self._generators]
        for leaf in self.drawn:
            leaf._overwrite(leaf.draw(leaf.shape))
        if self.in_order:
            args = data[: len(self.given)]
        else:
            args = [
                data[i] if i is not None else _read_leaf(node)
                for i, node in zip(self.given, self.leaves, strict=True)
            ]
        try:
            with np.errstate(all="ignore", invalid="raise"):
                results = self.function(*args)
        except FloatingPointError:
            return None
        if self.plain:
            value = results[0]
            return None if value != value else (results, [])
        if self.has_internal:
            results = tuple(
                np.array(result) if internal and isinstance(result, np.ndarray) else result
                for result, internal in zip(results, self.internal, strict=True)
            )
        if is_nan(results[0]):
            return None
        for target, at in self.copied:
            target[...] = results[at]
        for flat, tos, at, froms in self.moved:
            flat[tos] = results[at][froms]
        grads = self._gradients(results) if self.returned else []
        if self.careful and any(map(is_nan, grads)):
            return None
        return results[: self.values], grads

    def take_back(self) -> None:
        """Put the generators back to where they were before the last run."""
        for generator, state in zip(self._generators, self._states, strict=True):
            generator.bit_generator.state = state

    def _gradients(self, results: Sequence[Any]) -> list[Any]:
        """Return the gradients that aren't in places, each in memory of its own."""
        grads: list[Any] = []
        lists: dict[int, list[float]] = {}
        whole = 0
        for place, node in zip(self.returned, self.unplaced, strict=True):
            if place is None:
                grads.append(_zero_of(node))
                continue
            at, index = place
            if index is not None:
                if at not in lists:
                    lists[at] = results[at].tolist()
                grads.append(lists[at][index])
                continue
            grads.append(np.array(results[at]) if whole in self.twice else results[at])
            whole += 1
        return grads

    def eagerly(self, data: Sequence[Any]) -> tuple[Sequence[Any], list[Any]]:
        """Return the same by the engine, which knows what to do with 0 · ∞."""
        given = (data, self.redrawn) if self.redrawn else (data,)
        root, inputs, others = self.recording.at(*given)
        renamed = dict(zip(self.recording.inputs, inputs, strict=True))
        wanted = [renamed.get(node, node) for node in self.wrt]
        found = cotangents(root, checked_seed(root, self.seed(root)), wanted)
        grads = [
            _as_gradient(found[node], node) if node in found else _zero_of(node) for node in wanted
        ]
        values = [np.array(n._data) if np.ndim(n._data) else n._data for n in (root, *others)]
        return values, grads


def _writable(step: Step) -> bool:
    return step.kind not in (LEAF, CONSTANT, VIEW) and step.is_array


def _zero_of(node: Node) -> Any:
    return 0.0 if type(node._data) is float else np.zeros_like(node._data)


def _as_gradient(cotangent: Any, node: Node) -> Any:
    if isinstance(node, Value):
        return float(cotangent)
    return np.array(np.broadcast_to(cotangent, np.shape(node._data)), node._data.dtype)


def _read_leaf(node: Any) -> Any:
    if type(node) is tuple:
        return np.array([leaf._data for leaf in node])
    return node._data


def _drawn(leaves: Sequence[Any]) -> list[Drawn]:
    return sorted((leaf for leaf in leaves if isinstance(leaf, Drawn)), key=lambda d: d.number)
