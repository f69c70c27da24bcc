"""The articles' circle classifier, 2-4-6-6-4-1: its network, and its gradients by hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from micrograd_nn import equations
from micrograd_nn import functional as F
from micrograd_nn.cli.cards import ModelCard
from micrograd_nn.nn import Linear, Sequential

Array = npt.NDArray[np.float64]

WIDTHS = (2, 4, 6, 6, 4, 1)


def build(seed: int, X: Array) -> Sequential:
    """Return the articles' network, ready to learn from X (m, 2).

    Of such narrow networks with weights by He, one in twenty learns nothing: before it has begun
    to, the four ReLU units of the last hidden layer are 0 for all inputs, and remain so. Two
    things prevent that. Hidden weights are drawn again while a unit is above 0 for less than a
    tenth of the points; and the last layer starts at zero, so that all predictions begin at ½.
    """
    generator = np.random.default_rng(seed)
    while True:
        hidden: list[Any] = []
        for n_in, n_out in pairwise(WIDTHS[:-1]):
            hidden += [Linear(n_in, n_out, init="he", seed=generator), "relu"]
        if _least_active(hidden, X) >= 0.1:
            return Sequential(*hidden, Linear(WIDTHS[-2], WIDTHS[-1], init="zeros"), "sigmoid")


def _least_active(hidden: list[Any], X: Array) -> float:
    """Return for which share of the points the least active of the ReLU units is above 0."""
    A, least = X, 1.0
    for layer in hidden[::2]:
        A = np.maximum(A @ layer.W.data.T, 0.0)
        least = min(least, float(np.min(np.mean(A > 0, axis=0))))
    return least


def gradient_differences(
    model: Sequential, X: npt.ArrayLike, y: npt.ArrayLike
) -> dict[str, tuple[tuple[int, ...], float, float]]:
    """Compare the gradients of the graph with the equations derived by hand.

    Parameters
    ----------
    model : Sequential
        Linear layers with ReLU, the last one with a sigmoid.
    X : array_like, shape (m, n)
    y : array_like, shape (m,)
        0 or 1.

    Returns
    -------
    dict
        For each parameter its shape, the largest element of its gradient, and the largest
        difference of an element, relative to the sum of the sizes of the terms that it is the sum
        of, |dZ| |A|ᵀ / m. (The element itself may be a small difference of large terms.)
    """
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    model.zero_grad()
    F.binary_cross_entropy(model(X), y[:, None]).backward()
    # The equations have examples as columns, and biases as columns too.
    by_name = {p.name: p for p in model.parameters()}
    parameters = {name: np.asarray(p.data).reshape(p.shape[0], -1) for name, p in by_name.items()}
    cache = equations.forward(parameters, X.T)
    by_hand = equations.backward(parameters, cache, y[None, :])
    found = {}
    for name, p in by_name.items():
        layer = int(name[1:])
        expected = by_hand[f"d{name}"]
        terms = np.abs(by_hand[f"dZ{layer}"]) / len(X)
        others = np.abs(cache[f"A{layer - 1}"]).T if name[0] == "W" else np.ones((len(X), 1))
        size = terms @ others
        difference = np.abs(np.reshape(p.grad, expected.shape) - expected)
        relative = np.divide(difference, size, out=difference.copy(), where=size > 0)
        found[name] = (p.shape, float(np.max(np.abs(expected))), float(np.max(relative)))
    model.zero_grad()
    return found


def card(seed: int) -> ModelCard:
    """Return what predict needs to know of the trained network."""
    return ModelCard(
        target="class",
        columns=("x1", "x2"),
        output="probability",
        class_names=("0", "1"),
        mean=(0.0, 0.0),
        scale=(1.0, 1.0),
        settings={"seed": seed},
    )
