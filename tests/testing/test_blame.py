"""Faults of the engine are told from faults of rules, and named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from micrograd_nn import Tensor, Value
from micrograd_nn import functional as F
from micrograd_nn.graph import backward as engine
from micrograd_nn.testing import GradientError, gradcheck
from micrograd_nn.testing.blame import faults, random_like, worst_of
from micrograd_nn.testing.oracle import Oracle

X = np.random.default_rng(5).normal(size=(3, 4))


def blamed(f: Any, *inputs: Any) -> GradientError:
    with pytest.raises(GradientError) as caught:
        gradcheck(f, *inputs)
    return caught.value


@pytest.fixture
def overwriting(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine with = where += should be."""

    def deliver(child: Any, cotangent: Any, g: Any, saved: Any) -> None:
        if np.shape(cotangent) != child._data.shape:
            cotangent = engine._summed(cotangent, child._data.shape)
        child._grad = np.array(cotangent)

    monkeypatch.setattr(engine, "_deliver", deliver)


@pytest.mark.usefixtures("overwriting")
def test_overwriting_is_blamed_on_accumulation() -> None:
    def f(weights: Any) -> Any:
        return F.sin(weights) * F.exp(weights)

    error = blamed(f, X)
    assert error.blamed == ["accumulation into weights"]
    assert "= for +=" in str(error)


@pytest.mark.usefixtures("overwriting")
def test_the_node_is_named_where_gradients_meet() -> None:
    def f(x: Any) -> Any:
        hidden = F.tanh(x * 2.0).named("hidden")
        return F.sin(hidden) + F.exp(hidden)

    error = blamed(f, X)
    assert error.blamed == ["accumulation into hidden"]
    assert "test_blame.py" in str(error)


@pytest.mark.usefixtures("overwriting")
def test_without_shared_values_nothing_is_wrong() -> None:
    gradcheck(lambda x, y: F.tanh(x) * F.exp(y), X, X + 1.0)


def test_unbroadcasting_by_the_mean_is_accumulation(monkeypatch: pytest.MonkeyPatch) -> None:
    right = engine._summed
    monkeypatch.setattr(
        engine, "_summed", lambda g, shape: right(g, shape) * (np.prod(shape) / g.size)
    )
    error = blamed(lambda x, bias: F.tanh(x + bias), X, X[0])
    assert error.blamed == ["accumulation into bias"]


def test_a_wrong_order_is_not_blamed_on_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    right = engine._reachable

    def shuffled(root: Any) -> Any:
        order, leaves = right(root)
        return [*order[-2:-1], *order[:-2], order[-1]], leaves

    monkeypatch.setattr(engine, "_reachable", shuffled)

    def f(x: Any) -> Any:
        a = F.sin(x)
        return F.exp(a) * a + a

    error = blamed(f, X)
    assert len(error.blamed) == 1
    assert error.blamed[0].startswith("accumulation")


def test_clipped_cotangents_are_not_blamed_on_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    right = engine._deliver
    monkeypatch.setattr(
        engine, "_deliver", lambda child, c, g, saved: right(child, np.clip(c, -1, 1), g, saved)
    )
    error = blamed(lambda x: F.exp(x * 3.0) * 5.0, X)
    assert error.blamed[0].startswith("accumulation")


def test_rules_come_before_accumulation() -> None:
    with F.tanh.replaced(lambda g, z, x: g * (1 - z)):
        assert blamed(lambda x: F.tanh(x) * x, X).blamed == ["tanh"]


def test_a_rule_of_the_wrong_shape_is_blamed() -> None:
    with F.tanh.replaced(lambda g, z, x: np.ones((7, 7))), pytest.raises(Exception) as caught:  # noqa: PT011
        gradcheck(F.tanh, X)
    assert not isinstance(caught.value, AttributeError)


def test_nothing_is_blamed_where_all_is_right() -> None:
    x = Tensor(X)
    root = F.sin(x) * x
    rng = np.random.default_rng(0)
    seed = random_like(root.data, rng)
    root.backward(seed)
    assert faults(Oracle(root, [x]), seed, rng) == []


def test_faults_are_reported_once_for_many_nodes_of_an_operation() -> None:
    with F.sin.replaced(lambda g, z, x: g * 2.0):
        x = Value(0.5)
        root = F.sin(F.sin(F.sin(x)))
        root.backward(1.0)
        found = faults(Oracle(root, [x]), 1.0, np.random.default_rng(0))
    assert [fault.name for fault in found] == ["sin"]


def test_random_cotangents_are_never_zero_or_one() -> None:
    rng = np.random.default_rng(0)
    many = random_like(np.zeros(10_000), rng)
    assert np.all(np.abs(many) >= 0.25)
    assert not np.any(many == 1.0)
    assert np.any(many < 0)
    assert np.any(many > 0)
    assert random_like(np.zeros(3, np.float32), rng).dtype == np.float32
    assert type(random_like(0.5, rng)) is float


@pytest.mark.parametrize(
    ("got", "truth", "allowed", "wrong"),
    [
        (1.0, 1.0, 0.0, False),
        (1.0, 1.0 + 1e-9, 1e-8, False),
        (1.0, 1.0 + 1e-7, 1e-8, True),
        (np.nan, 1.0, 1e9, True),
        (np.nan, np.nan, 0.0, False),
        (1.0, np.nan, 1.0, True),
        (np.inf, np.inf, 0.0, False),
        (np.inf, -np.inf, np.inf, True),
        (5e299, np.inf, np.inf, True),
        (0.0, -0.0, 0.0, False),
    ],
)
def test_what_counts_as_wrong(got: float, truth: float, allowed: float, wrong: bool) -> None:
    arrays = (np.array([x]) for x in (got, truth, allowed))
    assert (worst_of("x", *arrays) is not None) is wrong


def test_empty_arrays_agree() -> None:
    assert worst_of("x", np.zeros(0), np.zeros(0), np.zeros(0)) is None
