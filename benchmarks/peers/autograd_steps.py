"""The step in autograd (HIPS), with the plain NumPy update."""

from __future__ import annotations

from typing import Any

from peers.numpy_steps import updater
from workloads import Step, Workload


def step(workload: Workload) -> Step:
    """Return the contestant."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    X, y = workload.data()
    parameters = workload.parameters()
    update = updater(workload, parameters)
    zero, rows = workload.dtype(0), anp.arange(workload.batch)

    def loss(parameters: list[Any]) -> Any:
        h: Any = X
        for k in range(0, len(parameters), 2):
            h = anp.dot(anp.maximum(h, zero) if k else h, parameters[k].T) + parameters[k + 1]
        if workload.loss == "hinge":
            value = anp.mean(anp.maximum(1 - y * h, zero))
        elif workload.loss == "bce":
            value = anp.mean(anp.logaddexp(zero, h) - h * y)
        else:
            h = h - anp.max(h, axis=1, keepdims=True)
            value = anp.mean(anp.log(anp.sum(anp.exp(h), axis=1)) - h[rows, y])
        if workload.l2:
            value = value + workload.l2 * sum(anp.sum(p * p) for p in parameters)
        return value

    differentiated = value_and_grad(loss)

    def run() -> float:
        value, gradients = differentiated(parameters)
        update(gradients)
        return float(value)

    return Step(run, lambda: parameters)
