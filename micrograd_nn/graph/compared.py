"""Comparisons of nodes: what a program that is replayed on other data must know of them.

A Python branch on data (``if x > 0``) leaves no trace in the graph, which then holds one of its
sides only. So comparisons are counted, and each node knows how many there had been when it was
recorded. The result of comparing a tensor is an array that remembers what was compared: where it
takes part in an operation, as in ``where(x > 0, a, b)``, a program can compare anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node, Tag, data_of, switch

#: What makes one comparison of others.
_LOGIC = {
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
}  # fmt: skip


def branched() -> int:
    """Count a comparison, of which nothing is recorded so far; return its number."""
    switch.comparisons += 1
    switch.tag = Tag()
    return switch.comparisons


class Comparison(np.ndarray):
    """The result of comparing a tensor: booleans, or the numbers they became.

    Attributes
    ----------
    source : (ufunc, left[, right]) or None
        What was compared: nodes, data, or other comparisons.
    numbers : frozenset of int
        The numbers of the comparisons it is made of.
    """

    source: tuple[Any, ...] | None = None
    numbers: frozenset[int] = frozenset()
    kept_in_graph = False  # what is done with it there is recorded

    @classmethod
    def of(cls, ufunc: np.ufunc, operands: tuple[Any, ...], numbers: frozenset[int]) -> Any:
        """Return the comparison of operands, as an array."""
        result = np.asarray(ufunc(*(np.asarray(data_of(x)) for x in operands)))
        made = result.view(cls)
        made.source = (ufunc, *(x if isinstance(x, (Node, cls)) else np.array(x) for x in operands))
        made.numbers = numbers
        return made

    def kept(self, dtype: Any = bool) -> Comparison:
        """Return a copy, in a dtype, that remembers what was compared, too."""
        copied = np.array(self).astype(dtype).view(Comparison)
        copied.source, copied.numbers = self.source, self.numbers
        copied.kept_in_graph = True
        return copied

    def with_nodes(self, change: Callable[[Node], Node]) -> Comparison:
        """Return the comparison of other nodes, as a copy of a graph needs it."""
        changed = self.kept(self.dtype)
        ufunc, *operands = self.source or (None,)
        changed.source = (ufunc, *(_changed(x, change) for x in operands))
        return changed

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _restored, (np.array(self), self.source, self.numbers)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        if any(isinstance(arg, Node) for arg in args):
            return NotImplemented  # the node records it
        if method == "__call__" and ufunc in _LOGIC and not kwargs:
            numbers = [arg.numbers for arg in args if isinstance(arg, Comparison)]
            return Comparison.of(ufunc, args, frozenset().union(*numbers))
        if not all(arg.kept_in_graph for arg in args if isinstance(arg, Comparison)):
            branched()  # it is read for something else, perhaps a branch
        out = kwargs.pop("out", None)
        if out is not None:
            kwargs["out"] = tuple(map(_plain, out))
        return getattr(ufunc, method)(*map(_plain, args), **kwargs)

    def __bool__(self) -> bool:
        branched()
        return bool(np.asarray(self))

    def __repr__(self) -> str:
        return repr(np.asarray(self))


def _restored(array: Any, source: Any, numbers: frozenset[int]) -> Comparison:
    made: Comparison = array.view(Comparison)
    made.source, made.numbers, made.kept_in_graph = source, numbers, True
    return made


def _changed(x: Any, change: Callable[[Node], Node]) -> Any:
    if isinstance(x, Comparison):
        return x.with_nodes(change)
    return change(x) if isinstance(x, Node) else x


def _plain(x: Any) -> Any:
    return np.asarray(x) if isinstance(x, Comparison) else x


def compared(ufunc: np.ufunc, *operands: Any, **kwargs: Any) -> Any:
    """Return ``ufunc(*operands)`` of tensors as an array that remembers what was compared."""
    number = branched()
    if kwargs:
        return ufunc(*map(data_of, operands), **kwargs)
    return Comparison.of(ufunc, operands, frozenset([number]))
