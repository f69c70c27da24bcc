"""The engine of PyTorch, to be held to the same properties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd_nn.testing.engine import TwiceDifferentiable
from micrograd_nn.testing.programs.pool import OPERATIONS


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

    plain = "neg exp tanh relu sigmoid log sqrt abs sin cos tan erf expm1 log1p arctan sinh cosh"
    others = "sign add mul sub maximum minimum matmul"
    named = {name: getattr(torch, name) for name in f"{plain} {others}".split()}
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
