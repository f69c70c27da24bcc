"""The looks that all figures share: one palette, one kind of axes, figures that fit a page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from micrograd_nn.graph.node import data_of
from micrograd_nn.readers.palette import SERIES

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FloatArray = np.ndarray[Any, Any]

Drawn = TypeVar("Drawn")

COLOURS, MARKERS = SERIES, "osD^vP<>"
INK, RULE, GRID = "#3e4c5a", "#c3ccd5", "#e3e8ed"
SMALL, MEDIUM = 8, 9

_SIZE = (5.6, 4.2)
_SCREEN = 96  # pixels per inch in a browser


def new_figure(size: tuple[float, float] = _SIZE) -> Figure:
    """Return a figure; notebooks show it, and so does pyplot where it is in use.

    Raises
    ------
    ImportError
        If matplotlib isn't installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError('figures need matplotlib: pip install "micrograd-nn[plot]"') from None
    pyplot = sys.modules.get("matplotlib.pyplot")
    make = Figure if pyplot is None else pyplot.figure
    figure: Figure = make(figsize=size, dpi=120, layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=0.09, h_pad=0.09)
    return shown_in_notebooks(figure, figure)


def shown_in_notebooks(drawn: Drawn, figure: Figure) -> Drawn:
    """Let a notebook show the figure where its last line gives what was drawn."""
    drawn._ipython_display_ = partial(_display, figure)  # type: ignore[attr-defined]
    return drawn


def _display(figure: Figure) -> None:
    from IPython.display import Image, display

    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and getattr(figure, "number", None) in pyplot.get_fignums():
        return  # pyplot shows it: after the cell, or in a window
    file = BytesIO()
    figure.savefig(file, format="png", dpi=2 * _SCREEN, bbox_inches="tight")
    display(Image(file.getvalue(), retina=True))


def new_axes(size: tuple[float, float] = _SIZE, projection: str | None = None) -> Axes:
    """Return the Axes of a new figure; a notebook shows the figure for them."""
    figure = new_figure(size)
    return shown_in_notebooks(figure.add_subplot(projection=projection), figure)


def styled(ax: Axes | None, size: tuple[float, float] = _SIZE) -> Axes:
    """Return the Axes, or those of a new figure, in the house style."""
    if ax is None:
        ax = new_axes(size)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(RULE)
    ax.tick_params(which="both", colors=INK, length=0, labelsize=SMALL)
    ax.xaxis.label.set(color=INK, fontsize=MEDIUM)
    ax.yaxis.label.set(color=INK, fontsize=MEDIUM)
    ax.grid(visible=True, color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    return ax


def panels(
    ax: Axes | Sequence[Axes] | None, count: int, columns: int, size: tuple[float, float]
) -> list[Axes]:
    """Return Axes for ``count`` pictures: those given, or those of a new figure.

    Fewer may be given; ``size`` is that of one panel.
    """
    if ax is None:
        columns = min(columns, count)
        rows = -(-count // columns)
        figure = new_figure((size[0] * columns, size[1] * rows))
        return [styled(figure.add_subplot(rows, columns, k + 1)) for k in range(count)]
    given = list(np.ravel(np.asarray(ax, dtype=object)))
    return [styled(each) for each in given[:count]]


def headed(ax: Axes, text: str) -> Artist:
    """Write a heading above the left edge of the Axes; return it."""
    return ax.set_title(text, loc="left", color=INK, fontsize=MEDIUM + 1, fontweight="bold", pad=8)


def figure_of(ax: Axes) -> Figure:
    """Return the whole figure that the Axes stand in."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def points_of(X: Any) -> FloatArray:
    """Return examples of two features as an array (m, 2)."""
    points = np.asarray(data_of(X), dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"X must have two features, shape (m, 2), to be drawn; got {points.shape}")
    return points
