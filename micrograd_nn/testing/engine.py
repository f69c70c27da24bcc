"""The few things that the properties of graphs ask of anything that differentiates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal


class Engine:
    """What is asked of an engine. Derive from it, and write the six methods.

    Attributes
    ----------
    name : str
        For messages.
    kind : "value" or "tensor"
        Whether its leaves are numbers or arrays.
    operations : sequence of str
        The names of the operations that ``apply`` knows, out of ``strategies.OPERATIONS``.
    accumulates : bool
        Whether a leaf's gradient adds up over several backward passes, as in PyTorch; otherwise
        each pass starts anew.

    Examples
    --------
    An engine that knows ``+`` and ``*`` of micrograd's kind of values:

    >>> from micrograd_nn import Value
    >>> class Micrograd(Engine):
    ...     name, kind, operations = "micrograd", "value", ("add", "mul")
    ...
    ...     def leaf(self, data):
    ...         return Value(data)
    ...
    ...     def apply(self, operation, operands, parameters):
    ...         x, y = operands
    ...         return x + y if operation == "add" else x * y
    ...
    ...     def value(self, node):
    ...         return node.data
    ...
    ...     def backward(self, root, seed):
    ...         (root * seed).backward()
    ...
    ...     def gradient(self, leaf):
    ...         return leaf.grad
    >>> from micrograd_nn.testing import properties
    >>> properties.check(Micrograd(), max_examples=20)
    """

    name: str = "engine"
    kind: Literal["value", "tensor"] = "tensor"
    operations: Sequence[str] = ()
    accumulates: bool = True

    def leaf(self, data: Any) -> Any:
        """Return a new leaf, of a float or an array, for which a gradient is computed."""
        raise NotImplementedError

    def apply(self, operation: str, operands: Sequence[Any], parameters: dict[str, Any]) -> Any:
        """Return the result of an operation on earlier nodes.

        ``parameters`` are those of the function of that name in ``micrograd_nn.functional``; those
        of ``constant_power``, ``where`` and ``split`` stand in ``strategies.OPERATIONS``.
        """
        raise NotImplementedError

    def value(self, node: Any) -> Any:
        """Return the number or array that a node holds."""
        raise NotImplementedError

    def backward(self, root: Any, seed: Any) -> None:
        """Do a backward pass from ``root``, whose cotangent is ``seed``."""
        raise NotImplementedError

    def gradient(self, leaf: Any) -> Any:
        """Return the gradient of a leaf, of its shape; zeros where nothing has reached it."""
        raise NotImplementedError


class TwiceDifferentiable(Engine):
    """An engine whose gradients are nodes again; Schwarz's theorem is asked of it, too."""

    def gradient_nodes(self, root: Any, seed: Any, leaves: Sequence[Any]) -> list[Any]:
        """Return the gradient of each leaf as a node that may be differentiated again."""
        raise NotImplementedError


def total(engine: Engine, nodes: Sequence[Any]) -> Any:
    """Return the sum of nodes of one shape, in the engine's own additions."""
    result = nodes[0]
    for node in nodes[1:]:
        result = engine.apply("add", (result, node), {})
    return result
