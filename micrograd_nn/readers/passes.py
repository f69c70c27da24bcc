"""The forward and the backward pass over a recorded graph, one event at a time.

It is the chain rule as the engine applies it, in the engine's order, told step by step and beside
the graph: no node's ``grad`` is read or written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from micrograd_nn.graph.backward import checked_seed
from micrograd_nn.graph.cotangents import fitted, pulled
from micrograd_nn.graph.node import Node
from micrograd_nn.graph.order import toposort


@dataclass(frozen=True)
class Forward:
    """A node is computed.

    Attributes
    ----------
    node : Node
    arguments : tuple of float or array
        The data of its inputs, as they were when it was recorded.
    value : float or array
    """

    node: Node
    arguments: tuple[Any, ...]
    value: Any


@dataclass(frozen=True)
class Seed:
    """The backward pass begins: the cotangent of the root."""

    node: Node
    value: Any


@dataclass(frozen=True)
class Contribution:
    """One term of the chain rule: ∂L/∂e += ∂L/∂d · ∂d/∂e.

    Attributes
    ----------
    node : Node
        The node d that passes its gradient on.
    argument : int
        The place of e among the inputs of d.
    input : Node
        The node e.
    upstream : float or array
        ∂L/∂d.
    local : float, array or None
        ∂d/∂e; see ``local_derivatives``.
    value : float or array
        What is added, in the shape of e.
    accumulated : float or array
        The gradient of e so far, this contribution included.
    """

    node: Node
    argument: int
    input: Node
    upstream: Any
    local: Any
    value: Any
    accumulated: Any


Event: TypeAlias = Forward | Seed | Contribution


def passes(root: Node, seed: Any = None) -> Iterator[Event]:
    """Yield the events of the forward pass, then those of the backward pass.

    Parameters
    ----------
    root : Value or Tensor
    seed : float or array, optional
        The cotangent of the root: 1 by default, for a scalar root.

    Raises
    ------
    GraphError
        If the root isn't a scalar and no seed is given.
    ValueError
        If the seed hasn't the shape of the root.
    StaleGraphError
        If recorded data were overwritten, so that a derivative would be wrong.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> a, b = Value(2.0, name="a"), Value(-3.0, name="b")
    >>> for event in passes(a * b):
    ...     print(type(event).__name__, event.node.op.name, event.value)
    Forward mul -6.0
    Seed mul 1.0
    Contribution mul -3.0
    Contribution mul 2.0
    """
    order = toposort(root)
    g = checked_seed(root, seed)
    yield from forward_pass(order)
    yield from backward_pass(order, g)


def forward_pass(order: Sequence[Node]) -> Iterator[Forward]:
    """Yield the events of the forward pass over nodes in topological order."""
    for node in order:
        if node._op is not None:
            yield Forward(node, recorded_arguments(node), node._data)


def backward_pass(order: Sequence[Node], seed: Any) -> Iterator[Seed | Contribution]:
    """Yield the events of the backward pass over nodes in topological order, the root last."""
    root = order[-1]
    if not root.requires_grad:
        return
    yield Seed(root, seed)
    gradients: dict[Node, Any] = {root: seed}
    for node in reversed(order):
        if node._op is None or node not in gradients:
            continue
        upstream = gradients[node]
        local = local_derivatives(node)
        for argument, child, value in _contributions(node, upstream):
            before = gradients.get(child)
            gradients[child] = value if before is None else before + value
            yield Contribution(
                node, argument, child, upstream, local[argument], value, gradients[child]
            )


def local_derivatives(node: Node) -> tuple[Any, ...]:
    """Return the derivative of a node with respect to each of its inputs, by the row's own rules.

    Parameters
    ----------
    node : Value or Tensor

    Returns
    -------
    tuple of float, array or None
        One per input. For an elementwise operation on arrays it is the derivative of each
        element of the result. None stands where there is none (a constant input, an argument
        without a rule) and where it is a whole Jacobian matrix, as for a matrix product.

    Raises
    ------
    StaleGraphError
        If the data of the node were overwritten after it had been recorded.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> a, b = Value(2.0), Value(-3.0)
    >>> local_derivatives(a * b), local_derivatives(a * 5), local_derivatives(a)
    ((-3.0, 2.0), (5.0, None), ())
    """
    op = node._op
    if op is None:
        return ()
    found: list[Any] = [None] * len(node._saved_arguments())
    data = node._data
    if op.elementwise or np.size(data) == 1:
        one = 1.0 if type(data) is float else np.ones(np.shape(data), data.dtype)
        with np.errstate(all="ignore"):
            for argument, _, local in pulled(node, one, _receivers(node)):
                found[argument] = local
    return tuple(found)


def recorded_arguments(node: Node) -> tuple[Any, ...]:
    """Return the data of a node's inputs, as they were when it was recorded where a rule reads."""
    return tuple(saved for _, saved, _ in node._saved_arguments())


def _receivers(node: Node) -> set[Node]:
    return {child for child in node._recorded_inputs() if child.requires_grad}


def _contributions(node: Node, upstream: Any) -> Iterator[tuple[int, Node, Any]]:
    """Yield what each input receives, in its own shape and type; 0 for a cotangent of 0."""
    nothing = type(upstream) is float and upstream == 0.0
    with np.errstate(all="ignore"):
        for argument, child, cotangent in pulled(node, upstream, _receivers(node)):
            value = 0.0 if nothing else fitted(cotangent, child)
            if type(child._data) is not float:
                value = np.asarray(value, child._data.dtype)
            yield argument, child, value
