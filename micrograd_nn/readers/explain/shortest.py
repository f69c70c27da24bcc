"""The shortest way to write a term."""

from __future__ import annotations

from functools import lru_cache

from micrograd_nn.readers.explain.algebra import add, in_factors, times
from micrograd_nn.readers.explain.terms import (
    Call,
    Number,
    Power,
    Prime,
    Product,
    Sum,
    Symbol,
    Term,
    Total,
    parts_of,
)

#: Sums of more terms aren't made shorter.
_MANY = 40


@lru_cache(maxsize=10_000)
def length(term: Term) -> int:
    """Return how long a term is: the number of its symbols, numbers and functions."""
    if isinstance(term, (Symbol, Number)):
        return 1
    own = 1 if isinstance(term, (Call, Prime, Total)) else 0
    if isinstance(term, Product) and abs(term.number) != 1.0:
        own += 1
    return own + sum(map(length, parts_of(term)))


def has_prime(term: Term) -> bool:
    """Tell whether a term has a derivative like g'(Z) in it."""
    return isinstance(term, Prime) or any(map(has_prime, parts_of(term)))


def shortest(term: Term) -> Term:
    """Return a term, or what it is when it is multiplied out, if that cancels a fraction.

    Examples
    --------
    >>> from micrograd_nn.readers.explain.algebra import negative, reciprocal
    >>> from micrograd_nn.readers.explain.terms import ONE
    >>> a, y = Symbol("a"), Symbol("y")
    >>> slope = add(
    ...     negative(times(y, reciprocal(a))),
    ...     times(add(ONE, negative(y)), reciprocal(add(ONE, negative(a)))),
    ... )
    >>> shortest(times(slope, a, add(ONE, negative(a)))) == add(a, negative(y))
    True
    """
    fractions = _fractions(term)
    if not fractions and not isinstance(term, Sum):
        return term
    out = _factored(_multiplied_out(term))
    fewer = _fractions(out) < fractions or isinstance(term, Sum)
    return out if fewer and length(out) < length(term) else _factored(term)


@lru_cache(maxsize=10_000)
def _fractions(term: Term) -> int:
    """Return how many divisions there are in a term."""
    own = isinstance(term, Power) and isinstance(term.exponent, Number) and term.exponent.value < 0
    return own + sum(map(_fractions, parts_of(term)))


def _multiplied_out(term: Term) -> Term:
    if isinstance(term, Sum):
        return term if len(term.terms) > _MANY else add(*map(_multiplied_out, term.terms))
    if not isinstance(term, Product):
        return term
    for i, factor in enumerate(term.factors):
        if isinstance(factor, Sum):
            others = term.factors[:i] + term.factors[i + 1 :]
            return add(
                *(_multiplied_out(times(term.number, part, *others)) for part in factor.terms)
            )
    return term


def _factored(term: Term) -> Term:
    """Return a sum with what is positive first, and a number that all terms have taken out."""
    if not isinstance(term, Sum):
        return term
    positive_first = sorted(term.terms, key=lambda part: in_factors(part)[0] < 0)
    sizes = {abs(in_factors(part)[0]) for part in positive_first}
    size = sizes.pop()
    if sizes or size == 1.0:
        return Sum(tuple(positive_first))
    return Product(size, (Sum(tuple(times(1.0 / size, part) for part in positive_first)),))
