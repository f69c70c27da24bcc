"""Products of vectors, and what layers are made of: affine maps and normalisation."""

from __future__ import annotations

from typing import Any

from micrograd_nn.graph.functions.gathering import Axis, gathered, plain_axis
from micrograd_nn.graph.functions.shapes import moveaxis, reshape, transpose
from micrograd_nn.graph.table import fused
from micrograd_nn.graph.table.arrays import matmul, shape_of


def dot(x: Any, y: Any) -> Any:
    """Return ``np.dot(x, y)``.

    Parameters
    ----------
    x, y : Tensor, array-like, sequence of Values, or number
        Shapes (n,) and (n,), or (..., n) and (..., n, k); a number multiplies.

    Returns
    -------
    Tensor or ndarray
        Of shape (), or of that of x without its last axis and of y without its last but one.

    Raises
    ------
    ValueError
        If the lengths differ.

    Notes
    -----
    dx = dz yᵀ and dy = xᵀ dz, for matrices.

    Examples
    --------
    >>> float(dot([1.0, 2.0], [3.0, 4.0]))
    11.0
    """
    x, y = gathered(x), gathered(y)
    if not shape_of(x) or not shape_of(y):
        return x * y
    if len(shape_of(y)) <= 2:
        return matmul(x, y)
    batch = shape_of(y)[:-2]
    columns = reshape(moveaxis(y, -2, 0), (shape_of(y)[-2], -1))
    return reshape(matmul(x, columns), (*shape_of(x)[:-1], *batch, shape_of(y)[-1]))


def outer(x: Any, y: Any) -> Any:
    """Return the matrix of all products of the elements of two vectors, as ``np.outer``.

    Parameters
    ----------
    x, y : Tensor, array-like, or sequence of Values
        Of sizes n and k; flattened first.

    Returns
    -------
    Tensor or ndarray, shape (n, k)

    Raises
    ------
    TypeError
        If an argument doesn't hold real numbers.

    Notes
    -----
    dx = dz y and dy = dzᵀ x.

    Examples
    --------
    >>> outer([1.0, 2.0], [3.0, 4.0])
    array([[3., 4.],
           [6., 8.]])
    """
    return reshape(x, (-1, 1)) * reshape(y, (1, -1))


def linear(x: Any, W: Any, b: Any = None) -> Any:
    """Return x Wᵀ + b, an affine layer on rows.

    Parameters
    ----------
    x : (..., n_in)
        The examples.
    W : (n_out, n_in)
    b : (n_out,), optional

    Returns
    -------
    Tensor or ndarray, shape (..., n_out)

    Raises
    ------
    ValueError
        If the shapes don't fit.

    Notes
    -----
    dx = dz W, dW = dzᵀ x, db = Σ dz.

    Examples
    --------
    >>> import numpy as np
    >>> linear(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [0.0, 1.0]]), np.array([0.5, 0.0]))
    array([[11.5,  2. ]])
    """
    if b is None:
        return matmul(x, transpose(W))
    if shape_of(b) not in ((), (1,), shape_of(W)[:1]):
        raise ValueError(
            f"linear: a bias has shape (n_out,), here {shape_of(W)[:1]}, got {shape_of(b)}: it "
            "would be broadcast against the examples without a word"
        )
    return fused.linear(x, W, b)


def layer_norm(x: Any, w: Any = None, b: Any = None, eps: float = 1e-5) -> Any:
    """Return w (x − μ) / √(σ² + eps) + b, with μ and σ² over the last axis.

    Source: Ba, Kiros, Hinton, "Layer normalization", 2016.

    Parameters
    ----------
    x : (..., n)
    w, b : (n,), optional
        Scale and shift; 1 and 0 by default.
    eps : float
        Keeps the denominator from 0.

    Returns
    -------
    Tensor or ndarray, shape (..., n)

    Raises
    ------
    ValueError
        If the shapes don't fit.

    Notes
    -----
    With ẑ the standardised x and g = w dz, dx = (g − mean(g) − ẑ mean(g ẑ)) / √(σ² + eps).

    Examples
    --------
    >>> import numpy as np
    >>> layer_norm(np.array([[1.0, 3.0]]), np.array([1.0, 2.0]), eps=0.0)
    array([[-1.,  2.]])
    """
    return _scaled(fused.standardize(x, axis=(-1,), eps=eps), w, b)


def standardize(x: Any, axis: Axis = -1, eps: float = 1e-5) -> Any:
    """Return (x − μ) / √(σ² + eps), with μ and σ² over ``axis``.

    Parameters
    ----------
    x : Tensor or ndarray
    axis : int or tuple of int
    eps : float
        Keeps the denominator from 0.

    Returns
    -------
    Tensor or ndarray
        Of the shape of x.

    Raises
    ------
    ValueError
        If x has no such axis.

    Notes
    -----
    With z the result, dx = (dz − mean(dz) − z mean(dz z)) / √(σ² + eps).

    Examples
    --------
    >>> import numpy as np
    >>> standardize(np.array([[1.0, 3.0], [0.0, 0.0]]), eps=1e-300)
    array([[-1.,  1.],
           [ 0.,  0.]])
    """
    return fused.standardize(x, axis=plain_axis(axis), eps=eps)


def _scaled(x: Any, w: Any, b: Any) -> Any:
    scaled = x if w is None else x * w
    return scaled if b is None else scaled + b
