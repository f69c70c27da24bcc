"""Kernels on Python floats that answer as IEEE 754 and NumPy do, instead of raising.

Python's ``math`` raises where NumPy returns an infinity or a NaN: ``math.log(0.0)`` is a
``ValueError``, ``math.exp(1000.0)`` an ``OverflowError``, ``1.0 / 0.0`` a ``ZeroDivisionError``.
A recorded computation must not stop there, so each kernel catches the exception (which costs
nothing while none is raised) and returns the value that NumPy would.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

FloatKernel = Callable[..., float]


def ieee(function: FloatKernel, array_function: Callable[..., object]) -> FloatKernel:
    """Return ``function`` with NumPy's answer wherever ``function`` raises.

    Parameters
    ----------
    function : callable
        A function of floats, usually from ``math``.
    array_function : callable
        The NumPy function that is asked when ``function`` raises.

    Examples
    --------
    >>> ieee(math.log, np.log)(0.0)
    -inf
    """

    def kernel(*args: float, **params: object) -> float:
        try:
            return function(*args, **params)
        except (ArithmeticError, ValueError):
            with np.errstate(all="ignore"):
                return float(array_function(*map(np.float64, args), **params))  # type: ignore[arg-type]

    kernel.__name__ = getattr(function, "__name__", "kernel")
    return kernel


def _divide(x: float, y: float) -> float:
    return x / y


divide = ieee(_divide, np.divide)
power = ieee(math.pow, np.power)
exp = ieee(math.exp, np.exp)
expm1 = ieee(math.expm1, np.expm1)
log = ieee(math.log, np.log)
log1p = ieee(math.log1p, np.log1p)
sqrt = ieee(math.sqrt, np.sqrt)
sin = ieee(math.sin, np.sin)
cos = ieee(math.cos, np.cos)
tan = ieee(math.tan, np.tan)
sinh = ieee(math.sinh, np.sinh)
cosh = ieee(math.cosh, np.cosh)


def sign(x: float) -> float:
    """Return -1.0, 0.0 or 1.0, and NaN for NaN."""
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 if x == 0.0 else x


def maximum(x: float, y: float) -> float:
    """Return the larger of two floats; NaN if either is NaN, as NumPy does."""
    return x if x >= y or x != x else y


def minimum(x: float, y: float) -> float:
    """Return the smaller of two floats; NaN if either is NaN, as NumPy does."""
    return x if x <= y or x != x else y
