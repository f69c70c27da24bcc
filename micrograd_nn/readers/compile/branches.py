"""Python branches on data, which a graph doesn't show and a program can't follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from micrograd_nn.graph.compared import Comparison
from micrograd_nn.graph.node import GraphError, Node


def comparisons_in(nodes: Iterable[Node]) -> Iterator[Comparison]:
    """Yield the comparisons that nodes have for arguments, and those they are made of."""
    stack: list[Any] = [
        data
        for node in nodes
        if node._op is not None
        for child, data, _ in node._saved_arguments()
        if child is None and isinstance(data, Comparison)
    ]
    while stack:
        comparison = stack.pop()
        yield comparison
        stack += [x for x in (comparison.source or ())[1:] if isinstance(x, Comparison)]


def forward_order(*roots: Node) -> list[Node]:
    """Return all nodes that the roots need, inputs first, those too that were only compared."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[Node | None] = list(reversed(roots))
    while stack:
        node = stack.pop()
        if node is None:
            order.append(stack.pop())  # type: ignore[arg-type]
        elif node not in seen:
            seen.add(node)
            stack += (node, None)
            compared = (x for c in comparisons_in([node]) for x in (c.source or ())[1:])
            needed = [*node._recorded_inputs(), *(x for x in compared if isinstance(x, Node))]
            stack += [i for i in reversed(needed) if i not in seen]
    return order


def check_branches(order: Sequence[Node], inputs: Sequence[Node]) -> None:
    """Raise a GraphError if nodes were compared while the graph was recorded.

    Comparisons that take part in the graph are known, and don't count.
    """
    steps = [_comparisons_before(node) for node in order if node._op is not None]
    if not steps:
        return
    first = min(map(_comparisons_before, inputs)) if inputs else min(steps)
    last = max(steps)
    if first >= last:
        return
    known: set[int] = set()
    for comparison in comparisons_in(order):
        if comparison.source is None:
            raise GraphError(
                "a comparison in the graph has lost what was compared, as by copying the graph: "
                "record it again, and compile that"
            )
        known |= comparison.numbers
    if last - first > sum(first < number <= last for number in known):
        raise GraphError(
            "nodes were compared while the graph was recorded, as by `if x > 0`: the program would "
            "always follow the branch that was taken then. Write the choice by maximum, clip, relu "
            "or abs, or on tensors by functional.where, which are recorded. If the graph doesn't "
            "depend on the comparison, compare the data (x.data > 0), or make the inputs after it"
        )


def _comparisons_before(node: Node) -> int:
    return 0 if node._tag is None else node._tag.comparisons
