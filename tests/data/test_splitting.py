"""Training and test sets: a partition, of the right sizes, class by class if asked."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from micrograd_nn.data import train_test_split


@given(m=st.integers(2, 200), test_size=st.floats(0.01, 0.99), seed=st.integers(0, 2**32 - 1))
def test_split_is_a_partition(m, test_size, seed):
    X = np.arange(2.0 * m).reshape(m, 2)
    y = np.arange(m)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size, seed)
    assert sorted([*y_train, *y_test]) == list(range(m))
    assert np.array_equal(X_train, X[y_train])
    assert np.array_equal(X_test, X[y_test])
    assert len(y_test) == min(max(round(test_size * m), 1), m - 1)


@given(st.data(), st.lists(st.integers(1, 30), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_stratified_shares_are_within_one_of_proportional(data, sizes, seed):
    y = np.repeat([f"class {k}" for k in range(len(sizes))], sizes)
    assume(len(y) > len(sizes))
    test_count = data.draw(st.integers(1, len(y) - len(sizes)))
    indices = np.arange(len(y))
    train, test, y_train, y_test = train_test_split(indices, y, test_count, seed, stratify=True)
    assert sorted([*train, *test]) == list(indices)
    assert np.array_equal(y_test, y[test])
    assert len(y_test) == test_count
    assert set(y_train) == set(y)
    if min(sizes) > 1 and test_count <= len(y) // 2:
        for k, size in enumerate(sizes):
            share = size * test_count / len(y)
            assert abs(np.count_nonzero(y_test == f"class {k}") - share) < 1


def test_iris_like_split_takes_the_same_from_each_class():
    y = np.repeat([0, 1, 2], 50)
    *_, y_test = train_test_split(y, y, 0.2, seed=0, stratify=True)
    assert np.bincount(y_test).tolist() == [10, 10, 10]
    assert np.count_nonzero(np.diff(y_test)) > 5


def test_same_seed_same_split():
    X = np.arange(20)
    one = train_test_split(X, X, seed=3)
    assert all(map(np.array_equal, one, train_test_split(X, X, seed=3)))
    assert not all(map(np.array_equal, one, train_test_split(X, X, seed=4)))


def test_dtypes_are_kept_and_the_parts_are_copies():
    X = np.ones((10, 2), dtype=np.float32)
    X_train, _, y_train, _ = train_test_split(X, ["a", "b"] * 5, seed=0)
    assert X_train.dtype == np.float32
    assert y_train.dtype.kind == "U"
    X_train[:] = 0
    assert X.all()


@pytest.mark.parametrize(
    ("m", "test_size", "message"),
    [
        (1, 0.5, "at least 2 examples, not 1"),
        (5, 0.0, "a count from 1 to 4, not 0.0"),
        (5, 1.5, "a count from 1 to 4, not 1.5"),
        (5, 5, "a count from 1 to 4, not 5"),
        (5, -1, "a count from 1 to 4, not -1"),
        (5, float("nan"), "a count from 1 to 4, not nan"),
        (5, float("inf"), "a count from 1 to 4, not inf"),
    ],
)
def test_sizes_that_cannot_be(m, test_size, message):
    with pytest.raises(ValueError, match=message):
        train_test_split(np.ones((m, 2)), np.ones(m), test_size)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match=r"X \(3, 2\) and y \(4,\) differ"):
        train_test_split(np.ones((3, 2)), np.ones(4))


def test_stratified_split_leaves_every_class_an_example_to_train_on():
    with pytest.raises(ValueError, match="4 of 5 examples to test on leave none to train on"):
        train_test_split(np.arange(5), [0, 0, 1, 1, 1], 4, stratify=True)
    with pytest.raises(ValueError, match=r"one label per example, not y of shape \(4, 2\)"):
        train_test_split(np.arange(4), np.eye(4)[:, :2], stratify=True)
