"""The gradient of a whole recorded function, by six-point finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.testing.finite import vjp
from micrograd_nn.testing.oracle import Expected, unit_roundoff
from micrograd_nn.testing.subject import Subject

Array = Any


def by_differences(
    subject: Subject, order: int, drawn: Any, seed: Any, notes: list[str]
) -> dict[Node, Expected]:
    """Return what the gradients should be, by evaluating the function near its inputs.

    Parameters
    ----------
    subject : Subject
    order : int
        Which derivative of the function is differenced: that of order − 1.
    drawn : dict
        The state of the random generator from which the weights of this order are drawn.
    seed : float or array
        The cotangent of the result.
    notes : list of str
        What couldn't be compared is added to it.
    """
    leaves = subject.leaves
    before = [leaf._data for leaf in leaves]

    def function(*data: Array) -> Array:
        generator = np.random.default_rng()
        generator.bit_generator.state = drawn
        for leaf, x in zip(leaves, data, strict=True):
            leaf.data = float(x) if type(leaf._data) is float else x  # type: ignore[attr-defined]
        with subject.undisturbed(data=False):
            recorded = subject.root(order, generator)
        assert recorded is not None
        return np.asarray(recorded[0]._data)

    found: dict[Node, Expected] = {}
    left_out = 0
    try:
        for place, leaf in enumerate(leaves):
            estimate = vjp(function, before, seed, place)
            u = unit_roundoff(leaf)
            bound = 2.0 * estimate.error + 64.0 * u * np.abs(estimate.value)
            bound = np.where(estimate.reliable, bound, np.inf)
            left_out += int(np.sum(~estimate.reliable))
            value = np.where(estimate.reliable, estimate.value, 0.0)
            found[leaf] = Expected(value, np.asarray(bound))
    finally:
        for leaf, x in zip(leaves, before, strict=True):
            leaf.data = x  # type: ignore[attr-defined]
    if left_out:
        notes.append(
            f"{left_out} numbers lie at kinks, or the function isn't smooth there: not compared"
        )
    return found
