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
        What the page computes itself is left out at the end, or None: a contribution that is
        upstream times local, a gradient that is the sum of contributions, in float64.
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
        local = None if event.local is None else quantity(event.local)
        line = [number[event.node], event.argument, template, local, None, None]
        scalars = not (np.ndim(event.value) or np.ndim(event.upstream))
        if not (scalars and local is not None and event.upstream * event.local == event.value):
            line[4] = quantity(event.value)
        before = summed.get(event.input, 0.0)
        if scalars and before + event.value == event.accumulated:
            summed[event.input] = before + float(event.value)
        else:
            line[5] = quantity(event.accumulated)
            summed[event.input] = float(event.accumulated) if scalars else np.nan
        while line[-1] is None:
            line.pop()
        yield line
