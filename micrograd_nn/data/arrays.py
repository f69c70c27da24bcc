"""What data are made of: arrays of which every element counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def array_of(data: npt.ArrayLike, name: str, dtype: Any = None) -> np.ndarray[Any, Any]:
    """Return data as an array.

    Raises
    ------
    TypeError
        If elements are masked: an array would hold whatever lies under the mask.

    Examples
    --------
    >>> array_of([1, 2], "X", float)
    array([1., 2.])
    """
    if np.ma.is_masked(data):
        count = int(np.ma.getmaskarray(np.ma.asarray(data)).sum())
        raise TypeError(
            f"{name}: {count} of {np.size(data)} elements are masked: leave out these examples, or "
            "fill in values, as by X.filled(0.0)"
        )
    return np.asarray(data, dtype=dtype)
