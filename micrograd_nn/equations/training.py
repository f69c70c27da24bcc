"""S4: training, a step down the gradient of the whole batch at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from micrograd_nn.equations.network import backward, cost, forward
from micrograd_nn.equations.notation import Array, Arrays
from micrograd_nn.equations.optimisers import gradient_descent_step


def update(
    parameters: Mapping[str, Array], grads: Mapping[str, Array], learning_rate: float
) -> Arrays:
    """One step down the gradient: W ← W − α dW, b ← b − α db. Returns new arrays.

    Examples
    --------
    >>> import numpy as np
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

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn.equations import initialise
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
