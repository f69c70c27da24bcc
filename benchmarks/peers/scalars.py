"""The step in scalars: micrograd's program, on its Value and on ours, eager and compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import micrograd_nn
from micrograd_nn.training import SGD
from workloads import Array, Step, Workload


class Neuron:
    """A neuron as micrograd has it, every multiplication written out."""

    def __init__(self, w: list[Any], b: Any, nonlin: bool) -> None:
        self.w, self.b, self.nonlin = w, b, nonlin

    def __call__(self, x: list[Any]) -> Any:
        """Return the unit's activation."""
        act = sum((wi * xi for wi, xi in zip(self.w, x)), self.b)
        return act.relu() if self.nonlin else act


class UsersMLP:
    """micrograd's MLP on a kind of scalar, with the workload's parameters."""

    def __init__(self, value: Any, workload: Workload) -> None:
        start = workload.parameters()
        self.layers = [
            [
                Neuron([value(float(w)) for w in row], value(float(b)), k + 2 < len(start))
                for row, b in zip(start[k], start[k + 1])
            ]
            for k in range(0, len(start), 2)
        ]

    def __call__(self, x: list[Any]) -> Any:
        """Return the network's only output."""
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x[0]

    def parameters(self) -> list[Any]:
        """Return the scalars that are trained."""
        return [p for layer in self.layers for n in layer for p in [*n.w, n.b]]


def users_mlp(workload: Workload) -> UsersMLP:
    """Return micrograd's MLP on our Value."""
    return UsersMLP(micrograd_nn.Value, workload)


def our_mlp(workload: Workload) -> micrograd_nn.MLP:
    """Return the library's own scalar network, with the workload's parameters."""
    model = micrograd_nn.MLP(workload.sizes[0], list(workload.sizes[1:]))
    start = workload.parameters()
    for layer, W, b in zip(model.layers, start[0::2], start[1::2]):
        for neuron, row, bias in zip(layer.neurons, W, b):
            for w, number in zip(neuron.w, row):
                w.data = float(number)
            neuron.b.data = float(bias)
    return model


def gathered(workload: Workload, model: Any) -> list[Array]:
    """Return the numbers of a model's parameters, which stand neuron by neuron, as matrices."""
    numbers: Iterator[float] = iter([float(p.data) for p in model.parameters()])
    found = []
    for n_in, n_out in zip(workload.sizes, workload.sizes[1:]):
        rows = np.array([[next(numbers) for _ in range(n_in + 1)] for _ in range(n_out)])
        found += [rows[:, :-1], rows[:, -1]]
    return found


def total(workload: Workload, model: Any, inputs: list[list[Any]], labels: list[float]) -> Any:
    """Return the loss of the demo's notebook."""
    scores = list(map(model, inputs))
    losses = [(1 + -yi * score).relu() for yi, score in zip(labels, scores)]
    data_loss = sum(losses) * (1.0 / len(losses))
    return data_loss + workload.l2 * sum(p * p for p in model.parameters())


def lists(workload: Workload) -> tuple[list[list[float]], list[float]]:
    """Return the batch as plain numbers."""
    X, y = workload.data()
    return X.tolist(), y[:, 0].tolist()


def step(workload: Workload, value: Any, model: Any) -> Step:
    """Return the contestant that records anew each time, as the demo's notebook does."""
    X, y = lists(workload)

    def run() -> float:
        loss = total(workload, model, [list(map(value, row)) for row in X], y)
        for p in model.parameters():
            p.grad = 0.0
        loss.backward()
        for p in model.parameters():
            p.data -= workload.lr * p.grad
        return float(loss.data)

    return Step(run, lambda: gathered(workload, model))


def micrograd(workload: Workload) -> Step:
    """Return micrograd's own step."""
    from micrograd.engine import Value

    return step(workload, Value, UsersMLP(Value, workload))


def by_hand(workload: Workload) -> Step:
    """Return the same program with our Value."""
    return step(workload, micrograd_nn.Value, users_mlp(workload))


def by_mlp(workload: Workload) -> Step:
    """Return the same program with our Value and our MLP."""
    return step(workload, micrograd_nn.Value, our_mlp(workload))


# ------------------------------------------------------------------------------------ compiled


def example(workload: Workload, model: Any) -> tuple[Any, list[Any]]:
    """Record one example, and return its share of the loss with the inputs x1, x2, ... and y.

    The shares of all examples add up to the loss: a mean over them, and the L2 term.
    """
    names = [f"x{i + 1}" for i in range(workload.sizes[0])]
    *x, y = inputs = [micrograd_nn.Value(0.5, name=name) for name in [*names, "y"]]
    norm = sum(p * p for p in model.parameters())
    share = 1.0 / workload.batch
    return (1 - y * model(x)).relu() * share + (workload.l2 * share) * norm, inputs


def compiling_example(workload: Workload, model: Any) -> Callable[[], Any]:
    """Record one example, and return a function that compiles it with its optimiser."""
    from micrograd_nn import compile as compile_graph

    loss, inputs = example(workload, model)
    optimizer = SGD(model.parameters(), lr=workload.lr)
    return lambda: compile_graph(loss, inputs=inputs, optimizer=optimizer)


def compiling_batch(workload: Workload, model: Any) -> Callable[[], Any]:
    """Record the whole batch, its numbers as constants, and return a function that compiles it."""
    from micrograd_nn import compile as compile_graph

    X, y = lists(workload)
    loss = total(workload, model, X, y)
    optimizer = SGD(model.parameters(), lr=workload.lr)
    return lambda: compile_graph(loss, inputs=[], optimizer=optimizer)


def compiled_example(workload: Workload, model: Any) -> Step:
    """Return the contestant that was compiled from one example, and is fed the batch."""
    program = compiling_example(workload, model)()
    X, y = workload.data()
    columns = [*np.ascontiguousarray(X.T), y[:, 0].copy()]
    return Step(lambda: float(program(*columns).sum()), lambda: gathered(workload, model))


def compiled_batch(workload: Workload, model: Any) -> Step:
    """Return the contestant that was compiled from the recorded loss of the whole batch."""
    program = compiling_batch(workload, model)()
    return Step(lambda: float(program()), lambda: gathered(workload, model))
