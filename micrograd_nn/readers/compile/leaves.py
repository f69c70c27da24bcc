"""The leaves of a scalar program: their numbers, and where their gradients go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node, clock
from micrograd_nn.readers.compile.place import Place

Array = np.ndarray[Any, Any]


class Leaves:
    """Leaves in the order in which a program takes their numbers.

    Parameters
    ----------
    nodes : sequence of Value
        In that order.
    optimizer : Optimizer, optional
    places : sequence of Place
        What ``optimizer.settle()`` returned.
    """

    def __init__(
        self, nodes: Sequence[Node], optimizer: Any = None, places: Sequence[Place] = ()
    ) -> None:
        self.nodes = nodes
        self.at: Mapping[Node, int] = {node: i for i, node in enumerate(nodes)}
        self._data = np.empty(0)
        self._time = -1
        self._optimizer = optimizer
        moved = [(self.at[p.node], p.element[1]) for p in places if p.node in self.at]
        moved.sort()
        self._moved = np.array([i for i, _ in moved], np.intp)
        self._positions = np.array([position for _, position in moved], np.intp)
        self._all_move = len(moved) == len(nodes)
        if optimizer is not None:
            (self._gradient,) = optimizer.gradients()
            (self._settled,) = optimizer.settled_data()

    def data(self) -> Array:
        """Return their numbers; unless a leaf was overwritten, the array of the last call."""
        if clock.time != self._time:
            self._data = np.array([leaf._data for leaf in self.nodes], np.float64)
            self._time = clock.time
        return self._data

    def step(self, of_leaves: Array) -> None:
        """Let the optimiser move them by that gradient."""
        positions = self._positions
        if self._all_move:
            self._gradient[positions] = of_leaves
            self._optimizer.step_settled()
            self._settled.take(positions, out=self._data, mode="clip")  # the others copy first
        else:
            self._gradient[positions] = of_leaves[self._moved]
            self._optimizer.step_settled()
            self._data[self._moved] = self._settled[positions]
        self._time = clock.time
