"""The forward and the backward pass of a recorded graph as equations between named values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from micrograd_nn.graph.modes import recording
from micrograd_nn.graph.node import Node
from micrograd_nn.readers.explain.backward_pass import BackwardPass
from micrograd_nn.readers.explain.equations import Derivation
from micrograd_nn.readers.explain.forward_pass import LARGE
from micrograd_nn.readers.explain.terms import symbols

#: How often the equations are derived anew, with names for what was too long.
_PASSES = 3


def derive(
    root: Node,
    wrt: Sequence[Node] | None = None,
    count: str = "m",
    names: Mapping[Node, str] | None = None,
    merge: bool = True,
    longest: int | None = None,
    examples: int = 0,
    of_sum: bool = True,
) -> Derivation:
    """Return the equations of the forward and of the backward pass.

    Parameters
    ----------
    root : Node
    wrt : sequence of Node, optional
        The leaves whose gradients are derived; all that require one by default.
    count : str
        The name of the number of examples, over which a mean is taken.
    names : mapping of Node to str, optional
        Names that go before their own; these values have an equation each.
    merge : bool
        Whether a gradient is left out where the next one is shorter: dA for dZ = A − Y.
    longest : int, optional
        Longer equations are divided.
    examples : int
        Over how many examples a sum of scalars runs, where it is known.
    of_sum : bool
        Whether, with a mean over examples, the gradients of inner values are those of the sum.
    """
    with recording():
        also: set[Node] = set()
        for _ in range(_PASSES):
            deriver = BackwardPass(root, wrt, count, names, merge, also, longest, examples, of_sum)
            forward = deriver.forward()
            backward = deriver.backward()
            if not deriver.found or len(deriver.order) > LARGE:
                break
            also |= deriver.found
    used: dict[str, int] = {}  # where each name is first used
    for equation in (*forward, *backward):
        for symbol in symbols(equation.stable):
            used.setdefault(symbol.name, len(used))
    leaves = [n for n in deriver.leaves if n not in deriver.numbers]
    leaves = [n for n in leaves if n not in deriver.related]
    leaves = [n for n in leaves if deriver.names[n] in used or n in deriver.wanted]
    leaves.sort(key=lambda n: used.get(deriver.names[n], len(used)))
    data = {deriver.names[n]: n._data for n in leaves} | deriver.given
    parameters = [deriver.names[n] for n in leaves if n.requires_grad]
    return Derivation(
        forward,
        backward,
        deriver.names[root],
        deriver.counts,
        [(name, np.shape(x)) for name, x in data.items() if name not in parameters],
        [(name, np.shape(data[name])) for name in parameters],
        data,
        deriver.scaled,
        deriver.sums_to_1,
        [deriver.names[n] for n in deriver.order if n in deriver.gathered],
    )
