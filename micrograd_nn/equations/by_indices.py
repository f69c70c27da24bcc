"""S6: the feed-forward network by deltas, with explicit loops over the indices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from micrograd_nn.equations.activations import activation_named
from micrograd_nn.equations.network import (
    layer_activations,
    number_of_layers,
)
from micrograd_nn.equations.notation import Array, Arrays


def forward_one_by_indices(
    parameters: Mapping[str, Array], x: Array, activations: Sequence[str] | None = None
) -> tuple[list[list[float]], list[list[float]]]:
    """One example x (n[0],) through the network, unit by unit.

    ::

        o_j[k] = Σ_i w_ij[k] a_i[k−1] + b_j[k]      a_j[k] = g(o_j[k])

    The article's w_ij goes from unit i to unit j; it is row j, column i of the matrix W[k].

    Returns
    -------
    (o, a)
        Lists by layer k of lists by unit; ``a[0]`` is the example and ``o[0]`` is empty.

    Examples
    --------
    >>> parameters = {"W1": np.array([[1.0, -1.0]]), "b1": np.array([[0.0]])}
    >>> forward_one_by_indices(parameters, np.array([3.0, 1.0]), ["relu"])
    ([[], [2.0]], [[3.0, 1.0], [2.0]])
    """
    o: list[list[float]] = [[]]
    a: list[list[float]] = [[float(x_i) for x_i in x]]
    for k, name in enumerate(layer_activations(parameters, activations), start=1):
        W, b = parameters[f"W{k}"], parameters[f"b{k}"]
        o.append([])
        a.append([])
        for j in range(W.shape[0]):
            o_j = float(b[j, 0])
            for i in range(W.shape[1]):
                o_j += float(W[j, i]) * a[k - 1][i]
            o[k].append(o_j)
            a[k].append(float(activation_named(name).g(np.asarray(o_j))))
    return o, a


def deltas_by_indices(
    parameters: Mapping[str, Array],
    o: Sequence[Sequence[float]],
    a: Sequence[Sequence[float]],
    y: Array,
    activations: Sequence[str] | None = None,
    loss: str = "half_mse",
) -> list[list[float]]:
    """The deltas δ_j[k] = ∂loss/∂o_j[k] of one example.

    ::

        output unit:  δ_j = (a_j − y_j) g'(o_j)             (a_j − y_j for the binary cross-entropy)
        hidden unit:  δ_j[k] = g'(o_j[k]) Σ_l w_jl[k+1] δ_l[k+1]

    Parameters
    ----------
    parameters, activations
        As for :func:`forward`.
    o, a
        From :func:`forward_one_by_indices`.
    y : Array, shape (n[L],)
    loss : {"half_mse", "binary_cross_entropy"}

    Returns
    -------
    list of list of float
        By layer k, then by unit j; entry 0 is empty, as the inputs have no delta.

    Examples
    --------
    >>> parameters = {"W1": np.array([[1.0, -1.0]]), "b1": np.array([[0.0]])}
    >>> o, a = forward_one_by_indices(parameters, np.array([3.0, 1.0]), ["relu"])
    >>> deltas_by_indices(parameters, o, a, np.array([1.5]), ["relu"])
    [[], [0.5]]
    """
    names = layer_activations(parameters, activations)
    L = len(names)
    delta: list[list[float]] = [[0.0] * len(units) for units in o]
    for j, o_j in enumerate(o[L]):
        error = a[L][j] - float(y[j])
        slope = float(activation_named(names[-1]).g_prime(np.asarray(o_j)))
        delta[L][j] = error if loss == "binary_cross_entropy" else error * slope
    for k in range(L - 1, 0, -1):
        W_next = parameters[f"W{k + 1}"]
        for j, o_j in enumerate(o[k]):
            weighted = 0.0
            for later in range(W_next.shape[0]):
                weighted += float(W_next[later, j]) * delta[k + 1][later]
            delta[k][j] = float(activation_named(names[k - 1]).g_prime(np.asarray(o_j))) * weighted
    return delta


def gradients_by_indices(
    parameters: Mapping[str, Array],
    X: Array,
    Y: Array,
    activations: Sequence[str] | None = None,
    loss: str = "half_mse",
) -> Arrays:
    """∂E/∂w_ij[k] = 1/n Σ δ_j[k] a_i[k−1], ∂E/∂b_j[k] = 1/n Σ δ_j[k]: slow, and literal.

    Parameters
    ----------
    parameters, activations
        As for :func:`forward`.
    X : Array, shape (n[0], n)
    Y : Array, shape (n[L], n)
    loss : {"half_mse", "binary_cross_entropy"}

    Returns
    -------
    dict
        ``"dWk"``, ``"dbk"``, and the deltas as ``"dZk"``, one column per example: what
        :func:`backward` calls by these names.

    Examples
    --------
    >>> from micrograd_nn.equations import backward, forward, initialise
    >>> parameters = initialise([2, 3, 1], seed=1)
    >>> X, Y = np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([[1.0, 0.0]])
    >>> by_matrices = backward(parameters, forward(parameters, X), Y, loss="half_mse")
    >>> np.allclose(gradients_by_indices(parameters, X, Y)["dW1"], by_matrices["dW1"])
    True
    """
    n, L = X.shape[1], number_of_layers(parameters)
    grads: Arrays = {f"d{name}": np.zeros_like(theta) for name, theta in parameters.items()}
    grads |= {f"dZ{k}": np.zeros((parameters[f"W{k}"].shape[0], n)) for k in range(1, L + 1)}
    for example in range(n):
        o, a = forward_one_by_indices(parameters, X[:, example], activations)
        delta = deltas_by_indices(parameters, o, a, Y[:, example], activations, loss)
        for k in range(1, L + 1):
            for j in range(len(delta[k])):
                grads[f"dZ{k}"][j, example] = delta[k][j]
                grads[f"db{k}"][j, 0] += delta[k][j] / n
                for i in range(len(a[k - 1])):
                    grads[f"dW{k}"][j, i] += delta[k][j] * a[k - 1][i] / n
    return grads
