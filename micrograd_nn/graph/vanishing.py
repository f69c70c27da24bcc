"""A cotangent that is exactly 0 contributes exactly 0, whatever the local derivative.

So ``where(x > 0, log(x), 0)`` has the derivative 0 at 0, and an infinite weight that doesn't
influence the result leaves no NaN. Arithmetic has 0 · ∞ = NaN; the engines look at a cotangent that
came out as NaN once more, here, and ask which cotangents of results it was made of.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_nn.graph.node import data_of
from micrograd_nn.graph.primitive import Primitive, Rule
from micrograd_nn.graph.table.arithmetic import where
from micrograd_nn.graph.table.arrays import axes_of, with_reduced_axes


def without_vanishing(
    op: Primitive, rule: Rule, cotangent: Any, g: Any, operands: Any, params: dict[str, Any]
) -> Any:
    """Return the cotangent with 0 where only cotangents of 0 flow to an element.

    Parameters
    ----------
    op : Primitive
        The row whose ``rule`` gave the ``cotangent``.
    g : float, array or node
        The cotangent of the result.
    operands : sequence
        The arguments that the rule was given.
    params : dict
        The static parameters of the operation.

    Returns
    -------
    float, array or node
        As the cotangent is; itself, where it has no NaN.
    """
    data = data_of(cotangent)
    if not np.any(np.isnan(data)):
        return cotangent
    zero = np.equal(data_of(g), 0)
    if not np.any(zero):
        return cotangent
    if op.multilinear:
        return _of_finite_factors(rule, cotangent, g, zero, operands, params)
    vanishing = influences_only(op, zero, data, params)
    if np.ndim(data) == 0 and np.ndim(vanishing) == 0:
        return 0.0 if vanishing else cotangent
    return where(vanishing, 0.0, cotangent)


def influences_only(op: Primitive, zero: Any, argument: Any, params: dict[str, Any]) -> Any:
    """Return where all results that an element influences have a cotangent of 0, as the row says.

    Parameters
    ----------
    op : Primitive
    zero : bool or array of bool
        Where the cotangent of the result is 0.
    argument : float or array
        An argument, or its cotangent: its shape counts.
    params : dict
    """
    if op.elementwise:
        return zero
    if op.along is None:  # any element may influence any result
        return np.all(zero)
    axis = axes_along(op, np.ndim(argument), params)
    if np.shape(zero) != np.shape(argument):
        zero = with_reduced_axes(zero, argument, axis)
    if np.ndim(zero) == 0:  # all results together
        return zero
    return np.all(zero, axis=axis, keepdims=True)


def axes_along(op: Primitive, ndim: int, params: dict[str, Any]) -> tuple[int, ...]:
    """Return the axes along which a row says that it mixes the elements of an argument."""
    return axes_of(params[op.along] if isinstance(op.along, str) else op.along, ndim)


def _of_finite_factors(
    rule: Rule, cotangent: Any, g: Any, zero: Any, operands: Any, params: dict[str, Any]
) -> Any:
    """Return the cotangent, a sum of products, without the products 0 · ∞ of a zero of ``g``."""
    finite = [np.isfinite(data_of(operand)) for operand in operands]
    of_finite = rule(
        g, None, *(where(f, x, 0.0) for f, x in zip(finite, operands, strict=True)), **params
    )
    met = rule(~zero * 1.0, None, *(~f * 1.0 for f in finite), **params)
    return where(np.equal(met, 0), of_finite, cotangent)
