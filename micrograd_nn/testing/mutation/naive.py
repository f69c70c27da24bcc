"""Textbook forms of derivatives that lose their digits, or all sense, at the edges.

Each is right on paper, and stands where a rule of the table takes another way. A check that lets
one pass doesn't look far enough out.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

#: ``rule: other results``
NAIVE: dict[str, tuple[str, ...]] = {
    "tanh_x": (
        "g * (1.0 - z * z)",
        "g * (4.0 * exp(-2.0 * x) / (1.0 + exp(-2.0 * x)) ** 2)",
        "g * (4.0 * exp(2.0 * x) / (1.0 + exp(2.0 * x)) ** 2)",
    ),
    "sigmoid_x": ("g * (z * (1.0 - z))", "g * (sigmoid(x) * (1.0 - sigmoid(x)))"),
    "sigmoid_minus_x": ("g * (sigmoid(x) * (1.0 - sigmoid(x)))",),
    "bce_x": ("g * (sigmoid(x) - y)",),
    "softplus_x": ("g * (1.0 - exp(-z))", "g * (exp(x) / (1.0 + exp(x)))"),
    "expm1_x": ("g * (z + 1.0)",),
    "log_softmax_x": ("g - softmax(x, axis=axis) * sum_(g, axis=axis, keepdims=True)",),
    "softmax_x": ("z * (g - sum_(g * z, axis=axis, keepdims=True))",),
    "softmax_minus_labels_x": (
        "softmax(x, axis=-1) * (g - sum_(g * softmax(x, axis=-1), axis=-1, keepdims=True))",
    ),
    "logsumexp_x": ("with_reduced_axes(g, x, axis) * softmax(x, axis=axis)",),
    "div_y": ("-(g * x / (y * y))", "-(g * (x / y ** 2))"),
    "power_x": ("g * (y * x ** (y - 1.0))", "g * (y * z / x)"),
    "power_y": ("g * (z * log_of_base(x, 0.0 * y - 1.0))",),
    "sqrt_x": ("g * (0.5 * x ** -0.5) * z / z",),
    "arctan_x": ("g * (1.0 - z * z)",),
    "silu_x": ("g * (sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))))",),
    "elu_x": ("g * where(step(x), 1.0, z + alpha)",),
    "std_x": (
        "with_reduced_axes(g, x, axis) * ((x - mean(x, axis=axis, keepdims=True))"
        " / with_reduced_axes(z, x, axis)) / float(_count(x, axis) - ddof)",
    ),
    "norm_x": ("with_reduced_axes(g, x, axis) * (x / with_reduced_axes(z, x, axis))",),
    "prod_x": ("with_reduced_axes(g, x, axis) * (with_reduced_axes(z, x, axis) / x)",),
    "x_sigmoid_slope_x": ("g * (sigmoid(x) * (1.0 - sigmoid(x)) - z * tanh(0.5 * x))",),
    "normal_cdf_x": ("g * (0.3989422804014327 * gaussian(0.7071067811865476 * x))",),
}


def naive_forms(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """Yield a rule in its naive forms."""
    for form in NAIVE.get(function.name, ()):
        changed = copy.deepcopy(function)
        changed.body = [ast.Return(ast.parse(form, mode="eval").body)]
        yield ast.fix_missing_locations(changed)
