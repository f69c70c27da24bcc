"""A training step on tensors against the same step written by hand in plain NumPy, and PyTorch.

Run ``python benchmarks/tensor_step.py [--quick]``. All do forward, backward and update in float32
with one thread. The NumPy side is what one would write without a library: no preallocated buffers,
gradients by the hand-derived formulas. PyTorch runs in eager mode; this script doesn't install it
(``pip install torch``), and leaves it out where it isn't there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from harness import interleaved, repeated, report, versions  # isort: skip (sets the threads)

import numpy as np

from micrograd_nn import Linear, Sequential, Tensor
from micrograd_nn import functional as F
from micrograd_nn.training import SGD, Adam

F32 = np.float32
WORKLOADS: dict[str, tuple[list[int], int, str, str]] = {
    "2-16-16-1, batch 100, hinge, SGD": ([2, 16, 16, 1], 100, "hinge", "sgd"),
    "2-4-6-6-4-1, batch 700, BCE, SGD": ([2, 4, 6, 6, 4, 1], 700, "bce", "sgd"),
    "64-128-64-10, batch 64, CE, Adam": ([64, 128, 64, 10], 64, "ce", "adam"),
    "784-512-256-10, batch 128, CE, Adam": ([784, 512, 256, 10], 128, "ce", "adam"),
}


def data(sizes: list[int], batch: int, loss: str) -> tuple[Any, Any]:
    """Return features (batch, n_in) and targets as the loss wants them."""
    generator = np.random.default_rng(0)
    X = generator.standard_normal((batch, sizes[0])).astype(F32)
    if loss == "ce":
        return X, generator.integers(0, sizes[-1], batch)
    y = (X[:, :1] ** 2 + X[:, 1:2] > 0.5).astype(F32)
    return X, (2 * y - 1 if loss == "hinge" else y)


def by_hand(sizes: list[int], batch: int, loss: str, optimiser: str) -> Callable[[], float]:
    """Return the step in plain NumPy."""
    X, y = data(sizes, batch, loss)
    generator = np.random.default_rng(1)
    Ws = [
        (generator.standard_normal((o, i)) * np.sqrt(2 / i)).astype(F32)
        for i, o in zip(sizes, sizes[1:])
    ]
    bs = [np.zeros(o, F32) for o in sizes[1:]]
    parameters = Ws + bs
    ms = [np.zeros_like(p) for p in parameters]
    vs = [np.zeros_like(p) for p in parameters]
    rows, one_hot, count = np.arange(batch), np.eye(sizes[-1], dtype=F32), [0]
    Y = one_hot[y] if loss == "ce" else y

    def gradient_of_loss(z: Any) -> tuple[float, Any]:
        if loss == "hinge":
            margin = np.maximum(1 - y * z, 0)
            return float(margin.mean()), np.where(margin > 0, -y, 0) / F32(batch)
        if loss == "bce":
            value = (np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))).mean()
            return float(value), (1 / (1 + np.exp(-z)) - y) / F32(batch)
        e = np.exp(z - z.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        return float(-np.log(p[rows, y]).mean()), (p - Y) / F32(batch)

    def update(gradients: list[Any]) -> None:
        if optimiser == "sgd":
            for p, g in zip(parameters, gradients):
                p -= F32(1e-3) * g
            return
        count[0] += 1
        c1, c2 = F32(1 - 0.9 ** count[0]), F32(1 - 0.999 ** count[0])
        for i, (p, g) in enumerate(zip(parameters, gradients)):
            ms[i] = F32(0.9) * ms[i] + F32(0.1) * g
            vs[i] = F32(0.999) * vs[i] + F32(0.001) * g * g
            p -= F32(1e-3) * (ms[i] / c1) / (np.sqrt(vs[i] / c2) + F32(1e-8))

    def run() -> float:
        activations = [X]
        for k, (W, b) in enumerate(zip(Ws, bs)):
            z = activations[-1] @ W.T + b
            activations.append(np.maximum(z, 0) if k < len(Ws) - 1 else z)
        value, delta = gradient_of_loss(activations[-1])
        dWs, dbs = [], []
        for k in range(len(Ws) - 1, -1, -1):
            dWs.insert(0, delta.T @ activations[k])
            dbs.insert(0, delta.sum(0))
            if k:
                delta = (delta @ Ws[k]) * (activations[k] > 0)
        update(dWs + dbs)
        return value

    return run


def ours(sizes: list[int], batch: int, loss: str, optimiser: str) -> Callable[[], float]:
    """Return the step in our tensors, recorded anew each time."""
    X, y = data(sizes, batch, loss)
    layers: list[Any] = []
    for i, o in zip(sizes, sizes[1:]):
        layers += [Linear(i, o, init="he", seed=1, dtype=F32), "relu"]
    model = Sequential(*layers[:-1])
    kind = {"sgd": SGD, "adam": Adam}[optimiser]
    optimizer = kind(model.parameters(), lr=1e-3)
    objective = {
        "hinge": F.hinge,
        "bce": F.binary_cross_entropy_with_logits,
        "ce": F.cross_entropy,
    }[loss]
    inputs = Tensor(X, requires_grad=False)

    def run() -> float:
        value = objective(model(inputs), y)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return value.item()

    return run


def torchs(sizes: list[int], batch: int, loss: str, optimiser: str) -> Callable[[], float] | None:
    """Return the step in PyTorch's eager mode; None where it isn't installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    X, y = map(torch.tensor, data(sizes, batch, loss))
    layers: list[Any] = []
    for i, o in zip(sizes, sizes[1:]):
        layers += [torch.nn.Linear(i, o), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimiser]
    optimizer = kind(model.parameters(), lr=1e-3)
    functional = torch.nn.functional
    objective: Callable[[Any], Any] = {
        "hinge": lambda z: torch.clamp(1 - y * z, min=0).mean(),
        "bce": lambda z: functional.binary_cross_entropy_with_logits(z, y),
        "ce": lambda z: functional.cross_entropy(z, y),
    }[loss]

    def run() -> float:
        value = objective(model(X))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return float(value.item())

    return run


def main() -> None:
    """Print each workload."""
    quick = "--quick" in sys.argv
    print(versions("numpy", "torch"), "- garbage collector on")
    for title, workload in WORKLOADS.items():
        inner = 1 if workload[0][0] > 500 else 20
        contestants: dict[str, Callable[[], object]] = {
            "plain NumPy, by hand": repeated(by_hand(*workload), inner),
            "our tensors": repeated(ours(*workload), inner),
        }
        peer = torchs(*workload)
        if peer is not None:
            contestants["PyTorch, eager"] = repeated(peer, inner)
        times = interleaved(contestants, rounds=10 if quick else 60, collector=True)
        report(title, times, base="plain NumPy, by hand", per=inner)


if __name__ == "__main__":
    main()
