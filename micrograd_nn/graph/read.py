"""Numbers that were read from the data of a node, for a static parameter of an operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node


class ReadFrom(np.ndarray):
    """An array that remembers the leaf whose data it is, as a program that is replayed must know.

    Attributes
    ----------
    leaf : Node
    """

    leaf: Node | None = None

    @classmethod
    def of(cls, array: np.ndarray[Any, Any], leaf: Node) -> ReadFrom:
        """Return the array, with the leaf it was read from.

        Examples
        --------
        >>> from micrograd_nn import Tensor
        >>> y = Tensor([0.0, 1.0])
        >>> ReadFrom.of(y.data.astype(int), y).leaf is y
        True
        """
        read = np.asarray(array).view(cls)
        read.leaf = leaf
        return read

    def with_nodes(self, change: Callable[[Node], Node]) -> ReadFrom:
        """Return the array as read from another leaf, as a copy of a graph needs it."""
        assert self.leaf is not None
        return ReadFrom.of(np.array(self), change(self.leaf))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return ReadFrom.of, (np.array(self), self.leaf)
