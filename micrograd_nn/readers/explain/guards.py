"""Guards: ``where`` with a constant condition, which a formula doesn't show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.readers.explain.comparisons import comparisons
from micrograd_nn.readers.explain.naming import Users
from micrograd_nn.readers.labels import is_number


def guards(order: Sequence[Node], users: Users) -> dict[Node, Node]:
    """Return, for each guard, the branch that stands for it.

    A guard is a ``where`` with a constant condition that takes one branch throughout, or whose
    other branch is a number that makes no difference, because of a constant factor of 0 there.
    Losses have them for 0 · log 0. A comparison of nodes may come out otherwise on other data:
    there the branch that is left out must be a number.
    """
    found: dict[Node, Node] = {}
    for node in order:
        if node.op is None or node.op.name != "where":
            continue
        condition, yes, no = node.inputs
        if condition.requires_grad or condition.name is not None:
            continue
        chosen = np.broadcast_to(np.asarray(condition._data) != 0, np.shape(node._data))
        if chosen.all():
            kept, differs = yes, np.zeros_like(chosen)
        elif not chosen.any() or is_number(yes):
            kept, differs = no, chosen
        elif is_number(no):
            kept, differs = yes, ~chosen
        else:
            continue
        left_out = no if kept is yes else yes
        if comparisons(node) and not is_number(left_out):
            continue  # on other data it may be chosen
        same_shape = np.shape(kept._data) == np.shape(node._data)
        zero = _is_zero(node, kept, differs) or _vanishes(node, differs, users)
        if same_shape and (zero or not differs.any()):
            found[node] = kept
    return found


def _is_zero(node: Node, kept: Node, differs: np.ndarray) -> bool:
    """Tell whether both are 0 where they differ, the one for a constant factor of 0."""
    if kept.op is None or kept.op.name != "mul" or np.any(np.asarray(node._data)[differs] != 0):
        return False
    factors = [i for i in kept.inputs if not i.requires_grad]
    return any(_zero_there(factor, differs) for factor in factors)


def _zero_there(factor: Node, differs: np.ndarray) -> bool:
    return bool(np.all(np.broadcast_to(np.asarray(factor._data), differs.shape)[differs] == 0))


def _vanishes(node: Node, differs: np.ndarray, users: Users) -> bool:
    """Tell whether a value is multiplied by 0 wherever it differs, before all else."""
    while len(users.get(node, ())) == 1:
        (user,) = users[node]
        op = user.op
        assert op is not None
        if not op.elementwise or np.shape(user._data) != np.shape(node._data):
            return False
        if op.name == "mul":
            (other,) = [i for i in user.inputs if i is not node] or [node]
            return not other.requires_grad and _zero_there(other, differs)
        if op.arity != 1:
            return False
        node = user
    return False
