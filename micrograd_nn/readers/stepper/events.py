"""The backward pass as plain data: what the page can't work out by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.backward import checked_seed
from micrograd_nn.graph.node import Node
from micrograd_nn.readers.formulas import derivative
from micrograd_nn.readers.passes import Contribution, backward_pass
from micrograd_nn.readers.stepper.quantities import Quantity, quantity


def events(order: Sequence[Node], form: Callable[[str], int]) -> tuple[Quantity, list[list[Any]]]:
    """Return the seed, and ``[node, argument, form, local, contribution, gradient]`` per event.

    Parameters
    ----------
    order : sequence of Node
        In topological order, the root last.
    form : callable
        Gives the number of a formula.

    Returns
    -------
    seed : Quantity
        The cotangent of the root; ones, if the root is an array. None where there is no gradient.
    events : list
        What the page knows is left out at the end, or None: a contribution that is upstream times
        local, a gradient that is the sum of numbers, or the first contribution.
    """
    root = order[-1]
    if not root.requires_grad:
        return "", []
    seed = checked_seed(root, np.ones(np.shape(root._data)) if np.ndim(root._data) else 1.0)
    return quantity(seed), list(_contributions(order, seed, form))


def _contributions(
    order: Sequence[Node], seed: Any, form: Callable[[str], int]
) -> Iterator[list[Any]]:
    number = {node: n for n, node in enumerate(order)}
    summed: dict[Node, float] = {}
    for event in backward_pass(order, seed):
        if not isinstance(event, Contribution):
            continue
        template = form(derivative(event.node, event.argument))
        local = None if event.local is None else quantity(event.local, in_full=False)
        value, total = None, None
        before = summed.get(event.input)
        if np.ndim(event.value) or np.ndim(event.upstream):
            value = quantity(event.value, in_full=before is None)
            total = None if before is None else quantity(event.accumulated)
            summed[event.input] = np.nan
        else:
            if local is None or event.upstream * event.local != event.value:
                value = quantity(event.value)
            summed[event.input] = (before or 0.0) + float(event.value)
            if summed[event.input] != event.accumulated:
                total = quantity(event.accumulated)
                summed[event.input] = float(event.accumulated)
        line = [number[event.node], event.argument, template, local, value, total]
        while line[-1] is None:
            line.pop()
        yield line
