"""Functions that reduce axes or run along them: sums, extrema, moments, norms, softmax."""

from __future__ import annotations

from typing import Any

from micrograd_nn.graph.functions.gathering import Axis, gathered, plain_axis
from micrograd_nn.graph.table import arrays, fused


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the sum over ``axis``, as ``np.sum``.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values
    axis : int or tuple of int, optional
        The axes to reduce; all by default.
    keepdims : bool
        Whether to keep them with length 1.

    Returns
    -------
    Tensor or ndarray
        Of the shape of x without ``axis``.

    Raises
    ------
    ValueError
        If x has no such axis.

    Notes
    -----
    Each element gets the cotangent of the sum it is in.

    Examples
    --------
    >>> import numpy as np
    >>> sum(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    array([4., 6.])
    """
    return arrays.sum_(gathered(x), axis=plain_axis(axis), keepdims=keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the mean over ``axis``, as ``np.mean``.

    Parameters
    ----------
    x, axis, keepdims
        As for ``sum``.

    Returns
    -------
    Tensor or ndarray
        Of the shape of x without ``axis``.

    Raises
    ------
    ValueError
        If x has no such axis.

    Notes
    -----
    Of n elements each gets 1/n of the cotangent.

    Examples
    --------
    >>> import numpy as np
    >>> mean(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    array([2., 3.])
    """
    return arrays.mean(gathered(x), axis=plain_axis(axis), keepdims=keepdims)


def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the product over ``axis``, as ``np.prod``.

    Parameters
    ----------
    x, axis, keepdims
        As for ``sum``.

    Returns
    -------
    Tensor or ndarray
        Of the shape of x without ``axis``.

    Raises
    ------
    ValueError
        If x has no such axis.

    Notes
    -----
    The derivative by an element is the product of the others, right where some are 0, too.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import grad
    >>> grad(prod)(np.array([0.0, 2.0, 3.0]))
    array([6., 0., 0.])
    """
    return arrays.prod(gathered(x), axis=plain_axis(axis), keepdims=keepdims)


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the maximum over ``axis``, as ``np.max``.

    Parameters
    ----------
    x, axis, keepdims
        As for ``sum``.

    Returns
    -------
    Tensor or ndarray
        Of the shape of x without ``axis``.

    Raises
    ------
    ValueError
        If x has no such axis, or nothing along it.

    Notes
    -----
    The gradient goes to the largest element; ties share it evenly.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import grad
    >>> float(max(np.array([1.0, 3.0, 3.0]))), grad(max)(np.array([1.0, 3.0, 3.0]))
    (3.0, array([0. , 0.5, 0.5]))
    """
    return arrays.max_(gathered(x), axis=plain_axis(axis), keepdims=keepdims)


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the minimum over ``axis``, as ``np.min``.

    Parameters
    ----------
    x, axis, keepdims
        As for ``sum``.

    Returns
    -------
    Tensor or ndarray
        Of the shape of x without ``axis``.

    Raises
    ------
    ValueError
        If x has no such axis, or nothing along it.

    Notes
    -----
    The gradient goes to the smallest element; ties share it evenly.

    Examples
    --------
    >>> import numpy as np
    >>> min(np.array([[1.0, 3.0], [2.0, 0.0]]), axis=1)
    array([1., 0.])
    """
    return arrays.min_(gathered(x), axis=plain_axis(axis), keepdims=keepdims)


def var(x: Any, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """Return the variance over ``axis``, Σ (x − x̄)² / (n − ddof), as ``np.var``.

    Parameters
    ----------
    x, axis, keepdims
        As for ``sum``.
    ddof : int
        What is taken from the number n of elements: 1 gives the unbiased estimate.

    Returns
    -------
    Tensor or ndarray
        Of the shape of x without ``axis``.

    Raises
    ------
    ValueError
        If x has no such axis.

    Notes
    -----
    The derivative by x is 2 (x − x̄) / (n − ddof).

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import grad
    >>> float(var(np.array([1.0, 3.0]))), grad(var)(np.array([1.0, 3.0]))
    (1.0, array([-1.,  1.]))
    """
    return arrays.var(gathered(x), axis=plain_axis(axis), ddof=ddof, keepdims=keepdims)


def std(x: Any, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """Return the standard deviation over ``axis``, the root of ``var``, as ``np.std``.

    Parameters
    ----------
    x, axis, ddof, keepdims
        As for ``var``.

    Returns
    -------
    Tensor or ndarray
        Of the shape of x without ``axis``.

    Raises
    ------
    ValueError
        If x has no such axis.

    Notes
    -----
    The derivative by x is (x − x̄) / ((n − ddof) σ); at the kink σ = 0 it is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import grad
    >>> float(std(np.array([1.0, 3.0]))), grad(std)(np.array([2.0, 2.0]))
    (1.0, array([0., 0.]))
    """
    return arrays.std(gathered(x), axis=plain_axis(axis), ddof=ddof, keepdims=keepdims)


def norm(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the Euclidean norm over ``axis``, √Σ x².

    Parameters
    ----------
    x, axis, keepdims
        As for ``sum``.

    Returns
    -------
    Tensor or ndarray
        Of the shape of x without ``axis``.

    Raises
    ------
    ValueError
        If x has no such axis.

    Notes
    -----
    The derivative by x is x / ‖x‖; at the kink x = 0 it is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import grad
    >>> float(norm(np.array([3.0, 4.0]))), grad(norm)(np.array([3.0, 4.0]))
    (5.0, array([0.6, 0.8]))
    """
    return arrays.norm(gathered(x), axis=plain_axis(axis), keepdims=keepdims)


def cumsum(x: Any, axis: int | None = None) -> Any:
    """Return the running sum along an axis, as ``np.cumsum``.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values
    axis : int, optional
        By default x is flattened first.

    Returns
    -------
    Tensor or ndarray
        Of the shape of x, or (size,).

    Raises
    ------
    ValueError
        If x has no such axis.

    Notes
    -----
    Each element gets the sum of the cotangents from its own place on.

    Examples
    --------
    >>> cumsum([1.0, 2.0, 3.0])
    array([1., 3., 6.])
    """
    return arrays.cumsum(gathered(x), axis=axis)


def softmax(x: Any, axis: Axis = -1) -> Any:
    """Return eˣ / Σ eˣ over ``axis``, without overflow.

    Parameters
    ----------
    x : Tensor, array-like, or sequence of Values
    axis : int or tuple of int, optional
        The axes along which the results sum to 1; all for None.

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
    With p the result, ∂pᵢ/∂xⱼ = pᵢ ([i = j] − pⱼ).

    Examples
    --------
    >>> softmax([0.0, 1000.0, 1000.0])
    array([0. , 0.5, 0.5])
    """
    return fused.softmax(gathered(x), axis=plain_axis(axis))


def log_softmax(x: Any, axis: Axis = -1) -> Any:
    """Return x − log Σ eˣ over ``axis``, the logarithm of ``softmax``, without overflow.

    Parameters
    ----------
    x, axis
        As for ``softmax``.

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
    It is exact also where the softmax rounds to 0 or 1. ∂zᵢ/∂xⱼ = [i = j] − softmax(x)ⱼ.

    Examples
    --------
    >>> log_softmax([0.0, 1000.0])
    array([-1000.,     0.])
    """
    return fused.log_softmax(gathered(x), axis=plain_axis(axis))


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return log Σ eˣ over ``axis``, without overflow.

    Parameters
    ----------
    x, axis, keepdims
        As for ``sum``.

    Returns
    -------
    Tensor or ndarray
        Of the shape of x without ``axis``.

    Raises
    ------
    ValueError
        If x has no such axis.

    Notes
    -----
    The derivative by x is softmax(x); where all elements are -inf, it is 0.

    Examples
    --------
    >>> round(float(logsumexp([1000.0, 1000.0])) - 1000.0, 6)  # log 2
    0.693147
    """
    return fused.logsumexp(gathered(x), axis=plain_axis(axis), keepdims=keepdims)
