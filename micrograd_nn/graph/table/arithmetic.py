"""Rows of the table: arithmetic, comparison-like functions and the choice between two values."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from micrograd_nn.graph import ieee
from micrograd_nn.graph.primitive import primitive


def add_x(g, z, _x, _y):
    return g


def add_y(g, z, _x, _y):
    return g


add = primitive(
    "add",
    np.add,
    (add_x, add_y),
    on_floats=operator.add,
    notation="{} + {}",
    code="{} + {}",
    textbook=("1", "1"),
    about="Return the sum x + y.",
    example=">>> F.add(1.0, 2.0), grad(F.add, (0, 1))(1.0, 2.0)\n(3.0, (1.0, 1.0))",
)


def sub_x(g, z, _x, _y):
    return g


def sub_y(g, z, _x, _y):
    return -g


sub = primitive(
    "sub",
    np.subtract,
    (sub_x, sub_y),
    on_floats=operator.sub,
    notation="{} − {}",
    code="{} - {}",
    textbook=("1", "-1"),
    about="Return the difference x − y.",
    example=">>> F.sub(1.0, 2.0), grad(F.sub, (0, 1))(1.0, 2.0)\n(-1.0, (1.0, -1.0))",
)


def neg_x(g, z, _x):
    return -g


neg = primitive(
    "neg",
    np.negative,
    neg_x,
    on_floats=operator.neg,
    notation="−{}",
    code="-{}",
    textbook=("-1",),
    about="Return −x.",
    example=">>> F.neg(2.0), grad(F.neg)(2.0)\n(-2.0, -1.0)",
)


def mul_x(g, z, x, y):
    return g * y


def mul_y(g, z, x, y):
    return g * x


mul = primitive(
    "mul",
    np.multiply,
    (mul_x, mul_y),
    on_floats=operator.mul,
    notation="{} ∘ {}",
    code="{} * {}",
    textbook=("{1}", "{0}"),
    about="Return the product x ∘ y, element by element.",
    example=">>> F.mul(2.0, 3.0), grad(F.mul, (0, 1))(2.0, 3.0)\n(6.0, (3.0, 2.0))",
)


def div_x(g, z, x, y):
    return g / y


def div_y(g, z, x, y):
    return -(g / y * (x / y))


div = primitive(
    "div",
    np.divide,
    (div_x, div_y),
    on_floats=ieee.divide,
    notation="{} / {}",
    code="{} / {}",
    textbook=("1 / {1}", "-{0} / {1}**2"),
    domain="y != 0",
    about="Return the quotient x / y; x / 0 is inf, -inf or NaN, as in NumPy.",
    example=">>> F.div(1.0, 2.0), grad(F.div, (0, 1))(1.0, 2.0)\n(0.5, (0.5, -0.25))",
)


# Powers. ∂/∂x x**y = y x**(y−1) loses digits where y − 1 is inexact (y = 0.1) and is 0·∞ at x = 0,
# y = 0. So the k-th derivative, y(y−1)…(y−k+1) x**(y−k), is an operation of its own: its kernel
# sees the factor 0 before it raises to a power, and divides by x**k where y − k is inexact.


def _falling_factorial(y: Any, k: int) -> Any:
    factor = 1.0
    for i in range(k):
        factor = factor * (y - i)
    return factor


def _power_derivative_float(x: float, y: float, k: float) -> float:
    factor = _falling_factorial(y, int(k))
    if factor == 0.0:
        return 0.0
    if (y - k) + k != y and x != 0.0:
        return ieee.divide(factor * ieee.power(x, y), ieee.power(x, k))
    return float(factor * ieee.power(x, y - k))


def _power_derivative(x: Any, y: Any, k: float) -> Any:
    factor = _falling_factorial(y, int(k))
    exact = (y - k) + k == y
    if np.all(exact):
        result = factor * np.power(x, y - k)
    else:
        divided = factor * np.power(x, y) / np.power(x, k)
        result = np.where(exact | (x == 0), factor * np.power(x, y - k), divided)
    if np.any(factor == 0):
        result = np.where(factor == 0, np.zeros_like(result), result)
    return result


def power_x(g, z, x, y):
    return g * power_derivative(x, y, 1.0)


def power_y(g, z, x, y):
    return g * (z * log_of_base(x, y))


power = primitive(
    "power",
    np.power,
    (power_x, power_y),
    on_floats=ieee.power,
    notation="{} ** {}",
    code="{} ** {}",
    textbook=("{1} * {0}**({1} - 1)", "{z} * log({0})"),
    domain="x > 0",
    kinks={"x == 0 and y == 0": "0: x**0 is 1 everywhere, with derivative 0"},
    about="Return x to the power y.",
    example=(
        ">>> F.power(2.0, 3.0), grad(F.power)(2.0, 3.0), grad(F.power)(0.0, 0.0)\n(8.0, 12.0, 0.0)"
    ),
)


def power_derivative_x(g, z, x, y, k):
    return g * power_derivative(x, y, k + 1.0)


def power_derivative_y(g, z, x, y, k):
    others = sum(
        _product(y - i for i in range(int(k)) if i != left_out) for left_out in range(int(k))
    )
    return g * (others * power(x, y - k) + z * log_of_base(x, y))


def _product(factors: Any) -> Any:
    result = 1.0
    for factor in factors:
        result = result * factor
    return result


power_derivative = primitive(
    "power_derivative",
    _power_derivative,
    (power_derivative_x, power_derivative_y, None),
    on_floats=_power_derivative_float,
    notation="∂^{2}({} ** {})",
    domain="x > 0",
)


def _log_of_base_float(x: float, y: float) -> float:
    return 0.0 if x == 0.0 and y >= 0.0 else ieee.log(x)


def _log_of_base(x: Any, y: Any) -> Any:
    return np.log(np.where((x == 0) & (y >= 0), np.ones_like(x), x))


def log_of_base_x(g, z, x, y):
    return g / x


log_of_base = primitive(
    "log_of_base",
    _log_of_base,
    (log_of_base_x, None),
    on_floats=_log_of_base_float,
    notation="log {}",
    domain="x > 0",
    kinks={"x == 0": "inf; the value is 0 for y >= 0"},
)


def abs_x(g, z, x):
    return g * sign(x)


absolute = primitive(
    "abs",
    np.abs,
    abs_x,
    on_floats=abs,
    notation="|{}|",
    code="np.abs({})",
    textbook=("sign({0})",),
    kinks={"x == 0": "0 (the subgradient of least norm)"},
    about="Return the absolute value ``|x|``.",
    example=">>> F.abs(-3.0), grad(F.abs)(-3.0), grad(F.abs)(0.0)\n(3.0, -1.0, 0.0)",
)

sign = primitive(
    "sign",
    np.sign,
    (None,),
    on_floats=ieee.sign,
    notation="sign({})",
    code="np.sign({})",
    textbook=("0",),
    kinks={"x == 0": "0"},
    about="Return −1, 0 or 1, the sign of x.",
    example=">>> F.sign(-3.0), F.sign(0.0), grad(F.sign)(-3.0)\n(-1.0, 0.0, 0.0)",
)


# An array of no axes is met twice as fast as a Python number, which would have to be converted.
ZERO = {np.dtype(dtype): np.zeros((), dtype) for dtype in (np.float32, np.float64)}


def _step_float(x: float) -> float:
    return 1.0 if x > 0.0 else 0.0 if x == x else x  # NaN stays NaN, here and below


def _step(x: Any) -> Any:
    return np.maximum(np.sign(x), ZERO.get(x.dtype, 0))


step = primitive(
    "step",
    _step,
    (None,),
    on_floats=_step_float,
    notation="[{} > 0]",
    code="({} > 0)",
    textbook=("0",),
)


def _dominance_float(x: float, y: float) -> float:
    return 1.0 if x > y else 0.5 if x == y else 0.0 if x < y else math.nan


def _dominance(x: Any, y: Any) -> Any:
    share = np.where(x == y, 0.5, np.greater(x, y))
    return np.where(np.isnan(x) | np.isnan(y), np.nan, share).astype(np.result_type(x, y))


dominance = primitive(
    "dominance",
    _dominance,
    (None, None),
    on_floats=_dominance_float,
    notation="[{} > {}]",
    code="np.heaviside({} - {}, 0.5)",
    textbook=("0", "0"),
)


def where_larger(g, z, x, y):
    return g * dominance(x, y)


def where_smaller(g, z, x, y):
    return g * dominance(y, x)


def _larger_or_smaller(name: str, which: str, relation: str, rules: Any, example: str) -> Any:
    short, f = name[:3], f"F.{name}"
    return primitive(
        name,
        getattr(np, name),
        rules,
        on_floats=getattr(ieee, name),
        notation=f"{short}({{}}, {{}})",
        code=f"np.{name}({{}}, {{}})",
        textbook=(f"[{{0}} {relation} {{1}}]", f"[{{1}} {relation} {{0}}]"),
        kinks={"x == y": "1/2 each (ties split evenly)"},
        about=f"Return the {which} of x and y.",
        example=f">>> {f}(2.0, 5.0), grad({f}, (0, 1))(2.0, 5.0), grad({f})(2.0, 2.0)\n{example}",
    )


maximum = _larger_or_smaller(
    "maximum", "larger", ">", (where_larger, where_smaller), "(5.0, (0.0, 1.0), 0.5)"
)
minimum = _larger_or_smaller(
    "minimum", "smaller", "<", (where_smaller, where_larger), "(2.0, (1.0, 0.0), 0.5)"
)


def _clip_float(x: float, lo: float, hi: float) -> float:
    return ieee.minimum(ieee.maximum(x, lo), hi)


def _inside_float(x: float, lo: float, hi: float) -> float:
    return 1.0 if lo <= x <= hi else 0.0 if x == x else x


def _inside(x: Any, lo: Any, hi: Any) -> Any:
    return np.where(np.isnan(x), x, (lo <= x) & (x <= hi))


inside = primitive(
    "inside",
    _inside,
    (None, None, None),
    on_floats=_inside_float,
    notation="[{1} ≤ {0} ≤ {2}]",
    textbook=("0", "0", "0"),
)


def clip_x(g, z, x, lo, hi):
    return g * inside(x, lo, hi)


def _exceeds(x: Any, y: Any) -> Any:
    return step(dominance(x, y) - 0.5)  # a difference of infinities would be NaN


def clip_lo(g, z, x, lo, hi):
    return g * _exceeds(lo, x) * _exceeds(hi, lo)


def clip_hi(g, z, x, lo, hi):
    return g * _exceeds(maximum(x, lo), hi)


clip = primitive(
    "clip",
    lambda x, lo, hi: np.minimum(np.maximum(x, lo), hi),
    (clip_x, clip_lo, clip_hi),
    on_floats=_clip_float,
    notation="clip({}, {}, {})",
    code="np.clip({}, {}, {})",
    textbook=("[{1} <= {0} <= {2}]", "[{0} < {1}]", "[{0} > {2}]"),
    kinks={"lo <= hi and (x == lo or x == hi)": "1 by x: the gradient passes at the bounds"},
)


def _where_float(c: float, x: float, y: float) -> float:
    return x if c else y


def where_x(g, z, c, _x, _y):
    return where(c, g, 0.0)


def where_y(g, z, c, _x, _y):
    return where(c, 0.0, g)


def _where(c: Any, x: Any, y: Any) -> Any:
    # A Python number takes the dtype of the other branch, as in NumPy's arithmetic.
    if isinstance(x, float) and not isinstance(y, float):
        x = y.dtype.type(x)
    elif isinstance(y, float) and not isinstance(x, float):
        y = x.dtype.type(y)
    return np.where(c, x, y)


where = primitive(
    "where",
    _where,
    (None, where_x, where_y),
    on_floats=_where_float,
    notation="where({}, {}, {})",
    code="np.where({}, {}, {})",
    textbook=("0", "{0}", "1 - {0}"),
    hides_nan=True,
    about="Return x where the condition c holds, else y; what isn't chosen gets no gradient.",
    example=">>> grad(lambda x: F.where(x > 0, F.log(x), 0.0))(0.0)  # not NaN\n0.0",
)
