"""Initial values of weights.

Each initialiser is called as ``(shape, generator) -> ndarray`` with the shape (n_out, n_in).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from micrograd_nn.nn.activations import chosen

FloatArray = np.ndarray[Any, Any]
# In quotes, since to name numpy.random would load it, which takes as long as a third of NumPy.
Initialiser: TypeAlias = "Callable[[tuple[int, ...], np.random.Generator], FloatArray]"


def zeros(shape: tuple[int, ...], generator: np.random.Generator) -> FloatArray:
    """Return zeros. All units of a layer then stay equal for ever: only biases start so."""
    return np.zeros(shape)


def uniform(shape: tuple[int, ...], generator: np.random.Generator) -> FloatArray:
    """Return numbers drawn evenly from [−1, 1), as micrograd does."""
    return generator.uniform(-1.0, 1.0, shape)


def normal(shape: tuple[int, ...], generator: np.random.Generator) -> FloatArray:
    """Return numbers drawn from the normal distribution of variance 1, times 0.01."""
    return 0.01 * generator.standard_normal(shape)


def xavier_uniform(shape: tuple[int, ...], generator: np.random.Generator) -> FloatArray:
    """Return numbers from [−a, a) with a = √(6 / (n_in + n_out)).

    Source: Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010.
    """
    n_out, n_in = _fans(shape)
    a = math.sqrt(6.0 / (n_in + n_out))
    return generator.uniform(-a, a, shape)


def xavier_normal(shape: tuple[int, ...], generator: np.random.Generator) -> FloatArray:
    """Return normal numbers of variance 2 / (n_in + n_out); source as ``xavier_uniform``."""
    n_out, n_in = _fans(shape)
    return math.sqrt(2.0 / (n_in + n_out)) * generator.standard_normal(shape)


def he_uniform(shape: tuple[int, ...], generator: np.random.Generator) -> FloatArray:
    """Return numbers from [−a, a) with a = √(6 / n_in).

    Source: He et al., "Delving deep into rectifiers", 2015.
    """
    a = math.sqrt(6.0 / _fans(shape)[1])
    return generator.uniform(-a, a, shape)


def he_normal(shape: tuple[int, ...], generator: np.random.Generator) -> FloatArray:
    """Return normal numbers of variance 2 / n_in; source as ``he_uniform``."""
    return math.sqrt(2.0 / _fans(shape)[1]) * generator.standard_normal(shape)


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    n_out, n_in = shape if len(shape) == 2 else (1, math.prod(shape))
    return max(n_out, 1), max(n_in, 1)


#: Every initialiser by its name.
INITIALISERS: dict[str, Initialiser] = {
    "zeros": zeros,
    "uniform": uniform,
    "normal": normal,
    "xavier": xavier_uniform,
    "xavier_uniform": xavier_uniform,
    "xavier_normal": xavier_normal,
    "glorot": xavier_uniform,
    "glorot_uniform": xavier_uniform,
    "glorot_normal": xavier_normal,
    "he": he_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "kaiming": he_normal,
    "kaiming_uniform": he_uniform,
    "kaiming_normal": he_normal,
}

_RECTIFIERS = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus")


def checked(weights: Any, shape: tuple[int, ...]) -> FloatArray:
    """Return what an initialiser has drawn, or raise if it has another shape than asked for."""
    if np.shape(weights) != shape:
        raise ValueError(f"the initialiser returned shape {np.shape(weights)}, not {shape}")
    return np.asarray(weights)


def by_name(init: str | Initialiser | None, activation: str = "identity") -> Initialiser:
    """Return the initialiser of that name; ``None`` or ``"auto"`` chooses by the activation.

    He's for rectifiers (relu, leaky_relu, elu, gelu, silu, softplus), Xavier's for all others.

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the names.

    Examples
    --------
    >>> by_name("auto", "relu").__name__, by_name("auto", "tanh").__name__
    ('he_normal', 'xavier_uniform')
    """
    if init is None or init == "auto":
        return he_normal if activation in _RECTIFIERS else xavier_uniform
    if callable(init):
        return init
    found: Initialiser = chosen("initialiser", init, INITIALISERS)
    return found
