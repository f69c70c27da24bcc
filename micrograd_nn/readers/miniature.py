"""Small drawings on cards: what an array holds, as a heat map of its elements or a histogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

FloatArray = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Mark:
    """One shape, in coordinates from 0 to 1 that begin at the upper left.

    Attributes
    ----------
    style : str
        Its classes in the picture's style sheet.
    shape : {"line", "cells", "dots"}
    points : tuple of tuples
        Points (x, y) of the line, NaN where it is broken; rectangles (x, y, width, height); or the
        centres of dots.
    """

    style: str
    shape: str
    points: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Miniature:
    """A small drawing: the least width and the height that it takes, and its marks.

    It ``stretches`` to the width of its card, or stands at the left.
    """

    width: float
    height: float
    marks: tuple[Mark, ...]
    stretches: bool = True


#: An array of more rows or columns is drawn as a histogram.
MOST_ROWS, MOST_COLUMNS = 16, 32
#: How many shades of each colour a heat map has.
SHADES = 4
_BINS = 24
_CELL_HEIGHT, _CELL_WIDTH, _WIDTH, _HEIGHT = 8.0, 14.0, 96.0, 40.0


def of_array(array: Any) -> Miniature | None:
    """Return a heat map of a small array, a histogram of a large one, None for constant data.

    Examples
    --------
    >>> [mark.style for mark in of_array(np.array([[1.0, -0.5], [0.0, 1.0]])).marks]
    ['cell', 'plus shade4', 'minus shade2']
    >>> [mark.style for mark in of_array(np.arange(100.0)).marks]
    ['plus shade3']
    """
    array = np.asarray(array, np.float64)
    finite = array[np.isfinite(array)]
    if array.size < 2 or (len(finite) == array.size and finite.min() == finite.max()):
        return None
    rows = array.reshape(-1, array.shape[-1])
    if len(rows) <= MOST_ROWS and rows.shape[1] <= MOST_COLUMNS:
        return heat_map(rows)
    return histogram(finite) if len(finite) else None


def heat_map(rows: FloatArray) -> Miniature:
    """Return the elements of a matrix as cells: two colours for the signs, shades for the size."""
    height, width = rows.shape
    finite = np.isfinite(rows)
    with np.errstate(all="ignore"):
        largest = np.max(np.abs(rows), initial=0.0, where=finite) or 1.0
        shade = np.ceil(np.abs(np.where(finite, rows, 0.0)) / largest * SHADES - 1e-9).astype(int)
    sign = np.where(rows < 0, "minus", "plus")
    cells: dict[str, list[tuple[float, ...]]] = {}
    for i in range(height):
        for j in range(width):
            style = f"{sign[i, j]} shade{shade[i, j]}" if finite[i, j] else "bad"
            if style[-1] != "0":
                cells.setdefault(style, []).append((j / width, i / height, 1 / width, 1 / height))
    ground = Mark("cell", "cells", ((0.0, 0.0, 1.0, 1.0),))
    return Miniature(
        min(_CELL_WIDTH * width, _WIDTH),
        min(_CELL_HEIGHT * height, _HEIGHT),
        (ground, *(Mark(style, "cells", tuple(found)) for style, found in cells.items())),
        stretches=False,
    )


def histogram(values: FloatArray) -> Miniature:
    """Return how values are distributed, as bars in the colours of their signs."""
    with np.errstate(all="ignore"):
        counts, edges = np.histogram(values / (np.max(np.abs(values)) or 1.0), _BINS)
    bars: dict[str, list[tuple[float, ...]]] = {}
    for k, count in enumerate(counts):
        if count:
            style = "minus shade3" if edges[k] + edges[k + 1] < 0 else "plus shade3"
            tall = max(count / counts.max(), 0.03)
            bars.setdefault(style, []).append(((k + 0.06) / _BINS, 1 - tall, 0.88 / _BINS, tall))
    marks = tuple(Mark(style, "cells", tuple(found)) for style, found in bars.items())
    return Miniature(_WIDTH, 26.0, marks)


def joined(arrays: Sequence[Any]) -> FloatArray:
    """Return several numbers or arrays as one array: stacked where they have one shape."""
    if len({np.shape(array) for array in arrays}) == 1:
        return np.array(arrays[0] if len(arrays) == 1 else arrays, np.float64)
    return np.concatenate([np.ravel(array) for array in arrays])
