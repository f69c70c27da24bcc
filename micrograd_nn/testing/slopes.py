"""The derivatives of elementwise operations, written apart from the table of operations.

An oracle that shared a rule with what it checks would share its mistakes. So each derivative is
here in another form than in the table, where there is one: tanh' is 1/cosh² here and
4 σ(2x) σ(−2x) there. They are exact at the edges, and at kinks they have the documented value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn.graph import special

Array = Any
#: ``slopes(*arguments, z)``: the derivative by each argument, None for an argument without one.
Slopes = Callable[..., tuple[Array | None, ...]]


def _sech(x: Array) -> Array:
    return 1.0 / np.cosh(x)


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def _sigmoid_slope(x: Array) -> Array:
    return (0.5 * _sech(0.5 * x)) ** 2


def _times(factor: Array, x: Array) -> Array:
    """Return factor · x, 0 where the factor is 0 and x infinite: the limit of each use here."""
    return np.where(factor == 0, 0.0, factor * x)


def _power_slope(x: Array, y: Array, k: Array) -> Array:
    """Return the k-th derivative of x**y by x."""
    factor: Array = 1.0
    for i in range(int(k)):
        factor = factor * (y - i)
    inexact = ((y - k) + k != y) & (x != 0)
    direct = factor * x ** (y - k)
    stepwise = factor * (x**y / np.where(inexact, x, 1.0) ** k)
    return np.where(np.equal(factor, 0), 0.0, np.where(inexact, stepwise, direct))


def _log_of_base(x: Array, y: Array) -> Array:
    return np.log(np.where((x == 0) & (y >= 0), 1.0, x))


def _power(x: Array, y: Array, z: Array) -> tuple[Array, Array]:
    return _power_slope(x, y, 1.0), z * _log_of_base(x, y)


def _power_derivative(x: Array, y: Array, k: Array, z: Array) -> tuple[Array, Array, None]:
    count = int(k)
    others: Array = 0.0
    for left_out in range(count):
        product: Array = 1.0
        for i in range(count):
            product = product * ((y - i) if i != left_out else 1.0)
        others = others + product
    by_exponent = others * x ** (y - k) + z * _log_of_base(x, y)
    return _power_slope(x, y, k + 1.0), by_exponent, None


def _known(slope: Array, z: Array) -> Array:
    """Return the slope, NaN where the result is NaN: no side of a kink is known then."""
    return np.where(np.isnan(z), z, slope)


def _ties(x: Array, y: Array) -> Array:
    return _known(np.where(x == y, 0.5, x > y), np.maximum(x, y))


def _clip(x: Array, lo: Array, hi: Array, z: Array) -> tuple[Array, Array, Array]:
    sides = (lo <= x) & (x <= hi), (x < lo) & (lo < hi), np.maximum(x, lo) > hi
    inside, below, above = (_known(side, z) for side in sides)
    return inside, below, above


def _elu(x: Array, alpha: Array, z: Array) -> tuple[Array, Array]:
    below = np.where(x < 0, alpha * np.exp(np.minimum(x, 0.0)), np.minimum(alpha, 1.0))
    return _known(np.where(x > 0, 1.0, below), x), np.expm1(np.minimum(x, 0.0))


def _gelu_terms(x: Array) -> tuple[Array, Array]:
    return special.normal_cdf_array(x), _times(special.normal_pdf_array(x), x)


def _silu_terms(x: Array) -> tuple[Array, Array]:
    return _sigmoid(x), _times(_sigmoid_slope(x), x)


def _silu_slope_terms(x: Array) -> tuple[Array, Array]:
    slope = _sigmoid_slope(x)
    return 2.0 * slope, -_times(slope, x * np.tanh(0.5 * x))


def _gelu_slope_terms(x: Array) -> tuple[Array, Array]:
    density = special.normal_pdf_array(x)
    return 2.0 * density, -_times(density, x * x)


def _bce_terms(x: Array, y: Array) -> tuple[Array, Array]:
    return (1.0 - y) * _sigmoid(x), -y * _sigmoid(-x)


def _share(x: Array, y: Array) -> Array:
    """Return x / y, 0 where both are 0."""
    return x / np.where((x == 0) & (y == 0), 1.0, y)


def _sum(terms: tuple[Array, Array]) -> Array:
    return terms[0] + terms[1]


def _nothing(*arguments: Array) -> tuple[None, ...]:
    return (None,) * (len(arguments) - 1)


#: The derivatives of each elementwise row, by its name.
SLOPES: dict[str, Slopes] = {
    "add": lambda x, y, z: (1.0, 1.0),
    "sub": lambda x, y, z: (1.0, -1.0),
    "neg": lambda x, z: (-1.0,),
    "mul": lambda x, y, z: (y, x),
    "div": lambda x, y, z: (1.0 / y, -x / y / y),
    "identity": lambda x, z: (1.0,),
    "power": _power,
    "power_derivative": _power_derivative,
    "log_of_base": lambda x, y, z: (1.0 / x, None),
    "abs": lambda x, z: (np.where(x == 0, 0.0, np.where(x > 0, 1.0, -1.0)),),
    "sign": _nothing,
    "step": _nothing,
    "dominance": _nothing,
    "inside": _nothing,
    "maximum": lambda x, y, z: (_ties(x, y), _ties(y, x)),
    "minimum": lambda x, y, z: (_ties(y, x), _ties(x, y)),
    "clip": _clip,
    "where": lambda c, x, y, z: (None, np.where(c, 1.0, 0.0), np.where(c, 0.0, 1.0)),
    "x_over": lambda x, y, z: (1.0 / y, -_share(_share(x, y), y)),
    "xlogy": lambda x, y, z: (np.log(y), _share(x, y)),
    "xlog1py": lambda x, y, z: (np.log1p(y), _share(x, 1.0 + y)),
    "exp": lambda x, z: (np.exp(x),),
    "expm1": lambda x, z: (np.exp(x),),
    "log": lambda x, z: (1.0 / x,),
    "log1p": lambda x, z: (1.0 / (1.0 + x),),
    "sqrt": lambda x, z: (0.5 / np.sqrt(x),),
    "sin": lambda x, z: (np.cos(x),),
    "cos": lambda x, z: (-np.sin(x),),
    "tan": lambda x, z: (1.0 / np.cos(x) ** 2,),
    "arctan": lambda x, z: ((1.0 / np.hypot(1.0, x)) ** 2,),
    "sinh": lambda x, z: (np.cosh(x),),
    "cosh": lambda x, z: (np.sinh(x),),
    "tanh": lambda x, z: (_sech(x) ** 2,),
    "sigmoid": lambda x, z: (_sigmoid_slope(x),),
    "softplus": lambda x, z: (_sigmoid(x),),
    "gaussian": lambda x, z: (-2.0 * _times(special.exp_minus_square_array(x), x),),
    "erf": lambda x, z: (1.1283791670955126 * special.exp_minus_square_array(x),),
    "normal_pdf": lambda x, z: (-_times(special.normal_pdf_array(x), x),),
    "normal_cdf": lambda x, z: (special.normal_pdf_array(x),),
    "relu": lambda x, z: (_known(x > 0, x),),
    "leaky_relu": lambda x, slope, z: (
        _known(np.where(x > 0, 1.0, slope), x),
        np.minimum(x, 0.0),
    ),
    "elu": _elu,
    "gelu": lambda x, z: (_sum(_gelu_terms(x)),),
    "silu": lambda x, z: (_sum(_silu_terms(x)),),
    "gelu_slope": lambda x, z: (_sum(_gelu_slope_terms(x)),),
    "silu_slope": lambda x, z: (_sum(_silu_slope_terms(x)),),
    "sigmoid_minus": lambda x, y, z: (_sigmoid_slope(x), -1.0),
    "bce_with_logits": lambda x, y, z: (_sum(_bce_terms(x, y)), -x),
    "huber": lambda e, delta, z: (np.minimum(np.maximum(e, -delta), delta), None),
    "hinge": lambda x, y, z: (
        _known(np.where(x * y < 1, -y, 0.0), z),
        _known(np.where(x * y < 1, -x, 0.0), z),
    ),
}

#: Where a derivative is a sum of two terms, which may cancel: its error is relative to these.
TERMS: dict[str, Callable[..., tuple[Array, Array]]] = {
    "gelu": _gelu_terms,
    "silu": _silu_terms,
    "gelu_slope": _gelu_slope_terms,
    "silu_slope": _silu_slope_terms,
    "bce_with_logits": _bce_terms,
}
