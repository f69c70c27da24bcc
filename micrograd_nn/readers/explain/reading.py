"""From recorded nodes to terms: a node that has a symbol is that symbol, the others are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.pull import unbroadcast_axes
from micrograd_nn.readers.explain.primes import PRIMES
from micrograd_nn.readers.explain.terms import (
    Call,
    Number,
    Prime,
    Symbol,
    Term,
    add,
    matrix_product,
    negative,
    power,
    reciprocal,
    reshaped,
    times,
    total,
    transposed,
)


def term_of(
    root: Node, symbols: Mapping[Node, str], named: Callable[[Any], str] | None = None
) -> Term:
    """Return a node as a term.

    Parameters
    ----------
    root : Node
    symbols : mapping of Node to str
        The nodes that have a symbol, at which reading stops.
    named : callable, optional
        Gives an array that has no symbol a name; "const" by default.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> x = Value(2.0)
    >>> term_of(x * x, {x: "x"})
    Power(base=Symbol(name='x', shape=()), exponent=Number(value=2.0, shape=()))
    """
    found: dict[Node, Term] = {}
    for node in toposort(root):
        if node in symbols:
            found[node] = Symbol(symbols[node], np.shape(node._data))
        elif node.op is None:
            found[node] = _constant(node, named)
        elif all(child in found for child in node.inputs):
            found[node] = _read(node, [found[child] for child in node.inputs])
    return found[root]


def _constant(node: Node, named: Callable[[Any], str] | None) -> Term:
    data = np.asarray(node._data)
    if data.size and np.all(data == data.flat[0]):  # an array that is one number throughout
        return Number(float(data.flat[0]), data.shape)
    return Symbol("const" if named is None else named(node._data), data.shape)


def _read(node: Node, args: list[Term]) -> Term:
    op = node.op
    assert op is not None
    shape = np.shape(node._data)
    if op in PRIMES:
        name, place = PRIMES[op]
        return Prime(name, tuple(args), place, shape)
    reader = _READERS.get(op.name)
    if reader is not None:
        return reader(node, args)
    params = tuple(sorted((key, _hashable(value)) for key, value in node.params.items()))
    return Call(op.name, tuple(args), shape, params)


def _hashable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return ("array", value.shape, tuple(value.reshape(-1).tolist()))
    if isinstance(value, slice):
        return ("slice", value.start, value.stop, value.step)
    if isinstance(value, (list, tuple)):
        return tuple(map(_hashable, value))
    return value


# ---------------------------------------------------------------------------------- operations


def _matmul(node: Node, args: list[Term]) -> Term:
    return matrix_product(args[0], args[1], np.shape(node._data))


def _linear(node: Node, args: list[Term]) -> Term:
    x, W, b = args
    return add(matrix_product(x, transposed(W), np.shape(node._data)), b)


def _transpose(node: Node, args: list[Term]) -> Term:
    axes, (x,) = node.params["axes"], args
    if len(x.shape) <= 2 and axes in (None, (1, 0)):
        return transposed(x)
    return Call("transpose", (x,), np.shape(node._data), (("axes", axes),))


def _reshape(node: Node, args: list[Term]) -> Term:
    return reshaped(args[0], np.shape(node._data))


def _sum(node: Node, args: list[Term]) -> Term:
    (x,) = args
    return total(x, np.shape(node._data), _axes(node.params["axis"], len(x.shape)))


def _mean(node: Node, args: list[Term]) -> Term:
    (x,) = args
    axes = _axes(node.params["axis"], len(x.shape))
    count = float(np.prod([x.shape[a] for a in axes]))
    return times(1.0 / count, total(x, np.shape(node._data), axes))


def _sum_to(node: Node, args: list[Term]) -> Term:
    (x,) = args
    shape = np.shape(node._data)
    if not np.prod(x.shape) >= np.prod(shape):  # a number that stands for an equal array
        return x
    return total(x, shape, unbroadcast_axes(x.shape, shape))


def _sigmoid_minus(node: Node, args: list[Term]) -> Term:
    sigmoid = Call("sigmoid", (args[0],), np.shape(node._data))
    return add(sigmoid, negative(args[1]))


def _where(node: Node, args: list[Term]) -> Term:
    """Return the branch that a constant condition chooses throughout."""
    condition = np.asarray(node.inputs[0]._data)
    if not node.inputs[0].requires_grad and condition.size:
        if np.all(condition):
            return args[1]
        if not np.any(condition):
            return args[2]
    return Call("where", tuple(args), np.shape(node._data))


def _power(node: Node, args: list[Term]) -> Term:
    return power(args[0], args[1])


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    return tuple(a % ndim for a in (axis if isinstance(axis, tuple) else (axis,)))


_READERS: dict[str, Callable[[Node, list[Term]], Term]] = {
    "add": lambda node, args: add(*args),
    "sub": lambda node, args: add(args[0], negative(args[1])),
    "neg": lambda node, args: negative(args[0]),
    "mul": lambda node, args: times(*args),
    "div": lambda node, args: times(args[0], reciprocal(args[1])),
    "identity": lambda node, args: args[0],
    "power": _power,
    "sqrt": lambda node, args: power(args[0], 0.5),
    "matmul": _matmul,
    "linear": _linear,
    "transpose": _transpose,
    "reshape": _reshape,
    "broadcast_to": _reshape,
    "sum": _sum,
    "mean": _mean,
    "sum_to": _sum_to,
    "sigmoid_minus": _sigmoid_minus,
    "where": _where,
}
