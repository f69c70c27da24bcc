"""Costs of all systems, and S5's deltas: their derivatives by the pre-activations."""

from __future__ import annotations

import numpy as np

from micrograd_nn.equations.activations import activation_named, softplus
from micrograd_nn.equations.notation import Array


def binary_cross_entropy(A: Array, Y: Array) -> float:
    """J = −1/m Σ (y log a + (1 − y) log(1 − a)), from probabilities, with 0 log 0 = 0.

    A and Y have shape (n, m). Certainty of the wrong class costs infinity.

    Examples
    --------
    >>> round(binary_cross_entropy(np.array([[0.5, 1.0]]), np.array([[1.0, 1.0]])), 6)
    0.346574
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        log_likelihood = np.where(Y == 0, 0.0, Y * np.log(A)) + np.where(
            Y == 1, 0.0, (1 - Y) * np.log1p(-A)
        )
    return float(-np.sum(log_likelihood) / Y.shape[1])


def binary_cross_entropy_from_logits(Z: Array, Y: Array) -> float:
    """The same J of a = σ(z), exact for every z: 1/m Σ (y softplus(−z) + (1 − y) softplus(z)).

    Examples
    --------
    >>> binary_cross_entropy_from_logits(np.array([[40.0, -800.0]]), np.array([[1.0, 1.0]]))
    400.0
    """
    return float(np.sum(Y * softplus(-Z) + (1 - Y) * softplus(Z)) / Y.shape[1])


def half_mse(A: Array, Y: Array) -> float:
    """E = 1/(2n) Σ (ŷ − y)², n the number of examples (columns) of A and Y.

    Examples
    --------
    >>> half_mse(np.array([[1.0, 4.0]]), np.array([[1.0, 2.0]]))
    1.0
    """
    return float(np.sum((A - Y) ** 2) / (2 * Y.shape[1]))


def mse(A: Array, Y: Array) -> float:
    """MSE = 1/n Σ (y − ŷ)², n the number of examples: the columns of A and Y, shape (k, n).

    Examples
    --------
    >>> mse(np.array([[1.0, 4.0]]), np.array([[1.0, 2.0]]))
    2.0
    """
    return float(np.sum((Y - A) ** 2) / Y.shape[1])


def softmax(Z: Array) -> Array:
    """ŷ_c = e^(z_c) / Σ_k e^(z_k) over the classes, the rows of Z (C, m); each column sums to 1.

    Examples
    --------
    >>> softmax(np.array([[0.0], [1000.0]])).tolist()
    [[0.0], [1.0]]
    """
    exponentials: Array = np.exp(Z - np.max(Z, axis=0))
    total: Array = np.sum(exponentials, axis=0, keepdims=True)
    return exponentials / total


def log_softmax(Z: Array) -> Array:
    """Logarithm of the softmax: log ŷ_c = z_c − log Σ_k e^(z_k), for Z of shape (C, m).

    With the largest term taken out of the sum, log(1 + rest) keeps its digits where the softmax
    rounds to 1.

    Examples
    --------
    >>> log_softmax(np.array([[0.0], [1000.0]])).tolist()
    [[-1000.0], [0.0]]
    """
    largest = np.argmax(Z, axis=0)[np.newaxis]
    shifted: Array
    shifted = Z - np.take_along_axis(Z, largest, axis=0)
    others = np.exp(shifted)
    np.put_along_axis(others, largest, 0.0, axis=0)
    rest: Array = np.sum(others, axis=0, keepdims=True)
    return shifted - np.log1p(rest)


def cross_entropy(A: Array, Y: Array) -> float:
    """CE = −Σ_c y_c log ŷ_c, averaged over the examples, with 0 log 0 = 0.

    Parameters
    ----------
    A : Array, shape (C, m)
        Probabilities, for instance from :func:`softmax`.
    Y : Array, shape (C, m)
        One-hot columns.

    Examples
    --------
    >>> round(cross_entropy(np.array([[0.25], [0.75]]), np.array([[1.0], [0.0]])), 6)
    1.386294
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(-np.sum(np.where(Y == 0, 0.0, Y * np.log(A))) / Y.shape[1])


def cross_entropy_from_logits(Z: Array, Y: Array) -> float:
    """The same cost of ŷ = softmax(Z), exact for every Z; both of shape (C, m).

    Examples
    --------
    >>> cross_entropy_from_logits(np.array([[0.0], [1000.0]]), np.array([[1.0], [0.0]]))
    1000.0
    """
    return float(-np.sum(np.where(Y == 0, 0.0, Y * log_softmax(Z))) / Y.shape[1])


def mse_delta(Z: Array, Y: Array, activation: str) -> Array:
    """δ_j = ∂MSE/∂z_j = 2/n (ŷ_j − y_j) g'(z_j), for Z and Y of shape (k, n).

    Examples
    --------
    >>> mse_delta(np.array([[1.0, 4.0]]), np.array([[1.0, 2.0]]), "identity").tolist()
    [[0.0, 2.0]]
    """
    g, g_prime = activation_named(activation)
    n: int = Y.shape[1]
    return 2 / n * (g(Z) - Y) * g_prime(Z)


def cross_entropy_delta(Z: Array, Y: Array) -> Array:
    """δ_j = ∂CE/∂z_j = 1/m (ŷ_j − y_j) with ŷ = softmax(Z), for one-hot Y of shape (C, m).

    Examples
    --------
    >>> cross_entropy_delta(np.zeros((2, 1)), np.array([[1.0], [0.0]])).tolist()
    [[-0.5], [0.5]]
    """
    m: int = Y.shape[1]
    return 1 / m * (softmax(Z) - Y)


def weight_gradient(delta: Array, A_prev: Array) -> Array:
    """∂L/∂w_ij = (∂L/∂z_j)(∂z_j/∂w_ij) = δ_j a_i, summed over the examples.

    Parameters
    ----------
    delta : Array, shape (n[l], m)
        δ_j = ∂L/∂z_j, with the factor 1/m of L already in it.
    A_prev : Array, shape (n[l-1], m)

    Returns
    -------
    Array, shape (n[l], n[l-1])
        Row j, column i: the derivative by the weight from unit i to unit j.

    Examples
    --------
    >>> weight_gradient(np.array([[2.0], [3.0]]), np.array([[5.0]])).tolist()
    [[10.0], [15.0]]
    """
    return delta @ A_prev.T


def soft_iou(A: Array, Y: Array) -> float:
    """J = 1 − I/U with I = Σ a y and U = Σ (a + y − a y), over all entries of A and Y.

    On masks of zeros and ones I counts the intersection and U the union; between them the cost is
    differentiable. Two empty masks agree: their cost is 0.

    Examples
    --------
    >>> soft_iou(np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0]))
    0.5
    """
    union = np.sum(A + Y - A * Y)
    return float(1 - np.sum(A * Y) / union) if union != 0 else 0.0


def soft_iou_gradient(A: Array, Y: Array) -> Array:
    """∂J/∂a = −(y U − (1 − y) I) / U², of the shape of A; zeros where both masks are empty.

    Examples
    --------
    >>> soft_iou_gradient(np.array([1.0, 1.0]), np.array([1.0, 0.0])).tolist()
    [-0.5, 0.25]
    """
    intersection, union = np.sum(A * Y), np.sum(A + Y - A * Y)
    if union == 0:
        return np.zeros_like(A)
    return -(Y * union - (1 - Y) * intersection) / union**2
