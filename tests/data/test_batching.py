"""Mini-batches: every example once an epoch, and each epoch can be had again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_nn.data import Batches, batches


def labels(epoch):
    return [batch_y.tolist() for _, batch_y in epoch]


@given(
    m=st.integers(0, 40),
    batch_size=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
)
def test_an_epoch_shows_every_example_once(m, batch_size, seed, shuffle, drop_last):
    X, y = np.arange(2.0 * m).reshape(m, 2), np.arange(m)
    loader = batches(X, y, batch_size, seed, shuffle, drop_last)
    epoch = list(loader)
    seen = [int(label) for _, batch_y in epoch for label in batch_y]
    assert len(epoch) == len(loader)
    assert len(set(seen)) == len(seen) == (m - m % batch_size if drop_last else m)
    for batch_X, batch_y in epoch:
        assert np.array_equal(batch_X, X[batch_y])
        assert len(batch_y) == batch_size or (not drop_last and batch_X is epoch[-1][0])
    if not shuffle:
        assert seen == sorted(seen)


def test_each_epoch_has_its_own_order():
    loader = Batches(np.arange(50), np.arange(50), 10, seed=0)
    assert labels(loader) != labels(loader)


def test_an_epoch_can_be_had_again():
    loader = Batches(np.arange(50), np.arange(50), 10, seed=0)
    epochs = [labels(loader) for _ in range(3)]
    resumed = Batches(np.arange(50), np.arange(50), 10, seed=0)
    resumed.next_epoch = 1
    assert [labels(resumed), labels(resumed)] == epochs[1:]
    assert labels(loader.epoch(2)) == epochs[2]


def test_without_a_seed_one_is_drawn_and_kept():
    loader = Batches(np.arange(50), np.arange(50), 10)
    other = Batches(np.arange(50), np.arange(50), 10)
    assert loader.seed != other.seed
    assert labels(loader.epoch(0)) == labels(loader.epoch(0))


def test_without_a_size_there_is_one_batch():
    assert labels(batches([[1.0], [2.0]], [0, 1], shuffle=False)) == [[0, 1]]
    assert labels(batches([[1.0], [2.0]], [0, 1], batch_size=9, shuffle=False)) == [[0, 1]]


def test_what_cannot_be():
    with pytest.raises(ValueError, match="batch_size is at least 1, not 0"):
        batches([1.0], [1], 0)
    with pytest.raises(ValueError, match=r"X \(1,\) and y \(2,\) differ"):
        batches([1.0], [1, 2], 1)
