"""A rule of the table as a list of elementary steps, found by running it once on symbols.

A derivative rule is written in operators and in other rows, and runs on whatever it is given. On
symbols it computes nothing and leaves a record of which rows it called. So ``g * sign(z)`` becomes
the two steps ``sign(z)`` and ``g * it``, which any program may carry out in its own way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.primitive import Primitive, Rule
from micrograd_nn.graph.pull import call
from micrograd_nn.graph.table import arithmetic


@dataclass(frozen=True)
class Called:
    """A rule that can't be taken apart, as the operation of a step: it is called whole."""

    name: str
    on_floats: Callable[..., float]
    on_arrays: Callable[..., Any]
    elementwise: bool = True


Operation = Primitive | Called


@dataclass(frozen=True)
class Expansion:
    """The steps of a rule.

    Attributes
    ----------
    steps : tuple
        For each step its operation, its arguments and its static parameters. An argument is the
        place of a number among g, z, the arguments of the rule and the results of the steps, or
        else a literal float.
    result : int or float
        The cotangent: a place, or a literal.
    """

    steps: tuple[tuple[Operation, tuple[int | float, ...], dict[str, Any]], ...]
    result: int | float


class Symbol(Node):
    """A number that is not known: what is computed with it is written down."""

    __slots__ = ("place", "record_of")

    rank = 9  # above every other kind of node

    def __init__(self, place: int, record_of: list[Any]) -> None:
        self.place = place
        self.record_of = record_of

    @classmethod
    def record(cls, row: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Node:
        """Write down that ``row`` is applied to ``args``."""
        record: list[Any] = next(a.record_of for a in args if isinstance(a, Symbol))
        places = tuple(a.place if isinstance(a, Symbol) else float(a) for a in args)
        record.append((row, places, params))
        return cls(len(record) - 1, record)

    def __add__(self, other: Any) -> Any:
        return arithmetic.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return arithmetic.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return arithmetic.sub(self, other)

    def __rsub__(self, other: Any) -> Any:
        return arithmetic.sub(other, self)

    def __mul__(self, other: Any) -> Any:
        return arithmetic.mul(self, other)

    def __rmul__(self, other: Any) -> Any:
        return arithmetic.mul(other, self)

    def __truediv__(self, other: Any) -> Any:
        return arithmetic.div(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return arithmetic.div(other, self)

    def __pow__(self, other: Any) -> Any:
        return arithmetic.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return arithmetic.power(other, self)

    def __neg__(self) -> Any:
        return arithmetic.neg(self)

    def __abs__(self) -> Any:
        return arithmetic.absolute(self)

    def _unknown(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("the rule asks for the number itself")

    __bool__ = __float__ = __int__ = __eq__ = __ne__ = _unknown
    __lt__ = __le__ = __gt__ = __ge__ = __array__ = __array_ufunc__ = _unknown
    __hash__ = object.__hash__


def expand(rule: Rule, name: str, args: tuple[float | None, ...], params: Any) -> Expansion:
    """Return the steps of a derivative rule.

    Parameters
    ----------
    rule : callable
        ``rule(g, z, *args, **params)``.
    name : str
        What the rule is called in messages, where it is no list of steps.
    args : tuple of float or None
        The arguments that are constants; a rule may need to know them (an exponent).
    params : dict
        The static parameters.

    Examples
    --------
    >>> from micrograd_nn.graph.table.arithmetic import mul
    >>> steps = expand(mul.rules[0], "mul_x", (None, None), {}).steps
    >>> [(row.name, places) for row, places, _ in steps]  # g, z, x, y are 0, 1, 2, 3
    [('mul', (0, 3))]
    """
    if params:
        return _expand(rule, name, args, params)
    plain = _expand_symbols(rule, name, len(args))
    if isinstance(plain.steps[0][0] if plain.steps else None, Called) and any(
        a is not None for a in args
    ):
        return _expand(rule, name, args, params)
    return plain


@lru_cache(maxsize=1000)
def _expand_symbols(rule: Rule, name: str, arity: int) -> Expansion:
    return _expand(rule, name, (None,) * arity, {})


def _expand(rule: Rule, name: str, args: tuple[float | None, ...], params: Any) -> Expansion:
    record: list[Any] = [None] * (2 + len(args))
    symbols = [Symbol(i, record) for i in range(len(record))]
    given = [s if a is None else a for s, a in zip(symbols[2:], args, strict=True)]
    try:
        result = rule(symbols[0], symbols[1], *given, **params)
        found = result.place if isinstance(result, Symbol) else float(result)
    except Exception:  # noqa: BLE001 (a rule may do anything with symbols; it is called then)
        whole = Called(name, lambda *a, **p: call(rule, *a, **p), rule)
        return Expansion(((whole, tuple(range(len(symbols))), params),), len(symbols))
    return Expansion(tuple(record[len(symbols) :]), found)
