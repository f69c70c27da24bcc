"""What each node of a graph is called where an equation speaks of it: one label, one node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.readers.numbers import number


def labels(order: Sequence[Node]) -> dict[Node, str]:
    """Return a label for each node of a graph in topological order, the root last.

    Names stand as they are. A unit of a scalar network is an activation ``a``, and its parameters
    are ``w1``, ``w2``, ... and ``b``, with the numbers of the layer and of the unit in brackets.
    A constant is its number. What remains is ``v1``, ``v2``, ..., arrays ``V1``, ``V2``, ..., and
    the root ``L``. The second node of a name is told apart by "·2".

    Examples
    --------
    >>> from micrograd_nn import MLP
    >>> from micrograd_nn.graph.order import toposort
    >>> list(labels(toposort(MLP(1, [2, 1], seed=0)([0.5]) * 3)).values())[-6:]
    ['w1[1.0]', 'w2[1.0]', 'b[1.0]', 'a[1.0]', '3', 'L']
    """
    wanted = _places(order)
    wanted.update((node, node.name) for node in order if node.name is not None)
    root = order[-1]
    taken = set(wanted.values())
    if root not in wanted and "L" not in taken:
        wanted[root] = "L"
    found: dict[Node, str] = {}
    fresh = {prefix: _fresh(prefix, taken) for prefix in "vV"}
    uses: Counter[str] = Counter()
    for node in order:
        if node in wanted:
            name = wanted[node]
            uses[name] += 1
            while uses[name] > 1 and f"{name}·{uses[name]}" in taken:
                uses[name] += 1
            found[node] = name if uses[name] == 1 else f"{name}·{uses[name]}"
        elif is_number(node):
            found[node] = number(node._data)
        else:
            found[node] = next(fresh["V" if np.ndim(node._data) else "v"])
    return found


def is_number(node: Node) -> bool:
    """Tell whether a node is a plain number that met the graph: its label is the number."""
    plain = node.op is None and node.name is None and not node.requires_grad
    return plain and np.ndim(node._data) == 0


def _places(order: Sequence[Node]) -> dict[Node, str]:
    """Return the labels of units, and of the leaves that have a place in one."""
    found: dict[Node, str] = {}
    for node in order:
        if node.op is None or not node.op.vector:
            continue
        inputs, width = node.inputs, len(node.inputs) // 2
        where = _where(node.scope)
        found[node] = f"a{where}"
        names = [f"x{i}" for i in range(1, width + 1)]
        names += [*(f"w{i}{where}" for i in range(1, width + 1)), f"b{where}"]
        for child, name in zip(inputs, names, strict=True):
            if child.op is None and child.requires_grad:
                found.setdefault(child, name)
    return found


def _where(scope: str) -> str:
    """Return the numbers of the layer and the unit.

    Examples
    --------
    >>> _where("MLP.layers.0.neurons.2"), _where("")
    ('[0.2]', '')
    """
    digits = [word for word in scope.split(".") if word.isdigit()]
    return f"[{'.'.join(digits)}]" if digits else ""


def _fresh(prefix: str, taken: set[str]) -> Iterator[str]:
    k = 0
    while True:
        k += 1
        if f"{prefix}{k}" not in taken:
            yield f"{prefix}{k}"
