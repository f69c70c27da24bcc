"""The Jacobians of operations that mix the elements of an array, apart from the table.

Each is of a function of vectors: the Jacobian of the last axis of ``x`` (..., n) has the shape
(..., m, n), with m = 1 for a reduction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any
Jacobian = Callable[..., Array]


def _shares(x: Array) -> Array:
    """Return the softmax of the last axis."""
    top = np.max(x, axis=-1, keepdims=True)
    e = np.exp(x - np.where(np.isfinite(top), top, 0.0))
    total = np.sum(e, axis=-1, keepdims=True)
    return np.where(total == 0, 0.0, e / np.where(total == 0, 1.0, total))


def _others(p: Array) -> Array:
    """Return, for each element, the sum of the others; it doesn't cancel, as 1 − p would."""
    n = p.shape[-1]
    return np.sum(np.where(np.eye(n, dtype=bool), 0.0, p[..., None, :]), axis=-1)


def _with_diagonal(matrix: Array, diagonal: Array) -> Array:
    n = matrix.shape[-1]
    return np.where(np.eye(n, dtype=bool), diagonal[..., :, None], matrix)


def softmax(x: Array, **_: Any) -> Array:
    """Return diag(p) − p pᵀ."""
    p = _shares(x)
    return _with_diagonal(-p[..., :, None] * p[..., None, :], p * _others(p))


def log_softmax(x: Array, **_: Any) -> Array:
    """Return I − 1 pᵀ."""
    p = _shares(x)
    repeated = np.broadcast_to(-p[..., None, :], (*p.shape, p.shape[-1]))
    return _with_diagonal(repeated, _others(p))


def logsumexp(x: Array, **_: Any) -> Array:
    """Return pᵀ; 0 where all elements are −∞."""
    return _shares(x)[..., None, :]


def _product_without(x: Array, axis: int = -1) -> Array:
    n = x.shape[-1]
    return np.prod(np.where(np.eye(n, dtype=bool), 1.0, x[..., None, :]), axis=axis)


def prod(x: Array, **_: Any) -> Array:
    """Return the products of all other elements."""
    return _product_without(x)[..., None, :]


def product_of_others(x: Array, **_: Any) -> Array:
    """Return the products of all elements but two; 0 on the diagonal."""
    n = x.shape[-1]
    without_one = np.where(np.eye(n, dtype=bool), 1.0, x[..., None, :])
    return _with_diagonal(_product_without(without_one), np.zeros(x.shape))


def extremum(x: Array, largest: bool) -> Array:
    """Return the shares of the largest (or smallest) elements: ties split evenly."""
    best = (np.max if largest else np.min)(x, axis=-1, keepdims=True)
    hit = x == best
    return np.asarray(hit / np.sum(hit, axis=-1, keepdims=True))[..., None, :]


def _centred(x: Array) -> Array:
    return x - np.mean(x, axis=-1, keepdims=True)


def _without_zero(length: Array) -> Array:
    return np.where(length == 0, 1.0, length)


def _freedom(x: Array, ddof: int) -> Array:
    return np.float64(max(x.shape[-1] - ddof, 0))


def var(x: Array, ddof: int, **_: Any) -> Array:
    """Return 2 (x − μ) / (n − ddof)."""
    return (2.0 * _centred(x) / _freedom(x, ddof))[..., None, :]


def std(x: Array, ddof: int, **_: Any) -> Array:
    """Return (x − μ) / ((n − ddof) s); 0 where s is 0."""
    centred, free = _centred(x), _freedom(x, ddof)
    spread = np.sqrt(np.sum(centred * centred, axis=-1, keepdims=True) / free)
    return (centred / _without_zero(spread) / free)[..., None, :]


def norm(x: Array, **_: Any) -> Array:
    """Return x / ‖x‖; 0 where the norm is 0."""
    largest = _without_zero(np.max(np.abs(x), axis=-1, keepdims=True, initial=0.0))
    scaled = x / largest
    length = np.sqrt(np.sum(scaled * scaled, axis=-1, keepdims=True))
    return (scaled / _without_zero(length))[..., None, :]


def _standardized(x: Array, eps: float) -> tuple[Array, Array]:
    centred = _centred(x)
    spread = np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + eps)
    return centred / spread, spread[..., None]


def standardize(x: Array, eps: float, **_: Any) -> Array:
    """Return (I − 1/n − z zᵀ/n) / √(σ² + eps)."""
    z, spread = _standardized(x, eps)
    n = x.shape[-1]
    return np.asarray((np.eye(n) - (1.0 + z[..., :, None] * z[..., None, :]) / n) / spread)


def _size_of_standardize(x: Array, eps: float, **_: Any) -> Array:
    z, spread = _standardized(x, eps)
    n = x.shape[-1]
    size = np.eye(n) + (1.0 + np.abs(z[..., :, None] * z[..., None, :])) / n
    return np.asarray(size / spread)


def label_cross_entropy(x: Array, labels: Array, **_: Any) -> Array:
    """Return (p − y)ᵀ."""
    p = _shares(x)
    hit = np.arange(x.shape[-1]) == np.asarray(labels)[..., None]
    return np.where(hit, -_others(p), p)[..., None, :]


#: The Jacobian of each row that works along an axis, by its name.
JACOBIANS: dict[str, Jacobian] = {
    "softmax": softmax,
    "softmax_minus_labels": softmax,
    "log_softmax": log_softmax,
    "logsumexp": logsumexp,
    "label_cross_entropy": label_cross_entropy,
    "prod": prod,
    "product_of_others": product_of_others,
    "max": lambda x, **_: extremum(x, largest=True),
    "min": lambda x, **_: extremum(x, largest=False),
    "var": var,
    "std": std,
    "norm": norm,
    "standardize": standardize,
}

#: Where an element of a Jacobian is a sum that may cancel: its error is relative to this.
SIZES: dict[str, Jacobian] = {"standardize": _size_of_standardize}

#: Rows that are linear in their one argument (or sequence of arguments), by name.
LINEAR = frozenset(
    {
        "reshape",
        "transpose",
        "broadcast_to",
        "sum_to",
        "flip",
        "sum",
        "mean",
        "cumsum",
        "getitem",
        "scatter",
        "concatenate",
        "stack",
        "pad",
    }
)

#: Rows without a derivative.
CONSTANT = frozenset({"share_of_extremum"})
