"""Comparisons of nodes, such as the x > 0 of ``where(x > 0, a, b)``, which are no nodes themselves.

A graph holds their result, as an array that remembers what was compared. On other data it may come
out otherwise: so an equation compares, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from micrograd_nn.graph.compared import Comparison
from micrograd_nn.graph.node import Node, data_of, switch
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.readers.explain.terms import INDICATOR, Compared, Term


def comparisons(node: Node) -> dict[int, Comparison]:
    """Return the arguments of a node that are comparisons, by their place."""
    if node.op is None or not isinstance(node, Tensor):
        return {}
    return {
        place: data
        for place, (child, data, _) in enumerate(node._saved_arguments())
        if child is None and isinstance(data, Comparison) and data.source is not None
    }


def operands(compared: Mapping[int, Comparison]) -> list[Node]:
    """Return the nodes that were compared."""
    found: list[Node] = []
    stack: list[Any] = list(compared.values())
    while stack:
        parts = (stack.pop().source or ())[1:]
        found += [x for x in parts if isinstance(x, Node)]
        stack += [x for x in parts if isinstance(x, Comparison)]
    return found


def needed(node: Node) -> list[Node]:
    """Return the nodes that a node was computed from, and those that were compared for it."""
    return [*operands(comparisons(node)), *node.inputs]


def order_of(root: Node) -> list[Node]:
    """Return all nodes that a root needs, inputs first, those too that were only compared."""
    order = toposort(root)
    if not any(map(comparisons, order)):
        return order
    order = []
    seen: set[Node] = set()
    stack: list[Node | None] = [root]
    while stack:
        node = stack.pop()
        if node is None:  # what the node below it on the stack needs is done
            order.append(stack.pop())  # type: ignore[arg-type]
        elif node not in seen:
            seen.add(node)
            stack += (node, None)
            stack += [child for child in reversed(needed(node)) if child not in seen]
    return order


def comparison_term(comparison: Comparison, read: Callable[[Any], Term]) -> Term:
    """Return a comparison as a term: the number 1 where it holds, and 0 elsewhere.

    Parameters
    ----------
    comparison : Comparison
    read : callable
        Returns an operand, a node or an array, as a term.
    """
    assert comparison.source is not None
    ufunc, *parts = comparison.source
    args = (
        without_indicator(comparison_term(x, read)) if isinstance(x, Comparison) else read(x)
        for x in parts
    )
    term = Compared(ufunc.__name__, tuple(args), comparison.shape)
    is_truth = ufunc(*(np.asarray(data_of(x)) for x in parts)).dtype == bool  # not of np.floor
    return Compared(INDICATOR, (term,), term.shape) if is_truth else term


def without_indicator(term: Term) -> Term:
    """Return a condition itself, of the number that tells whether it holds."""
    if isinstance(term, Compared) and term.name == INDICATOR:
        return term.args[0]
    return term


def branched_since(number: int, made: Iterable[Any], of: Iterable[Any]) -> bool:
    """Tell whether a computation of nodes has compared some without recording the comparison.

    Parameters
    ----------
    number : int
        How many comparisons there had been before it.
    made, of : iterable of nodes, or of what is none
        Its results, and what it was given.
    """
    if switch.comparisons == number:
        return False
    known: set[int] = set()
    seen = {x for x in of if isinstance(x, Node)}
    stack = [x for x in made if isinstance(x, Node)]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            known.update(*(comparison.numbers for comparison in comparisons(node).values()))
            stack += needed(node)
    return sum(k > number for k in known) < switch.comparisons - number
