"""The gradient that a recorded graph should have, with a bound for what rounding may do to it.

Both come from one sweep forward and one backward over the graph, on the operations as ``Local``
sees them. The bound is a first-order running error bound: with u the unit roundoff, v̄ the
cotangent of a node v = φ(a, b, ...) and φ' the derivative by a,

    forward    e_v = Σ |∂φ/∂a| e_a + 2u |v|,
    backward   E_a += |φ'| E_v + |v̄| (3u |φ'| + Σ |∂φ'/∂b| e_b) + u |φ' v̄|,

with n·u instead of u where n numbers are summed. (N. Higham, "Accuracy and stability of numerical
algorithms", 2002, section 3.3; A. Griewank, A. Walther, "Evaluating derivatives", 2008, ch. 3.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.order import toposort
from micrograd_nn.testing.tangents import Local, is_known, local, summed_to

Array = Any
Force = Callable[[Node, Array, Array], Array]


@dataclass
class Expected:
    """What a gradient should be, and how far rounding may take it from there."""

    value: Array
    bound: Array


class Oracle:
    """The derivatives of one recorded graph.

    Parameters
    ----------
    root : Node
    wrt : sequence of Node
        The leaves to differentiate by.

    other : callable, optional
        Makes a ``Local`` of an operation that the oracle knows no derivative of.

    Attributes
    ----------
    unknown : set of str
        The names of these operations.

    Raises
    ------
    UnknownOperationError
        If there is such an operation, and no ``other``.
    """

    def __init__(
        self, root: Node, wrt: Sequence[Node], other: Callable[[Node], Local] | None = None
    ) -> None:
        self.root = root
        self.wrt = list(wrt)
        wanted = set(wrt)
        self.order = toposort(root, constants=False)
        self.active: set[Node] = set()
        for node in self.order:
            if node in wanted or any(i in self.active for i in node._recorded_inputs()):
                self.active.add(node)
        self.unknown: set[str] = set()
        self.locals: dict[Node, Local] = {}
        with np.errstate(all="ignore"):
            for node in self.order:
                op = node._op
                if op is None or node not in self.active or node in wanted:
                    continue
                if other is None or is_known(op):
                    self.locals[node] = local(node)
                else:
                    self.locals[node] = other(node)
                    self.unknown.add(op.name)

    # ------------------------------------------------------------------------- dual numbers

    def tangent(self, directions: Sequence[Array]) -> Array:
        """Return J t of the root, by dual numbers, for one direction for each leaf."""
        tangents: dict[Node, Array] = dict(zip(self.wrt, directions, strict=True))
        with np.errstate(all="ignore"):
            for node, at in self.locals.items():
                ts = [None if child is None else tangents.get(child) for child in at.children]
                if any(t is not None for t in ts):
                    tangents[node] = at.tangent(ts)
        found = tangents.get(self.root)
        return np.zeros(np.shape(self.root._data)) if found is None else found

    # -------------------------------------------------------------------------- the gradient

    def gradient(self, seed: Array, force: Force | None = None) -> dict[Node, Expected]:
        """Return the gradient of each leaf, given the cotangent of the root.

        Parameters
        ----------
        seed : float or array
        force : callable, optional
            ``force(node, cotangent, bound)`` returns the cotangent to go on with, whose error is
            then taken to be none: so a checker puts in what somebody else has computed.
        """
        with np.errstate(all="ignore"):
            return self._gradient(seed, force)

    def _gradient(self, seed: Array, force: Force | None) -> dict[Node, Expected]:
        forward = self._forward_errors()
        values: dict[Node, Array] = {self.root: np.asarray(seed, np.float64)}
        errors: dict[Node, Array] = {self.root: np.zeros(np.shape(seed))}
        for node in reversed(self.order):
            if node not in values:
                continue
            if force is not None:
                forced = force(node, values[node], errors[node])
                if forced is not values[node]:
                    values[node], errors[node] = forced, np.zeros(np.shape(forced))
            at = self.locals.get(node)
            if at is None:
                continue
            u = unit_roundoff(node)
            g = values[node]
            rounding = errors[node] + (3.0 + max(at.terms, default=1)) * u * np.abs(g)
            es = [None if child is None else forward.get(child) for child in at.children]
            parts = zip(
                at.children,
                at.cotangents(g),
                at.cotangents(rounding, absolute=True),
                at.bends(es, np.abs(g)),
                strict=True,
            )
            for child, cotangent, error, bend in parts:
                if child is None or cotangent is None or child not in self.active:
                    continue
                shape = np.shape(child._data)
                error = error if bend is None else error + bend
                repeats = max(1, np.size(cotangent) // max(int(np.prod(shape)), 1))
                summed = summed_to(error, shape)
                if repeats > 1:
                    summed = summed + repeats * u * summed_to(np.abs(cotangent), shape)
                total = summed_to(cotangent, shape)
                if child in values:
                    total = total + values[child]
                    summed = summed + errors[child]
                values[child] = total
                errors[child] = summed + unit_roundoff(child) * np.abs(total)
        return {leaf: self._expected(leaf, values, errors) for leaf in self.wrt}

    def _expected(
        self, leaf: Node, values: dict[Node, Array], errors: dict[Node, Array]
    ) -> Expected:
        shape = np.shape(leaf._data)
        if leaf not in values:
            return Expected(np.zeros(shape), np.zeros(shape))
        # Twice: the oracle rounds, too. Near underflow an error is absolute.
        tiny = len(self.locals) * float(np.finfo(_dtype(leaf)).smallest_subnormal)
        bound = np.where(np.isfinite(errors[leaf]), 2.0 * errors[leaf] + tiny, 0.0)
        return Expected(np.asarray(values[leaf]), bound)

    def _forward_errors(self) -> dict[Node, Array]:
        errors: dict[Node, Array] = {}
        for node, at in self.locals.items():
            es = [None if child is None else errors.get(child) for child in at.children]
            passed = at.tangent(es, absolute=True)
            fresh = 0.0 if at.exact else 2.0 * unit_roundoff(node) * at.size()
            total = passed + fresh
            errors[node] = np.where(np.isfinite(total), total, 0.0)
        return errors


def unit_roundoff(node: Node) -> float:
    """Return half the distance from 1 to the next number of the node's dtype."""
    return float(np.finfo(_dtype(node)).eps) / 2.0


def _dtype(node: Node) -> Any:
    return np.float64 if type(node._data) is float else node._data.dtype
