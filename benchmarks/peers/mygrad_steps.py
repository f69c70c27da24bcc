"""The step in MyGrad, with the plain NumPy update."""

from __future__ import annotations

from typing import Any

from peers.numpy_steps import updater
from workloads import Step, Workload


def step(workload: Workload) -> Step:
    """Return the contestant."""
    import mygrad
    from mygrad.nnet import relu, softmax_crossentropy

    X, y = workload.data()
    zero = workload.dtype(0)
    parameters = [mygrad.tensor(p) for p in workload.parameters()]
    update = updater(workload, [p.data for p in parameters])

    def run() -> float:
        h: Any = X
        for k in range(0, len(parameters), 2):
            h = mygrad.matmul(relu(h) if k else h, parameters[k].T) + parameters[k + 1]
        if workload.loss == "hinge":
            value = mygrad.mean(relu(1 - y * h))
        elif workload.loss == "bce":
            value = mygrad.mean(mygrad.logaddexp(zero, h) - h * y)
        else:
            value = softmax_crossentropy(h, y)
        if workload.l2:
            value = value + workload.l2 * sum((p * p).sum() for p in parameters)
        value.backward()
        update([p.grad for p in parameters])
        return float(value.data)

    return Step(run, lambda: [p.data for p in parameters])
