"""Data sets of two features, and what a classifier makes of each place, also as it learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.graph.node import data_of
from micrograd_nn.readers.figures.style import (
    COLOURS,
    GRID,
    INK,
    MARKERS,
    SMALL,
    FloatArray,
    figure_of,
    headed,
    points_of,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from micrograd_nn.readers.figures.movie import Movie


def plot_data(X: Any, y: Any, ax: Axes | None = None) -> Axes:
    """Draw the points of a data set of two features, in a colour and marker for each class.

    Parameters
    ----------
    X : array (m, 2)
    y : array (m,) or (m, 1)
        The class of each point.
    ax : Axes, optional

    Examples
    --------
    >>> from micrograd_nn.data import circles
    >>> ax = plot_data(*circles(100, seed=0))
    >>> len(ax.collections)
    2
    """
    points, classes = points_of(X), np.asarray(data_of(y)).ravel()
    if len(classes) != len(points):
        raise ValueError(f"there are {len(points)} points in X and {len(classes)} classes in y")
    ax = styled(ax, (4.8, 4.4))
    for k, label in enumerate(np.unique(classes)):
        of_class = points[classes == label]
        ax.scatter(
            of_class[:, 0], of_class[:, 1], s=22, color=COLOURS[k % 8], marker=MARKERS[k % 8],
            edgecolors="white", linewidths=0.6, label=f"{label:g}", zorder=3,
        )  # fmt: skip
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("x₁")
    ax.set_ylabel("x₂", rotation=0, va="center")
    ax.legend(title="class", loc="upper right", framealpha=0.9, edgecolor=GRID, fontsize=SMALL,
              title_fontsize=SMALL)  # fmt: skip
    return ax


def plot_regions(
    predict: Callable[[FloatArray], Any],
    X: Any,
    y: Any,
    resolution: int = 200,
    ax: Axes | None = None,
) -> Axes:
    """Draw where a classifier decides for which class, the surer the darker, and the data.

    Parameters
    ----------
    predict : callable
        Takes points (m, 2); returns the probability of the second class, of shape (m,) or (m, 1),
        or the probabilities of all classes, (m, C). For two classes named −1 and 1 it may return
        a score instead, whose sign decides.
    X, y : array
        The data, as for ``plot_data``.
    resolution : int
        The number of points of the grid in each direction.
    ax : Axes, optional

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[-1.0, 0.0], [1.0, 0.5]]), np.array([0, 1])
    >>> ax = plot_regions(lambda p: 1 / (1 + np.exp(-p[:, 0])), X, y, resolution=20)
    >>> len(ax.images)
    1
    """
    regions = _Regions(X, y, resolution, ax)
    regions.show(predict(region_points(X, resolution)))
    return regions.ax


def region_points(X: Any, resolution: int = 200) -> FloatArray:
    """Return the grid of points (resolution², 2) that regions are drawn from: the data's area.

    Row by row, from the lowest x₂ upwards.

    Examples
    --------
    >>> import numpy as np
    >>> region_points(np.array([[0.0, 0.0], [1.0, 2.0]]), resolution=3).shape
    (9, 2)
    """
    xs, ys = _grid(X, resolution)
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)


def animate_regions(
    predictions: Sequence[Any],
    X: Any,
    y: Any,
    captions: Sequence[str] | None = None,
    fps: float = 10.0,
    ax: Axes | None = None,
) -> Movie:
    """Animate the regions of a classifier, as they were at several times.

    ``training.Snapshots`` takes the pictures while a network learns.

    Parameters
    ----------
    predictions : sequence
        What ``predict`` of ``plot_regions`` gave for ``region_points(X, resolution)`` at each
        time.
    X, y : array
        The data, as for ``plot_data``.
    captions : sequence of str, optional
        What stands above each frame.
    fps : float
        Frames per second.
    ax : Axes, optional

    Returns
    -------
    Movie
        A matplotlib animation; ``save("regions.gif")`` writes it.

    Raises
    ------
    ValueError
        If there are no predictions, they don't belong to a grid, or the captions are of another
        number.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[-1.0, 0.0], [1.0, 0.5]]), np.array([0, 1])
    >>> grid = region_points(X, resolution=20)
    >>> turning = [np.cos(t) * grid[:, 0] + np.sin(t) * grid[:, 1] > 0 for t in (0, 1, 2)]
    >>> animate_regions(turning, X, y).frames
    3
    """
    from micrograd_nn.readers.figures.movie import Movie

    frames = [np.asarray(data_of(p)) for p in predictions]
    if not frames:
        raise ValueError("there are no predictions to animate")
    resolution = round(len(frames[0]) ** 0.5)
    if any(len(frame) != resolution**2 for frame in frames):
        raise ValueError(
            "each of the predictions must be those of region_points(X, resolution), "
            f"resolution² rows; got {sorted({len(frame) for frame in frames})}"
        )
    if captions is not None and len(captions) != len(frames):
        raise ValueError(f"there are {len(frames)} predictions and {len(captions)} captions")
    regions = _Regions(X, y, resolution, ax)

    def show(k: int) -> list[Artist]:
        changed = regions.show(frames[k])
        return changed if captions is None else [*changed, headed(regions.ax, captions[k])]

    return Movie(figure_of(regions.ax), show, len(frames), fps)


class _Regions:
    """The Axes of a data set, on which regions are shown, and shown anew."""

    def __init__(self, X: Any, y: Any, resolution: int, ax: Axes | None) -> None:
        self.xs, self.ys = _grid(X, resolution)
        self.classes = np.unique(np.asarray(data_of(y)))
        self.ax = plot_data(X, y, ax)
        self.points, self.legend = list(self.ax.collections), self.ax.get_legend()
        extent = (self.xs[0], self.xs[-1], self.ys[0], self.ys[-1])
        self.image = self.ax.imshow(
            np.ones((resolution, resolution, 3)), origin="lower", aspect="auto", extent=extent,
            interpolation="bilinear", zorder=1,
        )  # fmt: skip
        self.borders: list[Any] = []
        self.ax.grid(visible=False)
        self.ax.set_aspect("equal", adjustable="box")
        self.ax.set_xlim(extent[0], extent[1])
        self.ax.set_ylim(extent[2], extent[3])

    def show(self, predicted: Any) -> list[Artist]:
        """Show what was predicted for the points of the grid; return it and what lies above it."""
        P = _probabilities(np.asarray(data_of(predicted)), self.classes)
        shape = (len(self.ys), len(self.xs))
        self.image.set_data(_shades(P).reshape(*shape, 3))
        for border in self.borders:
            border.remove()
        self.borders = []
        decided = P.argmax(1)
        for k in range(P.shape[1]):
            if 0 < np.count_nonzero(decided == k) < decided.size and (k or P.shape[1] > 2):
                ahead = P[:, k] - np.delete(P, k, axis=1).max(1)
                border = self.ax.contour(
                    self.xs, self.ys, ahead.reshape(shape), levels=[0.0], colors=INK,
                    linewidths=1.2, zorder=2,
                )  # fmt: skip
                self.borders.append(border)
        above = [*self.points, *self.ax.spines.values(), *([self.legend] if self.legend else [])]
        return [self.image, *self.borders, *above]


def _grid(X: Any, resolution: int) -> tuple[FloatArray, FloatArray]:
    """Return the x₁ and the x₂ of the grid over the data and a margin."""
    if resolution < 2:
        raise ValueError(f"resolution must be at least 2, got {resolution}")
    points = points_of(X)
    low, high = points.min(0), points.max(0)
    margin = 0.12 * np.maximum(high - low, 1e-9)
    low, high = low - margin, high + margin
    return np.linspace(low[0], high[0], resolution), np.linspace(low[1], high[1], resolution)


def _probabilities(out: FloatArray, classes: FloatArray) -> FloatArray:
    """Return the probability of each class, (m, C), whatever form ``predict`` gave it."""
    if out.ndim == 2 and out.shape[1] > 1:
        return out
    p = out.ravel().astype(np.float64)
    if classes.size and classes.min() < 0:
        p = 1.0 / (1.0 + np.exp(-np.clip(2.0 * p, -50, 50)))
    return np.stack([1.0 - p, p], axis=1)


def _shades(P: FloatArray) -> FloatArray:
    """Mix the colours of the classes by their probabilities, into a light background."""
    number = P.shape[1]
    colours = np.array(
        [
            [int(COLOURS[k % len(COLOURS)][i : i + 2], 16) / 255 for i in (1, 3, 5)]
            for k in range(number)
        ]
    )
    sure = np.clip((P.max(1, keepdims=True) - 1 / number) / (1 - 1 / number), 0, 1)
    winner = colours[P.argmax(1)]
    return 1 - (1 - winner) * (0.06 + 0.34 * sure)  # type: ignore[no-any-return]
