"""Numbers and arrays as plain data that a page can show."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

from micrograd_nn.readers.numbers import numbers

#: A number; "NaN", "Infinity" or "-Infinity", which JSON can't hold; or of an array its shape, its
#: range and, if it is small, its rows.
Quantity: TypeAlias = float | str | list[Any]

#: Arrays of at most this many elements, rows and columns are shown in full.
_ELEMENTS, _ROWS, _COLUMNS = 16, 6, 5


def quantity(data: Any, in_full: bool = True) -> Quantity:
    """Return a number or array as plain data, which later changes of the array don't reach.

    A small array has its rows with it, if ``in_full``, in a few digits.

    Examples
    --------
    >>> import numpy as np
    >>> quantity(2.0), quantity(float("inf"))
    (2.0, 'Infinity')
    >>> quantity(np.arange(3.0))
    ['(3,)', '0, 1, 2', [[0.0, 1.0, 2.0]]]
    >>> quantity(np.ones((10, 10)))
    ['10×10', 'all 1']
    """
    if np.ndim(data) == 0:
        return _number(float(data))
    array = np.asarray(data)
    shape = "×".join(map(str, array.shape)) if array.ndim > 1 else f"({len(array)},)"
    shown: list[Any] = [shape, numbers([array])]
    if in_full and 1 < array.size <= _ELEMENTS and array.ndim <= 2:
        rows = array.astype(np.float64).reshape(-1, array.shape[-1])
        if len(rows) <= _ROWS and rows.shape[1] <= _COLUMNS:
            shown.append([[_number(float(f"{x:.3g}")) for x in row] for row in rows.tolist()])
    return shown


def _number(x: float) -> float | str:
    if math.isfinite(x):
        return x
    return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"
