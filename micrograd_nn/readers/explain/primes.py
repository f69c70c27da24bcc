"""Derivatives as textbooks write them: by formula, such as 1 − a², or named, such as g'(z).

Each is made from the row of its operation: from the textbook form where there is one without
branches, else as a function g' of its own, which is computed by the row's rule.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.pull import call
from micrograd_nn.graph.table import activations, arithmetic, elementary

Formula = Callable[..., Any]
#: Their textbook form gives the derivative at the kink, too: sign(0) is 0, x⁰ is 1, and 1/0 is ∞.
_RIGHT_AT_KINKS = (arithmetic.power, arithmetic.absolute, elementary.sqrt)

#: The rows that stand for derivatives, with the name of the function and the argument's place.
PRIMES: dict[Primitive, tuple[str, int]] = {}

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": elementary.exp,
    "log": elementary.log,
    "sqrt": elementary.sqrt,
    "sin": elementary.sin,
    "cos": elementary.cos,
    "sinh": elementary.sinh,
    "cosh": elementary.cosh,
    "tanh": elementary.tanh,
    "sign": arithmetic.sign,
    "σ": elementary.sigmoid,
    "Φ": elementary.normal_cdf,
    "φ": elementary.normal_pdf,
    "relu": activations.relu,
}

#: Of x/y and x log y, whose kink at x = 0 textbooks don't mention.
_OWN = {
    "x_over": ("1 / {1}", "-{0} / {1}**2"),
    "xlogy": ("log({1})", "{0} / {1}"),
    "xlog1py": ("log(1 + {1})", "{0} / (1 + {1})"),
}


def slope(row: Primitive, place: int) -> Formula:
    """Return the derivative of an elementwise row by one argument, ``slope(z, *args, **params)``.

    Parameters
    ----------
    row : Primitive
    place : int
        The place of the argument.

    Examples
    --------
    >>> slope(elementary.tanh, 0)(0.5, 9.0)  # 1 − z²
    0.75
    >>> slope(activations.relu, 0)(3.0, 3.0)  # named relu', since it has a kink
    1.0
    """
    forms = _OWN.get(row.name, row.textbook)
    text = forms[place] if place < len(forms) else ""
    named = row.kinks and row not in _RIGHT_AT_KINKS and row.name not in _OWN
    formula = None if named or not text else _parsed(text, row.arity)
    if formula is not None:
        return lambda z, *args, **params: formula(z, *args)
    prime = prime_of(row, place)
    return lambda z, *args, **params: prime(*args, **params)


@lru_cache(maxsize=1000)
def _parsed(text: str, arity: int) -> Formula | None:
    names = [f"x{i}" for i in range(arity)]
    try:
        formula_text = text.replace("−", "-").format(*names, z="z", g="g")
        tree = ast.parse(formula_text, mode="eval").body
        _check(tree, {*names, "z"})
    except (SyntaxError, IndexError, KeyError, ValueError):
        return None

    def formula(z: Any, *args: Any) -> Any:
        return _evaluated(tree, dict(zip(names, args, strict=False)) | {"z": z})

    return formula


def _check(tree: ast.AST, names: set[str]) -> None:
    for part in ast.walk(tree):
        if isinstance(part, ast.Name):
            if part.id not in names and part.id not in _FUNCTIONS and part.id != "pi":
                raise ValueError(part.id)
        elif isinstance(part, ast.Call):
            if not isinstance(part.func, ast.Name) or part.func.id not in _FUNCTIONS:
                raise ValueError("call")
        elif not isinstance(
            part,
            (ast.BinOp, ast.UnaryOp, ast.Constant, ast.operator, ast.unaryop, ast.expr_context),
        ):
            raise ValueError(type(part).__name__)


def _evaluated(tree: ast.expr, names: dict[str, Any]) -> Any:
    if isinstance(tree, ast.Constant):
        return float(tree.value)  # type: ignore[arg-type]
    if isinstance(tree, ast.Name):
        return math.pi if tree.id == "pi" else names[tree.id]
    if isinstance(tree, ast.UnaryOp):
        return -_evaluated(tree.operand, names)
    if isinstance(tree, ast.Call):
        assert isinstance(tree.func, ast.Name)
        return _FUNCTIONS[tree.func.id](*(_evaluated(arg, names) for arg in tree.args))
    assert isinstance(tree, ast.BinOp)
    x, y = _evaluated(tree.left, names), _evaluated(tree.right, names)
    operators: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
        ast.Add: arithmetic.add,
        ast.Sub: arithmetic.sub,
        ast.Mult: arithmetic.mul,
        ast.Div: arithmetic.div,
        ast.Pow: arithmetic.power,
    }
    return operators[type(tree.op)](x, y)


@lru_cache(maxsize=1000)
def prime_of(row: Primitive, place: int) -> Primitive:
    """Return the derivative of an elementwise row as a row, which calls the rule as a whole."""
    rule = row.rules[place]
    assert rule is not None

    def on_arrays(*args: Any, **params: Any) -> Any:
        z = row.on_arrays(*args, **params)
        with np.errstate(all="ignore"):
            return np.asarray(rule(np.ones_like(z), z, *args, **params), z.dtype)

    def on_floats(*args: float, **params: Any) -> float:
        assert row.on_floats is not None
        return call(rule, 1.0, row.on_floats(*args, **params), *args, **params)

    prime = Primitive(
        f"{row.name}_prime_{place}",
        on_arrays=on_arrays,
        on_floats=on_floats if row.on_floats is not None else None,
        rules=(None,) * row.arity,
    )
    PRIMES[prime] = (row.name, place)
    return prime
