"""Pictures of ways down a surface, from above or in three dimensions, also step by step."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.graph.node import data_of, no_grad
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.readers.figures.descent import Surface
from micrograd_nn.readers.figures.style import (
    COLOURS,
    INK,
    MEDIUM,
    RULE,
    SMALL,
    FloatArray,
    figure_of,
    headed,
    new_axes,
    styled,
)
from micrograd_nn.readers.numbers import number

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from micrograd_nn.readers.figures.movie import Movie

Extent = tuple[tuple[float, float], tuple[float, float]]

_VIEWS = ("contour", "surface")
_RESOLUTION = {"contour": 160, "surface": 90}


def plot_descent(
    f: Surface,
    paths: Any,
    extent: Extent | None = None,
    view: str = "contour",
    ax: Axes | None = None,
) -> Axes:
    """Draw one or several ways down a surface.

    Parameters
    ----------
    f : callable
        Takes two nodes and returns one, element by element.
    paths : array (steps + 1, 2), or dict of str to such arrays
        What ``descend`` returned; a dict names several, for comparison.
    extent : ((x_low, x_high), (y_low, y_high)), optional
        What part of the surface is shown; by default that of the ways, and a margin.
    view : {"contour", "surface"}
        From above, or in three dimensions.
    ax : Axes, optional
        With ``projection="3d"`` for a surface.

    Returns
    -------
    Axes

    Examples
    --------
    >>> import micrograd_nn.functional as F
    >>> from micrograd_nn.readers import descend
    >>> def f(a, b):
    ...     return F.sin(b * F.cos(a))
    >>> ax = plot_descent(f, descend(f, (1.2, 1.0), lr=0.3))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('a', 'b')
    """
    landscape = _Landscape(f, paths, extent, view, ax)
    landscape.show(landscape.steps)
    drawn: Axes = landscape.ax
    return drawn


def animate_descent(
    f: Surface,
    paths: Any,
    extent: Extent | None = None,
    view: str = "contour",
    fps: float = 10.0,
    ax: Axes | None = None,
) -> Movie:
    """Animate one or several ways down a surface, step by step.

    Parameters
    ----------
    f, paths, extent, view, ax
        As for ``plot_descent``.
    fps : float
        Steps per second.

    Returns
    -------
    Movie
        A matplotlib animation of one frame for each step and one for the start;
        ``save("descent.gif")`` writes it.

    Examples
    --------
    >>> from micrograd_nn.readers import descend
    >>> def f(x, y):
    ...     return x**2 + 2 * y**2
    >>> animate_descent(f, descend(f, (1.0, 1.0), steps=20)).frames
    21
    """
    from micrograd_nn.readers.figures.movie import Movie

    landscape = _Landscape(f, paths, extent, view, ax)
    landscape.show(landscape.steps)  # the room that the longest caption needs
    return Movie(figure_of(landscape.ax), landscape.show, landscape.steps + 1, fps)


class _Landscape:
    """The Axes of a surface, on which ways are shown up to any step."""

    ax: Any  # of two or three dimensions

    def __init__(self, f: Surface, paths: Any, extent: Extent | None, view: str, ax: Any) -> None:
        if view not in _VIEWS:
            raise ValueError(f"view must be one of {', '.join(map(repr, _VIEWS))}, got {view!r}")
        self.f, self.deep = f, view == "surface"
        self.paths = _named_paths(paths)
        self.steps = max(map(len, self.paths.values())) - 1
        self.heights = {k: _heights(f, p[:, 0], p[:, 1]) for k, p in self.paths.items()}
        (x0, x1), (y0, y1) = extent or _extent(list(self.paths.values()))
        n = _RESOLUTION[view]
        X, Y = np.meshgrid(np.linspace(x0, x1, n), np.linspace(y0, y1, n))
        Z = _heights(f, X, Y)
        Z = np.where(np.isfinite(Z), Z, np.nan)
        if not np.isfinite(Z).any():
            raise ValueError(
                "the surface is finite nowhere in the part that is shown: give extent="
            )
        if self.deep:
            self.ax = ax if ax is not None else new_axes(projection="3d")
            self._raise_surface(X, Y, Z)
        else:
            self.ax = styled(ax)
            self._draw_map(X, Y, Z)
        self.ax.set_xlim(x0, x1)
        self.ax.set_ylim(y0, y1)
        for axis, name in zip((self.ax.xaxis, self.ax.yaxis), _names(f), strict=True):
            axis.set_label_text(name, color=INK)
        if not self.deep:
            self.ax.yaxis.label.set(rotation=0, va="center")
        self.ways = [self._way(name, k) for k, name in enumerate(self.paths, start=1)]
        if len(self.paths) > 1:
            self.ax.legend(
                handles=[line for line, _ in self.ways], loc="upper left", framealpha=0.9,
                edgecolor=RULE, fontsize=SMALL, labelcolor=INK,
            )  # fmt: skip

    def _draw_map(self, X: FloatArray, Y: FloatArray, Z: FloatArray) -> None:
        from matplotlib.ticker import MaxNLocator

        filled = self.ax.contourf(X, Y, Z, levels=28, cmap=_colours(), zorder=0)
        self.ax.contour(X, Y, Z, levels=14, colors="white", linewidths=0.6,
                        linestyles="solid", alpha=0.6, zorder=1)  # fmt: skip
        self.ax.grid(visible=False)
        bar = figure_of(self.ax).colorbar(filled, ax=self.ax, pad=0.02, fraction=0.05)
        bar.outline.set_visible(False)
        bar.locator = MaxNLocator(6)
        bar.update_ticks()
        bar.ax.tick_params(colors=INK, length=0, labelsize=SMALL)

    def _raise_surface(self, X: FloatArray, Y: FloatArray, Z: FloatArray) -> None:
        self.ax.computed_zorder = False  # the ways lie on the surface, not in it
        self.ax.plot_surface(
            X, Y, Z, cmap=_colours(), rcount=70, ccount=70, linewidth=0.15, edgecolor="#ffffff55",
            antialiased=True, alpha=0.95, zorder=1,
        )  # fmt: skip
        for axis in (self.ax.xaxis, self.ax.yaxis, self.ax.zaxis):
            axis.set_pane_color((1.0, 1.0, 1.0, 0.0))
            axis._axinfo["grid"].update(color="#e3e8ed", linewidth=0.6)
        self.ax.tick_params(colors=INK, labelsize=SMALL, pad=0)
        self.ax.tick_params(axis="z", pad=5)
        self.ax.set_zlabel("f", color=INK, fontsize=MEDIUM)
        self.ax.view_init(elev=48, azim=-60)

    def _way(self, name: str, k: int) -> tuple[Any, Any]:
        """Return the line of a way, and the mark of where it has come to."""
        colour = COLOURS[k % len(COLOURS)]
        nothing: list[list[float]] = [[]] * (3 if self.deep else 2)
        (line,) = self.ax.plot(
            *nothing, color=colour, linewidth=1.8, marker="o", markersize=3.2,
            markeredgecolor="white", markeredgewidth=0.5, label=name, zorder=4,
        )  # fmt: skip
        (mark,) = self.ax.plot(
            *nothing, color=colour, marker="o", markersize=9, markeredgecolor="white",
            markeredgewidth=1.4, linestyle="", zorder=5,
        )  # fmt: skip
        return line, mark

    def show(self, step: int) -> list[Artist]:
        """Show the ways as far as a step; return what has changed."""
        for (name, path), (line, mark) in zip(self.paths.items(), self.ways, strict=True):
            z = self.heights[name][: step + 1]
            gone = path[: step + 1]
            for artist, some in ((line, slice(None)), (mark, slice(-1, None))):
                artist.set_data(gone[some, 0], gone[some, 1])
                if self.deep:
                    artist.set_3d_properties(z[some])
        heading = headed(self.ax, f"step {step}" + self._reached(step))
        return [heading, *(artist for way in self.ways for artist in way)]

    def _reached(self, step: int) -> str:
        if len(self.paths) > 1:
            return ""
        heights = next(iter(self.heights.values()))
        return f",  f = {number(heights[min(step, len(heights) - 1)], 3)}"


def _named_paths(paths: Any) -> dict[str, FloatArray]:
    named = dict(paths) if isinstance(paths, Mapping) else {"": paths}
    found = {str(name): np.asarray(path, dtype=np.float64) for name, path in named.items()}
    for path in found.values():
        if path.ndim != 2 or path.shape[1] != 2 or not len(path):
            raise ValueError(
                f"a path is an array (steps + 1, 2), as descend gives it, got {path.shape}"
            )
    if not found:
        raise ValueError("there is no path to draw")
    return found


def _heights(f: Surface, x: FloatArray, y: FloatArray) -> FloatArray:
    """Return f of each pair of numbers."""
    with no_grad(), np.errstate(all="ignore"):
        z = f(Tensor(x, requires_grad=False), Tensor(y, requires_grad=False))
    return np.broadcast_to(np.asarray(data_of(z), dtype=np.float64), x.shape)


def _extent(paths: list[FloatArray]) -> Extent:
    points = np.concatenate([path[np.isfinite(path).all(1)] for path in paths])
    low, high = points.min(0), points.max(0)
    middle, half = (low + high) / 2, float(max(np.max(high - low) * 0.7, 0.5))
    (a, b), (c, d) = ((float(m - half), float(m + half)) for m in middle)
    return (a, b), (c, d)


def _names(f: Surface) -> tuple[str, str]:
    """Return what f calls its arguments."""
    try:
        names = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        names = []
    return (names[0], names[1]) if len(names) >= 2 else ("x", "y")


def _colours() -> Any:
    """Return the colours of heights, from a deep valley to a pale top."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(
        "valley", ["#12395c", "#2f6ea3", "#79a9cf", "#c4dbed", "#f7fafd"]
    )
