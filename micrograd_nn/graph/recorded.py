"""What Value and Tensor have in common: methods that reach from a node to the rest of the graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_nn.graph import transfer
from micrograd_nn.graph.backward import backward
from micrograd_nn.graph.node import UNREACHED, Node


class Recorded(Node):
    """A node that a user holds: it can be differentiated, copied and met by NumPy's functions."""

    __slots__ = ()

    def backward(self, seed: Any = None, create_graph: bool = False) -> None:
        """Compute the gradient of this node with respect to every node below it.

        See ``micrograd_nn.graph.backward.backward`` for the parameters and errors.
        """
        backward(self, seed, create_graph=create_graph)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self._grad = UNREACHED

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        from micrograd_nn.graph.protocols import apply_ufunc

        return apply_ufunc(ufunc, method, args, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from micrograd_nn.graph.protocols import apply_function

        return apply_function(function, args, kwargs)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return transfer.reduce(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Node:
        return transfer.deepcopy(self, memo)

    def __copy__(self) -> Node:
        return transfer.copy(self)
