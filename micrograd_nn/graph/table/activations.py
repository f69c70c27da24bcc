"""Rows of the table: activation functions that aren't elementary functions already."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrograd_nn.graph import ieee, special, special_slopes
from micrograd_nn.graph.primitive import primitive
from micrograd_nn.graph.table.arithmetic import ZERO, clip, minimum, sign, step, where
from micrograd_nn.graph.table.elementary import exp, expm1, normal_pdf, sigmoid, tanh


def _relu_float(x: float) -> float:
    return 0.0 if x <= 0.0 else x  # NaN stays NaN


def relu_x(g, z, _x):
    return g * sign(z)  # z >= 0, and NaN stays NaN


relu = primitive(
    "relu",
    lambda x: np.maximum(x, ZERO.get(x.dtype, 0)),
    relu_x,
    on_floats=_relu_float,
    code="np.maximum({}, 0)",
    textbook=("[{0} > 0]",),
    kinks={"x == 0": "0 (the subgradient of least norm)"},
    about="Return max(x, 0).",
    example=(
        ">>> F.relu(-2.0), F.relu(3.0), grad(F.relu)(3.0), grad(F.relu)(0.0)\n(0.0, 3.0, 1.0, 0.0)"
    ),
)


def _leaky_relu_float(x: float, slope: float) -> float:
    return x if x > 0.0 else slope * x


def leaky_relu_x(g, z, x, slope):
    above = step(x)
    return g * where(above, above, slope)  # NaN stays NaN


def leaky_relu_slope(g, z, x, slope):
    return g * minimum(x, 0.0)


leaky_relu = primitive(
    "leaky_relu",
    lambda x, slope: np.where(x > 0, x, slope * x),
    (leaky_relu_x, leaky_relu_slope),
    on_floats=_leaky_relu_float,
    notation="leaky_relu({}, {})",
    code="np.where({0} > 0, {0}, {1} * {0})",
    textbook=("1 if {0} > 0 else {1}", "min({0}, 0)"),
    kinks={"x == 0": "slope"},
)


def _elu_float(x: float, alpha: float) -> float:
    return x if x > 0.0 else alpha * ieee.expm1(x)


def _elu(x: Any, alpha: Any) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_x(g, z, x, alpha):
    above = step(x)
    below = alpha * exp(minimum(x, 0.0))
    return g * where(above, above, where(step(-x), below, minimum(alpha, 1.0)))


def elu_alpha(g, z, x, alpha):
    return g * expm1(minimum(x, 0.0))


elu = primitive(
    "elu",
    _elu,
    (elu_x, elu_alpha),
    on_floats=_elu_float,
    notation="elu({}, {})",
    code="np.where({0} > 0, {0}, {1} * np.expm1({0}))",
    textbook=("1 if {0} > 0 else {1} * exp({0})", "0 if {0} > 0 else exp({0}) - 1"),
    kinks={"x == 0": "min(1, alpha), which is 1 for alpha = 1"},
)


def _gelu_float(x: float) -> float:
    return 0.0 if x == -math.inf else x * special.normal_cdf_float(x)


def _gelu(x: Any) -> Any:
    return _without_minus_infinity(x) * special.normal_cdf_array(x)


def _without_minus_infinity(x: Any) -> Any:
    return np.maximum(x, np.finfo(x.dtype).min)  # −∞ · 0 would be NaN where the limit is 0


def gelu_x(g, z, x):
    return g * gelu_slope(x)


gelu = primitive(
    "gelu",
    _gelu,
    gelu_x,
    on_floats=_gelu_float,
    code="gelu({})",
    textbook=("Φ({0}) + {0} * φ({0})",),
    about="Return x Φ(x), with Φ the normal distribution function.",
    example=">>> F.gelu(0.0), grad(F.gelu)(0.0)\n(0.0, 0.5)",
)


def gelu_slope_x(g, z, x):
    near = clip(x, -100.0, 100.0)  # φ is 0 far before: there, 0 · ∞ is to be 0
    return g * (normal_pdf(x) * (2.0 - near * near))


gelu_slope = primitive(
    "gelu_slope",
    special_slopes.gelu_slope_array,
    gelu_slope_x,
    on_floats=special_slopes.gelu_slope_float,
    notation="gelu'({})",
    textbook=("φ({0}) * (2 - {0}**2)",),
)


def _silu_float(x: float) -> float:
    return 0.0 if x == -math.inf else x * special.sigmoid_float(x)


def silu_x(g, z, x):
    return g * silu_slope(x)


silu = primitive(
    "silu",
    lambda x: _without_minus_infinity(x) * special.sigmoid_array(x),
    silu_x,
    on_floats=_silu_float,
    code="silu({})",
    textbook=("σ({0}) * (1 + {0} * (1 - σ({0})))",),
    about="Return x σ(x), also known as swish.",
    example=">>> F.silu(0.0), grad(F.silu)(0.0)\n(0.0, 0.5)",
)


def silu_slope_x(g, z, x):
    near = clip(x, -1000.0, 1000.0)  # σ' is 0 far before
    return g * (sigmoid(x) * sigmoid(-x) * (2.0 - near * tanh(0.5 * x)))


silu_slope = primitive(
    "silu_slope",
    special_slopes.silu_slope_array,
    silu_slope_x,
    on_floats=special_slopes.silu_slope_float,
    notation="silu'({})",
    textbook=("σ({0}) * (1 - σ({0})) * (2 - {0} * tanh({0} / 2))",),
)
