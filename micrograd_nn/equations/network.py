"""S3: the L-layer network."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from micrograd_nn.equations.activations import activation_named, sigmoid
from micrograd_nn.equations.losses import binary_cross_entropy_from_logits, half_mse
from micrograd_nn.equations.notation import Array, Arrays

LOSSES = ("binary_cross_entropy", "half_mse")


def number_of_layers(parameters: Mapping[str, Array]) -> int:
    """L: the number of weight matrices W1 ... WL.

    Examples
    --------
    >>> number_of_layers(initialise([2, 4, 1]))
    2
    """
    return sum(name.startswith("W") for name in parameters)


def layer_activations(
    parameters: Mapping[str, Array], activations: Sequence[str] | None = None
) -> list[str]:
    """One name per layer; without any, the articles' ReLU × (L−1) and a sigmoid.

    Raises
    ------
    ValueError
        If there is not exactly one name for each layer.

    Examples
    --------
    >>> layer_activations(initialise([2, 4, 4, 1]))
    ['relu', 'relu', 'sigmoid']
    """
    L = number_of_layers(parameters)
    if activations is None:
        return ["relu"] * (L - 1) + ["sigmoid"]
    if isinstance(activations, str) or len(activations) != L:
        raise ValueError(f"{L} layers need a sequence of {L} activations, got {activations!r}")
    return list(activations)


def initialise(widths: Sequence[int], seed: int | None = None, scheme: str = "he") -> Arrays:
    """Draw W1, b1, ..., WL, bL of a network with the given widths; the biases are 0.

    Parameters
    ----------
    widths : sequence of int
        n[0], n[1], ..., n[L].
    seed : int, optional
    scheme : {"he", "xavier", "zeros"}
        Normal weights with variance 2/n[l−1], or 2/(n[l−1] + n[l]); or all zero, which keeps the
        units of a layer equal for ever.

    Raises
    ------
    ValueError
        If the scheme is none of the three.

    Examples
    --------
    >>> {name: array.shape for name, array in initialise([2, 3, 1], seed=0).items()}
    {'W1': (3, 2), 'b1': (3, 1), 'W2': (1, 3), 'b2': (1, 1)}
    """
    variances: dict[str, Callable[[int, int], float]] = {
        "he": lambda n_in, n_out: 2 / n_in,
        "xavier": lambda n_in, n_out: 2 / (n_in + n_out),
        "zeros": lambda n_in, n_out: 0.0,
    }
    if scheme not in variances:
        raise ValueError(f"no scheme {scheme!r}; there are {', '.join(variances)}")
    random = np.random.default_rng(seed)
    parameters: Arrays = {}
    for layer, (n_in, n_out) in enumerate(pairwise(widths), start=1):
        deviation = math.sqrt(variances[scheme](n_in, n_out))
        parameters[f"W{layer}"] = random.normal(0.0, deviation, (n_out, n_in))
        parameters[f"b{layer}"] = np.zeros((n_out, 1))
    return parameters


def forward(
    parameters: Mapping[str, Array], X: Array, activations: Sequence[str] | None = None
) -> Arrays:
    """Forward propagation: Z[l] = W[l] A[l−1] + b[l], A[l] = g(Z[l]), for l = 1 ... L.

    Parameters
    ----------
    parameters : mapping
        ``"Wl"`` (n[l], n[l-1]) and ``"bl"`` (n[l], 1) for l = 1 ... L.
    X : Array, shape (n[0], m)
    activations : sequence of str, optional
        One name for each layer; by default ReLU × (L−1), then sigmoid.

    Returns
    -------
    dict
        ``"A0"`` (the input) and ``"Zl"``, ``"Al"`` for l = 1 ... L: the cache of :func:`backward`.

    Examples
    --------
    >>> parameters = {"W1": np.array([[1.0, -1.0]]), "b1": np.array([[0.0]])}
    >>> forward(parameters, np.array([[3.0], [3.0]]))["A1"].tolist()
    [[0.5]]
    """
    cache: Arrays = {"A0": X}
    for layer, name in enumerate(layer_activations(parameters, activations), start=1):
        W, b = parameters[f"W{layer}"], parameters[f"b{layer}"]
        cache[f"Z{layer}"] = W @ cache[f"A{layer - 1}"] + b
        cache[f"A{layer}"] = activation_named(name).g(cache[f"Z{layer}"])
    return cache


def cost(cache: Mapping[str, Array], Y: Array, loss: str = "binary_cross_entropy") -> float:
    """The cost J of a forward pass.

    Parameters
    ----------
    cache : mapping
        What :func:`forward` returned.
    Y : Array, shape (n[L], m)
    loss : {"binary_cross_entropy", "half_mse"}
        The first needs a sigmoid output, and is computed from Z[L] so that no logarithm of a
        rounded probability is ever taken.

    Raises
    ------
    ValueError
        If there is no such loss.

    Examples
    --------
    >>> cost(
    ...     {"A0": np.eye(1), "Z1": np.zeros((1, 1)), "A1": np.full((1, 1), 3.0)},
    ...     np.ones((1, 1)),
    ...     "half_mse",
    ... )
    2.0
    """
    L = sum(name.startswith("Z") for name in cache)
    if loss == "binary_cross_entropy":
        return binary_cross_entropy_from_logits(cache[f"Z{L}"], Y)
    if loss == "half_mse":
        return half_mse(cache[f"A{L}"], Y)
    raise ValueError(f"no loss {loss!r}; there are {', '.join(LOSSES)}")


def output_gradients(Z: Array, Y: Array, activation: str, loss: str) -> tuple[Array, Array]:
    """dA[L] and dZ[L] of the output layer.

    ::

        half_mse               dA = A − Y                       dZ = dA ∘ g'(Z)
        binary_cross_entropy   dA = −Y / A + (1 − Y) / (1 − A)  dZ = A − Y

    Parameters
    ----------
    Z, Y : Array, shape (n[L], m)
    activation, loss : str

    Returns
    -------
    (Array, Array), both of shape (n[L], m)

    Raises
    ------
    ValueError
        If there is no such loss, or the binary cross-entropy meets another output than sigmoid.

    Examples
    --------
    >>> dA, dZ = output_gradients(
    ...     np.zeros((1, 2)), np.array([[0.0, 1.0]]), "sigmoid", "binary_cross_entropy"
    ... )
    >>> dA.tolist(), dZ.tolist()
    ([[2.0, -2.0]], [[0.5, -0.5]])
    """
    if loss == "half_mse":
        dA = activation_named(activation).g(Z) - Y
        return dA, dA * activation_named(activation).g_prime(Z)
    if loss != "binary_cross_entropy":
        raise ValueError(f"no loss {loss!r}; there are {', '.join(LOSSES)}")
    if activation != "sigmoid":
        raise ValueError(f"binary_cross_entropy needs a sigmoid output layer, not {activation!r}")
    # A, and 1 − A as σ(−z): the subtractions 1 − A and A − 1 would cancel where A rounds to 1.
    A, one_minus_A = sigmoid(Z), sigmoid(-Z)
    with np.errstate(divide="ignore", invalid="ignore"):
        dA = np.where(Y == 1, 0.0, (1 - Y) / one_minus_A) - np.where(Y == 0, 0.0, Y / A)
    return dA, (1 - Y) * A - Y * one_minus_A


def backward(
    parameters: Mapping[str, Array],
    cache: Mapping[str, Array],
    Y: Array,
    activations: Sequence[str] | None = None,
    loss: str = "binary_cross_entropy",
) -> Arrays:
    """Backpropagation through L layers.

    For l = L ... 1::

        dZ[l]   = dA[l] ∘ g'(Z[l])          (dZ[L] = A[L] − Y for the binary cross-entropy)
        dW[l]   = 1/m dZ[l] A[l−1]ᵀ
        db[l]   = 1/m Σᵢ dZ[l](i)
        dA[l−1] = W[l]ᵀ dZ[l]

    Parameters
    ----------
    parameters, activations
        As given to :func:`forward`.
    cache : mapping
        What :func:`forward` returned.
    Y : Array, shape (n[L], m)
    loss : {"binary_cross_entropy", "half_mse"}

    Returns
    -------
    dict
        ``"dWl"``, ``"dbl"``, ``"dZl"``, ``"dAl"`` for l = 1 ... L, and ``"dA0"``, the gradient by
        the input. Each has the shape of what it is named after.

    Raises
    ------
    ValueError
        As :func:`output_gradients` does.

    Examples
    --------
    >>> parameters = {"W1": np.array([[2.0]]), "b1": np.array([[0.0]])}
    >>> cache = forward(parameters, np.array([[1.0, 3.0]]), ["identity"])
    >>> grads = backward(parameters, cache, np.array([[1.0, 3.0]]), ["identity"], "half_mse")
    >>> grads["dW1"].item(), grads["db1"].item()
    (5.0, 2.0)
    """
    names = layer_activations(parameters, activations)
    L, m = len(names), Y.shape[1]
    dA, dZ = output_gradients(cache[f"Z{L}"], Y, names[-1], loss)
    grads: Arrays = {}
    for layer in range(L, 0, -1):
        if layer < L:
            dZ = dA * activation_named(names[layer - 1]).g_prime(cache[f"Z{layer}"])
        grads[f"dA{layer}"], grads[f"dZ{layer}"] = dA, dZ
        grads[f"dW{layer}"] = dZ @ cache[f"A{layer - 1}"].T / m
        grads[f"db{layer}"] = np.sum(dZ, axis=1, keepdims=True) / m
        dA = parameters[f"W{layer}"].T @ dZ
    grads["dA0"] = dA
    return grads


def predict(
    parameters: Mapping[str, Array], X: Array, activations: Sequence[str] | None = None
) -> npt.NDArray[np.int64]:
    """Classes of shape (n[L], m): 1 where a[L] > 0.5, else 0.

    Examples
    --------
    >>> parameters = {"W1": np.array([[1.0, -1.0]]), "b1": np.array([[0.0]])}
    >>> predict(parameters, np.array([[3.0, 1.0], [1.0, 3.0]])).tolist()
    [[1, 0]]
    """
    L = number_of_layers(parameters)
    return (forward(parameters, X, activations)[f"A{L}"] > 0.5).astype(np.int64)
