"""The step in our tensors, recorded anew each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd_nn import Linear, Sequential, Tensor
from micrograd_nn import functional as F
from micrograd_nn.training.optimisers import OPTIMIZERS
from workloads import Array, Step, Workload

LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "hinge": F.hinge,
    "bce": F.binary_cross_entropy_with_logits,
    "ce": F.cross_entropy,
}


def network(workload: Workload) -> Sequential:
    """Return the network with the workload's parameters."""
    layers: list[Any] = []
    for n_in, n_out in zip(workload.sizes, workload.sizes[1:]):
        layers += [Linear(n_in, n_out, dtype=workload.dtype), "relu"]
    model = Sequential(*layers[:-1])
    for parameter, start in zip(model.parameters(), workload.parameters()):
        parameter.data = start
    return model


def total(workload: Workload, model: Sequential, X: Any, y: Any) -> Any:
    """Return the recorded loss."""
    value = LOSSES[workload.loss](model(X), y)
    if workload.l2:
        value = value + workload.l2 * sum((p * p).sum() for p in model.parameters())
    return value


def current(model: Sequential) -> list[Array]:
    """Return the data of the parameters."""
    return [p.data for p in model.parameters()]


def step(workload: Workload) -> Step:
    """Return the contestant."""
    features, y = workload.data()
    X = Tensor(features, requires_grad=False)
    model = network(workload)
    optimizer = OPTIMIZERS[workload.optimizer](model.parameters(), lr=workload.lr)

    def run() -> float:
        value = total(workload, model, X, y)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return float(value.item())

    return Step(run, lambda: current(model))
