"""S5: optimisers, one step each, on one array of parameters θ with gradient ∇.

Every step returns new arrays; velocities and moments start as zeros, and t counts from 1.
"""

from __future__ import annotations

import numpy as np

from micrograd_nn.equations.notation import Array


def gradient_descent_step(theta: Array, gradient: Array, learning_rate: float) -> Array:
    """θ ← θ − α∇.

    Examples
    --------
    >>> gradient_descent_step(np.array([1.0]), np.array([2.0]), 0.25).tolist()
    [0.5]
    """
    return theta - learning_rate * gradient


def momentum_step(
    theta: Array, gradient: Array, v: Array, learning_rate: float, beta: float = 0.9
) -> tuple[Array, Array]:
    """Momentum: v ← βv + α∇, θ ← θ − v. Returns (θ, v).

    Examples
    --------
    >>> theta, v = momentum_step(np.array([1.0]), np.array([2.0]), np.array([1.0]), 0.25, 0.5)
    >>> theta.tolist(), v.tolist()
    ([0.0], [1.0])
    """
    v = beta * v + learning_rate * gradient
    return theta - v, v


def nesterov_step(
    theta: Array, gradient: Array, v: Array, learning_rate: float, beta: float = 0.9
) -> tuple[Array, Array]:
    """Nesterov: v ← βv + α∇, θ ← θ − (βv + α∇), a step ahead. Returns (θ, v).

    Examples
    --------
    >>> theta, v = nesterov_step(np.array([1.0]), np.array([2.0]), np.array([1.0]), 0.25, 0.5)
    >>> theta.tolist(), v.tolist()
    ([0.0], [1.0])
    """
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
    """RMSProp: v ← ρv + (1−ρ)∇², θ ← θ − α∇ / (√v + ε). Returns (θ, v).

    Examples
    --------
    >>> theta, v = rmsprop_step(np.array([1.0]), np.array([2.0]), np.array([0.0]), 0.1, rho=0.0)
    >>> theta.round(6).tolist(), v.tolist()
    ([0.9], [4.0])
    """
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

    Examples
    --------
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
    """AdamW: θ ← θ − αλθ, then Adam's step; the moments never see the decay. Returns (θ, m, v).

    Examples
    --------
    >>> zero = np.array([0.0])
    >>> theta, m, v = adamw_step(np.array([1.0]), zero, zero, zero, 1, 0.1, weight_decay=0.5)
    >>> theta.tolist()  # without a gradient, the weight decays
    [0.95]
    """
    decayed = theta - learning_rate * weight_decay * theta
    return adam_step(decayed, gradient, m, v, t, learning_rate, beta1, beta2, epsilon)
