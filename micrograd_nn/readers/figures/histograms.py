"""How the weights of each layer, and their gradients, are distributed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.readers.figures.style import COLOURS, INK, RULE, SMALL, FloatArray, headed, styled
from micrograd_nn.readers.fonts import shortened
from micrograd_nn.readers.modules import check_network, kind_of, layers_of, parameters_by_layer
from micrograd_nn.readers.numbers import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Spreads of layers that differ by more than this need an axis that is linear near 0 only.
_DECADES = 30.0


def plot_weights(model: Any, ax: Axes | None = None) -> Axes:
    """Draw how the weights of each layer are distributed, biases as ticks below.

    Each layer has a row, as high at its most frequent weights as every other. Where the layers
    differ much in size, the axis is linear near 0 and logarithmic further out.

    Parameters
    ----------
    model : Module
        Or any object with ``named_modules()`` and ``named_parameters()``.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If ``model`` isn't a network.
    ValueError
        If it has no parameters.

    Examples
    --------
    >>> from micrograd_nn import MLP
    >>> ax = plot_weights(MLP(2, [16, 16, 1], seed=0))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['layers.0', 'layers.1', 'layers.2']
    """
    check_network(model, "plot_weights")
    return _rows(model, "weights", lambda node: node._data, COLOURS[0], ax)


def plot_gradients(model: Any, ax: Axes | None = None) -> Axes:
    """Draw how the gradients of each layer's weights are distributed, after a backward pass.

    Gradients that vanish or explode from layer to layer are seen at once; see ``plot_weights``
    for the rest.

    Parameters
    ----------
    model : Module
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If all gradients are 0: no backward pass has reached the parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import MLP
    >>> model = MLP(2, [16, 1], seed=0)
    >>> model(np.ones((5, 2))).sum().backward()
    >>> plot_gradients(model).get_xlabel()
    'gradient'
    """
    check_network(model, "plot_gradients")
    if not any(np.any(np.asarray(node.grad)) for _, node in model.named_parameters()):
        raise ValueError("all gradients are 0: call backward() on a loss of the model first")
    return _rows(model, "gradient", lambda node: node.grad, COLOURS[1], ax)


def _rows(model: Any, what: str, read: Any, colour: str, ax: Axes | None) -> Axes:
    layers = layers_of(model)
    weights: dict[str, list[FloatArray]] = {}
    biases: dict[str, list[FloatArray]] = {}
    for owner, name, node in parameters_by_layer(model, layers):
        kind = biases if name.rpartition(".")[2].startswith("b") else weights
        kind.setdefault(owner, []).append(np.ravel(np.asarray(read(node), dtype=np.float64)))
    paths = [path for path in layers if path in weights or path in biases]
    if not paths:
        raise ValueError("the network has no parameters to draw")
    rows = [(_joined(weights.get(path, [])), _joined(biases.get(path, []))) for path in paths]
    ax = styled(ax, (5.6, 1.3 + 0.62 * max(len(rows), 2)))
    edges = _set_axis(ax, [np.concatenate(row) for row in rows])
    for k, (row, ticks) in enumerate(rows):
        _ridge(ax, row, ticks, len(rows) - 1 - k, edges, colour)
    names = [shortened(path or kind_of(model, 24), 24) for path in paths]
    ax.set_yticks(range(len(rows) - 1, -1, -1), names)
    ax.set_ylim(-0.32, len(rows) - 0.05)
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(what)
    headed(ax, f"{what if what == 'weights' else 'gradients'} of each layer")
    return ax


def _ridge(
    ax: Axes, row: FloatArray, ticks: FloatArray, base: int, edges: FloatArray, colour: str
) -> None:
    """Draw one layer: its histogram on a base line, its biases below, its spread on the right."""
    ax.hlines(base, edges[0], edges[-1], color=RULE, linewidth=0.8, zorder=2)
    if row.size:
        counts, _ = np.histogram(row, _coarser(edges, row.size))
        heights = 0.82 * counts / max(counts.max(), 1)
        ax.stairs(
            base + heights, _coarser(edges, row.size), baseline=base, fill=True, color=colour,
            alpha=0.32, zorder=3,
        )  # fmt: skip
        ax.stairs(
            base + heights, _coarser(edges, row.size), baseline=base, color=colour, linewidth=1.1,
            zorder=4,
        )  # fmt: skip
    if ticks.size:
        ax.vlines(ticks, base - 0.2, base - 0.06, color=COLOURS[2], linewidth=1.1, zorder=4)
    values = row if row.size else ticks
    ax.annotate(
        f"{values.size:,}\n±{number(np.sqrt(np.mean(values**2)), 2)}", (1.02, base),
        xycoords=("axes fraction", "data"), ha="left", va="bottom", fontsize=SMALL - 1, color=INK,
    )  # fmt: skip


def _set_axis(ax: Axes, rows: list[FloatArray]) -> FloatArray:
    """Set the axis that fits all rows; return edges of bins that are equally wide on it."""
    values = np.concatenate(rows)
    reach = float(np.max(np.abs(values))) or 1.0
    spreads = [float(np.sqrt(np.mean(row**2))) for row in rows if np.any(row)]
    if spreads and max(spreads) > _DECADES * min(spreads):
        near = min(spreads)
        ax.set_xscale("asinh", linear_width=near)
        _set_ticks(ax, near, reach)
        end = np.arcsinh(reach / near) * 1.05
        edges: FloatArray = near * np.sinh(np.linspace(-end, end, 121))
    else:
        low, high = float(values.min()), float(values.max())
        margin = 0.05 * (high - low) or 0.5
        edges = np.linspace(low - margin, high + margin, 121)
    ax.set_xlim(edges[0], edges[-1])
    return edges


def _set_ticks(ax: Axes, near: float, reach: float) -> None:
    """Mark 0 and few powers of ten on either side of it."""
    first, last = int(np.ceil(np.log10(near))) + 1, int(np.floor(np.log10(reach)))
    stride = max(1, -(-(last - first + 1) // 3))
    powers = list(range(last, first - 1, -stride)) or [last]
    marks = [
        (sign * 10.0**k, f"${'-' * (sign < 0)}10^{{{k}}}$") for k in powers for sign in (-1, 1)
    ]
    values, labels = zip((0.0, "0"), *marks, strict=True)
    ax.set_xticks(values, labels)
    ax.set_xticks([], minor=True)


def _coarser(edges: FloatArray, size: int) -> FloatArray:
    """Return as few of the bins as so many numbers can fill."""
    return edges[:: 2 if size > 2000 else 3 if size > 300 else 4 if size > 60 else 6]


def _joined(arrays: list[FloatArray]) -> FloatArray:
    joined: FloatArray = np.concatenate([*arrays, np.zeros(0)])
    finite: FloatArray = joined[np.isfinite(joined)]
    return finite
