"""Learning-rate schedules: α as a function of t, the number of epochs (or steps) done.

A schedule is called with t = 0, 1, 2, ... and returns the rate for what comes next, in a loop of
one's own (``optimizer.lr = schedule(t)``) or by ``fit(..., schedule=schedule)``, where t counts
epochs. Any function of t will do as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from micrograd_nn.training.optimiser_base import checked_number

Schedule = Callable[[int], float]


class Constant:
    """α_t = α.

    Parameters
    ----------
    lr : float
        α, above 0.

    Raises
    ------
    ValueError
        If the rate isn't above 0.

    Examples
    --------
    >>> Constant(0.1)(7)
    0.1
    """

    def __init__(self, lr: float) -> None:
        self.lr = checked_number("lr", lr, above=0.0)

    def __call__(self, t: int) -> float:
        """Return the learning rate at t."""
        return self.lr

    def __repr__(self) -> str:
        return f"Constant({self.lr:g})"


class StepDecay:
    """α_t = α · factor^⌊t / every⌋.

    Parameters
    ----------
    lr : float
        α, above 0.
    factor : float
        By which the rate is multiplied.
    every : int
        After how many epochs (or steps).

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> schedule = StepDecay(0.8, factor=0.5, every=10)
    >>> [schedule(t) for t in (0, 9, 10, 25)]
    [0.8, 0.8, 0.4, 0.2]
    """

    def __init__(self, lr: float, factor: float = 0.1, every: int = 30) -> None:
        self.lr = checked_number("lr", lr, above=0.0)
        self.factor = checked_number("factor", factor, above=0.0)
        self.every = checked_count("every", every, 1)

    def __call__(self, t: int) -> float:
        """Return the learning rate at t."""
        return self.lr * self.factor ** (t // self.every)

    def __repr__(self) -> str:
        return f"StepDecay({self.lr:g}, factor={self.factor:g}, every={self.every})"


class ExponentialDecay:
    """α_t = α · rate^t.

    Parameters
    ----------
    lr : float
        α, above 0.
    rate : float
        By which the rate is multiplied at each t.

    Raises
    ------
    ValueError
        If a number isn't above 0.

    Examples
    --------
    >>> schedule = ExponentialDecay(1.0, rate=0.5)
    >>> [schedule(t) for t in range(3)]
    [1.0, 0.5, 0.25]
    """

    def __init__(self, lr: float, rate: float = 0.95) -> None:
        self.lr = checked_number("lr", lr, above=0.0)
        self.rate = checked_number("rate", rate, above=0.0)

    def __call__(self, t: int) -> float:
        """Return the learning rate at t."""
        return float(self.lr * self.rate**t)

    def __repr__(self) -> str:
        return f"ExponentialDecay({self.lr:g}, rate={self.rate:g})"


class CosineDecay:
    """α_t = α_min + ½ (α − α_min) (1 + cos(π (t − w) / (T − w))), after w steps of warm-up.

    During the warm-up α_t = α (t + 1) / w; from t = T on, α_t = α_min.

    Parameters
    ----------
    lr : float
        α, the highest rate.
    steps : int
        T, how many epochs (or steps) there will be, warm-up included.
    lr_min : float
        α_min.
    warmup : int
        w, less than T.

    Raises
    ------
    ValueError
        If a number is out of its range.

    References
    ----------
    Loshchilov, Hutter, "SGDR: Stochastic gradient descent with warm restarts", 2017, eq. 5.

    Examples
    --------
    >>> schedule = CosineDecay(1.0, steps=4)
    >>> [round(schedule(t), 3) for t in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    >>> [CosineDecay(1.0, steps=6, warmup=2)(t) for t in range(3)]
    [0.5, 1.0, 1.0]
    """

    def __init__(self, lr: float, steps: int, lr_min: float = 0.0, warmup: int = 0) -> None:
        self.lr = checked_number("lr", lr, above=0.0)
        self.lr_min = checked_number("lr_min", lr_min)
        self.steps = checked_count("steps", steps, 1)
        self.warmup = checked_count("warmup", warmup, 0)
        if self.lr_min > self.lr:
            raise ValueError(f"lr_min must not be above lr: got {lr_min!r} and {lr!r}")
        if self.warmup >= self.steps:
            raise ValueError(f"warmup must be less than steps: got {warmup} and {steps}")

    def __call__(self, t: int) -> float:
        """Return the learning rate at t."""
        if t < self.warmup:
            return self.lr * (t + 1) / self.warmup
        if t >= self.steps:
            return self.lr_min
        turn = math.pi * (t - self.warmup) / (self.steps - self.warmup)
        return self.lr_min + 0.5 * (self.lr - self.lr_min) * (1.0 + math.cos(turn))

    def __repr__(self) -> str:
        return (
            f"CosineDecay({self.lr:g}, steps={self.steps}, lr_min={self.lr_min:g}, "
            f"warmup={self.warmup})"
        )


class LinearWarmup:
    """α_t = α (t + 1) / w for t < w; then another schedule, from its own t = 0, or α.

    Parameters
    ----------
    lr : float
        α, above 0.
    steps : int
        w, how many epochs (or steps) the warm-up takes.
    then : callable, optional
        The schedule for afterwards.

    Raises
    ------
    ValueError
        If a number is out of its range.

    References
    ----------
    Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017, section 2.2.

    Examples
    --------
    >>> schedule = LinearWarmup(1.0, steps=4, then=ExponentialDecay(1.0, rate=0.5))
    >>> [schedule(t) for t in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.5]
    """

    def __init__(self, lr: float, steps: int, then: Schedule | None = None) -> None:
        self.lr = checked_number("lr", lr, above=0.0)
        self.steps = checked_count("steps", steps, 1)
        if then is not None and not callable(then):
            raise TypeError(f"then must be a schedule, a function of t, got {then!r}")
        self.then = then

    def __call__(self, t: int) -> float:
        """Return the learning rate at t."""
        if t < self.steps:
            return self.lr * (t + 1) / self.steps
        return self.lr if self.then is None else self.then(t - self.steps)

    def __repr__(self) -> str:
        then = "" if self.then is None else f", then={self.then!r}"
        return f"LinearWarmup({self.lr:g}, steps={self.steps}{then})"


class ReduceOnPlateau:
    """α ← max(α_min, factor · α) when a value has not fallen for ``patience`` epochs in a row.

    To fall is to be below the best so far by more than ``min_delta``. Unlike the other schedules
    it must be told the value after each epoch, by ``observe``; ``fit`` does so.

    Parameters
    ----------
    lr : float
        α at the start.
    factor : float
        In (0, 1).
    patience : int
        At least 1.
    min_delta : float
    lr_min : float
        α_min.
    monitor : str
        What ``fit`` is to show it: ``"loss"``, ``"val_loss"`` or the name of a metric.
    mode : str
        ``"min"``, or ``"max"`` for a value that ought to rise.

    Raises
    ------
    ValueError
        If a number or the mode is out of its range.

    Examples
    --------
    >>> schedule = ReduceOnPlateau(1.0, factor=0.5, patience=2)
    >>> for t, loss in enumerate([3.0, 2.0, 2.0, 2.0, 1.0]):
    ...     schedule.observe(loss)
    ...     print(schedule(t), end=" ")
    1.0 1.0 1.0 0.5 0.5
    """

    def __init__(
        self,
        lr: float,
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 1e-4,
        lr_min: float = 0.0,
        monitor: str = "loss",
        mode: str = "min",
    ) -> None:
        self.lr = checked_number("lr", lr, above=0.0)
        self.factor = checked_number("factor", factor, above=0.0, below=1.0)
        self.patience = checked_count("patience", patience, 1)
        self.min_delta = checked_number("min_delta", min_delta)
        self.lr_min = checked_number("lr_min", lr_min)
        if mode not in ("min", "max"):
            raise ValueError(f"mode must be 'min' or 'max', got {mode!r}")
        self.monitor = monitor
        self.mode = mode
        self.best = math.inf
        self.waited = 0

    def __call__(self, t: int) -> float:
        """Return the present learning rate, whatever t is."""
        return self.lr

    def observe(self, value: float) -> None:
        """Take note of the value after an epoch."""
        score = value if self.mode == "min" else -value
        if score < self.best - self.min_delta:
            self.best, self.waited = score, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.lr, self.waited = max(self.lr_min, self.factor * self.lr), 0

    def state_dict(self) -> dict[str, Any]:
        """Return what changes while it runs."""
        return {"lr": self.lr, "best": self.best, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.lr, self.best = float(state["lr"]), float(state["best"])
        self.waited = int(state["waited"])

    def __repr__(self) -> str:
        return (
            f"ReduceOnPlateau({self.lr:g}, factor={self.factor:g}, patience={self.patience}, "
            f"monitor={self.monitor!r})"
        )


def checked_count(name: str, value: Any, least: int) -> int:
    """Return a setting that counts something, which is at least ``least``."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value.__index__() < least:
        raise ValueError(f"{name} must be at least {least}, got {value!r}")
    return int(value.__index__())


#: The classes above, to tell a schedule from another function.
SCHEDULES = (Constant, StepDecay, ExponentialDecay, CosineDecay, LinearWarmup, ReduceOnPlateau)
