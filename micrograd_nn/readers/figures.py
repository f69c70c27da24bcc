"""Figures of data and training, with matplotlib (``pip install micrograd-nn[plot]``).

Each takes ``ax=None`` and returns the Axes that it drew on; ``ax.figure.savefig("name.png")``
writes it. Without ``ax`` it makes a figure of its own, which no other code sees or keeps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.graph import functions
from micrograd_nn.graph.derivatives import grad

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FloatArray = np.ndarray[Any, Any]

#: Colours that the colour-blind tell apart, after Okabe and Ito, and a marker for each.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#4D4D4D"]
MARKERS = "osD^vP<>"
INK, GRID = "#3e4c5a", "#e3e8ed"


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
    points, classes = _points(X), np.asarray(_data(y)).ravel()
    if len(classes) != len(points):
        raise ValueError(f"there are {len(points)} points in X and {len(classes)} classes in y")
    ax = _axes(ax)
    for k, label in enumerate(np.unique(classes)):
        of_class = points[classes == label]
        ax.scatter(
            of_class[:, 0], of_class[:, 1], s=22, color=COLOURS[k % 8], marker=MARKERS[k % 8],
            edgecolors="white", linewidths=0.6, label=f"{label:g}", zorder=3,
        )  # fmt: skip
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("x₁")
    ax.set_ylabel("x₂", rotation=0, va="center")
    ax.legend(title="class", loc="upper right", framealpha=0.9, edgecolor=GRID, fontsize=8,
              title_fontsize=8)  # fmt: skip
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
    if resolution < 2:
        raise ValueError(f"resolution must be at least 2, got {resolution}")
    points = _points(X)
    low, high = points.min(0), points.max(0)
    margin = 0.12 * np.maximum(high - low, 1e-9)
    low, high = low - margin, high + margin
    xs, ys = (np.linspace(a, b, resolution) for a, b in zip(low, high, strict=True))
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    P = _probabilities(np.asarray(_data(predict(grid))), np.unique(np.asarray(_data(y))))
    ax = _axes(ax)
    ax.imshow(
        _shades(P).reshape(resolution, resolution, 3), origin="lower", aspect="auto",
        extent=(low[0], high[0], low[1], high[1]), interpolation="bilinear", zorder=1,
    )  # fmt: skip
    decided = P.argmax(1).reshape(resolution, resolution)
    for k in range(P.shape[1]):
        mine = P[:, k]
        others = np.delete(P, k, axis=1).max(1)
        if 0 < np.count_nonzero(decided == k) < decided.size and (k or P.shape[1] > 2):
            ax.contour(
                xs, ys, (mine - others).reshape(resolution, resolution), levels=[0.0],
                colors=INK, linewidths=1.2, zorder=2,
            )  # fmt: skip
    plot_data(X, y, ax)
    ax.grid(visible=False)
    ax.set_aspect("equal", adjustable="box")
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    return ax


def plot_history(history: Any, ax: Axes | None = None) -> Axes:
    """Draw the loss of each epoch, and the metrics on an axis of their own on the right.

    Parameters
    ----------
    history : History
        Or any object with a list ``loss``, and perhaps ``val_loss`` and a dict ``metrics``.
        Numbers on validation data are dashed.
    ax : Axes, optional
        The Axes of the loss, which is returned.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> history = SimpleNamespace(loss=[0.7, 0.4, 0.2], metrics={"accuracy": [0.5, 0.8, 1.0]})
    >>> ax = plot_history(history)
    >>> [line.get_label() for line in ax.lines]
    ['loss']
    """
    ax = _axes(ax)
    losses = {"loss": history.loss, "val_loss": getattr(history, "val_loss", None) or []}
    metrics = dict(getattr(history, "metrics", None) or {})
    lines = _curves(ax, losses, COLOURS[0:1])
    ax.set_xlabel("epoch")
    ax.set_ylabel("loss")
    positive = [x for column in losses.values() for x in column if x > 0 and np.isfinite(x)]
    if positive and max(positive) > 50 * min(positive) and min(losses["loss"]) > 0:
        ax.set_yscale("log")
    if metrics:
        right = ax.twinx()
        right.spines[["top", "left", "bottom"]].set_visible(False)
        right.spines["right"].set_color("#c3ccd5")
        right.tick_params(colors=INK, length=0, labelsize=8)
        lines += _curves(right, metrics, COLOURS[1:])
        shown = ", ".join(n for n in metrics if not n.startswith("val_"))
        right.set_ylabel(shown, color=INK)
        values = [x for column in metrics.values() for x in column if np.isfinite(x)]
        if values and min(values) >= 0 and max(values) <= 1:
            right.set_ylim(min(0.5, *values) - 0.02, 1.02)
    if len(lines) > 1:
        ax.legend(
            handles=lines, loc="upper center", bbox_to_anchor=(0.5, 1.1), ncols=len(lines),
            frameon=False, fontsize=8,
        )  # fmt: skip
    return ax


def plot_activation(
    function: str | Callable[[Any], Any],
    low: float = -4.0,
    high: float = 4.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw an activation function, and its derivative as the library computes it.

    Parameters
    ----------
    function : str or callable
        A name, such as ``"tanh"``, or a function of one node.
    low, high : float
        From where to where.
    ax : Axes, optional

    Examples
    --------
    >>> ax = plot_activation("relu")
    >>> [line.get_label() for line in ax.lines]
    ['relu(x)', 'derivative']
    """
    name = function if isinstance(function, str) else getattr(function, "name", None)
    name = name or getattr(function, "__name__", "f")
    called = _named(function) if isinstance(function, str) else function
    xs = np.linspace(low, high, 401)
    ys = np.asarray(_data(called(xs)))
    slopes = np.asarray(_data(grad(lambda x: functions.sum(called(x)))(xs)))
    ax = _axes(ax)
    ax.plot(xs, ys, color=COLOURS[0], linewidth=2, label=f"{name}(x)")
    ax.plot(xs, slopes, color=COLOURS[1], linewidth=1.6, linestyle="--", label="derivative")
    ax.set_xlabel("x")
    ax.legend(frameon=False, fontsize=9)
    return ax


def _named(name: str) -> Callable[[Any], Any]:
    function: Callable[[Any], Any] | None = getattr(functions, name, None)
    if function is None:
        raise ValueError(f"there is no function {name!r} in micrograd_nn.functional")
    return function


def _axes(ax: Axes | None) -> Axes:
    """Return the Axes, or those of a new figure, in the house style."""
    if ax is None:
        ax = _figure().add_subplot()
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color("#c3ccd5")
    ax.tick_params(colors=INK, length=0, labelsize=8)
    ax.xaxis.label.set_color(INK)
    ax.yaxis.label.set_color(INK)
    ax.grid(visible=True, color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    return ax


def _figure() -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("figures need matplotlib: pip install micrograd-nn[plot]") from None
    return Figure(figsize=(5.6, 4.2), dpi=120, layout="constrained")


def _data(x: Any) -> Any:
    return getattr(x, "_data", x)


def _points(X: Any) -> FloatArray:
    points = np.asarray(_data(X), dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"X must have two features, shape (m, 2), to be drawn; got {points.shape}")
    return points


def _curves(ax: Axes, columns: dict[str, Any], colours: list[str]) -> list[Any]:
    lines: list[Any] = []
    colour_of: dict[str, str] = {}
    for name, column in columns.items():
        if len(column):
            base = name.removeprefix("val_")
            colour = colour_of.setdefault(base, colours[len(colour_of) % len(colours)])
            style = "--" if name.startswith("val_") else "-"
            epochs = np.arange(1, len(column) + 1)
            marker = "o" if len(column) == 1 else None
            lines += ax.plot(epochs, column, style, color=colour, linewidth=1.8, marker=marker,
                             label=name.replace("val_", "validation "))  # fmt: skip
    return lines


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
        [[int(COLOURS[k % 8][i : i + 2], 16) / 255 for i in (1, 3, 5)] for k in range(number)]
    )
    sure = np.clip((P.max(1, keepdims=True) - 1 / number) / (1 - 1 / number), 0, 1)
    winner = colours[P.argmax(1)]
    return 1 - (1 - winner) * (0.06 + 0.34 * sure)  # type: ignore[no-any-return]
