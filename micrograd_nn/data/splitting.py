"""Splitting a data set into a part to learn from and a part to be tested on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from micrograd_nn.data.arrays import array_of

AnyArray = npt.NDArray[Any]
Indices = npt.NDArray[np.int64]


def train_test_split(
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    test_size: float = 0.2,
    seed: int | np.random.Generator | None = None,
    stratify: bool = False,
) -> tuple[AnyArray, AnyArray, AnyArray, AnyArray]:
    """Split the examples at random into a training set and a test set.

    Parameters
    ----------
    X : array_like, shape (m, ...)
    y : array_like, shape (m, ...)
    test_size : float or int
        The fraction of the examples to test on (below 1, rounded to the nearest count, at least one
        example on each side), or their number (an integer from 1).
    seed : int or numpy.random.Generator, optional
    stratify : bool
        Give every class the same share of both sets, as nearly as whole numbers allow, and leave
        every class at least one training example. ``y`` then holds class labels, of shape (m,).

    Returns
    -------
    X_train, X_test, y_train, y_test : ndarray
        Copies, of the dtypes of X and y.

    Raises
    ------
    ValueError
        If X and y differ in length, or a side would be empty, or a class would have no training
        example.

    Examples
    --------
    >>> X, y = np.arange(10.0).reshape(5, 2), np.array([0, 1, 0, 1, 0])
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, seed=0)
    >>> X_train.shape, X_test.shape, y_train.shape, y_test.shape
    ((3, 2), (2, 2), (3,), (2,))
    """
    X, y = array_of(X, "X"), array_of(y, "y")
    if X.ndim == 0 or y.ndim == 0 or len(X) != len(y):
        raise ValueError(f"X {X.shape} and y {y.shape} differ in their number of examples")
    m = len(X)
    test_count = _test_count(m, test_size)
    order = np.random.default_rng(seed).permutation(m)
    in_test = _stratified(y[order], test_count) if stratify else np.arange(m) < test_count
    test, train = order[in_test], order[~in_test]
    return X[train], X[test], y[train], y[test]


def _test_count(m: int, test_size: Any) -> int:
    """Count the test examples that ``test_size`` asks for, of m."""
    if m < 2:
        raise ValueError(f"a split needs at least 2 examples, not {m}")
    if 0 < test_size < 1:
        return min(max(round(float(test_size) * m), 1), m - 1)
    whole = isinstance(test_size, (int, np.integer)) and not isinstance(test_size, bool)
    if not whole or not 0 < test_size < m:
        raise ValueError(
            f"test_size is a fraction between 0 and 1 or a count from 1 to {m - 1}, not {test_size}"
        )
    return int(test_size)


def _stratified(y: AnyArray, test_count: int) -> npt.NDArray[np.bool_]:
    """Mark ``test_count`` examples of y (m,), the first ones of each class."""
    if y.ndim != 1:
        raise ValueError(f"stratify needs one label per example, not y of shape {y.shape}")
    classes, label, sizes = np.unique(y, return_inverse=True, return_counts=True)
    if test_count > len(y) - len(classes):
        raise ValueError(
            f"{test_count} of {len(y)} examples to test on leave none to train on for some of the "
            f"{len(classes)} classes: take fewer"
        )
    quotas = _largest_remainders(sizes, test_count)
    in_test = np.zeros(len(y), dtype=np.bool_)
    for position, quota in enumerate(quotas):
        in_test[np.flatnonzero(label == position)[:quota]] = True
    return in_test


def _largest_remainders(sizes: Indices, total: int) -> Indices:
    """Share ``total`` out in proportion to ``sizes``, but to none its whole size."""
    shares = sizes * total / sizes.sum()
    quotas: Indices = np.minimum(np.floor(shares).astype(np.int64), sizes - 1)
    while quotas.sum() < total:
        wanting = np.where(quotas < sizes - 1, shares - quotas, -np.inf)
        quotas[np.argmax(wanting)] += 1
    return quotas
