"""Activation functions with their derivatives, which the library computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.graph import functions
from micrograd_nn.graph.derivatives import grad
from micrograd_nn.graph.node import data_of
from micrograd_nn.readers.figures.style import (
    COLOURS,
    INK,
    RULE,
    SMALL,
    figure_of,
    headed,
    panels,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Function = Callable[[Any], Any]

#: The articles' four.
USUAL = ("sigmoid", "tanh", "relu", "leaky_relu")


def plot_activation(
    function: str | Function,
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
    if not low < high:
        raise ValueError(f"low must be below high, got {low} and {high}")
    name, called = _named(function)
    xs = np.linspace(low, high, 401)
    with np.errstate(all="ignore"):
        ys = np.asarray(data_of(called(xs)))
        slopes = np.asarray(data_of(grad(lambda x: functions.sum(called(x)))(xs)))
    ax = styled(ax)
    ax.plot(xs, ys, color=COLOURS[0], linewidth=2.2, label=f"{name}(x)", zorder=3)
    ax.plot(xs, slopes, color=COLOURS[1], linewidth=1.8, linestyle=(0, (4, 2)),
            label="derivative", zorder=3)  # fmt: skip
    ax.hlines(0, low, high, color=RULE, linewidth=1, zorder=1)
    ax.set_xlim(low, high)
    ax.set_xlabel("x")
    ax.legend(frameon=False, fontsize=SMALL, labelcolor=INK, loc="upper left")
    return ax


def plot_activations(
    names: Sequence[str | Function] = USUAL,
    low: float = -4.0,
    high: float = 4.0,
    ax: Axes | Sequence[Axes] | None = None,
) -> Figure:
    """Draw several activation functions side by side, each with its derivative.

    Parameters
    ----------
    names : sequence of str or callable
        As for ``plot_activation``.
    low, high : float
        From where to where.
    ax : sequence of Axes, optional
        One for each.

    Returns
    -------
    Figure

    Examples
    --------
    >>> len(plot_activations(["gelu", "silu", "elu"]).axes)
    3
    """
    if not names:
        raise ValueError("there are no functions to draw: give their names")
    columns = 2 if len(names) in (2, 4) else 3
    axes = panels(ax, len(names), columns, size=(3.9, 2.9))
    for each, function in zip(axes, names, strict=False):
        plot_activation(function, low, high, each)
        headed(each, _named(function)[0].replace("_", " "))
    return figure_of(axes[0])


def _named(function: str | Function) -> tuple[str, Function]:
    """Return the name of a function, and the function."""
    if not isinstance(function, str):
        name = getattr(function, "name", None) or getattr(function, "__name__", "f")
        return ("f" if name == "<lambda>" else str(name)), function
    found: Function | None = getattr(functions, function, None)
    if found is None:
        raise ValueError(f"there is no function {function!r} in micrograd_nn.functional")
    return function, found
