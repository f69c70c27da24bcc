"""The operators and methods of a ``Tensor``: each is a row or a function under another name."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.graph import functions
from micrograd_nn.graph.node import Node
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.recorded import Recorded
from micrograd_nn.graph.table import activations, arithmetic, arrays, elementary

if TYPE_CHECKING:
    from micrograd_nn.graph.tensor import Tensor


class Operators(Recorded):
    """What a tensor can be asked for in operators and by methods."""

    __slots__ = ()

    def __add__(self, other: Any) -> Any:
        return _operate(arithmetic.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _operate(arithmetic.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return _operate(arithmetic.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _operate(arithmetic.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return _operate(arithmetic.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _operate(arithmetic.mul, other, self)

    def __truediv__(self, other: Any) -> Any:
        return _operate(arithmetic.div, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _operate(arithmetic.div, other, self)

    def __pow__(self, other: Any) -> Any:
        return _operate(arithmetic.power, self, other)

    def __rpow__(self, other: Any) -> Any:
        return _operate(arithmetic.power, other, self)

    def __matmul__(self, other: Any) -> Any:
        return _operate(arrays.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _operate(arrays.matmul, other, self)

    def __neg__(self) -> Tensor:
        return arithmetic.neg(self)  # type: ignore[no-any-return]

    def __pos__(self) -> Tensor:
        return self  # type: ignore[return-value]

    def __abs__(self) -> Tensor:
        return arithmetic.absolute(self)  # type: ignore[no-any-return]

    def __getitem__(self, index: Any) -> Tensor:
        return functions.getitem(self, index)  # type: ignore[no-any-return]

    if TYPE_CHECKING:  # methods that are functions of ``micrograd_nn.functional``
        sum: Callable[..., Tensor]
        mean: Callable[..., Tensor]
        prod: Callable[..., Tensor]
        max: Callable[..., Tensor]
        min: Callable[..., Tensor]
        var: Callable[..., Tensor]
        std: Callable[..., Tensor]
        cumsum: Callable[..., Tensor]
        norm: Callable[..., Tensor]
        dot: Callable[..., Tensor]
        transpose: Callable[..., Tensor]
        swapaxes: Callable[..., Tensor]
        reshape: Callable[..., Tensor]
        squeeze: Callable[..., Tensor]
        ravel: Callable[..., Tensor]
        flatten: Callable[..., Tensor]
        clip: Callable[..., Tensor]
        take: Callable[..., Tensor]
        softmax: Callable[..., Tensor]
        log_softmax: Callable[..., Tensor]
        logsumexp: Callable[..., Tensor]
        exp: Callable[[], Tensor]
        expm1: Callable[[], Tensor]
        log: Callable[[], Tensor]
        log1p: Callable[[], Tensor]
        sqrt: Callable[[], Tensor]
        sin: Callable[[], Tensor]
        cos: Callable[[], Tensor]
        tan: Callable[[], Tensor]
        arctan: Callable[[], Tensor]
        sinh: Callable[[], Tensor]
        cosh: Callable[[], Tensor]
        tanh: Callable[[], Tensor]
        sigmoid: Callable[[], Tensor]
        softplus: Callable[[], Tensor]
        erf: Callable[[], Tensor]
        relu: Callable[[], Tensor]
        gelu: Callable[[], Tensor]
        silu: Callable[[], Tensor]


def _method(function: Any, name: str) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__name__ = name
    method.__qualname__ = f"Tensor.{name}"
    method.__doc__ = f"Return ``functional.{name}(self, ...)``."
    return method


for _name in (
    "sum mean prod max min var std cumsum norm dot transpose swapaxes reshape squeeze ravel "
    "flatten clip take softmax log_softmax logsumexp"
).split():
    setattr(Operators, _name, _method(getattr(functions, _name), _name))
for (
    _name
) in "exp expm1 log log1p sqrt sin cos tan arctan sinh cosh tanh sigmoid softplus erf".split():
    setattr(Operators, _name, _method(getattr(elementary, _name), _name))
for _name in ("relu", "gelu", "silu"):
    setattr(Operators, _name, _method(getattr(activations, _name), _name))


def _operate(row: Primitive, x: Any, y: Any) -> Any:
    for operand in (x, y):
        if not isinstance(operand, (Node, np.ndarray, np.generic, numbers.Real, list, tuple)):
            return NotImplemented
    return row(x, y)
