"""A custom operation as its checks see it: a forward, a vjp, and the names of its arguments."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from micrograd_nn.graph.cotangents import cotangents
from micrograd_nn.graph.node import Node, data_of
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Value
from micrograd_nn.testing.finite import sum_to
from micrograd_nn.testing.snippets import Program, of_row, of_vjp

Array = np.ndarray[Any, Any]


class VjpRaisedError(Exception):
    """The vjp under test raised; the cause is what it raised."""


class Operation:
    """A forward in plain NumPy and a vjp; ``Operation.of`` makes one of a row of the table too.

    Attributes
    ----------
    name : str
    forward : callable
        ``forward(*inputs) -> array``.
    vjp : callable
        ``vjp(g, *inputs)``, one gradient or a tuple of them.
    names : tuple of str
        The names of the arguments.
    row : Primitive or None
        Where forward and vjp come from, if they are a row's.
    program : callable
        Writes a program that prints gradients: see ``snippets.Program``.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        vjp: Callable[..., Any],
        names: Sequence[str],
        name: str,
        row: Primitive | None = None,
        params: dict[str, Any] | None = None,
        program: Program | None = None,
    ) -> None:
        self.forward, self.vjp, self.names, self.name = forward, vjp, tuple(names), name
        self.row, self.params = row, params or {}
        self.program = program or of_vjp("vjp", self.names)

    @classmethod
    def of(cls, forward: Any, vjp: Any, arity: int) -> Operation:
        """Make one of what ``check_op`` was given.

        Raises
        ------
        TypeError
            If there is no vjp and no row to take it from.
        """
        params: dict[str, Any] = {}
        row = forward
        if isinstance(forward, functools.partial) and isinstance(forward.func, Primitive):
            row, params = forward.func, dict(forward.keywords)
            if forward.args:
                raise TypeError("bind parameters of a row by keyword: partial(row, axis=0)")
        if isinstance(row, Primitive) and vjp is None:
            return _of_row(row, params, arity)
        if not (callable(forward) and callable(vjp)):
            raise TypeError(
                "check_op(forward, vjp, samples) needs two functions, or a row that primitive(...) "
                f"made and vjp=None; got {type(forward).__name__} and {type(vjp).__name__}"
            )
        name = getattr(forward, "__name__", type(forward).__name__)
        name = name if name.isidentifier() else "forward"
        written = hasattr(forward, "__code__")  # NumPy's functions call their arguments x1, a, ...
        names = _names_of(forward, 0, arity) if written else _names_of(vjp, 1, arity)
        called = getattr(vjp, "__name__", "vjp")
        program = of_vjp(called if called.isidentifier() else "vjp", names)
        return cls(forward, vjp, names, name, program=program)

    def value(self, inputs: Sequence[Any]) -> Array:
        """Return the result as an array, without warnings."""
        with _quiet():
            return np.asarray(self.forward(*inputs))

    def gradients(self, g: Any, inputs: Sequence[Any]) -> tuple[Any, ...]:
        """Return one gradient, or None, per argument, without warnings.

        A gradient in the shape to which the arguments were broadcast is summed over the repeated
        axes, as the engine does for every rule.

        Raises
        ------
        VjpRaisedError
            From what the vjp raises.
        """
        try:
            with _quiet():
                result = self.vjp(g, *inputs)
        except Exception as error:
            raise VjpRaisedError(f"{type(error).__name__}: {error}") from error
        if result is None:
            raise VjpRaisedError("it returned None: is a return missing?")
        found = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        if len(found) != len(inputs):
            return found
        return tuple(_summed(one, x, inputs) for one, x in zip(found, inputs, strict=True))


def _summed(gradient: Any, x: Any, inputs: Sequence[Any]) -> Any:
    shape = np.shape(gradient)
    if shape == np.shape(x) or not isinstance(gradient, (np.ndarray, np.generic)):
        return gradient
    try:
        whole = np.broadcast_shapes(*map(np.shape, inputs))
    except ValueError:
        return gradient
    return sum_to(np.asarray(gradient), np.shape(x)) if shape == whole else gradient


@contextmanager
def _quiet() -> Iterator[None]:
    """Infinities and NaN are data here, not accidents."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _names_of(function: Callable[..., Any], skip: int, arity: int) -> list[str]:
    return _written_names(function, skip, arity) or _plain_names(arity)


def _plain_names(arity: int) -> list[str]:
    return ["x", "y", "z"][:arity] if arity <= 3 else [f"x{i}" for i in range(arity)]


def _written_names(function: Callable[..., Any], skip: int, arity: int) -> list[str] | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    names = [
        p.name.lstrip("_")
        for p in parameters
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name.lstrip("_")
    ][skip : skip + arity]
    return names if len(names) == arity and len(set(names)) == arity else None


def _of_row(row: Primitive, params: dict[str, Any], arity: int) -> Operation:
    if row.vector:
        raise TypeError(
            f"{row!r} takes two sequences of scalars: check the function of arrays it stands for"
        )
    if not row.variadic and arity != row.arity:
        raise TypeError(f"{row!r} takes {row.arity} arguments, but a sample has {arity}")
    differentiable = [row.variadic or rule is not None for rule in (*row.rules, *[None] * arity)]

    def forward(*inputs: Any) -> Any:
        return row(list(inputs), **params) if row.variadic else row(*inputs, **params)

    def vjp(g: Any, *inputs: Any) -> tuple[Any, ...]:
        nodes = [
            as_node(x) if differentiable[i] and is_floating(x) else x for i, x in enumerate(inputs)
        ]
        wanted = [node for node in nodes if isinstance(node, Node)]
        if not wanted:
            return (None,) * len(inputs)
        found = cotangents(forward(*nodes), g, wanted)
        return tuple(
            (data_of(found[node]) if node in found else np.zeros_like(x))
            if isinstance(node, Node)
            else None
            for node, x in zip(nodes, inputs, strict=True)
        )

    names = names_of(row, arity)
    return Operation(forward, vjp, names, row.name, row, params, of_row(row, params, names))


def names_of(row: Primitive, arity: int) -> list[str]:
    """Return the names of a row's arguments, as one of its rules, or its kernel, has them."""
    if row.variadic:
        return [f"x{i}" for i in range(arity)]
    for function, skip in (*((rule, 2) for rule in row.rules), (row.on_arrays, 0)):
        names = _written_names(function, skip, arity) if function is not None else None
        if names is not None:
            return names
    return _plain_names(arity)


def as_node(x: Any) -> Node:
    """Return a leaf of the graph that holds x."""
    return Value(x) if type(x) is float else Tensor(x)


def is_floating(x: Any) -> bool:
    """Tell whether an input is made of floats, so that it has a derivative."""
    return type(x) is float or np.asarray(x).dtype.kind == "f"
