"""Activations and their derivatives.

A sigmoid computed as 1/(1 + exp(-z)) overflows, and 1 - tanh² and σ(1 - σ) lose every digit in the
tails. The forms below are equal to those on paper and keep full relative precision.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from micrograd_nn.equations.notation import Array, Function


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e⁻ᶻ), without overflow.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def sigmoid_prime(z: Array) -> Array:
    """σ'(z) = σ(z)(1 − σ(z)) = σ(z) σ(−z).

    Examples
    --------
    >>> sigmoid_prime(np.array([0.0])).tolist()
    [0.25]
    """
    return sigmoid(z) * sigmoid(-z)


def tanh(z: Array) -> Array:
    """tanh(z) = (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ). One article prints its reciprocal, coth.

    Examples
    --------
    >>> tanh(np.array([0.0, 100.0])).tolist()
    [0.0, 1.0]
    """
    return np.tanh(z)


def tanh_prime(z: Array) -> Array:
    """tanh'(z) = 1 − tanh²(z) = 4 σ(2z) σ(−2z).

    Examples
    --------
    >>> tanh_prime(np.array([0.0, 20.0])).tolist()
    [1.0, 1.6993417021166355e-17]
    """
    return 4.0 * sigmoid(2.0 * z) * sigmoid(-2.0 * z)


def relu(z: Array) -> Array:
    """ReLU(z) = max(z, 0).

    Examples
    --------
    >>> relu(np.array([-2.0, 3.0])).tolist()
    [0.0, 3.0]
    """
    return np.maximum(z, 0.0)


def relu_prime(z: Array) -> Array:
    """ReLU'(z) = 1 for z > 0, else 0 (also at the kink, z = 0).

    Examples
    --------
    >>> relu_prime(np.array([-2.0, 0.0, 3.0])).tolist()
    [0.0, 0.0, 1.0]
    """
    return np.where(z > 0, 1.0, 0.0)


def leaky_relu(z: Array, slope: float = 0.01) -> Array:
    """Leaky ReLU: z for z > 0, else slope · z.

    Examples
    --------
    >>> leaky_relu(np.array([-2.0, 3.0])).tolist()
    [-0.02, 3.0]
    """
    return np.where(z > 0, z, slope * z)


def leaky_relu_prime(z: Array, slope: float = 0.01) -> Array:
    """Derivative of leaky ReLU: 1 for z > 0, else the slope (also at z = 0).

    Examples
    --------
    >>> leaky_relu_prime(np.array([-2.0, 0.0, 3.0])).tolist()
    [0.01, 0.01, 1.0]
    """
    return np.where(z > 0, 1.0, slope)


def identity(z: Array) -> Array:
    """g(z) = z: the unit of linear regression.

    Examples
    --------
    >>> identity(np.array([-2.0])).tolist()
    [-2.0]
    """
    return z


def identity_prime(z: Array) -> Array:
    """g'(z) = 1.

    Examples
    --------
    >>> identity_prime(np.array([-2.0, 3.0])).tolist()
    [1.0, 1.0]
    """
    return np.ones_like(z)


def softplus(z: Array) -> Array:
    """log(1 + eᶻ), without overflow. −log σ(z) = softplus(−z), −log(1 − σ(z)) = softplus(z).

    Examples
    --------
    >>> softplus(np.array([-1000.0, 1000.0])).tolist()
    [0.0, 1000.0]
    """
    return np.logaddexp(0.0, z)


def elu(z: Array) -> Array:
    """ELU with α = 1: z for z > 0, else eᶻ − 1.

    Examples
    --------
    >>> elu(np.array([-1000.0, 3.0])).tolist()
    [-1.0, 3.0]
    """
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0.0)))


def elu_prime(z: Array) -> Array:
    """Derivative of ELU: 1 for z > 0, else eᶻ.

    Examples
    --------
    >>> elu_prime(np.array([-1000.0, 0.0, 3.0])).tolist()
    [0.0, 1.0, 1.0]
    """
    return np.exp(np.minimum(z, 0.0))


def silu(z: Array) -> Array:
    """SiLU (swish): z σ(z).

    Examples
    --------
    >>> silu(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [-0.0, 0.0, 1000.0]
    """
    return z * sigmoid(z)


def silu_prime(z: Array) -> Array:
    """Derivative of SiLU: σ(z) + z σ'(z) = σ(z)(1 + z σ(−z)).

    Examples
    --------
    >>> silu_prime(np.array([0.0, 1000.0])).tolist()
    [0.5, 1.0]
    """
    return sigmoid(z) * (1.0 + z * sigmoid(-z))


def gaussian_cdf(z: Array) -> Array:
    """Φ(z) = ½ erfc(−z/√2), the probability that a standard normal variable is below z.

    Examples
    --------
    >>> gaussian_cdf(np.array([0.0, 10.0])).tolist()
    [0.5, 1.0]
    """
    erfc: Function = np.vectorize(math.erfc, otypes=[np.float64])
    return 0.5 * erfc(-z / math.sqrt(2.0))


def gelu(z: Array) -> Array:
    """GELU: z Φ(z).

    Examples
    --------
    >>> gelu(np.array([0.0, 10.0])).tolist()
    [0.0, 10.0]
    """
    return z * gaussian_cdf(z)


def gelu_prime(z: Array) -> Array:
    """Derivative of GELU: Φ(z) + z φ(z), with φ(z) = e^(−z²/2) / √(2π).

    Examples
    --------
    >>> gelu_prime(np.array([0.0, 10.0])).tolist()
    [0.5, 1.0]
    """
    return gaussian_cdf(z) + z * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


class Activation(NamedTuple):
    """A nonlinearity g and its derivative g′, both functions of the pre-activation Z.

    Examples
    --------
    >>> Activation(relu, relu_prime).g(np.array([-2.0])).tolist()
    [0.0]
    """

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

    Examples
    --------
    >>> g, g_prime = activation_named("softplus")
    >>> g_prime is sigmoid
    True
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"no activation {name!r}; there are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]
