"""Rows of the table: the elementary functions.

Their derivative rules are exact to a few units in the last place over the whole range: forms that
cancel far out in the tails (1 − tanh², s(1 − s)) appear as the textbook form only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrograd_nn.graph import ieee, special
from micrograd_nn.graph.primitive import primitive
from micrograd_nn.graph.table.arithmetic import clip


def exp_x(g, z, _x):
    return g * z


exp = primitive("exp", np.exp, exp_x, on_floats=ieee.exp, code="np.exp({})", textbook=("{z}",))


def expm1_x(g, z, x):
    return g * exp(x)


expm1 = primitive(
    "expm1",
    np.expm1,
    expm1_x,
    on_floats=ieee.expm1,
    notation="exp({}) − 1",
    code="np.expm1({})",
    textbook=("{z} + 1",),
)


def log_x(g, z, x):
    return g / x


log = primitive(
    "log",
    np.log,
    log_x,
    on_floats=ieee.log,
    code="np.log({})",
    textbook=("1 / {0}",),
    domain="x > 0",
)


def log1p_x(g, z, x):
    return g / (1.0 + x)


log1p = primitive(
    "log1p",
    np.log1p,
    log1p_x,
    on_floats=ieee.log1p,
    notation="log(1 + {})",
    code="np.log1p({})",
    textbook=("1 / (1 + {0})",),
    domain="x > -1",
)


def sqrt_x(g, z, x):
    return g * (0.5 / z)


sqrt = primitive(
    "sqrt",
    np.sqrt,
    sqrt_x,
    on_floats=ieee.sqrt,
    notation="√{}",
    code="np.sqrt({})",
    textbook=("1 / (2 * {z})",),
    domain="x >= 0",
    kinks={"x == 0": "inf"},
)


def sin_x(g, z, x):
    return g * cos(x)


sin = primitive("sin", np.sin, sin_x, on_floats=ieee.sin, code="np.sin({})", textbook=("cos({0})",))


def cos_x(g, z, x):
    return -(g * sin(x))


cos = primitive(
    "cos", np.cos, cos_x, on_floats=ieee.cos, code="np.cos({})", textbook=("-sin({0})",)
)


def tan_x(g, z, _x):
    return g * (1.0 + z * z)


tan = primitive(
    "tan",
    np.tan,
    tan_x,
    on_floats=ieee.tan,
    code="np.tan({})",
    textbook=("1 + {z}**2",),
    domain="cos(x) != 0",
)


def arctan_x(g, z, x):
    return g / (1.0 + x * x)


arctan = primitive(
    "arctan",
    np.arctan,
    arctan_x,
    on_floats=math.atan,
    code="np.arctan({})",
    textbook=("1 / (1 + {0}**2)",),
)


def sinh_x(g, z, x):
    return g * cosh(x)


sinh = primitive(
    "sinh", np.sinh, sinh_x, on_floats=ieee.sinh, code="np.sinh({})", textbook=("cosh({0})",)
)


def cosh_x(g, z, x):
    return g * sinh(x)


cosh = primitive(
    "cosh", np.cosh, cosh_x, on_floats=ieee.cosh, code="np.cosh({})", textbook=("sinh({0})",)
)


def tanh_x(g, z, x):
    return g * (4.0 * sigmoid(2.0 * x) * sigmoid(-2.0 * x))


tanh = primitive(
    "tanh", np.tanh, tanh_x, on_floats=math.tanh, code="np.tanh({})", textbook=("1 - {z}**2",)
)


def sigmoid_x(g, z, x):
    return g * (sigmoid(x) * sigmoid(-x))


sigmoid = primitive(
    "sigmoid",
    special.sigmoid_array,
    sigmoid_x,
    on_floats=special.sigmoid_float,
    notation="σ({})",
    code="sigmoid({})",
    textbook=("{z} * (1 - {z})",),
)


def softplus_x(g, z, x):
    return g * sigmoid(x)


softplus = primitive(
    "softplus",
    special.softplus_array,
    softplus_x,
    on_floats=special.softplus_float,
    code="softplus({})",
    textbook=("σ({0})",),
)


def gaussian_x(g, z, x):
    return g * (-2.0 * x * z)


gaussian = primitive(
    "gaussian",
    special.exp_minus_square_array,
    gaussian_x,
    on_floats=special.exp_minus_square_float,
    notation="exp(−{}²)",
    code="np.exp(-{}**2)",
    textbook=("-2 * {0} * {z}",),
)


def erf_x(g, z, x):
    return g * (2.0 / math.sqrt(math.pi) * gaussian(x))


erf = primitive(
    "erf",
    special.erf_array,
    erf_x,
    on_floats=special.erf_float,
    code="erf({})",
    textbook=("2 / sqrt(pi) * exp(-{0}**2)",),
)


def normal_pdf_x(g, z, x):
    return -(g * x_normal_pdf(x))


normal_pdf = primitive(
    "normal_pdf",
    special.normal_pdf_array,
    normal_pdf_x,
    on_floats=special.normal_pdf_float,
    notation="φ({})",
    textbook=("-{0} * {z}",),
)


def _x_normal_pdf_float(x: float) -> float:
    return 0.0 if math.isinf(x) else x * special.normal_pdf_float(x)


def _x_normal_pdf(x: Any) -> Any:
    return np.where(np.isinf(x), x.dtype.type(0), x) * special.normal_pdf_array(x)


def x_normal_pdf_x(g, z, x):
    near = clip(x, -40.0, 40.0)  # further out all terms are 0; at infinity, not ∞ · 0
    return g * (normal_pdf(x) - near * x_normal_pdf(x))


x_normal_pdf = primitive(
    "x_normal_pdf",
    _x_normal_pdf,
    x_normal_pdf_x,
    on_floats=_x_normal_pdf_float,
    notation="{0} φ({0})",
    textbook=("φ({0}) * (1 - {0}**2)",),
)


def normal_cdf_x(g, z, x):
    return g * normal_pdf(x)


normal_cdf = primitive(
    "normal_cdf",
    special.normal_cdf_array,
    normal_cdf_x,
    on_floats=special.normal_cdf_float,
    notation="Φ({})",
    textbook=("φ({0})",),
)
