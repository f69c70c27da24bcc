"""From recorded nodes to terms: a node that has a symbol is that symbol, the others are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.pull import unbroadcast_axes
from micrograd_nn.graph.table.arrays import axes_of
from micrograd_nn.readers.explain.algebra import (
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
from micrograd_nn.readers.explain.comparisons import (
    comparison_term,
    comparisons,
    operands,
    without_indicator,
)
from micrograd_nn.readers.explain.primes import PRIMES
from micrograd_nn.readers.explain.terms import (
    ONE,
    Call,
    Compared,
    Number,
    Prime,
    Reshaped,
    Symbol,
    Term,
    Transposed,
)


def term_of(
    root: Node,
    symbols: Mapping[Node, str | Term],
    named: Callable[[Any], str] | None = None,
    exact: bool = False,
    known: dict[Node, Term] | None = None,
) -> Term:
    """Return a node as a term.

    Parameters
    ----------
    root : Node
    symbols : mapping of Node to str or Term
        The nodes that have a symbol, or are known as a term, at which reading stops.
    named : callable, optional
        Gives an array that has no symbol a name; "const" by default.
    exact : bool
        Whether functions that are exact where a formula of others isn't, such as log1p, stand for
        themselves.
    known : dict of Node to Term, optional
        The nodes that have been read before with these arguments; those read now are added.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> x = Value(2.0)
    >>> term_of(x * x, {x: "x"})
    Power(base=Symbol(name='x', shape=()), exponent=Number(value=2.0, shape=()))
    """
    found = {} if known is None else known

    def operand(x: Any) -> Term:
        return found[x] if isinstance(x, Node) else constant(x, named)

    stack = [root]
    while stack:
        node = stack[-1]
        if node in found:
            stack.pop()
            continue
        if node in symbols:
            symbol, shape = symbols[node], np.shape(node._data)
            term = Symbol(symbol, shape) if isinstance(symbol, str) else symbol
            found[node] = reshaped(term, shape)
        elif node.op is None:
            found[node] = constant(node._data, named)
        else:
            compared = comparisons(node)
            inputs = [child for i, child in enumerate(node.inputs) if i not in compared]
            missing = [child for child in (*inputs, *operands(compared)) if child not in found]
            if missing:
                stack += missing
                continue
            args = [
                comparison_term(compared[i], operand) if i in compared else found[child]
                for i, child in enumerate(node.inputs)
            ]
            term = _read(node, args, exact)
            found[node] = reshaped(term, np.shape(node._data))  # where a term has cancelled
    return found[root]


def constant(held: Any, named: Callable[[Any], str] | None) -> Term:
    """Return an array or a number as a term."""
    data = np.asarray(held)
    if data.size and np.all(data == data.flat[0]):  # an array that is one number throughout
        return Number(float(data.flat[0]), data.shape)
    return Symbol("const" if named is None else named(held), data.shape)


def _read(node: Node, args: list[Term], exact: bool) -> Term:
    op = node.op
    assert op is not None
    shape = np.shape(node._data)
    if op in PRIMES:
        name, place = PRIMES[op]
        if name == "power_derivative" and place == 0:
            return _power_derivative(node, [*args[:2], add(args[2], ONE)])
        return Prime(name, tuple(args), place, shape, _params(node))
    reader = _READERS.get(op.name) or (None if exact else _TEXTBOOK.get(op.name))
    if reader is not None:
        return reader(node, args)
    return Call(op.name, tuple(args), shape, _params(node))


def _params(node: Node) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((key, _hashable(value)) for key, value in node.params.items()))


def _hashable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return ("array", value.shape, tuple(value.reshape(-1).tolist()))
    if isinstance(value, slice):
        return ("slice", value.start, value.stop, value.step)
    if isinstance(value, (list, tuple)):
        return tuple(map(_hashable, value))
    return value


# ---------------------------------------------------------------------------------- operations


def _mul(node: Node, args: list[Term]) -> Term:
    """Return a product, element by element; of a column and a row, it is their matrix product."""
    shape = np.shape(node._data)
    for place in (0, 1):
        column, row = args[place], args[1 - place]
        if _is_outer(node.inputs[place], node.inputs[1 - place]):
            return matrix_product(column, _row(row), shape)
    return times(*args)


def _row(term: Term) -> Term:
    """Return a vector as a row; of a stack of vectors, each as a row."""
    *stack, n = term.shape
    if isinstance(term, Number) and n > 1:
        return times(term.value, Reshaped(Transposed(Number(1.0, (n,))), (1, n)))
    if not stack:
        return reshaped(term, (1, n))
    stack.pop()  # the axis of length 1
    if not stack or not isinstance(term, Reshaped) or term.of.shape != (*stack, n):
        return term
    axes = (*range(len(stack)), len(stack) + 1, len(stack))
    return Call("transpose", (reshaped(term.of, (*stack, n, 1)),), term.shape, (("axes", axes),))


def _is_outer(column: Node, row: Node) -> bool:
    """Tell whether one node is a column and the other a row, each repeated for the other.

    If one has a single number, both must have been made of vectors for it: else it is a factor.
    """
    m, n = np.shape(column._data), np.shape(row._data)
    if len(m) < 2 or m[-1] != 1 or not n or n[-2:-1] not in ((), (1,)):
        return False
    return (m[-2] > 1 and n[-1] > 1) or (_of_vector(column) and (len(n) == 1 or _of_vector(row)))


def _of_vector(node: Node) -> bool:
    """Tell whether a node is a vector to which an axis was added."""
    reshaped_ = node.op is not None and node.op.name == "reshape"
    return reshaped_ and np.ndim(node.inputs[0]._data) == np.ndim(node._data) - 1


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
    return total(x, np.shape(node._data), axes_of(node.params["axis"], len(x.shape)))


def _mean(node: Node, args: list[Term]) -> Term:
    (x,) = args
    axes = axes_of(node.params["axis"], len(x.shape))
    count = float(np.prod([x.shape[a] for a in axes]))
    return times(1.0 / count, total(x, np.shape(node._data), axes))


def _sum_to(node: Node, args: list[Term]) -> Term:
    (x,) = args
    shape = np.shape(node._data)
    return total(x, shape, unbroadcast_axes(x.shape, shape))


def _sigmoid_minus(node: Node, args: list[Term]) -> Term:
    sigmoid = Call("sigmoid", (args[0],), np.shape(node._data))
    return add(sigmoid, negative(args[1]))


def _where(node: Node, args: list[Term]) -> Term:
    """Return the branch that a constant condition chooses throughout."""
    chosen, yes, no = args
    condition = np.asarray(node.inputs[0]._data)
    fixed = not node.inputs[0].requires_grad and not isinstance(chosen, Compared)
    if fixed and condition.size:
        if np.all(condition):
            return yes
        if not np.any(condition):
            return no
    return Call("where", (without_indicator(chosen), yes, no), np.shape(node._data))


def _power(node: Node, args: list[Term]) -> Term:
    return power(args[0], args[1])


def _power_derivative(node: Node, args: list[Term]) -> Term:
    """Return the k-th derivative of a power with a number as exponent: y (y − 1) ... x^(y − k)."""
    x, y, k = args
    if not isinstance(y, Number) or not isinstance(k, Number):
        return Call("power_derivative", (x, y, k), np.shape(node._data))
    factor = float(np.prod([y.value - i for i in range(int(k.value))]))
    return times(factor, power(x, y.value - k.value)) if factor else Number(0.0, x.shape)


def _log1p(node: Node, args: list[Term]) -> Term:
    return Call("log", (add(ONE, args[0]),), np.shape(node._data))


def _expm1(node: Node, args: list[Term]) -> Term:
    return add(Call("exp", (args[0],), np.shape(node._data)), negative(ONE))


def _xlogy(node: Node, args: list[Term]) -> Term:
    return times(args[0], Call("log", (args[1],), args[1].shape))


def _xlog1py(node: Node, args: list[Term]) -> Term:
    return times(args[0], Call("log", (add(ONE, args[1]),), args[1].shape))


_READERS: dict[str, Callable[[Node, list[Term]], Term]] = {
    "add": lambda node, args: add(*args),
    "sub": lambda node, args: add(args[0], negative(args[1])),
    "neg": lambda node, args: negative(args[0]),
    "mul": _mul,
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
    "power_derivative": _power_derivative,
}

#: Read by their formula, where it may lose digits.
_TEXTBOOK: dict[str, Callable[[Node, list[Term]], Term]] = {
    "log1p": _log1p,
    "expm1": _expm1,
    "x_over": lambda node, args: times(args[0], reciprocal(args[1])),
    "xlogy": _xlogy,
    "xlog1py": _xlog1py,
    "log_of_base": lambda node, args: Call("log", (args[0],), np.shape(node._data)),
}
