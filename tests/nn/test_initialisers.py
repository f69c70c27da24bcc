"""Initialisers: variances, limits, seeds, and which one an activation is given."""

from __future__ import annotations

import math

import numpy as np
import pytest

from micrograd_nn import Linear
from micrograd_nn.nn import initialisers
from micrograd_nn.nn.activations import ACTIVATIONS

SHAPE = (300, 200)  # (n_out, n_in)
N_OUT, N_IN = SHAPE
GLOROT, HE = 2 / (N_IN + N_OUT), 2 / N_IN

# name -> (variance, limit or None for normal numbers)
KNOWN = {
    "zeros": (0.0, 0.0),
    "uniform": (1 / 3, 1.0),
    "normal": (1e-4, None),
    "xavier": (GLOROT, math.sqrt(3 * GLOROT)),
    "xavier_uniform": (GLOROT, math.sqrt(3 * GLOROT)),
    "xavier_normal": (GLOROT, None),
    "glorot": (GLOROT, math.sqrt(3 * GLOROT)),
    "glorot_uniform": (GLOROT, math.sqrt(3 * GLOROT)),
    "glorot_normal": (GLOROT, None),
    "he": (HE, None),
    "he_uniform": (HE, math.sqrt(3 * HE)),
    "he_normal": (HE, None),
    "kaiming": (HE, None),
    "kaiming_uniform": (HE, math.sqrt(3 * HE)),
    "kaiming_normal": (HE, None),
}


def drawn(name, shape=SHAPE, seed=0):
    return initialisers.by_name(name)(shape, np.random.default_rng(seed))


def test_all_are_known():
    assert set(initialisers.INITIALISERS) == set(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_variance_and_limit(name):
    variance, limit = KNOWN[name]
    w = drawn(name)
    assert w.shape == SHAPE
    assert w.dtype == np.float64
    assert w.var() == pytest.approx(variance, rel=0.02)
    assert abs(w.mean()) <= 4 * math.sqrt(variance / w.size)
    if limit is not None:
        assert np.abs(w).max(initial=0) <= limit
        assert np.abs(w).max(initial=0) >= 0.999 * limit
    else:  # normal: the fourth moment is 3 σ⁴, and some are beyond 3 σ
        assert np.mean(w**4) == pytest.approx(3 * variance**2, rel=0.05)
        assert np.abs(w).max() > 3.5 * math.sqrt(variance)


@pytest.mark.parametrize("name", KNOWN)
def test_seeds(name):
    np.testing.assert_array_equal(drawn(name, seed=1), drawn(name, seed=1))
    assert name == "zeros" or np.all(drawn(name, seed=1) != drawn(name, seed=2))
    one, other = (Linear(4, 3, init=name, seed=7).W.data for _ in range(2))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one, drawn(name, (3, 4), seed=7))


@pytest.mark.parametrize("name", KNOWN)
def test_a_layer_draws_by_its_own_sizes(name):
    layer = Linear(N_IN, N_OUT, init=name, seed=1)
    assert layer.W.shape == SHAPE
    assert layer.W.data.var() == pytest.approx(KNOWN[name][0], rel=0.02)
    np.testing.assert_array_equal(layer.b.data, np.zeros(N_OUT))


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS)))
@pytest.mark.parametrize("init", [None, "auto"])
def test_the_choice_by_activation(name, init):
    rectifier = name in ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus")
    chosen = initialisers.by_name(init, name)
    assert chosen is (initialisers.he_normal if rectifier else initialisers.xavier_uniform)


def test_the_default_of_a_linear_layer_is_xaviers():
    np.testing.assert_array_equal(Linear(4, 3, seed=7).W.data, drawn("xavier", (3, 4), seed=7))


def test_unknown_names_and_functions():
    with pytest.raises(ValueError, match="Did you mean 'xavier'"):
        Linear(2, 2, init="xaver")
    with pytest.raises(ValueError, match="There are: zeros, uniform"):
        initialisers.by_name("bogus")
    W = Linear(2, 3, init=lambda shape, generator: np.full(shape, 0.5)).W
    np.testing.assert_array_equal(W.data, np.full((3, 2), 0.5))


def test_a_generator_is_drawn_from():
    generator = np.random.default_rng(0)
    first, second = Linear(3, 3, seed=generator), Linear(3, 3, seed=generator)
    assert np.all(first.W.data != second.W.data)


def test_an_initialiser_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="shape"):
        Linear(2, 3, init=lambda shape, generator: np.zeros(shape[::-1]))
