"""Formulas as terms: sums, products, powers, matrix products and calls of functions.

They are data; ``algebra.py`` has the functions that make them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Symbol:
    """A named value."""

    name: str
    shape: Shape = ()


@dataclass(frozen=True)
class Number:
    """A constant number."""

    value: float
    shape: Shape = ()


@dataclass(frozen=True)
class Sum:
    """A sum of two or more terms, in the order in which they are written."""

    terms: tuple[Term, ...]

    @property
    def shape(self) -> Shape:
        """The shape of the result."""
        return np.broadcast_shapes(*(term.shape for term in self.terms))


@dataclass(frozen=True)
class Product:
    """A number times the product, element by element, of one or more factors."""

    number: float
    factors: tuple[Term, ...]

    @property
    def shape(self) -> Shape:
        """The shape of the result."""
        return np.broadcast_shapes(*(factor.shape for factor in self.factors))


@dataclass(frozen=True)
class Power:
    """A base to an exponent, element by element; an exponent of −1 is a division."""

    base: Term
    exponent: Term

    @property
    def shape(self) -> Shape:
        """The shape of the result."""
        return np.broadcast_shapes(self.base.shape, self.exponent.shape)


@dataclass(frozen=True)
class MatrixProduct:
    """A product of matrices or vectors."""

    left: Term
    right: Term
    shape: Shape


@dataclass(frozen=True)
class Transposed:
    """A matrix with rows and columns exchanged; of a vector, which is a column, the row."""

    of: Term

    @property
    def shape(self) -> Shape:
        """The shape of the result."""
        return self.of.shape[::-1]


@dataclass(frozen=True)
class Reshaped:
    """The same numbers in another shape, or repeated to it: a formula doesn't write it."""

    of: Term
    shape: Shape


@dataclass(frozen=True)
class Total:
    """A sum over axes: those along which ``of`` is longer than ``shape``."""

    of: Term
    shape: Shape
    axes: tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """A function of the table, or of one's own, applied to terms."""

    name: str
    args: tuple[Term, ...]
    shape: Shape
    params: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Compared(Call):
    """A function of NumPy without a derivative, such as ``greater``; or the ``INDICATOR``."""


#: Is 1 where a condition holds, and 0 elsewhere.
INDICATOR = "indicator"


@dataclass(frozen=True)
class Prime:
    """The derivative of a function at a term, such as g'(Z), by argument ``place``."""

    name: str
    args: tuple[Term, ...]
    place: int
    shape: Shape
    params: tuple[tuple[str, Any], ...] = ()


Term: TypeAlias = (
    Symbol
    | Number
    | Sum
    | Product
    | Power
    | MatrixProduct
    | Transposed
    | Reshaped
    | Total
    | Call
    | Compared
    | Prime
)


def _remember_hash(kind: type) -> None:
    """Have the terms of a kind compute their hash once: they are looked up often."""
    of_fields: Callable[[Any], int] = kind.__hash__  # type: ignore[assignment]

    def remembered(self: Any) -> int:
        known: int | None = self.__dict__.get("_hash")
        if known is None:
            known = self.__dict__["_hash"] = of_fields(self)
        return known

    def without_hash(self: Any) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_hash"}

    kind.__hash__ = remembered  # type: ignore[assignment]
    kind.__getstate__ = without_hash  # type: ignore[method-assign, assignment]


for _kind in (
    Sum, Product, Power, MatrixProduct, Transposed, Reshaped, Total, Call, Compared, Prime,
):  # fmt: skip
    _remember_hash(_kind)

ZERO, ONE = Number(0.0), Number(1.0)


def parts_of(term: Term) -> Sequence[Term]:
    """Return the terms that a term is directly made of."""
    if isinstance(term, Sum):
        return term.terms
    if isinstance(term, Product):
        return term.factors
    if isinstance(term, Power):
        return (term.base, term.exponent)
    if isinstance(term, MatrixProduct):
        return (term.left, term.right)
    if isinstance(term, (Transposed, Reshaped, Total)):
        return (term.of,)
    if isinstance(term, (Call, Prime)):
        return term.args
    return ()


def is_total(term: Term) -> bool:
    """Tell whether a term is written as a sum over axes."""
    while isinstance(term, Reshaped):
        term = term.of
    return isinstance(term, Total)


def symbols(term: Term) -> Iterator[Symbol]:
    """Yield the symbols of a term, in the order in which they are written."""
    stack: list[Term] = [term]
    while stack:
        top = stack.pop()
        if isinstance(top, Symbol):
            yield top
        stack += reversed(parts_of(top))
