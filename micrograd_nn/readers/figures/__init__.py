"""Figures of data, networks and training, with matplotlib (``pip install micrograd-nn[plot]``).

Each takes ``ax=`` and returns the Axes that it drew on, the Figure where it may have several, or a
Movie; without ``ax`` it makes a figure of its own.
"""

from micrograd_nn.readers.figures.activations import plot_activation, plot_activations
from micrograd_nn.readers.figures.curves import plot_history
from micrograd_nn.readers.figures.descent import descend
from micrograd_nn.readers.figures.histograms import plot_gradients, plot_weights
from micrograd_nn.readers.figures.regions import (
    animate_regions,
    plot_data,
    plot_regions,
    region_points,
)
from micrograd_nn.readers.figures.surface import animate_descent, plot_descent

__all__ = [
    "plot_data",
    "plot_regions",
    "region_points",
    "animate_regions",
    "plot_history",
    "plot_activation",
    "plot_activations",
    "descend",
    "plot_descent",
    "animate_descent",
    "plot_weights",
    "plot_gradients",
]
