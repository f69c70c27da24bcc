"""Mini-batches: one pass over the examples, a few at a time, in a new order each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from micrograd_nn.data.arrays import array_of

AnyArray = npt.NDArray[Any]


class Batches:
    """The mini-batches of a data set; each ``for`` loop over it is one epoch.

    The order of epoch k follows from the seed and k alone. A training that resumes at epoch k thus
    sees the very batches that an uninterrupted one would have seen; ``epoch(k)`` gives them.

    Parameters
    ----------
    X : array_like, shape (m, ...)
    y : array_like, shape (m, ...)
    batch_size : int, optional
        The number of examples in a batch; all of them if None, or if there are fewer.
    seed : int, optional
        Drawn from the operating system if None, and kept in ``seed``.
    shuffle : bool
        Draw a new order for each epoch, instead of the order given.
    drop_last : bool
        Leave out a last batch that is not full.

    Raises
    ------
    ValueError
        If X and y differ in length, or batch_size is below 1.

    Examples
    --------
    >>> X, y = np.arange(10.0).reshape(5, 2), np.arange(5)
    >>> epoch = Batches(X, y, batch_size=2, shuffle=False)
    >>> len(epoch), [batch_y.tolist() for batch_X, batch_y in epoch]
    (3, [[0, 1], [2, 3], [4]])
    """

    def __init__(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        batch_size: int | None = None,
        seed: int | None = None,
        shuffle: bool = True,
        drop_last: bool = False,
    ) -> None:
        self.X: AnyArray = array_of(X, "X")
        self.y: AnyArray = array_of(y, "y")
        if self.X.ndim == 0 or self.y.ndim == 0 or len(self.X) != len(self.y):
            raise ValueError(
                f"X {self.X.shape} and y {self.y.shape} differ in their number of examples"
            )
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size is at least 1, not {batch_size}")
        self.batch_size = max(len(self.X), 1) if batch_size is None else batch_size
        self.seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
        self.shuffle = shuffle
        self.drop_last = drop_last
        #: The epoch that the next ``for`` loop will run; set it to resume there.
        self.next_epoch = 0

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        whole, rest = divmod(len(self.X), self.batch_size)
        return whole if self.drop_last or rest == 0 else whole + 1

    def __iter__(self) -> Iterator[tuple[AnyArray, AnyArray]]:
        """Run the next epoch."""
        epoch = self.next_epoch
        self.next_epoch += 1
        return self.epoch(epoch)

    def epoch(self, k: int) -> Iterator[tuple[AnyArray, AnyArray]]:
        """Yield the batches (X, y) of epoch k, counted from 0."""
        order = self.order(k)
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            chosen = order[start : start + self.batch_size]
            yield self.X[chosen], self.y[chosen]

    def order(self, k: int) -> npt.NDArray[np.int64]:
        """Return the order of the examples in epoch k: a permutation, shape (m,), int64."""
        if not self.shuffle:
            return np.arange(len(self.X))
        return np.random.default_rng([self.seed, k]).permutation(len(self.X))


def batches(
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    batch_size: int | None = None,
    seed: int | None = None,
    shuffle: bool = True,
    drop_last: bool = False,
) -> Batches:
    """Cut the examples into mini-batches: ``for batch_X, batch_y in batches(X, y, 32): ...``.

    Parameters, errors and the object returned are those of :class:`Batches`.

    Returns
    -------
    Batches

    Examples
    --------
    >>> X, y = np.arange(10.0).reshape(5, 2), np.arange(5)
    >>> sorted(label for _, batch_y in batches(X, y, 2, seed=0) for label in batch_y.tolist())
    [0, 1, 2, 3, 4]
    """
    return Batches(X, y, batch_size, seed, shuffle, drop_last)
