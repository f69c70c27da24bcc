"""Elementwise functions with parameters that have defaults; the others are rows of the table."""

from __future__ import annotations

import math
from typing import Any

from micrograd_nn.graph.table import activations, arithmetic


def leaky_relu(x: Any, slope: float = 0.01) -> Any:
    """Return x where x > 0, else slope · x.

    Parameters
    ----------
    x : Value, Tensor, array-like or float
    slope : float
        It may be a node, too, and then gets a gradient.

    Returns
    -------
    Value, Tensor, ndarray or float
        Of the shape of x.

    Raises
    ------
    TypeError
        If an argument doesn't hold real numbers.

    Notes
    -----
    The derivative is 1 where x > 0, else ``slope``, also at the kink x = 0.

    Examples
    --------
    >>> leaky_relu(-2.0), leaky_relu(3.0)
    (-0.02, 3.0)
    """
    return activations.leaky_relu(x, slope)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Return x where x > 0, else α (eˣ − 1).

    Parameters
    ----------
    x : Value, Tensor, array-like or float
    alpha : float
        It may be a node, too, and then gets a gradient.

    Returns
    -------
    Value, Tensor, ndarray or float
        Of the shape of x.

    Raises
    ------
    TypeError
        If an argument doesn't hold real numbers.

    Notes
    -----
    The derivative is 1 where x > 0, else α eˣ; at the kink x = 0 it is min(1, α).

    Examples
    --------
    >>> elu(0.5), elu(-1.0) == math.expm1(-1.0)
    (0.5, True)
    """
    return activations.elu(x, alpha)


def clip(x: Any, lo: Any = None, hi: Any = None) -> Any:
    """Return x limited to [lo, hi], as ``np.clip``.

    Parameters
    ----------
    x : Value, Tensor, array-like or float
    lo, hi : Value, Tensor, array-like or float, optional
        The bounds, broadcast against x; none by default.

    Returns
    -------
    Value, Tensor, ndarray or float
        Of the arguments' common shape.

    Raises
    ------
    TypeError
        If an argument doesn't hold real numbers.
    ValueError
        If the shapes can't be broadcast.

    Notes
    -----
    The gradient of x passes where lo ≤ x ≤ hi, at the bounds too; beyond them it goes to the bound.

    Examples
    --------
    >>> clip(3.0, 0, 1), clip(-3.0, hi=1)
    (1.0, -3.0)
    """
    lo = -math.inf if lo is None else lo
    hi = math.inf if hi is None else hi
    return arithmetic.clip(x, lo, hi)
