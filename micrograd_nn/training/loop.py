"""The training loop: forward, cost, backpropagation, descent; batch by batch, epoch by epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.data.batching import Batches
from micrograd_nn.graph.node import UNREACHED, Node
from micrograd_nn.training.clipping import clip_gradients, is_finite
from micrograd_nn.training.compiled import CompiledSteps
from micrograd_nn.training.history import History
from micrograd_nn.training.inputs import Array, as_batch, fitted_target
from micrograd_nn.training.interrupts import Interrupts
from micrograd_nn.training.metrics import Metric
from micrograd_nn.training.model_state import Buffers, in_use
from micrograd_nn.training.optimiser_base import Optimizer


class NotFiniteError(Exception):
    """A loss or gradient is NaN or infinite; the message is the reason for ``history.stopped``."""


@dataclass
class Loop:
    """One training: what it works on, and how."""

    model: Any
    loss: Callable[[Any, Any], Any]
    optimizer: Optimizer
    batches: Batches
    validation: tuple[Array, Array] | None
    metrics: dict[str, Metric]
    clip_norm: float | None
    history: History
    interrupts: Interrupts
    compiled: CompiledSteps | None = None
    on_batch_end: Callable[[int, int, int, float], None] | None = None

    def __post_init__(self) -> None:
        mine = {id(p): p for p in (*self.model.parameters(), *self.optimizer.parameters)}
        self._nodes: list[Node] = list(mine.values())
        self._buffers = Buffers(self.model)
        self._checked = False
        self._settled = False  # whether the last step was a program's

    def run_epoch(self, epoch: int) -> dict[str, float]:
        """Run an epoch, counted from 1, and return its numbers.

        Raises
        ------
        NotFiniteError
            Before the step that would have written NaN or infinity into the parameters.
        """
        start = time.perf_counter()
        self._settled = False
        total, seen, count = 0.0, 0, len(self.batches)
        predictions: list[Array] = []
        targets: list[Array] = []
        try:
            for batch, (X, y) in enumerate(self._batches(epoch), start=1):
                where = f"at epoch {epoch}, batch {batch} of {count}"
                prediction, value = self._learn(X, y, where)
                total += value * len(X)
                seen += len(X)
                if self.metrics:
                    predictions.append(prediction)
                    targets.append(y)
                if self.on_batch_end is not None and count > 1:
                    self.on_batch_end(epoch, batch, count, total / seen)
        finally:
            if self._settled:  # the parameters' gradients are still those of an earlier step
                self.optimizer.show_gradients()
        logs = {"loss": total / seen}
        if self.metrics:
            logs |= measured(self.metrics, np.concatenate(predictions), np.concatenate(targets))
        if self.validation is not None:
            found = score(self.model, *self.validation, self.loss, self.metrics)
            logs |= {f"val_{name}": value for name, value in found.items()}
        logs["lr"] = self.optimizer.lr
        logs["time"] = time.perf_counter() - start
        return logs

    def _batches(self, epoch: int) -> Any:
        if len(self.batches) == 1:  # nothing to shuffle, and no need to copy
            return [(self.batches.X, self.batches.y)]
        return self.batches.epoch(epoch - 1)

    def _learn(self, X: Array, y: Array, where: str) -> tuple[Array, float]:
        """Take one step; return the predictions and the loss before it."""
        if self.compiled is not None:
            found = self.compiled.run(X, y)
            if found is not None:
                self._finish(*found, where)
                return found
        self._settled = False
        for node in self._nodes:
            node._grad = UNREACHED
        self._buffers.keep()
        batch = as_batch(X)
        prediction = self.model(batch)
        if self.compiled is None:
            loss = self.loss(prediction, fitted_target(prediction, y))
        else:
            loss = self.compiled.recorded_loss(batch, prediction, y)
        value = checked_loss(loss)
        if not math.isfinite(value):
            self._buffers.restore()
            raise NotFiniteError(self._reason(f"the loss became {value}", where))
        loss.backward()
        parameters = self.optimizer.parameters
        if not self._checked:
            self._check_reached()
        if self.clip_norm is not None:
            finite = math.isfinite(clip_gradients(parameters, self.clip_norm))
        else:
            finite = gradients_finite(parameters)
        if not finite:
            self._buffers.restore()
            raise NotFiniteError(self._reason("a gradient became nan or infinite", where))
        self.interrupts.whole(self.optimizer.step)
        return prediction._data, value

    def _finish(self, prediction: Array, value: float, where: str) -> None:
        """Take the step whose gradients a program has computed."""
        assert self.compiled is not None
        self._settled = False
        if not math.isfinite(value):
            for node in self._nodes:
                node._grad = UNREACHED
            raise NotFiniteError(self._reason(f"the loss became {value}", where))
        if not self.compiled.finite():
            self.optimizer.show_gradients()
            raise NotFiniteError(self._reason("a gradient became nan or infinite", where))
        if self.clip_norm is not None:
            self.optimizer.show_gradients()
            clip_gradients(self.optimizer.parameters, self.clip_norm)
            self.optimizer.take_gradients()
        self.interrupts.whole(self.optimizer.step_settled)
        self._settled = True

    def _reason(self, what: str, where: str) -> str:
        clip = "" if self.clip_norm is not None else ", pass clip_norm=1.0"
        return (
            f"{what} {where}; the weights are those before that step. Lower the learning rate "
            f"(now {self.optimizer.lr:g}){clip}, or scale the inputs; debug_nans() finds the "
            "operation it began in"
        )

    def _check_reached(self) -> None:
        if all(p._grad is UNREACHED for p in self.optimizer.parameters):
            raise ValueError(
                "the loss doesn't depend on any parameter of the optimiser: compute it from the "
                "prediction by functions of micrograd_nn, and pass the model's own parameters"
            )
        self._checked = True


def checked_loss(loss: Any) -> float:
    """Return the loss as a float, or say why it can't be used."""
    if not isinstance(loss, Node):
        raise TypeError(
            f"the loss function returned a {type(loss).__name__}, which has no gradient: compute "
            "it from the prediction by operators or micrograd_nn.functional"
        )
    if np.size(loss._data) != 1:
        raise ValueError(
            f"the loss has shape {np.shape(loss._data)}, but must be one number: take its mean"
        )
    return float(np.asarray(loss._data).item())


def gradients_finite(parameters: list[Node]) -> bool:
    """Tell whether no gradient holds NaN or infinity."""
    singles = 0.0
    for parameter in parameters:
        grad = parameter._grad
        if type(grad) is float:
            singles += grad
        elif not is_finite(np.asarray(grad)):
            return False
    return math.isfinite(singles) or all(
        math.isfinite(p._grad) for p in parameters if type(p._grad) is float
    )


def measured(metrics: dict[str, Metric], prediction: Array, target: Array) -> dict[str, float]:
    """Return the metrics of some predictions."""
    target = fitted_target(prediction, target)
    return {name: float(metric(prediction, target)) for name, metric in metrics.items()}


def score(
    model: Any,
    X: Array,
    y: Array,
    loss: Callable[[Any, Any], Any],
    metrics: dict[str, Metric],
    batch_size: int | None = None,
) -> dict[str, float]:
    """Return the loss and the metrics of a model in use, on data that were checked."""
    prediction = predictions(model, X, batch_size)
    with in_use(model):
        value = loss(as_batch(prediction), fitted_target(prediction, y))
        logs = {"loss": float(np.asarray(getattr(value, "_data", value)).item())}
    return logs | measured(metrics, prediction, y)


def predictions(model: Any, X: Array, batch_size: int | None = None) -> Array:
    """Return what a model in use makes of the rows of X, as an array."""
    size = batch_size or len(X)
    with in_use(model):
        parts = [model(as_batch(X[i : i + size])) for i in range(0, len(X), size)]
    arrays = [np.asarray(getattr(part, "_data", part)) for part in parts]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
