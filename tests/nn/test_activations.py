"""Activation functions by name: values, derivatives, names."""

from __future__ import annotations

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value
from micrograd_nn import equations as eq
from micrograd_nn.nn.activations import ACTIVATIONS, by_name, identity, name_of

POINTS = np.array([-700.0, -40.0, -5.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 5.0, 40.0, 700.0])


@pytest.mark.parametrize("name", sorted(eq.ACTIVATIONS))
def test_values_and_derivatives_are_those_of_the_equations(name):
    g, g_prime = eq.ACTIVATIONS[name]
    function, seed = by_name(name), np.random.default_rng(0).standard_normal(POINTS.size)
    node = Tensor(POINTS) + 0.0
    leaf = node.inputs[0]
    out = function(node)
    out.backward(seed=seed)
    rel = 1e-12 if name == "gelu" else 1e-14  # Φ far out
    np.testing.assert_allclose(out.data, g(POINTS), rtol=rel, atol=1e-300)
    np.testing.assert_allclose(leaf.grad, seed * g_prime(POINTS), rtol=1e-11, atol=1e-300)
    np.testing.assert_allclose(function(POINTS), g(POINTS), rtol=rel, atol=1e-300)
    for x, u in zip(POINTS, seed, strict=True):
        value = Value(x)
        out = function(value + 0.0)
        out.backward(seed=u)
        assert out.data == pytest.approx(float(g(np.array(x))), rel=rel, abs=1e-300)
        assert value.grad == pytest.approx(u * float(g_prime(np.array(x))), rel=1e-11, abs=1e-300)
        assert function(float(x)) == pytest.approx(out.data, rel=1e-15, abs=1e-300)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmaxes_work_on_rows(name):
    z = np.random.default_rng(0).standard_normal((3, 4))
    known = getattr(eq, name)(z.T).T
    np.testing.assert_allclose(by_name(name)(z), known, rtol=1e-13)
    np.testing.assert_allclose(by_name(name)(Tensor(z)).data, known, rtol=1e-13)


def test_names():
    assert {"relu", "tanh", "sigmoid", "identity", "leaky_relu", "gelu"} <= set(ACTIVATIONS)
    for name, function in ACTIVATIONS.items():
        assert by_name(name) is function
        assert by_name(function) is function
        assert ACTIVATIONS[name_of(function)] is function
    assert by_name(None) is identity
    assert name_of(F.exp) == "exp"
    assert identity(3.0) == 3.0
    assert isinstance(name_of(lambda z: z), str)


@pytest.mark.parametrize(("wrong", "hint"), [("rellu", "'relu'"), ("Tanh", "'tanh'")])
def test_unknown_names_are_answered_with_a_near_one(wrong, hint):
    with pytest.raises(ValueError, match=f"Did you mean {hint}"):
        by_name(wrong)


@pytest.mark.parametrize("wrong", ["zzz", "", 3])
def test_what_is_no_activation_is_refused(wrong):
    with pytest.raises((ValueError, TypeError), match="no activation"):
        by_name(wrong)
