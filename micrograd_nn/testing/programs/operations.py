"""An operation as random graphs use it: how it is called and written, where it may be applied."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.testing.programs.conditions import argument_names, at_a_kink, inside_domain

Array = Any
Parameters = dict[str, Any]


class Choices:
    """One whole number, read as a series of choices; 0 makes the first choice everywhere.

    Examples
    --------
    >>> pick = Choices(7)
    >>> pick("ab"), pick("abc"), pick("abc")
    ('b', 'a', 'b')
    """

    def __init__(self, number: int) -> None:
        self._rest = number

    def __call__(self, options: Sequence[Any]) -> Any:
        """Return one of the options."""
        self._rest, index = divmod(self._rest, len(options))
        return options[index]


def no_parameters(pick: Choices, *operands: Array) -> Parameters | None:
    """Return no parameters, whatever the operands."""
    return {}


@dataclass(frozen=True)
class Operation:
    """One way to make a new value out of earlier ones.

    Attributes
    ----------
    name : str
        Its name, by which an engine knows it.
    call : callable
        ``call(*operands, **parameters)``, on nodes, arrays and numbers.
    arity : int
        The number of operands.
    choose : callable
        ``choose(pick, *arrays)`` returns the parameters for these operands, the simplest where
        ``pick`` makes its first choice; ``None`` where the operation doesn't fit.
    row : Primitive, optional
        The row of the table that tells the domain and the kinks.
    guard : callable, optional
        ``guard(margin, *arrays, **parameters)`` tells whether the operation may be applied there,
        where the row can't say it; ``margin`` is 0 where kinks are welcome.
    scalar : bool
        Whether it makes numbers out of numbers, and so a ``Value`` out of ``Value`` operands.
    writing : callable, optional
        ``writing(names, parameters)`` returns its code; ``F.name(...)`` by default.
    """

    name: str
    call: Callable[..., Any] = field(repr=False)
    arity: int = 1
    choose: Callable[..., Parameters | None] = field(default=no_parameters, repr=False)
    row: Primitive | None = field(default=None, repr=False)
    guard: Callable[..., bool] | None = field(default=None, repr=False)
    scalar: bool = False
    writing: Callable[[Sequence[str], Parameters], str] | None = field(default=None, repr=False)

    def allowed(self, operands: Sequence[Array], parameters: Parameters, margin: float) -> bool:
        """Tell whether the operands are in the domain, and ``margin`` away from every kink."""
        if self.row is not None:
            names = dict(zip(argument_names(self.row), operands, strict=False)) | parameters
            if not inside_domain(self.row, names, margin):
                return False
            if margin and at_a_kink(self.row, names, margin):
                return False
        return self.guard is None or bool(self.guard(margin, *operands, **parameters))

    def code(self, names: Sequence[str], parameters: Parameters) -> str:
        """Return the operation on operands of these names, as Python code."""
        if self.writing is not None:
            return self.writing(names, parameters)
        return f"F.{self.name}({_arguments(names, _beside_defaults(self.call, parameters))})"


def of_row(row: Primitive) -> Operation:
    """Return the operation of any row of the table, such as one of a user's own.

    Examples
    --------
    >>> from micrograd_nn.graph.primitive import table
    >>> of_row(table["hinge"]).code(["x", "y"], {})
    "table['hinge'](x, y)"
    """
    return Operation(
        row.name,
        row,
        row.arity,
        row=row,
        scalar=row.on_floats is not None,
        writing=lambda names, given: f"table[{row.name!r}]({_arguments(names, given)})",
    )


# ------------------------------------------------------------------------------------- writing


def literal(x: Any) -> str:
    """Return a number, array, index or tuple of them as Python code.

    Examples
    --------
    >>> literal((0, slice(None, 2), np.array([1.0, 2.0])))
    '(0, slice(None, 2, None), np.array([1.0, 2.0]))'
    """
    if isinstance(x, np.ndarray):
        dtype = "" if x.dtype.kind != "f" or x.itemsize == 8 else f", dtype=np.{x.dtype}"
        return f"np.array({x.tolist()!r}{dtype})"
    if isinstance(x, np.generic):
        return f"np.{x.dtype}({x.item()!r})"
    if isinstance(x, tuple):
        return f"({', '.join(map(literal, x))}{',' if len(x) == 1 else ''})"
    return "..." if x is Ellipsis else repr(x)


def _arguments(names: Sequence[str], parameters: Parameters) -> str:
    return ", ".join([*names, *(f"{key}={literal(p)}" for key, p in parameters.items())])


def _beside_defaults(call: Callable[..., Any], parameters: Parameters) -> Parameters:
    """Return the parameters without those that have the value a call gives them anyway."""
    defaults = {
        name: parameter.default for name, parameter in inspect.signature(call).parameters.items()
    }
    return {
        name: given
        for name, given in parameters.items()
        if not (type(given) is type(defaults.get(name, ...)) and given == defaults[name])
    }
