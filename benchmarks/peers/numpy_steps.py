"""The step in NumPy, as one would write it without a library: gradients derived by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from workloads import Array, Step, Workload


def step(workload: Workload) -> Step:
    """Return the contestant."""
    X, y = workload.data()
    parameters = workload.parameters()
    update = updater(workload, parameters)
    Ws, bs = parameters[0::2], parameters[1::2]
    l2 = workload.dtype(workload.l2)

    def run() -> float:
        activations = [X]
        for W, b in zip(Ws, bs):
            z = activations[-1] @ W.T + b
            activations.append(np.maximum(z, 0))
        value, delta = loss_and_slope(workload, z, y)
        gradients: list[Array] = []
        for k in reversed(range(len(Ws))):
            gradients[:0] = [delta.T @ activations[k], delta.sum(0)]
            if k:
                delta = (delta @ Ws[k]) * (activations[k] > 0)
        if workload.l2:
            value += l2 * sum((p * p).sum() for p in parameters)
            gradients = [g + 2 * l2 * p for g, p in zip(gradients, parameters)]
        update(gradients)
        return float(value)

    return Step(run, lambda: parameters)


def loss_and_slope(workload: Workload, z: Array, y: Array) -> tuple[Any, Array]:
    """Return the mean loss, and its gradient with respect to ``z``."""
    m = workload.dtype(len(z))
    if workload.loss == "hinge":
        margin = np.maximum(1 - y * z, 0)
        return margin.mean(), np.where(margin > 0, -y, 0) / m
    if workload.loss == "bce":
        softplus = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
        return (softplus - y * z).mean(), (1 / (1 + np.exp(-z)) - y) / m
    e = np.exp(z - z.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    rows = np.arange(len(z))
    value = -np.log(p[rows, y]).mean()
    p[rows, y] -= 1
    return value, p / m


def updater(workload: Workload, parameters: list[Array]) -> Any:
    """Return a function of the gradients that moves the parameters, each in its own array."""
    lr = workload.dtype(workload.lr)

    def descend(gradients: list[Array]) -> None:
        for p, g in zip(parameters, gradients):
            p -= lr * g

    if workload.optimizer == "SGD":
        return descend
    f = workload.dtype
    ms = [np.zeros_like(p) for p in parameters]
    vs = [np.zeros_like(p) for p in parameters]
    steps = 0

    def adam(gradients: list[Array]) -> None:
        nonlocal steps
        steps += 1
        c1, c2 = f(1 - 0.9**steps), f(1 - 0.999**steps)
        for i, (p, g) in enumerate(zip(parameters, gradients)):
            ms[i] = f(0.9) * ms[i] + f(0.1) * g
            vs[i] = f(0.999) * vs[i] + f(0.001) * g * g
            p -= lr * (ms[i] / c1) / (np.sqrt(vs[i] / c2) + f(1e-8))

    return adam
