"""Readers: each reads a graph, and none changes it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from micrograd_nn.readers.compile import Program, compile
from micrograd_nn.readers.draw import draw
from micrograd_nn.readers.explain import Explanation, explain
from micrograd_nn.readers.network import NetworkPicture
from micrograd_nn.readers.picture import Picture
from micrograd_nn.readers.summary import Summary, summary
from micrograd_nn.readers.trace import Trace, trace

if TYPE_CHECKING:
    from micrograd_nn.readers import figures
    from micrograd_nn.readers.figures import (
        animate_descent,
        animate_regions,
        descend,
        plot_activation,
        plot_activations,
        plot_data,
        plot_descent,
        plot_gradients,
        plot_history,
        plot_regions,
        plot_weights,
        region_points,
    )

__all__ = [
    "draw",
    "explain",
    "Explanation",
    "compile",
    "Program",
    "Picture",
    "NetworkPicture",
    "summary",
    "Summary",
    "trace",
    "Trace",
    "figures",
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


def __getattr__(name: str) -> Any:
    # Figures are loaded when they are asked for: most programs draw none.
    if name in __all__:
        figures = importlib.import_module("micrograd_nn.readers.figures")
        return figures if name == "figures" else getattr(figures, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
