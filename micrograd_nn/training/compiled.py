"""Training steps as programs: what a batch's computation is replayed by, once it is known.

Batches of one shape are recorded twice, each time as a step of the training. If both recordings
agree in all but the batch, the third batch and those after it are run by the program that
``compile`` makes of them. It makes the same calls of NumPy, and so has the same numbers, bit for
bit.

A program doesn't call the model and the loss any more. So both must be the library's own, whose
results depend on nothing else; what a user has written is compiled where he asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.graph.compared import Comparison
from micrograd_nn.graph.drawn import Drawn
from micrograd_nn.graph.node import GraphError, Node, clock
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.read import ReadFrom
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.nn import Module, losses
from micrograd_nn.nn.activations import ACTIVATIONS
from micrograd_nn.nn.loss_arguments import labels_of
from micrograd_nn.readers.compile.plan import Plan
from micrograd_nn.readers.compile.recording import Recording
from micrograd_nn.training.clipping import is_finite
from micrograd_nn.training.history import History
from micrograd_nn.training.inputs import Array, fitted_target
from micrograd_nn.training.model_state import parts_of
from micrograd_nn.training.optimiser_base import Optimizer

#: Losses of probabilities, which refuse predictions outside [0, 1].
_OF_PROBABILITIES = (
    losses.binary_cross_entropy,
    losses.categorical_cross_entropy,
    losses.soft_iou,
)


@dataclass
class Recorded:
    """One recorded step."""

    inputs: tuple[Tensor, Tensor]
    prediction: Node
    loss: Node


@dataclass
class CompiledSteps:
    """Makes programs of recorded steps, and runs them.

    Attributes
    ----------
    why_not : str
        Why the training runs eagerly; empty while it doesn't.
    """

    model: Any
    loss: Callable[[Any, Any], Any]
    optimizer: Optimizer
    history: History
    always: bool = False
    why_not: str = ""
    _first: dict[Any, Recorded] = field(default_factory=dict)
    _plans: dict[Any, Plan] = field(default_factory=dict)
    _compiled: dict[Any, Recorded] = field(default_factory=dict)
    _changes: int = -1
    _parts: list[Any] = field(default_factory=list)
    _modes: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._own_loss = self.loss not in losses.LOSSES.values()
        kept = [name for part in parts_of(self.model) for name in getattr(part, "buffers", ())]
        if kept:
            self._give_up(f"the model changes {kept[0]} while it is trained")
        elif not self.optimizer.can_settle():
            self._give_up(f"{type(self.optimizer).__name__} has a step() of its own")
        elif not self.always:
            own = _of_the_users(self.model, self.loss if self._own_loss else None)
            if own:
                self._give_up(
                    f"{own} is not the library's, and may depend on more than the batch; if it "
                    "doesn't, pass compile='always'"
                )

    def _give_up(self, why: str) -> None:
        self.why_not = why
        self._forget()
        self.history.compiled = f"ran eagerly: {why}"

    def _forget(self) -> None:
        self._first.clear()
        self._plans.clear()
        self._compiled.clear()

    def _changed(self) -> bool:
        """Tell whether a module was changed since the latest step, and take note of it."""
        if clock.changes != self._changes:
            self._changes = clock.changes
            self._parts = parts_of(self.model)
            self._modes = [part.training for part in self._parts]
            return True
        modes = [part.training for part in self._parts]
        changed = modes != self._modes
        self._modes = modes
        return changed

    # -------------------------------------------------------------------------- two recordings

    def recorded_loss(self, X: Tensor, prediction: Any, y: Array) -> Any:
        """Return the loss of a batch, recorded with its target as a node, if that can be."""
        target = fitted_target(prediction, y)
        if self.why_not or not isinstance(prediction, Tensor):
            return self.loss(prediction, target)
        if self._own_loss:
            loss = self.loss(prediction, target)
            node = _identified(loss, target) if isinstance(loss, Node) else None
        else:
            node = Tensor.own(_fed(self.loss, prediction, target))
            loss = self.loss(prediction, node)
        if node is not None:
            self._note(Recorded((X, node), prediction, loss), (X.shape, np.shape(y)))
        return loss

    def _note(self, new: Recorded, key: Any) -> None:
        first = self._first.get(key)
        if self._changed():
            self._forget()
        if first is None or not self._first:
            self._first[key] = new
            return
        difference = _difference(first, new)
        if difference:
            self._give_up(difference)
            return
        try:
            recording = Recording(new.loss, new.inputs, [new.prediction])
            data = [node._data for node in new.inputs]
            places = self.optimizer.settle()
            plan = Plan(recording, data, self.optimizer.parameters, places)
        except (GraphError, ValueError, TypeError, IndexError) as error:
            self._give_up(str(error))
            return
        self._plans[key] = plan
        self._compiled[key] = new
        self.history.compiled = f"compiled: {plan.describe()}"

    # --------------------------------------------------------------------------------- running

    def run(self, X: Array, y: Array) -> tuple[Array, float] | None:
        """Return the prediction and the loss, with the gradients in their places.

        ``None`` where the engine is to do the step: there is no program for such a batch yet, or
        numbers came up that need care.
        """
        if self._changed():
            self._forget()
        key = X.shape, y.shape
        plan = self._plans.get(key)
        if plan is None:
            return None
        step = self._compiled[key]
        target = _fed(self.loss, step.prediction, fitted_target(step.prediction, y))
        target = target.astype(step.inputs[1].dtype, copy=False)
        self.optimizer.refresh()
        found = plan.run([X, target])
        if found is None or (plan.careful and self.optimizer.has_nan()):
            plan.take_back()  # the engine draws anew
            return None
        (loss, output), _ = found
        if self.loss in _OF_PROBABILITIES and not (output.min() >= 0 and output.max() <= 1):
            plan.take_back()
            return None
        return output, float(loss)

    def finite(self) -> bool:
        """Tell whether no gradient in its place holds NaN or infinity."""
        return all(map(is_finite, self.optimizer.gradients()))


def _fed(loss: Callable[[Any, Any], Any], prediction: Node, target: Array) -> Array:
    """Return a target as a program is given it: in the form that the loss computes with."""
    data = prediction._data
    if loss not in losses.LOSSES.values():
        return target
    if loss is losses.cross_entropy:
        labels = labels_of("cross_entropy", target, *data.shape)
        if labels is not None:
            return labels  # type: ignore[no-any-return]
    elif loss is losses.categorical_cross_entropy:
        labels = labels_of("categorical_cross_entropy", target, *data.shape)
        if labels is not None:
            one_hot: Array = np.eye(data.shape[1], dtype=data.dtype)[labels]
            return one_hot
    return target.astype(data.dtype) if target.dtype.kind in "iub" else target


def _of_the_users(model: Any, loss: Any) -> str:
    """Return what of a model and its loss isn't the library's own; empty if all is."""
    if loss is not None:
        return f"the loss {getattr(loss, '__name__', type(loss).__name__)}"
    parts = parts_of(model)
    if not parts:
        return f"the model {type(model).__name__}"
    for part in parts:
        if not type(part).__module__.startswith(Module.__module__.rpartition(".")[0]):
            return f"the module {type(part).__name__}"
        function = vars(part).get("function")
        known = isinstance(function, Primitive) or function in ACTIVATIONS.values()
        if function is not None and not known:
            return f"the activation {getattr(function, '__name__', function)}"
    return ""


def _identified(loss: Node, target: Array) -> Tensor | None:
    """Let the constants of a graph that are its target be one leaf, and return it."""
    found: Tensor | None = None
    for node in toposort(loss, constants=False):
        if not isinstance(node, Tensor) or node._op is None:
            continue
        inputs = list(node._a)
        for i, (child, data, _) in enumerate(node._saved_arguments()):
            if child is None and isinstance(data, np.ndarray) and _equal(data, target):
                if found is None:
                    found = Tensor.own(np.array(data))
                if found.dtype == data.dtype:
                    inputs[i] = found
        node._a = tuple(inputs)
    for node in toposort(loss, constants=False):
        labels = node.params.get("labels")
        if isinstance(labels, np.ndarray) and _equal(labels, np.ravel(target)):
            if found is None:
                found = Tensor.own(np.array(target))
            node._own_tag().params = {**node.params, "labels": ReadFrom.of(labels, found)}
    return found


def _difference(first: Recorded, second: Recorded) -> str:
    """Return in what two recordings differ besides the batch; empty if in nothing."""
    orders = [toposort(r.loss, constants=False) for r in (first, second)]
    if len(orders[0]) != len(orders[1]):
        return "the graph differs from batch to batch"
    places = [
        {node: i for i, node in enumerate((*r.inputs, *order))}
        for r, order in zip((first, second), orders, strict=True)
    ]
    for a, b in zip(*orders, strict=True):
        if a.op is not b.op:
            return "the graph differs from batch to batch"
        if a._op is None:
            given = a in first.inputs and b in second.inputs
            if not (a is b or given or isinstance(a, Drawn)) and not _equal(a._data, b._data):
                return f"a number in the graph ({a.describe()}) differs from batch to batch"
            continue
        saved = a._saved_arguments(), b._saved_arguments()
        if len(saved[0]) != len(saved[1]):
            return "the graph differs from batch to batch"
        for (x, data, _), (y, other, _) in zip(*saved, strict=True):
            if (x is None) is not (y is None) or (
                x is not None and y is not None and places[0][x] != places[1][y]
            ):
                return "the graph differs from batch to batch"
            if x is None and not _equal(data, other):
                return f"what {a.describe()} was given differs from batch to batch"
        if a.params.keys() != b.params.keys() or not all(
            _equal(a.params[name], b.params[name]) for name in a.params
        ):
            return f"how {a.describe()} is done differs from batch to batch"
    return ""


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, (Comparison, ReadFrom)) or isinstance(b, (Comparison, ReadFrom)):
        return type(a) is type(b)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f")
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_equal, a, b))
    return bool(a == b) or (a != a and b != b)
