"""Snapshots: pictures of a network's regions, taken while it learns."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.readers.figures import animate_regions, region_points
from micrograd_nn.training.callbacks import Callback
from micrograd_nn.training.prediction import predict_proba
from micrograd_nn.training.schedules import checked_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from micrograd_nn.readers.figures.movie import Movie


class Snapshots(Callback):
    """Take a snapshot of a classifier's regions before the training, and each so many epochs.

    It is for data of two features. Afterwards ``save`` writes the animation.

    Parameters
    ----------
    X : array-like, shape (m, 2)
    y : array-like, shape (m,) or (m, 1)
        The data that the animation shows.
    every : int
        The number of epochs from one snapshot to the next; the last epoch has one in any case.
    resolution : int
        The number of points of the grid in each direction.
    predict : callable, optional
        ``predict(model, points)`` gives what is drawn, as for ``plot_regions``;
        ``predict_proba`` by default.

    Attributes
    ----------
    taken : list of int
        The epoch after which each snapshot was taken, 0 for the one before the training.
    predictions : list of array
        What the network made of the grid.

    Examples
    --------
    >>> from micrograd_nn.data import circles
    >>> from micrograd_nn.nn import MLP
    >>> from micrograd_nn.training import fit
    >>> X, y = circles(50, seed=0)
    >>> snapshots = Snapshots(X, y, every=10, resolution=20)
    >>> model = MLP(2, [8, 1], seed=0)
    >>> _ = fit(model, X, y, "binary_cross_entropy_with_logits", epochs=25, callbacks=[snapshots])
    >>> snapshots.taken
    [0, 10, 20, 25]
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        every: int = 1,
        resolution: int = 100,
        predict: Callable[[Any, Any], Any] | None = None,
    ) -> None:
        self.X, self.y = X, y
        self.every = checked_count("every", every, 1)
        self.points = region_points(X, resolution)
        self.predict = predict_proba if predict is None else predict
        self.taken: list[int] = []
        self.predictions: list[np.ndarray[Any, Any]] = []

    def on_train_begin(self) -> None:
        """Start anew, unless a training is resumed."""
        if not len(self.history):
            self.taken, self.predictions = [], []
            self._take(0)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Take a snapshot, if it is time."""
        if epoch % self.every == 0:
            self._take(epoch)

    def on_train_end(self) -> None:
        """Take a snapshot of the last epoch, if there is none."""
        if not self.taken or self.taken[-1] != len(self.history):
            self._take(len(self.history))

    def _take(self, epoch: int) -> None:
        predicted = self.predict(self.model, self.points)
        self.taken.append(epoch)
        self.predictions.append(np.asarray(predicted, dtype=np.float32))

    def animate(self, fps: float = 10.0, ax: Axes | None = None) -> Movie:
        """Return the snapshots as an animation, which shows itself in a notebook.

        Raises
        ------
        ValueError
            If there are none: give the callback to ``fit`` first.
        """
        if not self.taken:
            raise ValueError("there are no snapshots: give fit(..., callbacks=[snapshots]) first")
        captions = [self._caption(epoch) for epoch in self.taken]
        return animate_regions(self.predictions, self.X, self.y, captions, fps, ax)

    def save(self, path: str | os.PathLike[str], fps: float = 10.0) -> Path:
        """Write the animation to a file that ends in ``.gif``, ``.mp4`` or ``.html``.

        Raises
        ------
        ValueError
            If the suffix is none of these, or there are no snapshots.
        ImportError
            If matplotlib, or for GIF Pillow, isn't installed.
        RuntimeError
            For MP4, if the program ffmpeg isn't installed.
        """
        return self.animate(fps).save(path)

    def _caption(self, epoch: int) -> str:
        loss = f",  loss {self.history.loss[epoch - 1]:.3f}" if epoch else ""
        return f"epoch {epoch}{loss}"

    def state_dict(self) -> dict[str, Any]:
        """Return the snapshots."""
        return {"taken": np.array(self.taken), "predictions": np.array(self.predictions)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the snapshots of a training that is resumed."""
        self.taken = [int(epoch) for epoch in state["taken"]]
        self.predictions = list(np.asarray(state["predictions"]))

    def __repr__(self) -> str:
        return f"Snapshots(every={self.every}, {len(self.taken)} taken)"
