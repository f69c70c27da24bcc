"""What the equations are written in: arrays, networks as dictionaries of arrays, functions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Arrays = dict[str, Array]
Function = Callable[[Array], Array]
