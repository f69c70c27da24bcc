"""micrograd's demo, one whole step: MLP(2, [16, 16, 1]), 100 moons, hinge loss and L2.

Run ``python benchmarks/scalar_step.py [--quick]``. It compares the ``micrograd`` package (which it
doesn't install: ``pip install micrograd``), the same program with our Value, in which the user
writes every multiplication, and the same program with our own MLP.
"""

from __future__ import annotations

import random
import sys
from typing import Any

from harness import interleaved, report, versions  # isort: skip (sets the number of threads)

import micrograd_nn
from micrograd_nn.data import moons


def users_mlp(value: Any) -> Any:
    """Return micrograd's MLP(2, [16, 16, 1]) written in scalar arithmetic on ``value``."""

    class Neuron:
        def __init__(self, nin: int, nonlin: bool) -> None:
            self.w = [value(random.uniform(-1, 1)) for _ in range(nin)]
            self.b = value(0)
            self.nonlin = nonlin

        def __call__(self, x: Any) -> Any:
            act = sum((wi * xi for wi, xi in zip(self.w, x)), self.b)
            return act.relu() if self.nonlin else act

    class MLP:
        def __init__(self, nin: int, nouts: list[int]) -> None:
            sizes = [nin, *nouts]
            self.layers = [
                [Neuron(sizes[i], i != len(nouts) - 1) for _ in range(sizes[i + 1])]
                for i in range(len(nouts))
            ]

        def __call__(self, x: Any) -> Any:
            for layer in self.layers:
                x = [neuron(x) for neuron in layer]
            return x[0]

        def parameters(self) -> list[Any]:
            return [p for layer in self.layers for n in layer for p in [*n.w, n.b]]

    random.seed(1337)
    return MLP(2, [16, 16, 1])


def step(model: Any, value: Any, X: list[list[float]], y: list[float]) -> Any:
    """Do one step of the demo, as its notebook does."""

    def run() -> float:
        inputs = [list(map(value, row)) for row in X]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * score).relu() for yi, score in zip(y, scores)]
        data_loss = sum(losses) * (1.0 / len(losses))
        total = data_loss + 1e-4 * sum(p * p for p in model.parameters())
        for p in model.parameters():
            p.grad = 0
        total.backward()
        for p in model.parameters():
            p.data -= 1e-3 * p.grad
        return total.data

    return run


def main() -> None:
    """Print the comparison with the garbage collector off and on."""
    quick = "--quick" in sys.argv
    features, labels = moons(100, noise=0.1, seed=1)
    X, y = features.tolist(), (2.0 * labels - 1.0).tolist()
    random.seed(1337)
    ours = micrograd_nn.MLP(2, [16, 16, 1])
    contestants = {}
    try:
        from micrograd.engine import Value as Theirs
    except ImportError:
        print("micrograd is not installed: pip install micrograd. Our own times:")
    else:
        contestants["micrograd"] = step(users_mlp(Theirs), Theirs, X, y)
    contestants["our Value, the user's own MLP"] = step(
        users_mlp(micrograd_nn.Value), micrograd_nn.Value, X, y
    )
    contestants["our Value and MLP"] = step(ours, micrograd_nn.Value, X, y)
    print(versions("micrograd", "numpy"))
    for collector in (False, True):
        times = interleaved(contestants, rounds=3 if quick else 9, collector=collector)
        title = f"one step, garbage collector {'on' if collector else 'off'}"
        report(title, times, base=next(iter(contestants)))


if __name__ == "__main__":
    main()
