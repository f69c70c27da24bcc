"""The hand-derived equations of neural networks, line by line, in plain NumPy.

This file is a textbook chapter that runs. Every function is one equation (or one short chain of
equations) written by hand, and it imports nothing but NumPy, so that the rest of the library can be
tested against it.

Notation
--------
The articles' own: **examples are columns**. With m examples and n[l] units in layer l,

================================  ================  =============================================
``X = A[0]``                      (n[0], m)         the examples
``W[l]``                          (n[l], n[l-1])    weights; row i belongs to unit i
``b[l]``                          (n[l], 1)         biases
``Z[l] = W[l] A[l-1] + b[l]``     (n[l], m)         pre-activations
``A[l] = g(Z[l])``                (n[l], m)         activations; ``A[L]`` is the prediction ŷ
``Y``                             (n[L], m)         the targets
================================  ================  =============================================

Networks are dictionaries of float64 arrays, keyed as the equations are: ``"W1"``, ``"b1"``,
``"Z1"``, ``"A1"``, ``"dW1"``, ``"db1"``, ``"dZ1"``, ``"dA1"``, ... and ``"A0"`` for the input.

Every cost is summed over the output units and averaged over the examples, J = 1/m Σᵢ loss(i). As in
the articles, ``dW`` and ``db`` are the gradients of J and carry the factor 1/m, while ``dZ`` and
``dA`` hold in column i the gradient of the loss of example i alone and do not.

Contents
--------
S1 one neuron, one layer, all examples · S2 the two-layer network · S3 the L-layer network ·
S4 training · S5 losses, deltas and optimisers · S6 the index formulas, with explicit loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Arrays = dict[str, Array]
Function = Callable[[Array], Array]


# --- Activations and their derivatives ----------------------------------------------------------
#
# A sigmoid computed as 1/(1 + exp(-z)) overflows, and 1 - tanh² and σ(1 - σ) lose every digit in
# the tails. The forms below are equal to those on paper and keep full relative precision.


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e⁻ᶻ), without overflow.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def sigmoid_prime(z: Array) -> Array:
    """σ'(z) = σ(z)(1 − σ(z)) = σ(z) σ(−z).

    >>> sigmoid_prime(np.array([0.0])).tolist()
    [0.25]
    """
    return sigmoid(z) * sigmoid(-z)


def tanh(z: Array) -> Array:
    """tanh(z) = (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ). One article prints its reciprocal, coth."""
    return np.tanh(z)


def tanh_prime(z: Array) -> Array:
    """tanh'(z) = 1 − tanh²(z) = 4 σ(2z) σ(−2z).

    >>> tanh_prime(np.array([0.0, 20.0])).tolist()
    [1.0, 1.6993417021166355e-17]
    """
    return 4.0 * sigmoid(2.0 * z) * sigmoid(-2.0 * z)


def relu(z: Array) -> Array:
    """ReLU(z) = max(z, 0)."""
    return np.maximum(z, 0.0)


def relu_prime(z: Array) -> Array:
    """ReLU'(z) = 1 for z > 0, else 0 (also at the kink, z = 0)."""
    return np.where(z > 0, 1.0, 0.0)


def leaky_relu(z: Array, slope: float = 0.01) -> Array:
    """Leaky ReLU: z for z > 0, else slope · z."""
    return np.where(z > 0, z, slope * z)


def leaky_relu_prime(z: Array, slope: float = 0.01) -> Array:
    """Derivative of leaky ReLU: 1 for z > 0, else the slope (also at z = 0)."""
    return np.where(z > 0, 1.0, slope)


def identity(z: Array) -> Array:
    """g(z) = z: the unit of linear regression."""
    return z


def identity_prime(z: Array) -> Array:
    """g'(z) = 1."""
    return np.ones_like(z)


def softplus(z: Array) -> Array:
    """log(1 + eᶻ), without overflow. −log σ(z) = softplus(−z), −log(1 − σ(z)) = softplus(z)."""
    return np.logaddexp(0.0, z)


def elu(z: Array) -> Array:
    """ELU with α = 1: z for z > 0, else eᶻ − 1."""
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0.0)))


def elu_prime(z: Array) -> Array:
    """Derivative of ELU: 1 for z > 0, else eᶻ."""
    return np.exp(np.minimum(z, 0.0))


def silu(z: Array) -> Array:
    """SiLU (swish): z σ(z)."""
    return z * sigmoid(z)


def silu_prime(z: Array) -> Array:
    """Derivative of SiLU: σ(z) + z σ'(z) = σ(z)(1 + z σ(−z))."""
    return sigmoid(z) * (1.0 + z * sigmoid(-z))


def gaussian_cdf(z: Array) -> Array:
    """Φ(z) = ½ erfc(−z/√2), the probability that a standard normal variable is below z."""
    erfc: Function = np.vectorize(math.erfc, otypes=[np.float64])
    return 0.5 * erfc(-z / math.sqrt(2.0))


def gelu(z: Array) -> Array:
    """GELU: z Φ(z)."""
    return z * gaussian_cdf(z)


def gelu_prime(z: Array) -> Array:
    """Derivative of GELU: Φ(z) + z φ(z), with φ(z) = e^(−z²/2) / √(2π)."""
    return gaussian_cdf(z) + z * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


class Activation(NamedTuple):
    """A nonlinearity g and its derivative g′, both functions of the pre-activation Z."""

    g: Function
    g_prime: Function


ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(identity, identity_prime),
    "sigmoid": Activation(sigmoid, sigmoid_prime),
    "tanh": Activation(tanh, tanh_prime),
    "relu": Activation(relu, relu_prime),
    "leaky_relu": Activation(leaky_relu, leaky_relu_prime),
    "softplus": Activation(softplus, sigmoid),
    "elu": Activation(elu, elu_prime),
    "silu": Activation(silu, silu_prime),
    "gelu": Activation(gelu, gelu_prime),
}
"""The table name → (g, g′)."""


def activation_named(name: str) -> Activation:
    """Look up a row of :data:`ACTIVATIONS`.

    Raises
    ------
    ValueError
        If the table has no such name; the message lists those it has.
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"no activation {name!r}; there are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


# --- S1  One neuron, one layer, all examples at once --------------------------------------------


def neuron(w: Array, b: float, x: Array, activation: str = "sigmoid") -> tuple[float, float]:
    """One neuron on one example: z = wᵀx + b, a = g(z).

    Parameters
    ----------
    w, x : Array, shape (n,)
        The weights and the inputs.
    b : float
        The bias.
    activation : str
        The name of g in :data:`ACTIVATIONS`.

    Returns
    -------
    (float, float)
        z and a.

    >>> neuron(np.array([2.0, -1.0]), 0.5, np.array([1.0, 3.0]), "relu")
    (-0.5, 0.0)
    """
    z = sum(float(w_k) * float(x_k) for w_k, x_k in zip(w, x, strict=True)) + b
    return z, float(activation_named(activation).g(np.asarray(z)))


def neuron_gradients(
    w: Array, b: float, x: Array, activation: str = "sigmoid", da: float = 1.0
) -> tuple[Array, float, Array]:
    """Gradients of one neuron: dz = da g'(z); dw = dz x; db = dz; dx = dz w.

    Parameters
    ----------
    w, b, x, activation
        As for :func:`neuron`.
    da : float
        The derivative of the loss with respect to the neuron's output a.

    Returns
    -------
    (Array of shape (n,), float, Array of shape (n,))
        dw, db and dx.

    >>> dw, db, dx = neuron_gradients(np.array([2.0]), 1.0, np.array([3.0]), "identity")
    >>> dw.tolist(), db, dx.tolist()
    ([3.0], 1.0, [2.0])
    """
    z, _ = neuron(w, b, x, activation)
    dz = da * float(activation_named(activation).g_prime(np.asarray(z)))
    return dz * x, dz, dz * w


def layer_by_neurons(W: Array, b: Array, A_prev: Array, activation: str) -> tuple[Array, Array]:
    """A layer, unit by unit and example by example: z_i = w_iᵀ a[l−1] + b_i.

    Parameters
    ----------
    W : Array, shape (n[l], n[l-1])
    b : Array, shape (n[l], 1)
    A_prev : Array, shape (n[l-1], m)
    activation : str

    Returns
    -------
    (Array, Array), both of shape (n[l], m)
        Z[l] and A[l].
    """
    Z = np.empty((W.shape[0], A_prev.shape[1]))
    A = np.empty_like(Z)
    for i in range(W.shape[0]):
        for k in range(A_prev.shape[1]):
            Z[i, k], A[i, k] = neuron(W[i], float(b[i, 0]), A_prev[:, k], activation)
    return Z, A


def layer_by_examples(W: Array, b: Array, A_prev: Array, activation: str) -> tuple[Array, Array]:
    """A layer, all units at once, example by example: z = W a[l−1] + b.

    Takes and returns what :func:`layer_by_neurons` does.
    """
    columns = [W @ A_prev[:, [k]] + b for k in range(A_prev.shape[1])]
    Z = np.hstack(columns)
    return Z, activation_named(activation).g(Z)


def layer_by_matrices(W: Array, b: Array, A_prev: Array, activation: str) -> tuple[Array, Array]:
    """A layer, all units and all examples at once: Z[l] = W[l] A[l−1] + b[l], A[l] = g(Z[l]).

    Takes and returns what :func:`layer_by_neurons` does.

    >>> W, b, X = np.array([[1.0, 2.0]]), np.array([[0.5]]), np.array([[1.0, 0.0], [1.0, -1.0]])
    >>> Z, A = layer_by_matrices(W, b, X, "relu")
    >>> Z.tolist(), A.tolist()
    ([[3.5, -1.5]], [[3.5, 0.0]])
    """
    Z = W @ A_prev + b
    return Z, activation_named(activation).g(Z)


def layer_gradients_by_neurons(
    W: Array, b: Array, A_prev: Array, dA: Array, activation: str
) -> tuple[Array, Array, Array]:
    """Gradients of a layer, summed unit by unit and example by example.

    Parameters
    ----------
    W, b, A_prev, activation
        As for :func:`layer_by_neurons`.
    dA : Array, shape (n[l], m)
        Column i: the gradient of the loss of example i with respect to a[l](i).

    Returns
    -------
    dW, db, dA_prev : Array
        Of the shapes of W, b and A_prev. dW and db carry the factor 1/m.
    """
    m = A_prev.shape[1]
    dW, db, dA_prev = np.zeros_like(W), np.zeros_like(b), np.zeros_like(A_prev)
    for i in range(W.shape[0]):
        for k in range(m):
            dw, db_i, dx = neuron_gradients(
                W[i], float(b[i, 0]), A_prev[:, k], activation, float(dA[i, k])
            )
            dW[i] += dw / m
            db[i, 0] += db_i / m
            dA_prev[:, k] += dx
    return dW, db, dA_prev


def layer_gradients_by_examples(
    W: Array, b: Array, A_prev: Array, dA: Array, activation: str
) -> tuple[Array, Array, Array]:
    """Gradients of a layer, example by example: dz = da ∘ g'(z); dW = dz a[l−1]ᵀ; db = dz.

    Takes and returns what :func:`layer_gradients_by_neurons` does.
    """
    m = A_prev.shape[1]
    g_prime = activation_named(activation).g_prime
    dW, db, dA_prev = np.zeros_like(W), np.zeros_like(b), np.zeros_like(A_prev)
    for k in range(m):
        a_prev = A_prev[:, [k]]
        dz = dA[:, [k]] * g_prime(W @ a_prev + b)
        dW += dz @ a_prev.T / m
        db += dz / m
        dA_prev[:, [k]] = W.T @ dz
    return dW, db, dA_prev


def layer_gradients_by_matrices(
    W: Array, b: Array, A_prev: Array, dA: Array, activation: str
) -> tuple[Array, Array, Array]:
    """Gradients of a layer, all at once.

    ::

        dZ = dA ∘ g'(Z)    dW = 1/m dZ A[l−1]ᵀ    db = 1/m Σᵢ dZ(i)    dA[l−1] = Wᵀ dZ

    Takes and returns what :func:`layer_gradients_by_neurons` does.
    """
    m = A_prev.shape[1]
    dZ = dA * activation_named(activation).g_prime(W @ A_prev + b)
    return dZ @ A_prev.T / m, np.sum(dZ, axis=1, keepdims=True) / m, W.T @ dZ


# --- S2  The two-layer network ------------------------------------------------------------------


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
    """Prediction of shape (1, m): 1 where a[2] > 0.5, else 0."""
    return (two_layer_forward(parameters, X)["A2"] > 0.5).astype(np.int64)


# --- Costs --------------------------------------------------------------------------------------


def binary_cross_entropy(A: Array, Y: Array) -> float:
    """J = −1/m Σ (y log a + (1 − y) log(1 − a)), from probabilities, with 0 log 0 = 0.

    A and Y have shape (n, m). Certainty of the wrong class costs infinity.

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

    >>> binary_cross_entropy_from_logits(np.array([[40.0, -800.0]]), np.array([[1.0, 1.0]]))
    400.0
    """
    return float(np.sum(Y * softplus(-Z) + (1 - Y) * softplus(Z)) / Y.shape[1])


def half_mse(A: Array, Y: Array) -> float:
    """E = 1/(2n) Σ (ŷ − y)², n the number of examples (columns) of A and Y.

    >>> half_mse(np.array([[1.0, 4.0]]), np.array([[1.0, 2.0]]))
    1.0
    """
    return float(np.sum((A - Y) ** 2) / (2 * Y.shape[1]))


# --- S3  The L-layer network --------------------------------------------------------------------

LOSSES = ("binary_cross_entropy", "half_mse")


def number_of_layers(parameters: Mapping[str, Array]) -> int:
    """L: the number of weight matrices W1 ... WL."""
    return sum(name.startswith("W") for name in parameters)


def layer_activations(
    parameters: Mapping[str, Array], activations: Sequence[str] | None = None
) -> list[str]:
    """One name per layer; without any, the articles' ReLU × (L−1) and a sigmoid.

    Raises
    ------
    ValueError
        If there is not exactly one name for each layer.

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
        parameters[f"W{layer}"] = deviation * random.standard_normal((n_out, n_in))
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
    """Classes of shape (n[L], m): 1 where a[L] > 0.5, else 0."""
    L = number_of_layers(parameters)
    return (forward(parameters, X, activations)[f"A{L}"] > 0.5).astype(np.int64)


# --- S4  Training -------------------------------------------------------------------------------


def update(
    parameters: Mapping[str, Array], grads: Mapping[str, Array], learning_rate: float
) -> Arrays:
    """One step down the gradient: W ← W − α dW, b ← b − α db. Returns new arrays.

    >>> update({"W1": np.array([[1.0]])}, {"dW1": np.array([[2.0]])}, 0.25)["W1"].item()
    0.5
    """
    return {
        name: gradient_descent_step(theta, grads[f"d{name}"], learning_rate)
        for name, theta in parameters.items()
    }


def train(
    parameters: Mapping[str, Array],
    X: Array,
    Y: Array,
    activations: Sequence[str] | None = None,
    *,
    loss: str = "binary_cross_entropy",
    learning_rate: float = 0.1,
    iterations: int = 1000,
    tolerance: float = 0.0,
) -> tuple[Arrays, list[float]]:
    """The training loop: forward, cost, backward, update, over the whole batch each time.

    Parameters
    ----------
    parameters : mapping
        The starting point, for instance from :func:`initialise`; it is not changed.
    X : Array, shape (n[0], m)
    Y : Array, shape (n[L], m)
    activations, loss
        As for :func:`forward` and :func:`cost`.
    learning_rate : float
        α.
    iterations : int
        The number of steps, at most.
    tolerance : float
        Converged, and stopped, when a step has changed the cost by less than this.

    Returns
    -------
    (dict, list of float)
        The trained parameters, and the cost before each step.

    >>> X = np.array([[0.0, 1.0, 2.0]])
    >>> line, costs = train(
    ...     initialise([1, 1], seed=0),
    ...     X,
    ...     2 * X + 1,
    ...     ["identity"],
    ...     loss="half_mse",
    ...     learning_rate=0.5,
    ...     iterations=200,
    ... )
    >>> round(line["W1"].item(), 6), round(line["b1"].item(), 6)
    (2.0, 1.0)
    """
    trained, costs = dict(parameters), list[float]()
    for _ in range(iterations):
        cache = forward(trained, X, activations)
        costs.append(cost(cache, Y, loss))
        if len(costs) > 1 and abs(costs[-2] - costs[-1]) < tolerance:
            break
        trained = update(trained, backward(trained, cache, Y, activations, loss), learning_rate)
    return trained, costs


# --- S5  Losses and deltas ----------------------------------------------------------------------


def mse(A: Array, Y: Array) -> float:
    """MSE = 1/n Σ (y − ŷ)², n the number of examples: the columns of A and Y, shape (k, n).

    >>> mse(np.array([[1.0, 4.0]]), np.array([[1.0, 2.0]]))
    2.0
    """
    return float(np.sum((Y - A) ** 2) / Y.shape[1])


def softmax(Z: Array) -> Array:
    """ŷ_c = e^(z_c) / Σ_k e^(z_k) over the classes, the rows of Z (C, m); each column sums to 1.

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

    >>> round(cross_entropy(np.array([[0.25], [0.75]]), np.array([[1.0], [0.0]])), 6)
    1.386294
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(-np.sum(np.where(Y == 0, 0.0, Y * np.log(A))) / Y.shape[1])


def cross_entropy_from_logits(Z: Array, Y: Array) -> float:
    """The same cost of ŷ = softmax(Z), exact for every Z; both of shape (C, m)."""
    return float(-np.sum(np.where(Y == 0, 0.0, Y * log_softmax(Z))) / Y.shape[1])


def mse_delta(Z: Array, Y: Array, activation: str) -> Array:
    """δ_j = ∂MSE/∂z_j = 2/n (ŷ_j − y_j) g'(z_j), for Z and Y of shape (k, n)."""
    g, g_prime = activation_named(activation)
    n: int = Y.shape[1]
    return 2 / n * (g(Z) - Y) * g_prime(Z)


def cross_entropy_delta(Z: Array, Y: Array) -> Array:
    """δ_j = ∂CE/∂z_j = 1/m (ŷ_j − y_j) with ŷ = softmax(Z), for one-hot Y of shape (C, m)."""
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
    """
    return delta @ A_prev.T


# --- S5  Optimisers: one step each, on one array of parameters θ with gradient ∇ ----------------
#
# Every step returns new arrays; velocities and moments start as zeros, and t counts from 1.


def gradient_descent_step(theta: Array, gradient: Array, learning_rate: float) -> Array:
    """θ ← θ − α∇."""
    return theta - learning_rate * gradient


def momentum_step(
    theta: Array, gradient: Array, v: Array, learning_rate: float, beta: float = 0.9
) -> tuple[Array, Array]:
    """Momentum: v ← βv + α∇, θ ← θ − v. Returns (θ, v).

    >>> theta, v = momentum_step(np.array([1.0]), np.array([2.0]), np.array([1.0]), 0.25, 0.5)
    >>> theta.tolist(), v.tolist()
    ([0.0], [1.0])
    """
    v = beta * v + learning_rate * gradient
    return theta - v, v


def nesterov_step(
    theta: Array, gradient: Array, v: Array, learning_rate: float, beta: float = 0.9
) -> tuple[Array, Array]:
    """Nesterov: v ← βv + α∇, θ ← θ − (βv + α∇), a step ahead. Returns (θ, v)."""
    v = beta * v + learning_rate * gradient
    return theta - (beta * v + learning_rate * gradient), v


def rmsprop_step(
    theta: Array,
    gradient: Array,
    v: Array,
    learning_rate: float,
    rho: float = 0.9,
    epsilon: float = 1e-8,
) -> tuple[Array, Array]:
    """RMSProp: v ← ρv + (1−ρ)∇², θ ← θ − α∇ / (√v + ε). Returns (θ, v)."""
    v = rho * v + (1 - rho) * gradient**2
    return theta - learning_rate * gradient / (np.sqrt(v) + epsilon), v


def adam_step(
    theta: Array,
    gradient: Array,
    m: Array,
    v: Array,
    t: int,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> tuple[Array, Array, Array]:
    """Adam. Returns (θ, m, v).

    ::

        m ← β1 m + (1−β1) ∇       m̂ = m / (1−β1ᵗ)
        v ← β2 v + (1−β2) ∇²      v̂ = v / (1−β2ᵗ)
        θ ← θ − α m̂ / (√v̂ + ε)

    >>> zero = np.array([0.0])
    >>> theta, m, v = adam_step(np.array([1.0]), np.array([-5.0]), zero, zero, 1, 0.1)
    >>> round(theta.item(), 6)  # the first step has the length α, whatever the gradient's
    1.1
    """
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return theta - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v


def adamw_step(
    theta: Array,
    gradient: Array,
    m: Array,
    v: Array,
    t: int,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Array, Array, Array]:
    """AdamW: θ ← θ − αλθ, then Adam's step; the moments never see the decay. Returns (θ, m, v)."""
    decayed = theta - learning_rate * weight_decay * theta
    return adam_step(decayed, gradient, m, v, t, learning_rate, beta1, beta2, epsilon)


# --- S6  The feed-forward network by deltas, with explicit loops --------------------------------


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


# --- S6  Intersection over union ----------------------------------------------------------------


def soft_iou(A: Array, Y: Array) -> float:
    """J = 1 − I/U with I = Σ a y and U = Σ (a + y − a y), over all entries of A and Y.

    On masks of zeros and ones I counts the intersection and U the union; between them the cost is
    differentiable. Two empty masks agree: their cost is 0.

    >>> soft_iou(np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0]))
    0.5
    """
    union = np.sum(A + Y - A * Y)
    return float(1 - np.sum(A * Y) / union) if union != 0 else 0.0


def soft_iou_gradient(A: Array, Y: Array) -> Array:
    """∂J/∂a = −(y U − (1 − y) I) / U², of the shape of A; zeros where both masks are empty.

    >>> soft_iou_gradient(np.array([1.0, 1.0]), np.array([1.0, 0.0])).tolist()
    [-0.5, 0.25]
    """
    intersection, union = np.sum(A * Y), np.sum(A + Y - A * Y)
    if union == 0:
        return np.zeros_like(A)
    return -(Y * union - (1 - Y) * intersection) / union**2
