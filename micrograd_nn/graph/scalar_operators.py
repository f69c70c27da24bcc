"""The operators of a ``Value``, made from the rows of the table by filling in a text.

The arithmetic that a user writes is the hot path of a scalar network, and a call to the row would
double its cost.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator
from itertools import repeat, starmap
from typing import Any

import numpy as np

from micrograd_nn.graph.node import UNREACHED, Node, modes, switch
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.table import activations, arithmetic, elementary


def _understood(other: Any) -> bool:
    return isinstance(other, (Node, numbers.Real, np.generic, np.ndarray))


def _save(reads: tuple[bool, ...], slots: str) -> str:
    return "; ".join(f"node._{s} = {s}" for s, read in zip(slots, reads, strict=False) if read)


def _binary_operator(
    kind: Any, constant: Any, method: str, row: Primitive, expression: str, reflected: bool
) -> Any:
    """Return ``Value.<method>`` for a row, fast for a Value and a plain number, recorded or not."""
    mine, other = ("y", "x") if reflected else ("x", "y")
    nodes = {mine: "self", other: "other"}
    text = f"""
def {method}(self, other):
    if switch.fast:
        kind = type(other)
        if kind is Value:
            {mine} = self._data; {other} = other._data
            node = next(blanks)
            node._data = {expression}
            node._grad = UNREACHED; node._op = row; node._tag = switch.tag
            node._a = {nodes["x"]}; node._b = {nodes["y"]}
            {_save(row.reads, "xy")}
            return node
        if kind is float or kind is int:
            {mine} = self._data; {other} = float(other)
            node = next(blanks)
            node._data = {expression}
            node._grad = UNREACHED; node._op = row; node._tag = switch.tag
            node._a = {"self" if mine == "x" else "None"}
            node._b = {"self" if mine == "y" else "None"}
            node._x = x; node._y = y
            return node
    elif not modes.recording:
        kind = type(other)
        if kind is Constant or kind is Value or kind is float or kind is int:
            {mine} = self._data
            {other} = float(other) if kind is float or kind is int else other._data
            node = next(constants)
            node._data = {expression}
            node._grad = UNREACHED; node._op = node._a = node._b = None; node._tag = switch.tag
            return node
    if not understood(other):
        return NotImplemented
    return row({nodes["x"]}, {nodes["y"]})
"""
    return _compiled(kind, constant, text, method, row)


def _unary_method(kind: Any, constant: Any, method: str, row: Primitive) -> Any:
    """Return ``Value.<method>`` for a row of one argument."""
    kernel, blanks = row.on_floats, _blanks(kind)
    assert kernel is not None

    def apply(self: Any) -> Any:
        if not switch.fast:
            return row(self) if modes.recording else constant(kernel(self._data))
        x = self._data
        node = next(blanks)
        node._data = kernel(x)
        node._grad, node._op, node._tag = UNREACHED, row, switch.tag
        node._a, node._b, node._x = self, None, x
        return node

    return _described(apply, method, row)


def _blanks(kind: Any) -> Iterator[Any]:
    """Return new nodes. To call object.__new__ makes a tuple, a tenth of the recording's cost."""
    return starmap(object.__new__, repeat((kind,)))


def _compiled(
    kind: Any, constant: Any, text: str, method: str, row: Primitive
) -> Callable[..., Any]:
    names: dict[str, Any] = {
        "__name__": __name__,
        "Value": kind,
        "Constant": constant,
        "modes": modes,
        "UNREACHED": UNREACHED,
        "switch": switch,
        "blanks": _blanks(kind),
        "constants": _blanks(constant),
        "row": row,
        "kernel": row.on_floats,
        "understood": _understood,
    }
    exec(text, names)  # noqa: S102 (text made here, from the table alone)
    return _described(names[method], method, row)


def _described(made: Callable[..., Any], method: str, row: Primitive) -> Callable[..., Any]:
    made.__name__ = method
    made.__qualname__ = f"Value.{method}"
    made.__doc__ = f"Return {row.notation.format('x', 'y')}."
    return made


def install(kind: Any, constant: Any) -> None:
    """Give ``kind``, which is ``Value``, its operators and the methods of one argument.

    What isn't recorded is a ``constant``.
    """
    binary = {
        "add": (arithmetic.add, "x + y"),
        "sub": (arithmetic.sub, "x - y"),
        "mul": (arithmetic.mul, "x * y"),
        "truediv": (arithmetic.div, "kernel(x, y)"),
        "pow": (arithmetic.power, "kernel(x, y)"),
    }
    for name, (row, expression) in binary.items():
        for method, reflected in ((f"__{name}__", False), (f"__r{name}__", True)):
            made = _binary_operator(kind, constant, method, row, expression, reflected)
            setattr(kind, method, made)
    unary = {
        "__neg__": arithmetic.neg,
        **{n: getattr(activations, n) for n in ("relu", "gelu", "silu")},
        **{
            n: getattr(elementary, n)
            for n in (
                "exp expm1 log log1p sqrt sin cos tan arctan sinh cosh tanh sigmoid softplus erf"
            ).split()
        },
    }
    for name, row in unary.items():
        setattr(kind, name, _unary_method(kind, constant, name, row))
