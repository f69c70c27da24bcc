"""The domain and the kinks of an operation, as the table writes them, held against numbers.

A row says ``domain="x > 0"`` and ``kinks={"x == 0": ...}``. Near the edge of a domain, and near a
kink, a derivative is hard to measure; so each comparison is asked to hold by a margin.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import Primitive

Array = Any


def inside_domain(row: Primitive, arguments: Mapping[str, Array], margin: float = 0.0) -> bool:
    """Tell whether all the arguments are inside the domain of ``row``, by a margin.

    Examples
    --------
    >>> from micrograd_nn.graph.primitive import table
    >>> [inside_domain(table["log"], {"x": x}, margin=0.1) for x in (1.0, 0.05, -1.0)]
    [True, False, False]
    """
    held = _evaluated(row.domain, arguments, margin) if row.domain else True
    return held is None or bool(np.all(held))


def at_a_kink(row: Primitive, arguments: Mapping[str, Array], margin: float = 0.0) -> bool:
    """Tell whether an element is within ``margin`` of a point without a derivative.

    Kinks that the row tells in words only, such as ``"ties"``, are not known here.

    Examples
    --------
    >>> from micrograd_nn.graph.primitive import table
    >>> [at_a_kink(table["abs"], {"x": x}, margin=0.1) for x in (1.0, 0.05, 0.0)]
    [False, True, True]
    """
    near = (_evaluated(kink, arguments, margin) for kink in row.kinks)
    return any(n is not None and bool(np.any(n)) for n in near)


@lru_cache(maxsize=1000)
def argument_names(row: Primitive) -> tuple[str, ...]:
    """Return the names of a row's arguments: those of its rules."""
    for rule in row.rules:
        if rule is not None:
            return tuple(name.lstrip("_") for name in inspect.signature(rule).parameters)[2:]
    return ("x", "y", "w")[: row.arity]


class _Words(Exception):  # noqa: N818 (not an error: the text is for people)
    """The text isn't an expression in the arguments."""


def _evaluated(text: str, names: Mapping[str, Array], margin: float) -> Array | None:
    """Return where the condition holds; None if it is written in words."""
    parsed = _parsed(text)
    if parsed is None:
        return None
    try:
        with np.errstate(all="ignore"):
            return _value(parsed, names, margin)
    except _Words:
        return None


@lru_cache(maxsize=1000)
def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


_ARITHMETIC: dict[type, Any] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
    ast.Not: np.logical_not,
}

#: Each comparison of a and b, by their difference and the margin.
_COMPARISONS: dict[type, Any] = {
    ast.Gt: lambda d, margin: d > margin,
    ast.GtE: lambda d, margin: d >= margin,
    ast.Lt: lambda d, margin: -d > margin,
    ast.LtE: lambda d, margin: -d >= margin,
    ast.Eq: lambda d, margin: np.abs(d) <= margin,
    ast.NotEq: lambda d, margin: np.abs(d) > margin,
}


def _value(node: ast.expr, names: Mapping[str, Array], margin: float) -> Array:
    """Return the value of a parsed condition; only what a condition needs is understood."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.BoolOp):
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        return reduce(join, (_value(part, names, margin) for part in node.values))
    if isinstance(node, ast.UnaryOp) and type(node.op) in _ARITHMETIC:
        return _ARITHMETIC[type(node.op)](_value(node.operand, names, margin))
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        sides = (_value(side, names, margin) for side in (node.left, node.right))
        return _ARITHMETIC[type(node.op)](*sides)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        function = getattr(np, node.func.id, None)
        if isinstance(function, np.ufunc) and not node.keywords:
            return function(*(_value(arg, names, margin) for arg in node.args))
    if isinstance(node, ast.Compare):
        return _compared(node, names, margin)
    raise _Words


def _compared(node: ast.Compare, names: Mapping[str, Array], margin: float) -> Array:
    sides = [_value(side, names, margin) for side in (node.left, *node.comparators)]
    held: Array = True
    for comparison, a, b in zip(node.ops, sides, sides[1:], strict=False):
        if type(comparison) not in _COMPARISONS:
            raise _Words
        held = np.logical_and(held, _COMPARISONS[type(comparison)](np.subtract(a, b), margin))
    return held
