"""The step in tinygrad, compiled by its TinyJit, on the CPU."""

from __future__ import annotations

import os
import shutil
from typing import Any

import numpy as np

from workloads import Array, Step, Workload


def step(workload: Workload) -> Step:
    """Return the contestant."""
    if shutil.which(os.environ.get("CC", "clang")) is None:
        raise ImportError("No compiler named 'clang', which tinygrad needs on the CPU")
    os.environ.setdefault("DEV", "CPU")
    from tinygrad import Context, Tensor, TinyJit, nn

    features, targets = workload.data()
    X = Tensor(features)
    y = Tensor(targets.astype(np.int32) if workload.loss == "ce" else targets)
    parameters = [Tensor(p) for p in workload.parameters()]
    kind = {"SGD": nn.optim.SGD, "Adam": nn.optim.Adam}[workload.optimizer]
    optimizer = kind(parameters, lr=workload.lr)

    @TinyJit  # type: ignore[untyped-decorator, unused-ignore]
    def train() -> Any:
        h = X
        for k in range(0, len(parameters), 2):
            h = (h.relu() if k else h) @ parameters[k].T + parameters[k + 1]
        if workload.loss == "hinge":
            value = (1 - y * h).relu().mean()
        elif workload.loss == "bce":
            value = h.binary_crossentropy_logits(y)
        else:
            value = h.sparse_categorical_crossentropy(y)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return value.realize()

    def run() -> float:
        with Context(TRAINING=1):
            return float(train().item())

    def current() -> list[Array]:
        return [p.numpy() for p in parameters]

    return Step(run, current)
