"""What the values of a graph are called in its equations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import count

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.readers.labels import labels

Users = Mapping[Node, Sequence[Node]]
#: Operations that arrange numbers and compute none.
ARRANGING = {"transpose", "reshape", "broadcast_to"}
#: Operations whose results have an equation each: a whole formula, which their derivative needs.
OF_THEIR_OWN = {"standardize"}


def users_of(order: Sequence[Node]) -> dict[Node, list[Node]]:
    """Return, for each node, those that have it as an input."""
    users: dict[Node, list[Node]] = {}
    for node in order:
        for child in node.inputs:
            users.setdefault(child, []).append(node)
    return users


def is_gathering(node: Node) -> bool:
    """Tell whether a node is the weights of neurons, single Values without names, as one array."""
    op = node.op
    if op is not None and op.name == "reshape":
        (node,) = node.inputs
        op = node.op
    if op is None or op.name != "stack":
        return False
    return all(i.op is None and i.requires_grad and i.name is None for i in node.inputs)


def names_of(
    order: Sequence[Node], users: Users, given: Mapping[Node, str], unnamed: Collection[Node] = ()
) -> tuple[dict[Node, str], set[Node]]:
    """Return the name of each node, and the results of layers among them.

    Parameters
    ----------
    order : sequence of Node
        Inputs first.
    users : mapping of Node to sequence of Node
    given : mapping of Node to str
        Names that go before all others.
    unnamed : collection of Node
        Arrays that need no name of their own.
    """
    names = labels(order)
    for node in order:
        names[node] = re.sub(r"\s", " ", names[node])
        if names[node].startswith("1/"):  # which is how the share of an example is written
            names[node] = f"({names[node]})"
    taken = {*names.values(), *given.values()}
    for node in [n for n in order if n not in given and names[n] in set(given.values())]:
        numbered = (f"{names[node]}·{k}" for k in count(2))
        names[node] = next(name for name in numbered if name not in taken)
        taken.add(names[node])
    names.update(given)
    nameless = [n for n in order if n not in unnamed and n not in given]
    _name_constants(nameless, users, names)
    return names, _name_layers(order, users, names)


def _name_constants(order: Sequence[Node], users: Users, names: dict[Node, str]) -> None:
    """Give arrays that met the graph without a name the letters X and Y, where they are free.

    X is one that enters a layer, Y one that stands beside the result of the network, in the loss;
    all others are C, C2, ...
    """
    taken = set(names.values())
    spare = iter(f"C{k}" for k in range(2, len(order) + 10_000))
    for node in order:
        plain = node.op is None and node.name is None and not node.requires_grad
        if not plain or not np.ndim(node._data):
            continue
        used_by = users.get(node, ())
        letter = "C"
        if any(user.op is not None and user.op.multilinear for user in used_by):
            letter = "X"
        elif not any(user.scope or chooses(node, user) for user in used_by):
            letter = "Y"
        first = next((x for x in (letter, "C") if x not in taken), None)
        names[node] = first or next(name for name in spare if name not in taken)
        taken.add(names[node])


def chooses(node: Node, user: Node) -> bool:
    """Tell whether a node is the condition of a ``where``."""
    return user.op is not None and user.op.name == "where" and user.inputs[0] is node


def _name_layers(order: Sequence[Node], users: Users, names: dict[Node, str]) -> set[Node]:
    """Call the results of layers Z1, A1, Z2, ... as far as they have no names.

    Parameters of one name, such as the W of several layers, get the layer's number.
    """
    taken = set(names.values())
    shared = Counter(node.name for node in order if node.name is not None)
    found: set[Node] = set()
    numbered: set[Node] = set()
    k = 0
    for node in order:
        scope = node.scope
        if node.op is None or not scope or node.op.vector or node.op.name in ARRANGING:
            continue
        inside = [user for user in users.get(node, ()) if user.scope == scope]
        affine = _weighs(node) and not any(
            user.op is not None and user.op.name == "add" for user in inside
        )
        own = affine or node.op.name in OF_THEIR_OWN
        if is_gathering(node) or (inside and not own):
            continue
        if affine or (node.op.name == "add" and _adds_bias(node)):
            affine = True
            k += 1
            for weight in _parameters(node):
                name = f"{weight.name}{k}"
                assert weight.name is not None
                if shared[weight.name] > 1 and weight not in numbered and name not in taken:
                    names[weight] = name
                    taken.add(name)
                numbered.add(weight)
        letters = "Z" if affine else "N" if node.op.name in OF_THEIR_OWN else "AHBCD"
        number = max(k, 1)  # A0 would be the input
        name = next((f"{x}{number}" for x in letters if f"{x}{number}" not in taken), "")
        if node.name is None and name:
            names[node] = name
            taken.add(name)
            found.add(node)
    return found


def _weighs(node: Node) -> bool:
    """Tell whether a node is a product with weights, and not one of two computed values."""
    if node.op is None or node.op.name not in ("linear", "matmul"):
        return False
    factors = (f.inputs[0] if f.op and f.op.name in ARRANGING else f for f in node.inputs)
    return any(f.requires_grad and (f.op is None or is_gathering(f)) for f in factors)


def _adds_bias(node: Node) -> bool:
    return any(
        child.op is not None and child.op.name == "matmul" and child.scope == node.scope
        for child in node.inputs
    )


def _parameters(node: Node) -> list[Node]:
    """Return the weights and the bias of a layer's result."""
    below = [*node.inputs, *(i for child in node.inputs for i in child.inputs)]
    return [
        n
        for n in below
        if n.name is not None and n.requires_grad and (n.op is None or is_gathering(n))
    ]
