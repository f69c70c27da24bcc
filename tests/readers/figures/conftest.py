"""Figures as the pixels that they make."""

import sys

import numpy as np
import pytest


@pytest.fixture
def rendered():
    """A function from Axes or a Figure to its pixels."""

    def pixels(drawn):
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        canvas = FigureCanvasAgg(getattr(drawn, "figure", drawn))
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())

    return pixels


@pytest.fixture(autouse=True)
def _closed():
    """Close what pyplot keeps, where another test has loaded it."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
