"""S1: one neuron, one layer, all examples at once."""

from __future__ import annotations

import numpy as np

from micrograd_nn.equations.activations import activation_named
from micrograd_nn.equations.notation import Array


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

    Examples
    --------
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

    Examples
    --------
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

    Examples
    --------
    >>> W, b, X = np.array([[1.0, 2.0]]), np.array([[0.5]]), np.array([[1.0, 0.0], [1.0, -1.0]])
    >>> Z, A = layer_by_neurons(W, b, X, "relu")
    >>> Z.tolist(), A.tolist()
    ([[3.5, -1.5]], [[3.5, 0.0]])
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

    Examples
    --------
    >>> W, b, X = np.array([[1.0, 2.0]]), np.array([[0.5]]), np.array([[1.0, 0.0], [1.0, -1.0]])
    >>> Z, A = layer_by_examples(W, b, X, "relu")
    >>> Z.tolist(), A.tolist()
    ([[3.5, -1.5]], [[3.5, 0.0]])
    """
    columns = [W @ A_prev[:, [k]] + b for k in range(A_prev.shape[1])]
    Z = np.hstack(columns)
    return Z, activation_named(activation).g(Z)


def layer_by_matrices(W: Array, b: Array, A_prev: Array, activation: str) -> tuple[Array, Array]:
    """A layer, all units and all examples at once: Z[l] = W[l] A[l−1] + b[l], A[l] = g(Z[l]).

    Takes and returns what :func:`layer_by_neurons` does.

    Examples
    --------
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

    Examples
    --------
    >>> W, b, X = np.array([[1.0, 2.0]]), np.array([[0.5]]), np.array([[1.0, 0.0], [1.0, -1.0]])
    >>> dW, db, dX = layer_gradients_by_neurons(W, b, X, np.ones((1, 2)), "relu")
    >>> dW.tolist(), db.tolist(), dX.tolist()
    ([[0.5, 0.5]], [[0.5]], [[1.0, 0.0], [2.0, 0.0]])
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

    Examples
    --------
    >>> W, b, X = np.array([[1.0, 2.0]]), np.array([[0.5]]), np.array([[1.0, 0.0], [1.0, -1.0]])
    >>> dW, db, dX = layer_gradients_by_examples(W, b, X, np.ones((1, 2)), "relu")
    >>> dW.tolist(), db.tolist(), dX.tolist()
    ([[0.5, 0.5]], [[0.5]], [[1.0, 0.0], [2.0, 0.0]])
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

    Examples
    --------
    >>> W, b, X = np.array([[1.0, 2.0]]), np.array([[0.5]]), np.array([[1.0, 0.0], [1.0, -1.0]])
    >>> dW, db, dX = layer_gradients_by_matrices(W, b, X, np.ones((1, 2)), "relu")
    >>> dW.tolist(), db.tolist(), dX.tolist()
    ([[0.5, 0.5]], [[0.5]], [[1.0, 0.0], [2.0, 0.0]])
    """
    m = A_prev.shape[1]
    dZ = dA * activation_named(activation).g_prime(W @ A_prev + b)
    return dZ @ A_prev.T / m, np.sum(dZ, axis=1, keepdims=True) / m, W.T @ dZ
