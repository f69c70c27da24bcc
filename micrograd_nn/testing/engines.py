"""Engines: the few things that the properties of graphs ask of anything that differentiates.

Write one for your own engine by deriving from ``Engine``; those here serve ``Value``, ``Tensor``,
and the packages micrograd and PyTorch where they are installed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Value
from micrograd_nn.testing.engine import Engine, TwiceDifferentiable
from micrograd_nn.testing.programs.pool import OPERATIONS
from micrograd_nn.testing.torch_engine import TorchEngine


class _Own(TwiceDifferentiable):
    def apply(self, operation: str, operands: Sequence[Any], parameters: dict[str, Any]) -> Any:
        return OPERATIONS[operation].call(*operands, **parameters)

    def value(self, node: Any) -> Any:
        return node.data

    def backward(self, root: Any, seed: Any) -> None:
        root.backward(seed)

    def gradient(self, leaf: Any) -> Any:
        return leaf.grad

    def gradient_nodes(self, root: Any, seed: Any, leaves: Sequence[Any]) -> list[Any]:
        root.backward(seed, create_graph=True)
        nodes = [
            leaf.grad if isinstance(leaf.grad, Node) else type(leaf)(leaf.grad) for leaf in leaves
        ]
        for leaf in leaves:
            leaf.zero_grad()
        return nodes


class ValueEngine(_Own):
    """The engine of ``Value``."""

    name = "Value"
    kind = "value"
    operations = tuple(name for name, operation in OPERATIONS.items() if operation.scalar)

    def leaf(self, data: Any) -> Any:
        return Value(data)


class TensorEngine(_Own):
    """The engine of ``Tensor``."""

    name = "Tensor"
    operations = tuple(OPERATIONS)

    def leaf(self, data: Any) -> Any:
        return Tensor(data)


class MicrogradEngine(Engine):
    """The engine of the package ``micrograd``, or of any module with such a ``Value``.

    Parameters
    ----------
    value : type, optional
        The class of its values; ``micrograd.engine.Value`` by default.
    operations : sequence of str, optional
        What it knows; by default what micrograd 0.1 does.

    Raises
    ------
    ImportError
        If ``micrograd`` is needed and isn't installed.
    """

    name = "micrograd"
    kind = "value"

    def __init__(self, value: Any = None, operations: Sequence[str] | None = None) -> None:
        self._value = _micrograds_value() if value is None else value
        self.operations = operations or [
            "add",
            "mul",
            "sub",
            "neg",
            "constant_power",
            "div",
            "relu",
        ]

    def leaf(self, data: Any) -> Any:
        return self._value(data)

    def apply(self, operation: str, operands: Sequence[Any], parameters: dict[str, Any]) -> Any:
        if operation in ("add", "mul", "sub", "div"):
            return _ARITHMETIC[operation](*operands)
        if operation == "neg":
            return -operands[0]
        if operation == "constant_power":
            return operands[0] ** parameters["exponent"]
        return getattr(operands[0], operation)()

    def value(self, node: Any) -> Any:
        return float(node.data)

    def backward(self, root: Any, seed: Any) -> None:
        (root * seed).backward()  # its passes start from 1

    def gradient(self, leaf: Any) -> Any:
        return float(leaf.grad)


def _micrograds_value() -> Any:
    try:
        from micrograd.engine import Value as Theirs
    except ImportError:
        raise ImportError("this engine is the package micrograd: pip install micrograd") from None
    return Theirs


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
}


def own_engine(kind: str) -> TwiceDifferentiable:
    """Return our engine for numbers or for arrays."""
    return ValueEngine() if kind == "value" else TensorEngine()


__all__ = [
    "Engine",
    "TwiceDifferentiable",
    "ValueEngine",
    "TensorEngine",
    "MicrogradEngine",
    "TorchEngine",
]
