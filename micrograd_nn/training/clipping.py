"""Gradient clipping: keep one bad step from undoing the good ones."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from micrograd_nn.graph.node import UNREACHED, Node
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.training.optimiser_base import checked_number


def clip_gradients(
    parameters: Iterable[Node],
    max_norm: float | None = None,
    max_value: float | None = None,
) -> float:
    """Limit the gradients of the parameters, and return the norm they had.

    With ``max_norm`` c, all gradients together are scaled: ``∇ ← ∇ · min(1, c / |∇|)``, where
    ``|∇|`` is the Euclidean norm of all of them as one vector; their direction is kept. With
    ``max_value`` c each number is limited to [−c, c] by itself. Given both, the norm is limited
    first; given neither, the norm is only measured. The dtype of each gradient is kept. If the norm
    is NaN or infinite, the gradients are left as they are: see ``math.isfinite`` of the result.

    Parameters
    ----------
    parameters : iterable of Node
    max_norm, max_value : float, optional
        Above 0.

    Returns
    -------
    float
        ``|∇|`` before clipping.

    Raises
    ------
    TypeError
        If a parameter isn't a node.
    ValueError
        If a limit isn't above 0.

    References
    ----------
    Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013,
    algorithm 1.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> x, y = Value(1.0), Value(1.0)
    >>> (3 * x + 4 * y).backward()
    >>> clip_gradients([x, y], max_norm=1.0)
    5.0
    >>> round(x.grad, 12), round(y.grad, 12)
    (0.6, 0.8)
    """
    if max_norm is not None:
        max_norm = checked_number("max_norm", max_norm, above=0.0)
    if max_value is not None:
        max_value = checked_number("max_value", max_value, above=0.0)
    reached = [p for p in _nodes(parameters) if p._grad is not UNREACHED]
    grads = [_plain(p._grad) for p in reached]
    norm = math.hypot(*map(_norm, grads))
    if not math.isfinite(norm):
        return norm
    scale = 1.0 if max_norm is None or norm <= max_norm else max_norm / norm
    if scale < 1.0 or max_value is not None:
        for parameter, grad in zip(reached, grads, strict=True):
            clipped = grad * scale
            if max_value is not None:
                clipped = np.clip(clipped, -max_value, max_value)
            single = not isinstance(parameter, Tensor)
            parameter._grad = float(clipped) if single else np.asarray(clipped, grad.dtype)
    return norm


def is_finite(grad: np.ndarray[Any, Any]) -> bool:
    """Tell whether an array holds neither NaN nor infinity."""
    flat = grad.reshape(-1)
    # A sum of squares is finite only if all are; it may overflow without that.
    return math.isfinite(flat.dot(flat)) or bool(np.isfinite(flat).all())


def gradient_norm(parameters: Iterable[Node]) -> float:
    """Return the Euclidean norm of all gradients as one vector.

    Parameters
    ----------
    parameters : iterable of Node

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If a parameter isn't a node.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> x, y = Value(1.0), Value(1.0)
    >>> (3 * x + 4 * y).backward()
    >>> gradient_norm([x, y])
    5.0
    """
    return clip_gradients(parameters)


def _nodes(parameters: Any) -> list[Node]:
    if isinstance(parameters, Node):
        raise TypeError("parameters must be an iterable of nodes, got one node: pass a list of it")
    nodes = list(dict.fromkeys(parameters))  # a shared one counts once
    for i, node in enumerate(nodes):
        if not isinstance(node, Node):
            raise TypeError(f"parameter {i} is a {type(node).__name__}, no Value or Tensor")
    return nodes


def _plain(grad: Any) -> Any:
    return grad._data if isinstance(grad, Node) else grad


def _norm(grad: Any) -> float:
    """Return the norm of one gradient, without overflow on the way."""
    if isinstance(grad, float):
        return abs(grad)
    flat = np.asarray(grad, np.float64).reshape(-1)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        square = float(flat @ flat)
    if 1e-280 < square < math.inf or square != square:
        return math.sqrt(square)
    largest = float(np.max(np.abs(flat), initial=0.0))
    if largest == 0.0 or largest == math.inf:
        return largest
    flat = flat / largest
    return largest * math.sqrt(float(flat @ flat))
