"""Preparing numbers for a network: features of mean 0 and deviation 1, labels as one-hot rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from micrograd_nn.data.arrays import array_of

Array = npt.NDArray[np.float64]


class Standardizer:
    """Shift and scale each column to mean 0 and standard deviation 1: (x − mean) / scale.

    The mean and the deviation are learnt from the training set by :meth:`fit`, and then applied to
    any other. A constant column is only shifted: it becomes exactly 0.

    Attributes
    ----------
    mean, scale : ndarray, shape (n,)
        float64; there after :meth:`fit`. ``scale`` is the standard deviation (with 1/m), or 1 for a
        constant column.

    Examples
    --------
    >>> standardizer = Standardizer().fit([[1.0, 5.0], [3.0, 5.0]])
    >>> standardizer.transform([[1.0, 5.0], [5.0, 6.0]]).tolist()
    [[-1.0, 0.0], [3.0, 1.0]]
    """

    mean: Array
    scale: Array

    def fit(self, X: npt.ArrayLike) -> Standardizer:
        """Learn the mean and the scale of each column.

        Parameters
        ----------
        X : array_like, shape (m, n) or (m,)

        Returns
        -------
        Standardizer
            This one.

        Raises
        ------
        ValueError
            If X holds no example, or a NaN, an infinity or numbers too large to be averaged.
        """
        X = array_of(X, "X", np.float64)
        if X.ndim == 0 or len(X) == 0:
            raise ValueError(f"a Standardizer is fitted on at least one example, not {X.shape}")
        # The rounded mean of equal numbers can differ from them, and their deviation from 0.
        lowest, highest = np.min(X, axis=0), np.max(X, axis=0)
        constant = (lowest == highest) & np.isfinite(lowest)
        varying = np.where(constant, 0.0, X)
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = np.mean(varying, axis=0), np.std(varying, axis=0)
        if not np.all(np.isfinite(mean) & np.isfinite(scale)):
            column = int(np.flatnonzero(~np.isfinite(np.atleast_1d(mean + scale)))[0])
            raise ValueError(f"column {column} holds a NaN, an infinity or numbers too large")
        self.mean = np.where(constant, lowest, mean)
        self.scale = np.where(scale > 0, scale, 1.0)
        return self

    def transform(self, X: npt.ArrayLike) -> Array:
        """Standardise X, of shape (k, n): (X − mean) / scale. Returns a new float64 array.

        Raises
        ------
        ValueError
            If nothing was fitted, or X has another number of columns.
        """
        return (self._checked(X) - self.mean) / self.scale

    def fit_transform(self, X: npt.ArrayLike) -> Array:
        """Fit on X and standardise it."""
        return self.fit(X).transform(X)

    def inverse_transform(self, X: npt.ArrayLike) -> Array:
        """Undo :meth:`transform`: X · scale + mean. Returns a new float64 array.

        Raises
        ------
        ValueError
            If nothing was fitted, or X has another number of columns.
        """
        return self._checked(X) * self.scale + self.mean

    def to_arrays(self) -> dict[str, Array]:
        """Return what was learnt as ``{"mean": ..., "scale": ...}``, for ``np.savez``.

        Raises
        ------
        ValueError
            If nothing was fitted.
        """
        self._check_fitted()
        return {"mean": self.mean, "scale": self.scale}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.ArrayLike]) -> Standardizer:
        """Make a fitted standardizer from what :meth:`to_arrays` returned.

        >>> learnt = Standardizer().fit([[1.0], [3.0]]).to_arrays()
        >>> Standardizer.from_arrays(learnt).inverse_transform([[0.0]]).tolist()
        [[2.0]]
        """
        standardizer = cls()
        standardizer.mean = np.array(arrays["mean"], dtype=np.float64)
        standardizer.scale = np.array(arrays["scale"], dtype=np.float64)
        return standardizer

    def __repr__(self) -> str:
        """Show what was learnt."""
        if not hasattr(self, "mean"):
            return "Standardizer()"
        return f"Standardizer(mean={self.mean.tolist()}, scale={self.scale.tolist()})"

    def _check_fitted(self) -> None:
        if not hasattr(self, "mean"):
            raise ValueError("this Standardizer has learnt nothing yet; call fit(X) first")

    def _checked(self, X: npt.ArrayLike) -> Array:
        self._check_fitted()
        X = array_of(X, "X", np.float64)
        if X.shape[1:] != self.mean.shape:
            raise ValueError(
                f"fitted on examples of shape {self.mean.shape}, given X of shape {X.shape}"
            )
        return X


def one_hot(labels: npt.ArrayLike, classes: int | Sequence[Any] | None = None) -> Array:
    """Turn class labels into rows with a single 1.

    Parameters
    ----------
    labels : array_like, shape (m,)
        Integers from 0, or any labels such as strings.
    classes : int or sequence, optional
        The number of classes, labelled 0, 1, ...; or the labels in the order of the columns.
        Without it, integers have max + 1 classes, and other labels are sorted.

    Returns
    -------
    ndarray, shape (m, C), float64

    Raises
    ------
    ValueError
        If labels is not one-dimensional, or a label is not among the classes.

    Examples
    --------
    >>> one_hot([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    >>> one_hot(["no", "yes"], classes=["yes", "no"]).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    labels = array_of(labels, "labels")
    if labels.ndim != 1:
        raise ValueError(f"labels have the shape (m,), not {labels.shape}")
    if classes is None:
        classes = _classes_of(labels)
    columns = list(range(classes)) if isinstance(classes, int) else list(classes)
    position = {label: column for column, label in enumerate(columns)}
    rows = np.zeros((len(labels), len(columns)))
    for row, label in enumerate(labels.tolist()):
        if label not in position:
            raise ValueError(f"label {label!r} is not one of the classes {columns}")
        rows[row, position[label]] = 1.0
    return rows


def _classes_of(labels: npt.NDArray[Any]) -> int | list[Any]:
    if np.issubdtype(labels.dtype, np.integer) and (labels.size == 0 or labels.min() >= 0):
        return int(labels.max(initial=-1)) + 1
    return sorted(set(labels.tolist()))
