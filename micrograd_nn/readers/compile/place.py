"""Where a parameter lies in memory while a program moves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node

Array = np.ndarray[Any, Any]


@dataclass
class Place:
    """Where a parameter lies while a program moves it.

    Attributes
    ----------
    node : Node
    data : ndarray or None
        Its data, which stay in this memory; None for what can't: numbers, and half precision.
    gradient : ndarray
        Where its gradient is to be written.
    element : (ndarray, int)
        The flat array of the gradients, and where in it this one begins.
    """

    node: Node
    data: Array | None
    gradient: Array
    element: tuple[Array, int]
