"""Equations between named values, and all of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from micrograd_nn.readers.explain.shares import Count
from micrograd_nn.readers.explain.terms import Shape, Term


@dataclass(frozen=True)
class Equation:
    """``name = term``.

    Attributes
    ----------
    name : str
        A value, or ``d`` and its name.
    term : Term
        The textbook form.
    stable : Term
        The form that doesn't lose digits; equal to ``term`` where there is no other.
    shape : tuple of int
    data : float or array
        What it evaluates to.
    of : str
        The name of the value: the name, or that of which it is the gradient.
    """

    name: str
    term: Term
    stable: Term
    shape: Shape
    data: Any
    of: str


@dataclass(frozen=True)
class Derivation:
    """The equations of a graph, in order.

    Attributes
    ----------
    forward, backward : list of Equation
    root : str
        The name of the result.
    counts : dict of str to Count
        What the numbers of examples, such as m, are.
    inputs, parameters : list of (str, shape)
        The named leaves without and with a gradient.
    data : dict of str to array or float
        What they hold.
    scaled : dict of str to str
        The gradients that are those of the sum over examples, and the name of how many these are.
    sums_to_1 : set of str
        The inputs that sum to 1 over the classes, which the equations make use of.
    gathered : list of str
        The parameters that hold the weights of single neurons.
    """

    forward: list[Equation]
    backward: list[Equation]
    root: str
    counts: dict[str, Count]
    inputs: list[tuple[str, Shape]]
    parameters: list[tuple[str, Shape]]
    data: dict[str, Any]
    scaled: dict[str, str]
    sums_to_1: set[str]
    gathered: list[str]
