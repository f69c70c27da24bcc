"""The conditions that a row of the table states in words of mathematics, as functions of arrays."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache, reduce
from typing import Any

import numpy as np

_OPERATORS: dict[type[ast.AST], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.And: np.logical_and,
    ast.Or: np.logical_or,
    ast.Not: np.logical_not,
}
_CONSTANTS = {"inf": np.inf, "nan": np.nan, "pi": np.pi}
_FUNCTIONS: dict[str, Any] = {"min": np.minimum, "max": np.maximum, "abs": np.abs}


#: Each comparison as a condition on the difference of its sides, to hold by a margin.
_BY_A_MARGIN: dict[type[ast.AST], Any] = {
    ast.Eq: lambda difference, margin: np.abs(difference) <= margin,
    ast.NotEq: lambda difference, margin: np.abs(difference) > margin,
    ast.Lt: lambda difference, margin: difference < -margin,
    ast.LtE: lambda difference, margin: difference <= -margin,
    ast.Gt: lambda difference, margin: difference > margin,
    ast.GtE: lambda difference, margin: difference >= margin,
}


def evaluate(text: str, names: Mapping[str, Any], margin: float = 0.0) -> Any:
    """Return the value of an expression such as ``"x == lo or x == hi"`` on arrays.

    With a margin, ``==`` holds for all numbers that are so near, and the other comparisons only
    for those that are so far from where they cease to hold.

    Raises
    ------
    ValueError
        If the text isn't an expression of numbers, the names, comparisons and NumPy's functions.

    Examples
    --------
    >>> evaluate("x == 0 and y > 0", {"x": np.array([0.0, 0.0, 1.0]), "y": np.array([1.0, 0, 1])})
    array([ True, False, False])
    >>> evaluate("x > 0", {"x": np.array([0.0, 0.1, 1.0])}, margin=0.5)
    array([False, False,  True])
    """
    try:
        tree = _parsed(text)
        with np.errstate(all="ignore"):
            return _value(tree.body, names, margin)
    except (SyntaxError, KeyError, AttributeError) as error:
        raise ValueError(
            f"{text!r} is no condition on {', '.join(names)}: write it in these names, with "
            "numbers, comparisons, and, or, and NumPy's functions"
        ) from error


@lru_cache(maxsize=1000)
def _parsed(text: str) -> ast.Expression:
    return ast.parse(text, mode="eval")


def _value(node: ast.AST, names: Mapping[str, Any], margin: float) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.Name):
        return _CONSTANTS[node.id] if node.id in _CONSTANTS else names[node.id]
    if isinstance(node, ast.UnaryOp):
        return _OPERATORS[type(node.op)](_value(node.operand, names, margin))
    if isinstance(node, ast.BinOp):
        sides = (_value(side, names, margin) for side in (node.left, node.right))
        return _OPERATORS[type(node.op)](*sides)
    if isinstance(node, ast.BoolOp):
        parts = (_value(part, names, margin) for part in node.values)
        return reduce(_OPERATORS[type(node.op)], parts)
    if isinstance(node, ast.Compare):
        operands = [_value(part, names, margin) for part in (node.left, *node.comparators)]
        result: Any = True
        for op, left, right in zip(node.ops, operands, operands[1:], strict=False):
            result = np.logical_and(result, _compared(op, left, right, margin))
        return result
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        function = _FUNCTIONS.get(node.func.id) or getattr(np, node.func.id)
        if isinstance(function, np.ufunc):
            return function(*(_value(part, names, margin) for part in node.args))
    raise KeyError(type(node).__name__)


def _compared(comparison: ast.cmpop, left: Any, right: Any, margin: float) -> Any:
    if margin:
        return _BY_A_MARGIN[type(comparison)](np.subtract(left, right), margin)
    return _OPERATORS[type(comparison)](left, right)


_VALUE = r"(-?\w+\([^()]*\)|-?[\w.]+(?:\s*[-+*/]\s*[\w.]+)*)"


def documented_values(text: str, condition: str, names: Sequence[str]) -> dict[str, str]:
    """Return what a sentence says that the derivatives are under a condition, by argument.

    The expression that it begins with stands for each argument that the condition names;
    ``"1 by x, 0 by y"`` says of which.

    Examples
    --------
    >>> documented_values("min(1, alpha), which is 1 for alpha = 1", "x == 0", ["x", "alpha"])
    {'x': 'min(1, alpha)'}
    >>> documented_values("1/2 each (ties split evenly)", "x == y", ["x", "y"])
    {'x': '1/2', 'y': '1/2'}
    >>> documented_values("1 by x, -1 by y: w is left out", "x == y == w", ["x", "y", "w"])
    {'x': '1', 'y': '-1'}
    """
    text, concerned = text.strip(), _names_in(condition)
    by = rf"{_VALUE} by ({'|'.join(names)})\b"
    listed = re.match(rf"{by}(, {by})*", text)
    if listed:
        return {name: value for value, name in re.findall(by, listed.group())}
    alone = re.match(_VALUE, text)
    return {name: alone.group() if alone else "" for name in names if name in concerned}


def _names_in(text: str) -> set[str]:
    try:
        return {node.id for node in ast.walk(_parsed(text)) if isinstance(node, ast.Name)}
    except SyntaxError:  # it is written in words
        return set()


def equations(text: str) -> list[dict[str, str]]:
    """Return ways to make a condition hold, each a dict from names to what they must equal.

    Only equations with a name alone on one side are solved.

    Examples
    --------
    >>> equations("x == lo or x == hi")
    [{'x': 'lo'}, {'x': 'hi'}]
    >>> equations("x == 0 and y == 0")
    [{'x': '0', 'y': '0'}]
    >>> equations("lo <= hi and x == lo")
    [{'x': 'lo'}]
    """
    try:
        return _solutions(_parsed(text).body)
    except SyntaxError:
        return []


def _solutions(node: ast.AST) -> list[dict[str, str]]:
    if isinstance(node, ast.BoolOp):
        ways = [_solutions(part) for part in node.values]
        if isinstance(node.op, ast.Or):
            return [way for part in ways for way in part]
        together: list[dict[str, str]] = [{}] if all(ways) else []
        for part in ways:
            together = [{**left, **right} for left in together for right in part]
        return together
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return []
    if isinstance(node.ops[0], ast.Eq):
        return _solved(node.left, node.comparators[0])
    return [{}]  # an inequality asks for nothing to be equal


def _solved(left: ast.expr, right: ast.expr) -> list[dict[str, str]]:
    if isinstance(left, ast.Name):
        return [{left.id: ast.unparse(right)}]
    if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult):
        quotient = ast.BinOp(right, ast.Div(), left.right)
        return _solved(left.left, ast.fix_missing_locations(quotient))
    return []
