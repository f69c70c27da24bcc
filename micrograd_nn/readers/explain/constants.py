"""Arrays that met the graph as they are, such as 1 − Y beside Y: told apart by their numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.readers.explain.naming import chooses


@dataclass(frozen=True)
class Related:
    """An array that is ``sign · of + offset`` of another one; of itself, if it is all negative."""

    of: Node
    sign: float
    offset: float


def related(
    order: Sequence[Node], users: Mapping[Node, Sequence[Node]], given: Collection[Node] = ()
) -> dict[Node, Related]:
    """Return the arrays without a name that are equal to another, its negative, or 1 minus it.

    NumPy computes ``1 - Y`` and ``-Y`` of an array before the graph sees them. Those in ``given``
    have been given a name.
    """
    found: dict[Node, Related] = {}
    known: dict[Any, Related] = {}
    for node in order:
        if node.op is not None or node.requires_grad or not np.ndim(node._data):
            continue
        data = np.asarray(node._data)
        if any(chooses(node, user) for user in users.get(node, ())):
            continue
        if not data.size or np.all(data == data.flat[0]):
            continue
        same = known.get(_key(data))
        nameless = node.name is None and node not in given
        if same is not None and nameless:
            found[node] = same
            continue
        sign = 1.0
        if nameless and np.all(data <= 0) and _weighs(node, users.get(node, ())):
            sign, data = -1.0, -data
            found[node] = Related(node, sign, 0.0)
        known.setdefault(_key(data), Related(node, 1.0, 0.0))
        known.setdefault(_key(-data), Related(node, -1.0, 0.0))
        known.setdefault(_key(1.0 - data), Related(node, -1.0, 1.0))
    return found


def _weighs(node: Node, users: Sequence[Node]) -> bool:
    return bool(users) and all(user.op is not None and user.op.name == "mul" for user in users)


def _key(data: Any) -> Any:
    return data.shape, data.dtype.char, np.ascontiguousarray(data + 0.0).tobytes()  # −0 is 0
