"""Data with masked elements are refused: what lies under a mask is no data."""

import numpy as np
import pytest

from micrograd_nn.data import Batches, Standardizer, one_hot, train_test_split

X = np.ma.array([[1.0, 2.0], [3.0, 4.0]], mask=[[0, 1], [0, 0]])
Y = np.ma.array([0, 1], mask=[0, 1])
PLAIN = np.ma.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: Standardizer().fit(X), "X: 1 of 4 elements are masked"),
        (lambda: Standardizer().fit(PLAIN).transform(X), "X: 1 of 4"),
        (lambda: train_test_split(X, [0, 1], test_size=0.5), "X: 1 of 4"),
        (lambda: train_test_split(PLAIN, Y, test_size=0.5), "y: 1 of 2"),
        (lambda: Batches(X, [0, 1]), "X: 1 of 4"),
        (lambda: one_hot(Y), "labels: 1 of 2"),
    ],
)
def test_masked_elements_are_refused(use, message):
    with pytest.raises(TypeError, match=message):
        use()


def test_a_mask_that_hides_nothing_is_none():
    assert Standardizer().fit(PLAIN).mean.tolist() == [2.0, 3.0]
