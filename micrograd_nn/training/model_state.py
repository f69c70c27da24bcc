"""What a training needs to know of a model: its parts, its dtype, its mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from micrograd_nn.graph.node import no_grad
from micrograd_nn.graph.tensor import Tensor


class Model(Protocol):
    """What can be trained: ``micrograd_nn.nn.Module``, or anything with these two methods."""

    def parameters(self) -> list[Any]:
        """Return the leaves to be moved."""

    def __call__(self, x: Any) -> Any:
        """Return the predictions for a batch."""


def check_model(model: Any) -> None:
    """Raise a TypeError if something can't be a model."""
    if isinstance(model, type) or not callable(model) or not hasattr(model, "parameters"):
        what = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
        raise TypeError(f"the model must be a micrograd_nn.nn.Module (an instance), got {what}")


def parts_of(model: Any) -> list[Any]:
    """Return the model's modules, itself included."""
    if hasattr(model, "named_modules"):
        return [module for _, module in model.named_modules()]
    return []


def dtype_of(model: Any) -> Any:
    """Return the dtype that the model computes in: float32 if all its parameters are.

    Examples
    --------
    >>> from micrograd_nn.nn import Linear
    >>> print(dtype_of(Linear(2, 1, dtype="float32")), dtype_of(Linear(2, 1)))
    float32 float64
    """
    dtypes = {
        p.dtype if isinstance(p, Tensor) else np.dtype(np.float64) for p in model.parameters()
    }
    return dtypes.pop() if len(dtypes) == 1 else np.dtype(np.float64)


@contextmanager
def mode_kept(model: Any) -> Iterator[None]:
    """Give each part of the model back the mode it had, training or not."""
    before = [(part, part.training) for part in parts_of(model)]
    try:
        yield
    finally:
        for part, training in before:
            part.training = training


@contextmanager
def in_use(model: Any) -> Iterator[None]:
    """Have the model in ``eval()`` and nothing recorded."""
    with mode_kept(model), no_grad(), quiet():
        if hasattr(model, "eval"):
            model.eval()
        yield


def quiet() -> Any:
    """Let NaN and infinity pass without NumPy's warnings: they are looked for in the results."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


class Buffers:
    """The values that a model keeps besides its parameters, to be put back after a bad batch."""

    def __init__(self, model: Any) -> None:
        self._places = [
            (part, name) for part in parts_of(model) for name in getattr(part, "buffers", ())
        ]
        self._kept: list[Any] = []

    def keep(self) -> None:
        """Take note of them."""
        self._kept = [np.array(getattr(part, name)) for part, name in self._places]

    def restore(self) -> None:
        """Put them back."""
        for (part, name), value in zip(self._places, self._kept, strict=True):
            setattr(part, name, value)
