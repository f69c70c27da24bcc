"""The loss and the metrics of a training, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.readers.figures.style import (
    COLOURS,
    INK,
    SMALL,
    FloatArray,
    figure_of,
    headed,
    panels,
)
from micrograd_nn.readers.numbers import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_history(history: Any, ax: Axes | Sequence[Axes] | None = None) -> Figure:
    """Draw the loss of each epoch, and each metric beside it.

    Parameters
    ----------
    history : History
        Or any object with a list ``loss``, and perhaps ``val_loss`` and a dict ``metrics``.
        Numbers on validation data are dashed.
    ax : Axes or sequence of Axes, optional
        Where to draw the loss, then each metric; what has no Axes is left out. By default a new
        figure.

    Returns
    -------
    Figure

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> history = SimpleNamespace(loss=[0.7, 0.4, 0.2], metrics={"accuracy": [0.5, 0.8, 1.0]})
    >>> [ax.get_title(loc="left") for ax in plot_history(history).axes]
    ['loss', 'accuracy']
    """
    columns = {"loss": history.loss, "val_loss": getattr(history, "val_loss", None) or []}
    columns |= dict(getattr(history, "metrics", None) or {})
    names = list(dict.fromkeys(name.removeprefix("val_") for name in columns))
    axes = panels(ax, len(names), columns=3, size=(4.6, 3.5))
    for each, name in zip(axes, names, strict=False):
        pair = {
            label: np.asarray(columns.get(key, ()), dtype=np.float64)
            for label, key in (("training", name), ("validation", f"val_{name}"))
        }
        _curves(each, name, {label: ys for label, ys in pair.items() if ys.size})
    return figure_of(axes[0])


def _curves(ax: Axes, name: str, pair: dict[str, FloatArray]) -> None:
    headed(ax, name.replace("_", " "))
    ax.set_xlabel("epoch")
    for k, (label, ys) in enumerate(pair.items()):
        validation = label == "validation"
        ax.plot(
            np.arange(1, len(ys) + 1), ys, "--" if validation else "-",
            color=COLOURS[validation], linewidth=1.8, marker="o" if len(ys) == 1 else None,
            label=f"{label}  {number(ys[-1], 4)}", zorder=3 - k, solid_capstyle="round",
        )  # fmt: skip
    values = np.concatenate([*pair.values(), np.zeros(0)])
    values = values[np.isfinite(values)]
    _scale(ax, values, name)
    longest = max(map(len, pair.values()), default=0)
    if longest > 1:
        ax.set_xlim(1 - 0.02 * longest, longest * 1.02)
    ax.locator_params("x", integer=True)
    if pair:
        ax.legend(frameon=False, fontsize=SMALL, labelcolor=INK, loc="best")


def _scale(ax: Axes, values: FloatArray, name: str) -> None:
    """Let falling losses over decades be seen, and shares stand between 0 and 1."""
    if not values.size:
        return
    low, high = float(values.min()), float(values.max())
    if name.endswith("accuracy") and low >= 0 and high <= 1:
        ax.set_ylim(min(0.5, low) - 0.02, 1.02)
    elif low > 0 and high > 50 * low:
        ax.set_yscale("log")
    elif low >= 0 and ax.get_yscale() == "linear":
        ax.set_ylim(0, 1.05 * high or 1.0)
