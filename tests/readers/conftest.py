"""Graphs to draw."""

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import MLP, Linear, Sequential, Tensor, Value
from micrograd_nn.data import moons


@pytest.fixture
def scalar_network():
    """The loss of a network of four and one neurons on one example, after a backward pass."""
    model = MLP(3, [4, 1], activation="tanh", seed=1)
    x = [Value(v, name=f"x{i}") for i, v in enumerate((2.0, 3.0, -1.0), start=1)]
    loss = ((model(x) - 1) ** 2).named("loss")
    loss.backward()
    return loss


@pytest.fixture
def tensor_network():
    """The loss of a network of tensors on ten examples."""
    model = Sequential(Linear(2, 6, seed=0), "tanh", Linear(6, 1, seed=1))
    X = Tensor(np.linspace(-1, 1, 20).reshape(10, 2), name="X", requires_grad=False)
    return F.binary_cross_entropy_with_logits(model(X), np.ones((10, 1))).named("loss")


@pytest.fixture(scope="session")
def moons_loss():
    """The loss of micrograd's demo, some 5,000 nodes."""
    model = MLP(2, [16, 16, 1], seed=1)
    X, y = moons(100, seed=0)
    scores = [model([Value(v) for v in row]) for row in X]
    losses = [(1 - (2 * label - 1) * score).relu() for label, score in zip(y, scores, strict=True)]
    penalty = 1e-4 * sum(p * p for p in model.parameters())
    return (sum(losses) * (1 / len(losses)) + penalty).named("loss")
