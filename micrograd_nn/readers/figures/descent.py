"""The way that an optimiser takes down a function of two numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.value import Value
from micrograd_nn.readers.figures.style import FloatArray

Surface = Callable[[Any, Any], Any]


def descend(
    f: Surface,
    start: Sequence[float],
    optimizer: Callable[[list[Any]], Any] | None = None,
    steps: int = 50,
    lr: float = 0.1,
) -> FloatArray:
    """Return the way that an optimiser takes down a surface from a start.

    Parameters
    ----------
    f : callable
        Takes two nodes and returns one; the graph gives its gradient.
    start : sequence of two floats
    optimizer : callable, optional
        Makes an optimiser of a list of two Values, such as ``lambda p: Adam(p, lr=0.1)``; it needs
        ``zero_grad()`` and ``step()``. By default each step is θ ← θ − lr ∇f.
    steps : int
        How many; fewer are taken if f or its gradient is no longer finite.
    lr : float
        The learning rate, without an optimiser.

    Returns
    -------
    ndarray (steps + 1, 2)
        The start, and where each step led.

    Raises
    ------
    ValueError
        If there aren't two numbers to start from.

    Examples
    --------
    >>> descend(lambda x, y: x**2 + 2 * y**2, (1.0, 1.0), steps=2, lr=0.25)
    array([[1.  , 1.  ],
           [0.5 , 0.  ],
           [0.25, 0.  ]])
    """
    if len(start) != 2:
        raise ValueError(f"a surface has two coordinates, and the start {len(start)}")
    if steps < 0:
        raise ValueError(f"steps must be 0 or more, got {steps}")
    parameters = [Value(float(c)) for c in start]
    stepper = optimizer(parameters) if optimizer is not None else _Descent(parameters, lr)
    path = [[p._data for p in parameters]]
    for _ in range(steps):
        stepper.zero_grad()
        z = f(*parameters)
        z.backward()
        if not np.all(np.isfinite([z._data, *(p.grad for p in parameters)])):
            break
        stepper.step()
        path.append([p._data for p in parameters])
    return np.array(path, dtype=np.float64)


class _Descent:
    """Gradient descent as the articles write it, for want of an optimiser."""

    def __init__(self, parameters: list[Value], lr: float) -> None:
        self.parameters, self.lr = parameters, lr

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.zero_grad()

    def step(self) -> None:
        for parameter in self.parameters:
            parameter.data -= self.lr * parameter.grad
