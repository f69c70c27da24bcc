"""Standardisation and one-hot rows."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from micrograd_nn.data import Standardizer, one_hot

matrices = arrays(
    np.float64,
    array_shapes(min_dims=1, max_dims=2, max_side=8),
    elements=st.floats(-1e6, 1e6, allow_subnormal=False),
)


@given(matrices)
def test_transform_gives_mean_zero_and_inverse_gives_back(X):
    standardizer = Standardizer()
    Z = standardizer.fit_transform(X)
    assert Z.shape == X.shape
    assert np.all(np.isfinite(Z))
    size = 1 + np.max(np.abs(X), axis=0) / standardizer.scale
    assert np.all(np.abs(Z.mean(axis=0)) <= 1e-14 * len(X) * size)
    largest = np.max(np.abs(X), axis=0)
    assert np.all(np.abs(standardizer.inverse_transform(Z) - X) <= 1e-14 * largest)


def test_deviation_becomes_one():
    X = np.random.default_rng(0).normal(5.0, 3.0, (100, 4))
    np.testing.assert_allclose(Standardizer().fit_transform(X).std(axis=0), 1.0)


@given(st.floats(-1e300, 1e300), st.integers(1, 50))
def test_constant_columns_become_exactly_zero(constant, m):
    standardizer = Standardizer().fit(np.full((m, 1), constant))
    assert standardizer.scale.tolist() == [1.0]
    assert not standardizer.transform([[constant]]).any()


def test_a_deviation_too_small_to_be_squared_is_safe():
    assert np.all(np.isfinite(Standardizer().fit_transform([[0.0], [1e-200]])))


def test_is_fitted_on_the_training_set_alone():
    standardizer = Standardizer().fit([[0.0], [2.0]])
    assert standardizer.transform([[3.0]]).tolist() == [[2.0]]


def test_survives_an_npz_file():
    standardizer = Standardizer().fit([[1.0, 2.0], [3.0, 5.0]])
    file = io.BytesIO()
    np.savez(file, **standardizer.to_arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays_of_file:
        loaded = Standardizer.from_arrays(arrays_of_file)
    assert repr(loaded) == repr(standardizer)
    assert repr(loaded) == "Standardizer(mean=[2.0, 3.5], scale=[1.0, 1.5])"


@pytest.mark.parametrize("method", ["transform", "inverse_transform"])
def test_must_be_fitted_first_and_on_as_many_columns(method):
    with pytest.raises(ValueError, match=r"learnt nothing yet; call fit\(X\) first"):
        getattr(Standardizer(), method)([[1.0]])
    with pytest.raises(ValueError, match=r"shape \(2,\), given X of shape \(1, 3\)"):
        getattr(Standardizer().fit([[1.0, 2.0]]), method)([[1.0, 2.0, 3.0]])


def test_nothing_learnt_nothing_to_store():
    assert repr(Standardizer()) == "Standardizer()"
    with pytest.raises(ValueError, match="learnt nothing yet"):
        Standardizer().to_arrays()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_numbers_are_named(bad):
    with pytest.raises(ValueError, match="column 0 holds a NaN, an infinity"):
        Standardizer().fit([[bad], [bad]])
    with pytest.raises(ValueError, match="column 1 holds a NaN, an infinity"):
        Standardizer().fit([[1.0, bad], [2.0, 3.0]])


def test_numbers_too_large_and_no_numbers_are_refused():
    with pytest.raises(ValueError, match=r"column 0 holds .* numbers too large"):
        Standardizer().fit([[1e308], [-1e308]])
    with pytest.raises(ValueError, match="at least one example"):
        Standardizer().fit(np.empty((0, 2)))


@given(st.lists(st.integers(0, 9), max_size=20))
def test_one_hot_rows_say_their_labels(numbers):
    rows = one_hot(numbers, classes=10)
    assert rows.shape == (len(numbers), 10)
    assert rows.dtype == np.float64
    assert rows.sum(axis=1).tolist() == [1.0] * len(numbers)
    assert rows.argmax(axis=1).tolist() == numbers


def test_one_hot_finds_the_classes():
    assert one_hot([0, 2]).shape == (2, 3)
    assert one_hot(["b", "a", "b"]).tolist() == [[0, 1], [1, 0], [0, 1]]
    assert one_hot([-1, 1]).tolist() == [[1, 0], [0, 1]]
    assert one_hot([False, True]).tolist() == [[1, 0], [0, 1]]
    assert one_hot(np.array([], dtype=int)).shape == (0, 0)


def test_one_hot_refuses_what_is_no_label():
    with pytest.raises(ValueError, match=r"label 3 is not one of the classes \[0, 1, 2\]"):
        one_hot([0, 3], classes=3)
    with pytest.raises(ValueError, match=r"label 'c' is not one of the classes \['a', 'b'\]"):
        one_hot(["c"], classes=["a", "b"])
    with pytest.raises(ValueError, match=r"shape \(m,\), not \(1, 2\)"):
        one_hot([[0, 1]])
