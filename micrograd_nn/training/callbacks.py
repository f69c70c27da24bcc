"""Callbacks: what happens between the epochs of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.training.optimiser_base import checked_number
from micrograd_nn.training.schedules import Schedule, checked_count

if TYPE_CHECKING:
    from micrograd_nn.training.history import History


class Callback:
    """The base of callbacks, which ``fit(..., callbacks=[...])`` calls in the order given.

    Define any of ``on_train_begin()``, ``on_epoch_begin(epoch)``, ``on_epoch_end(epoch, logs)`` and
    ``on_train_end()``. Epochs count from 1. ``logs`` holds the numbers of the epoch by name:
    ``loss``, ``lr``, ``time``, the metrics, and with validation data ``val_loss`` and
    ``val_...``. A training that is resumed calls ``on_train_begin`` again.

    Setting ``self.stop`` to a text ends the training after the epoch, and the text is the reason
    in ``history.stopped``. A callback with a state that must survive a kill has ``state_dict()``,
    a flat dict of numbers, strings and arrays, and ``load_state_dict(state)``.

    Attributes
    ----------
    model, optimizer, history, epochs
        Set by ``fit`` before ``on_train_begin``; ``epochs`` is the number of the last epoch.
    stop : str or None

    Examples
    --------
    A progress bar by tqdm (rich is used likewise), with ``progress=False`` for the built-in one::

        class Bar(Callback):
            def on_train_begin(self):
                self.bar = tqdm(total=self.epochs, initial=len(self.history))

            def on_epoch_end(self, epoch, logs):
                self.bar.update()
                self.bar.set_postfix(logs)

            def on_train_end(self):
                self.bar.close()
    """

    model: Any = None
    optimizer: Any = None
    history: History
    epochs: int = 0
    stop: str | None = None

    def on_train_begin(self) -> None:
        """Act before the first epoch."""

    def on_epoch_begin(self, epoch: int) -> None:
        """Act before an epoch."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Act after an epoch; its numbers are in ``logs``, and in the history."""

    def on_train_end(self) -> None:
        """Act after the last epoch, or when the training was stopped."""


class EarlyStopping(Callback):
    """Stop when a value has not become better for ``patience`` epochs in a row.

    Better is below the best so far by more than ``min_delta`` (above it, for accuracy and R²).

    Parameters
    ----------
    monitor : str
        ``"val_loss"``, ``"loss"`` or the name of a metric.
    patience : int
        At least 1.
    min_delta : float
    restore_best : bool
        Whether the model ends with the weights of the best epoch, however the training ends.
    mode : str
        ``"min"``, ``"max"``, or ``"auto"``: max for a name that ends in accuracy or r2.

    Attributes
    ----------
    best : float or None
        The best value so far.
    best_epoch : int or None

    References
    ----------
    Prechelt, "Early stopping - but when?", 1998.

    Examples
    --------
    >>> EarlyStopping(patience=3)
    EarlyStopping(monitor='val_loss', patience=3, min_delta=0)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        restore_best: bool = True,
        mode: str = "auto",
    ) -> None:
        self.monitor = monitor
        self.patience = checked_count("patience", patience, 1)
        self.min_delta = checked_number("min_delta", min_delta)
        self.restore_best = restore_best
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode must be 'auto', 'min' or 'max', got {mode!r}")
        rising = mode == "max" or (mode == "auto" and monitor.endswith(("accuracy", "r2")))
        self._sign = -1.0 if rising else 1.0
        self._forget()

    def _forget(self) -> None:
        self.best: float | None = None
        self.best_epoch: int | None = None
        self._waited = 0
        self._weights: dict[str, Any] | None = None
        self.stop = None

    def on_train_begin(self) -> None:
        """Start anew, unless a training is resumed."""
        if not len(self.history):
            self._forget()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Compare the epoch with the best one."""
        value = monitored(self, self.monitor, logs)
        if self.best is None or self._sign * value < self._sign * self.best - self.min_delta:
            self.best, self.best_epoch, self._waited = value, epoch, 0
            if self.restore_best:
                self._weights = self.model.state_dict()
            return
        self._waited += 1
        if self._waited >= self.patience:
            self.stop = (
                f"{self.monitor} has not become better than {self.best:.6g} (epoch "
                f"{self.best_epoch}) for {self._waited} epochs, at epoch {epoch}"
            )

    def on_train_end(self) -> None:
        """Give the model the weights of the best epoch."""
        if self.restore_best and self._weights is not None:
            self.model.load_state_dict(self._weights)
            self.history.note(f"the weights are those of the best epoch, {self.best_epoch}")

    def state_dict(self) -> dict[str, Any]:
        """Return what changes while it runs, the best weights included."""
        weights = {f"weights.{name}": array for name, array in (self._weights or {}).items()}
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "waited": self._waited,
            **weights,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self._waited = int(state["waited"])
        start = len("weights.")
        weights = {k[start:]: np.array(v) for k, v in state.items() if k.startswith("weights.")}
        self._weights = weights or None
        self.stop = None

    def __repr__(self) -> str:
        return (
            f"EarlyStopping(monitor={self.monitor!r}, patience={self.patience}, "
            f"min_delta={self.min_delta:g})"
        )


class StopOnConvergence(Callback):
    """Stop when the value has moved by at most ``tolerance`` for ``patience`` epochs in a row.

    It has moved by ``|L_k − L_(k−1)|`` from one epoch to the next.

    Parameters
    ----------
    tolerance : float
        At least 0.
    patience : int
        At least 1.
    monitor : str
        ``"loss"``, ``"val_loss"`` or the name of a metric.

    Examples
    --------
    >>> StopOnConvergence(tolerance=1e-4)
    StopOnConvergence(tolerance=0.0001, patience=5, monitor='loss')
    """

    def __init__(self, tolerance: float = 1e-6, patience: int = 5, monitor: str = "loss") -> None:
        self.tolerance = checked_number("tolerance", tolerance)
        self.patience = checked_count("patience", patience, 1)
        self.monitor = monitor
        self._last: float | None = None
        self._still = 0

    def on_train_begin(self) -> None:
        """Start anew, unless a training is resumed."""
        self.stop = None
        if not len(self.history):
            self._last, self._still = None, 0

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Compare the epoch with the one before."""
        value = monitored(self, self.monitor, logs)
        still = self._last is not None and abs(value - self._last) <= self.tolerance
        self._still = self._still + 1 if still else 0
        self._last = value
        if self._still >= self.patience:
            self.stop = (
                f"converged at epoch {epoch}: {self.monitor} has moved by at most "
                f"{self.tolerance:g} for {self._still} epochs"
            )

    def state_dict(self) -> dict[str, Any]:
        """Return what changes while it runs."""
        return {"last": self._last, "still": self._still}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._last, self._still = state["last"], int(state["still"])

    def __repr__(self) -> str:
        return (
            f"StopOnConvergence(tolerance={self.tolerance:g}, patience={self.patience}, "
            f"monitor={self.monitor!r})"
        )


class LearningRate(Callback):
    """Set the optimiser's learning rate before each epoch, as a schedule says.

    ``fit(..., schedule=s)`` is ``fit(..., callbacks=[LearningRate(s)])``.

    Parameters
    ----------
    schedule : callable
        From the number of epochs done to the rate. If it has ``observe``, as ``ReduceOnPlateau``
        has, it is told the value that it monitors after each epoch.

    Examples
    --------
    >>> from micrograd_nn.training import StepDecay
    >>> LearningRate(StepDecay(0.1))
    LearningRate(StepDecay(0.1, factor=0.1, every=30))
    """

    def __init__(self, schedule: Schedule) -> None:
        if not callable(schedule):
            raise TypeError(
                f"a schedule is a function from the number of epochs done to the learning rate, "
                f"got {schedule!r}"
            )
        self.schedule = schedule

    def on_epoch_begin(self, epoch: int) -> None:
        """Set the rate."""
        self.optimizer.lr = self.schedule(epoch - 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Tell the schedule how it went, if it wants to know."""
        schedule: Any = self.schedule
        if hasattr(schedule, "observe"):
            schedule.observe(monitored(schedule, schedule.monitor, logs))

    def state_dict(self) -> dict[str, Any]:
        """Return the schedule's state, if it has one."""
        schedule: Any = self.schedule
        return dict(schedule.state_dict()) if hasattr(schedule, "state_dict") else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        schedule: Any = self.schedule
        if hasattr(schedule, "load_state_dict"):
            schedule.load_state_dict(state)

    def __repr__(self) -> str:
        return f"LearningRate({self.schedule!r})"


def monitored(who: Any, name: str, logs: dict[str, float]) -> float:
    """Return what is monitored, or say what could be."""
    if name in logs:
        return logs[name]
    hint = ": pass validation_data= to fit" if name.startswith("val_") else ""
    raise ValueError(
        f"{type(who).__name__} monitors {name!r}, which this training has not{hint} "
        f"(it has {', '.join(logs)})"
    )
