"""Engines: the few things that the properties of graphs ask of anything that differentiates.

Write one for your own engine by deriving from ``Engine``; those here serve ``Value``, ``Tensor``,
and the packages micrograd and PyTorch where they are installed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Value
from micrograd_nn.testing.operations import OPERATIONS

Array = Any


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

    >>> class Micrograd(Engine):
    ...     name, kind, operations = "micrograd", "value", ("add", "mul")
    ...     def leaf(self, data):
    ...         return Value(data)
    ...     def apply(self, operation, operands, parameters):
    ...         x, y = operands
    ...         return x + y if operation == "add" else x * y
    ...     def value(self, node):
    ...         return node.data
    ...     def backward(self, root, seed):
    ...         (root * seed).backward()
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
        nodes = [leaf.grad if isinstance(leaf.grad, Node) else type(leaf)(leaf.grad) for leaf in leaves]
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
        if value is None:
            try:
                from micrograd.engine import Value as value  # noqa: N813 (a parameter)
            except ImportError:
                raise ImportError(
                    "this engine is the package micrograd: pip install micrograd"
                ) from None
        self._value = value
        self.operations = operations or ("add", "mul", "sub", "neg", "constant_power", "div", "relu")

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


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
}


class TorchEngine(TwiceDifferentiable):
    """The engine of PyTorch, in double precision on the CPU.

    Raises
    ------
    ImportError
        If ``torch`` isn't installed.
    """

    name = "PyTorch"

    def __init__(self) -> None:
        try:
            import torch
        except ImportError:
            raise ImportError("this engine is the package torch: pip install torch") from None
        self._torch = torch
        self._known = _in_torch(torch)
        self.operations = tuple(name for name in OPERATIONS if name in self._known)

    def leaf(self, data: Any) -> Any:
        return self._torch.tensor(data, dtype=self._torch.float64, requires_grad=True)

    def apply(self, operation: str, operands: Sequence[Any], parameters: dict[str, Any]) -> Any:
        return self._known[operation](*operands, **parameters)

    def value(self, node: Any) -> Any:
        if node._is_zerotensor():  # a derivative without memory behind it
            return np.zeros(tuple(node.shape))
        return node.detach().numpy()

    def backward(self, root: Any, seed: Any) -> None:
        if root.requires_grad:
            root.backward(self._seed(seed), retain_graph=True)

    def _seed(self, seed: Any) -> Any:
        return self._torch.as_tensor(seed, dtype=self._torch.float64)

    def gradient(self, leaf: Any) -> Any:
        zeros = self._torch.zeros_like(leaf)
        return np.array((zeros if leaf.grad is None else leaf.grad).numpy())

    def gradient_nodes(self, root: Any, seed: Any, leaves: Sequence[Any]) -> list[Any]:
        zeros = [self._torch.zeros_like(leaf) for leaf in leaves]
        if not root.requires_grad:  # it depends on none of them
            return zeros
        found = self._torch.autograd.grad(
            root, leaves, self._seed(seed), create_graph=True, allow_unused=True
        )
        return [zero if g is None else g for zero, g in zip(zeros, found, strict=True)]


def _in_torch(torch: Any) -> dict[str, Callable[..., Any]]:
    """Return PyTorch's functions by the names of the operations, with NumPy's parameters."""

    def axes(x: Any, axis: Any) -> Any:
        return tuple(range(x.ndim)) if axis is None else axis

    def reduction(function: Any) -> Any:
        return lambda x, axis, keepdims: function(x, dim=axes(x, axis), keepdim=keepdims)

    def spread(function: Any) -> Any:
        def reduced(x: Any, axis: Any, ddof: int, keepdims: bool) -> Any:
            return function(x, dim=axes(x, axis), correction=ddof, keepdim=keepdims)

        return reduced

    def log_softmax(x: Any, axis: Any) -> Any:
        return x - torch.logsumexp(x, dim=axis, keepdim=True)

    def permuted(x: Any, axes: Any) -> Any:
        return x.permute(tuple(reversed(range(x.ndim))) if axes is None else axes)

    def indexed(x: Any, index: Any) -> Any:
        # A reversed slice is the one index of NumPy's that PyTorch doesn't know.
        positions = torch.as_tensor(np.arange(x.numel()).reshape(tuple(x.shape))[index].copy())
        return x.reshape(-1)[positions]

    plain = "neg exp tanh relu sigmoid log sqrt abs sin cos erf expm1 log1p tan arctan sinh cosh sign"
    pairs = "add mul sub maximum minimum matmul"
    named = {name: getattr(torch, name) for name in f"{plain} {pairs}".split()}
    functional = torch.nn.functional
    return named | {
        "div": torch.true_divide,
        "power": torch.pow,
        "constant_power": lambda x, exponent: x**exponent,
        "sum": reduction(torch.sum),
        "mean": reduction(torch.mean),
        "max": reduction(torch.amax),
        "min": reduction(torch.amin),
        "logsumexp": reduction(torch.logsumexp),
        "norm": reduction(torch.linalg.vector_norm),
        "var": spread(torch.var),
        "std": spread(torch.std),
        "reshape": lambda x, shape: x.reshape(shape),
        "transpose": permuted,
        "getitem": indexed,
        "broadcast_to": lambda x, shape: x.broadcast_to(shape),
        "where": lambda x, y, condition: torch.where(torch.as_tensor(condition), x, y),
        "softplus": lambda x: functional.softplus(x, threshold=1e3),
        "gelu": functional.gelu,
        "silu": functional.silu,
        "leaky_relu": lambda x, slope: functional.leaky_relu(x, slope),
        "elu": lambda x, alpha: functional.elu(x, alpha),
        "clip": lambda x, lo, hi: torch.clip(x, lo, hi),
        "concatenate": lambda *parts, axis: torch.cat(parts, dim=axis),
        "stack": lambda *parts, axis: torch.stack(parts, dim=axis),
        "softmax": lambda x, axis: torch.exp(log_softmax(x, axis)),
        "log_softmax": log_softmax,
        "ravel": lambda x: x.reshape(-1),
        "outer": lambda x, y: torch.outer(x.reshape(-1), y.reshape(-1)),
        "huber": lambda e, delta: functional.huber_loss(
            e, torch.zeros_like(e), reduction="none", delta=delta
        ),
    }


def own_engine(kind: str) -> TwiceDifferentiable:
    """Return our engine for numbers or for arrays."""
    return ValueEngine() if kind == "value" else TensorEngine()


def total(engine: Engine, nodes: Sequence[Any]) -> Any:
    """Return the sum of nodes of one shape, in the engine's own additions."""
    result = nodes[0]
    for node in nodes[1:]:
        result = engine.apply("add", (result, node), {})
    return result


__all__ = [
    "Engine",
    "TwiceDifferentiable",
    "ValueEngine",
    "TensorEngine",
    "MicrogradEngine",
    "TorchEngine",
]
