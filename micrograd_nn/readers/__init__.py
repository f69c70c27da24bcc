"""Readers: each reads a graph, and none changes it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from micrograd_nn.readers.draw import draw
from micrograd_nn.readers.picture import Picture
from micrograd_nn.readers.summary import Summary, summary
from micrograd_nn.readers.trace import Trace, trace

if TYPE_CHECKING:
    from micrograd_nn.readers import figures
    from micrograd_nn.readers.figures import (
        plot_activation,
        plot_data,
        plot_history,
        plot_regions,
    )

__all__ = [
    "draw",
    "Picture",
    "summary",
    "Summary",
    "trace",
    "Trace",
    "figures",
    "plot_activation",
    "plot_data",
    "plot_history",
    "plot_regions",
]


def __getattr__(name: str) -> Any:
    # matplotlib, which figures use, is optional and slow to load.
    if name == "figures" or name.startswith("plot_"):
        figures = importlib.import_module("micrograd_nn.readers.figures")
        if name == "figures":
            return figures
        if name in __all__:
            return getattr(figures, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
