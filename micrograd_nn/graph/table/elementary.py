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


exp = primitive(
    "exp",
    np.exp,
    exp_x,
    on_floats=ieee.exp,
    code="np.exp({})",
    textbook=("{z}",),
    about="Return eˣ.",
    example=">>> F.exp(0.0), grad(F.exp)(0.0)\n(1.0, 1.0)",
)


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
    about="Return eˣ − 1, exact also where x is small.",
    example=">>> F.expm1(1e-20), grad(F.expm1)(0.0)\n(1e-20, 1.0)",
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
    about="Return the natural logarithm; log 0 is -inf, that of a negative number NaN.",
    example=">>> F.log(1.0), grad(F.log)(2.0)\n(0.0, 0.5)",
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
    about="Return log(1 + x), exact also where x is small.",
    example=">>> F.log1p(1e-20), grad(F.log1p)(1.0)\n(1e-20, 0.5)",
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
    about="Return the square root √x; that of a negative number is NaN.",
    example=">>> F.sqrt(4.0), grad(F.sqrt)(4.0), grad(F.sqrt)(0.0)\n(2.0, 0.25, inf)",
)


def sin_x(g, z, x):
    return g * cos(x)


sin = primitive(
    "sin",
    np.sin,
    sin_x,
    on_floats=ieee.sin,
    code="np.sin({})",
    textbook=("cos({0})",),
    about="Return the sine of x, in radians.",
    example=">>> F.sin(0.0), grad(F.sin)(0.0)\n(0.0, 1.0)",
)


def cos_x(g, z, x):
    return -(g * sin(x))


cos = primitive(
    "cos",
    np.cos,
    cos_x,
    on_floats=ieee.cos,
    code="np.cos({})",
    textbook=("-sin({0})",),
    about="Return the cosine of x, in radians.",
    example=">>> F.cos(0.0), grad(F.cos)(0.0)\n(1.0, -0.0)",
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
    about="Return the tangent of x, in radians.",
    example=">>> F.tan(0.0), grad(F.tan)(0.0)\n(0.0, 1.0)",
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
    about="Return the angle in (−π/2, π/2) whose tangent is x.",
    example=">>> F.arctan(0.0), grad(F.arctan)(1.0)\n(0.0, 0.5)",
)


def sinh_x(g, z, x):
    return g * cosh(x)


sinh = primitive(
    "sinh",
    np.sinh,
    sinh_x,
    on_floats=ieee.sinh,
    code="np.sinh({})",
    textbook=("cosh({0})",),
    about="Return the hyperbolic sine, (eˣ − e⁻ˣ) / 2.",
    example=">>> F.sinh(0.0), grad(F.sinh)(0.0)\n(0.0, 1.0)",
)


def cosh_x(g, z, x):
    return g * sinh(x)


cosh = primitive(
    "cosh",
    np.cosh,
    cosh_x,
    on_floats=ieee.cosh,
    code="np.cosh({})",
    textbook=("sinh({0})",),
    about="Return the hyperbolic cosine, (eˣ + e⁻ˣ) / 2.",
    example=">>> F.cosh(0.0), grad(F.cosh)(0.0)\n(1.0, 0.0)",
)


def tanh_x(g, z, x):
    return g * (4.0 * sigmoid(2.0 * x) * sigmoid(-2.0 * x))


tanh = primitive(
    "tanh",
    np.tanh,
    tanh_x,
    on_floats=math.tanh,
    code="np.tanh({})",
    textbook=("1 - {z}**2",),
    about="Return the hyperbolic tangent; its derivative is exact far out in the tails, too.",
    example=(">>> F.tanh(0.0), grad(F.tanh)(0.0), grad(F.tanh)(20.0) > 0\n(0.0, 1.0, True)"),
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
    about="Return 1 / (1 + e⁻ˣ), without overflow; its derivative is exact in the tails, too.",
    example=">>> F.sigmoid(0.0), grad(F.sigmoid)(0.0), F.sigmoid(-1000.0)\n(0.5, 0.25, 0.0)",
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
    about="Return log(1 + eˣ), without overflow: a smooth ReLU.",
    example=(
        ">>> F.softplus(-1000.0), F.softplus(1000.0), grad(F.softplus)(0.0)\n(0.0, 1000.0, 0.5)"
    ),
)


def _near(x: Any) -> Any:
    return clip(x, -100.0, 100.0)  # Gaussians are 0 far before: there, 0 · ∞ is to be 0


def gaussian_x(g, z, x):
    return g * (-2.0 * _near(x) * z)


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
    about="Return the error function, 2/√π ∫₀ˣ exp(−t²) dt.",
    example=">>> F.erf(0.0), grad(F.erf)(0.0)\n(0.0, 1.1283791670955126)",
)


def normal_pdf_x(g, z, x):
    return g * (-_near(x) * z)


normal_pdf = primitive(
    "normal_pdf",
    special.normal_pdf_array,
    normal_pdf_x,
    on_floats=special.normal_pdf_float,
    notation="φ({})",
    textbook=("-{0} * {z}",),
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
