"""The training steps that are measured, and what a contestant has to offer: loss and parameters.

A step is forward, backward and update, on one batch that stays the same. The learning rate of Adam
is so small that thousands of timed steps don't leave units behind whose moments fade into
denormal numbers, which are slow everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness import note_once
from micrograd_nn.data import moons

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Workload:
    """A step of a network of linear layers with ReLU between them.

    Attributes
    ----------
    sizes : tuple of int
        The numbers of units, inputs first.
    batch : int
        The number of examples.
    loss : str
        ``"hinge"`` on labels ±1, ``"bce"`` on logits and labels 0 and 1, or ``"ce"`` on logits
        and class numbers: a mean over the batch.
    optimizer : str
        ``"SGD"`` or ``"Adam"``.
    dtype : NumPy scalar type
        The precision of all arrays.
    l2 : float
        Added to the loss: ``l2`` times the sum of the squares of all parameters.
    """

    sizes: tuple[int, ...]
    batch: int
    loss: str
    optimizer: str
    dtype: Any = np.float32
    l2: float = 0.0

    def __str__(self) -> str:
        loss = {"hinge": "hinge", "bce": "BCE", "ce": "cross-entropy"}[self.loss]
        l2 = " + L2" if self.l2 else ""
        return (
            f"{'-'.join(map(str, self.sizes))}, batch {self.batch:,}, {loss}{l2}, {self.optimizer}"
        )

    @property
    def lr(self) -> float:
        """The learning rate."""
        return 1e-3 if self.optimizer == "SGD" else 1e-5

    def data(self) -> tuple[Array, Array]:
        """Return features (batch, n_in) and targets: (batch, 1), or class numbers (batch,)."""
        if self.loss == "ce":
            generator = np.random.default_rng(0)
            X = generator.standard_normal((self.batch, self.sizes[0]))
            return X.astype(self.dtype), generator.integers(0, self.sizes[-1], self.batch)
        X, labels = moons(self.batch, noise=0.1, seed=1)
        y = labels.reshape(-1, 1) * (2.0 if self.loss == "hinge" else 1.0)
        y = y - 1.0 if self.loss == "hinge" else y
        return X.astype(self.dtype), y.astype(self.dtype)

    def parameters(self) -> list[Array]:
        """Return what training starts from: W (n_out, n_in) and b (n_out,) of each layer."""
        generator = np.random.default_rng(1)
        found = []
        for n_in, n_out in zip(self.sizes, self.sizes[1:]):
            W = generator.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in)
            found += [W.astype(self.dtype), np.zeros(n_out, self.dtype)]
        return found


def demo(batch: int) -> Workload:
    """Return the step of micrograd's demo notebook: there the batch is 100."""
    return Workload((2, 16, 16, 1), batch, "hinge", "SGD", dtype=np.float64, l2=1e-4)


TENSORS = (
    Workload((2, 16, 16, 1), 100, "hinge", "SGD"),
    Workload((2, 4, 6, 6, 4, 1), 700, "bce", "SGD"),
    Workload((64, 128, 64, 10), 64, "ce", "Adam"),
    Workload((784, 512, 256, 10), 128, "ce", "Adam"),
    Workload((1024, 2048, 2048, 10), 512, "ce", "Adam"),
)


@dataclass(frozen=True)
class Step:
    """A contestant: ``run`` makes a step and returns the loss before it.

    ``parameters`` returns the present ones, in the order and the shapes of the workload's.
    """

    run: Callable[[], float]
    parameters: Callable[[], list[Array]]


class DisagreementError(AssertionError):
    """A contestant computes something else than the others."""


def installed(
    makers: Mapping[str, Callable[[Workload], Step]], workload: Workload
) -> dict[str, Step]:
    """Return the contestants for which all is there that they need, and name the others."""
    steps = {}
    for name, make in makers.items():
        try:
            steps[name] = make(workload)
        except ImportError as error:
            reason = str(error).partition(" (/")[0]  # without the place of a file
            note_once(f"left out: {name} ({reason})")
    return steps


def check(workload: Workload, steps: dict[str, Step], count: int = 5) -> str:
    """Let every contestant make a few steps, and compare them with the first.

    Raises
    ------
    DisagreementError
        If a loss, or how a parameter has moved, differs by more than rounding explains.
    """
    start = [p.astype(np.float64) for p in workload.parameters()]
    tolerance, of_moves = (1e-6, 5e-3) if workload.dtype is np.float32 else (1e-11, 1e-8)
    reference: tuple[str, Array, list[Array]] | None = None
    for name, step in steps.items():
        losses = np.array([step.run() for _ in range(count)])
        moves = [np.asarray(p, np.float64) - s for p, s in zip(step.parameters(), start)]
        if reference is None:
            reference = name, losses, moves
            continue
        first, expected, expected_moves = reference
        if not np.allclose(losses, expected, rtol=tolerance, atol=0.0):
            raise DisagreementError(
                f"{workload}: losses of {name}: {losses}; of {first}: {expected}"
            )
        for k, (move, wanted) in enumerate(zip(moves, expected_moves, strict=True)):
            error = float(np.linalg.norm(move - wanted) / np.linalg.norm(wanted))
            if not error <= of_moves:
                raise DisagreementError(
                    f"{workload}: {name} has moved {'Wb'[k % 2]}{k // 2 + 1} otherwise than "
                    f"{first} in {count} steps, by {error:.1e} of the way"
                )
    return (
        f"checked over {count} steps: {len(steps)} contestants agree, in the loss to "
        f"{tolerance:g}, in each parameter's move to {of_moves:g}"
    )
