"""S2: the two-layer network."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from micrograd_nn.equations.activations import sigmoid, tanh, tanh_prime
from micrograd_nn.equations.notation import Array, Arrays


def two_layer_forward(parameters: Mapping[str, Array], X: Array) -> Arrays:
    """A tanh hidden layer and a sigmoid output.

    ::

        Z1 = W1 X  + b1      A1 = tanh(Z1)
        Z2 = W2 A1 + b2      A2 = σ(Z2)

    Parameters
    ----------
    parameters : mapping
        ``"W1"`` (n1, n0), ``"b1"`` (n1, 1), ``"W2"`` (1, n1), ``"b2"`` (1, 1).
    X : Array, shape (n0, m)

    Returns
    -------
    dict
        ``"A0"`` (the input), ``"Z1"``, ``"A1"``, ``"Z2"``, ``"A2"``.

    Examples
    --------
    >>> parameters = {
    ...     "W1": np.eye(2),
    ...     "b1": np.zeros((2, 1)),
    ...     "W2": np.ones((1, 2)),
    ...     "b2": np.zeros((1, 1)),
    ... }
    >>> two_layer_forward(parameters, np.array([[1.0], [-1.0]]))["A2"].tolist()
    [[0.5]]
    """
    Z1 = parameters["W1"] @ X + parameters["b1"]
    A1 = tanh(Z1)
    Z2 = parameters["W2"] @ A1 + parameters["b2"]
    A2 = sigmoid(Z2)
    return {"A0": X, "Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}


def two_layer_gradients(
    parameters: Mapping[str, Array], cache: Mapping[str, Array], Y: Array
) -> Arrays:
    """The six lines of the two-layer network, for the binary cross-entropy.

    ::

        dZ2 = A2 − Y               dW2 = 1/m dZ2 A1ᵀ     db2 = 1/m Σ dZ2
        dZ1 = W2ᵀ dZ2 ∘ tanh'(Z1)  dW1 = 1/m dZ1 Xᵀ      db1 = 1/m Σ dZ1

    With a single example (m = 1) these are the articles' lines for one example.

    Parameters
    ----------
    parameters : mapping
        As for :func:`two_layer_forward`.
    cache : mapping
        What :func:`two_layer_forward` returned.
    Y : Array, shape (1, m)
        Labels, 0 or 1.

    Returns
    -------
    dict
        ``"dZ2"``, ``"dW2"``, ``"db2"``, ``"dZ1"``, ``"dW1"``, ``"db1"``.

    Examples
    --------
    >>> parameters = {
    ...     "W1": np.eye(2),
    ...     "b1": np.zeros((2, 1)),
    ...     "W2": np.ones((1, 2)),
    ...     "b2": np.zeros((1, 1)),
    ... }
    >>> cache = two_layer_forward(parameters, np.array([[1.0], [-1.0]]))
    >>> grads = two_layer_gradients(parameters, cache, np.array([[1.0]]))
    >>> grads["dZ2"].tolist(), grads["db2"].tolist(), grads["dW1"].shape
    ([[-0.5]], [[-0.5]], (2, 2))
    """
    m = Y.shape[1]
    dZ2 = cache["A2"] - Y
    dW2 = dZ2 @ cache["A1"].T / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = (parameters["W2"].T @ dZ2) * tanh_prime(cache["Z1"])
    dW1 = dZ1 @ cache["A0"].T / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dZ2": dZ2, "dW2": dW2, "db2": db2, "dZ1": dZ1, "dW1": dW1, "db1": db1}


def two_layer_predict(parameters: Mapping[str, Array], X: Array) -> npt.NDArray[np.int64]:
    """Prediction of shape (1, m): 1 where a[2] > 0.5, else 0.

    Examples
    --------
    >>> parameters = {
    ...     "W1": np.eye(2),
    ...     "b1": np.zeros((2, 1)),
    ...     "W2": np.ones((1, 2)),
    ...     "b2": np.zeros((1, 1)),
    ... }
    >>> two_layer_predict(parameters, np.array([[2.0, -2.0], [1.0, 1.0]])).tolist()
    [[1, 0]]
    """
    return (two_layer_forward(parameters, X)["A2"] > 0.5).astype(np.int64)
