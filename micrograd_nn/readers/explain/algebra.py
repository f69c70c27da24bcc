"""The functions that make terms, and keep them simple.

They apply these simplifications, all of them equalities between real numbers:

* constants are folded; ``x + 0``, ``1 · x``, ``x / 1`` and ``x ** 1`` are x, ``0 · x`` is 0;
* equal summands are collected (``x + x`` is ``2 x``), equal factors become powers, and
  ``x · x⁻¹`` is 1;
* a double negation or transposition is dropped;
* numbers are moved out of products, matrix products, transpositions and sums over axes, and merged;
* in matrix products a vector is a column, and its transpose a row: ``x @ W`` is ``Wᵀ x``;
* a sum whose terms are all negative has its minus taken out;
* ``shortest.py`` multiplies a product of sums out where that cancels a fraction, takes out a number
  that all terms of a sum have, and writes what is positive first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from micrograd_nn.readers.explain.terms import (
    ONE,
    MatrixProduct,
    Number,
    Power,
    Product,
    Reshaped,
    Shape,
    Sum,
    Term,
    Total,
    Transposed,
    parts_of,
)

#: Sums of more terms aren't made shorter.
_MANY = 40


def add(*terms: Term) -> Term:
    """Return a sum.

    Examples
    --------
    >>> from micrograd_nn.readers.explain.terms import Symbol
    >>> x, y = Symbol("x"), Symbol("y")
    >>> add(x, y, x) == add(times(2.0, x), y)
    True
    >>> add(x, negative(x))
    Number(value=0.0, shape=())
    """
    collected: dict[frozenset[Term], tuple[float, tuple[Term, ...]]] = {}
    shape: Shape = ()
    for term in terms:
        shape = np.broadcast_shapes(shape, term.shape)
        for part in term.terms if isinstance(term, Sum) else (term,):
            number, factors = in_factors(part)
            same = frozenset(factors)
            before, written = collected.get(same, (0.0, factors))
            collected[same] = (before + number, written)
    parts = [_joined(n, factors) for n, factors in collected.values() if n != 0.0]
    if not parts:
        return Number(0.0, shape)
    if len(parts) == 1 and isinstance(parts[0], Number):
        return Number(parts[0].value, shape)
    return parts[0] if len(parts) == 1 else Sum(_unrepeated(parts, shape))


def _unrepeated(parts: Sequence[Term], shape: Shape) -> tuple[Term, ...]:
    """Return summands or factors without a repetition to a shape that the others have already."""
    kept = list(parts)
    if len(kept) > _MANY:
        return tuple(kept)
    for i, part in enumerate(parts):
        number, factors = in_factors(part)
        if len(factors) == 1 and isinstance(factors[0], Reshaped):
            inner = _joined(number, (factors[0].of,))
            try:
                same = np.broadcast_shapes(inner.shape, part.shape) == part.shape
                others = np.broadcast_shapes(inner.shape, *(k.shape for k in kept if k != part))
            except ValueError:
                continue
            if same and others == shape:
                kept[i] = inner
    return tuple(kept)


def times(*factors: Term | float) -> Term:
    """Return a product, element by element.

    Examples
    --------
    >>> from micrograd_nn.readers.explain.terms import Symbol
    >>> x = Symbol("x")
    >>> times(x, x) == power(x, 2.0), times(x, reciprocal(x)), times(-1.0, negative(x)) == x
    (True, Number(value=1.0, shape=()), True)
    """
    number = 1.0
    powers: dict[Term, Term] = {}
    shape: Shape = ()
    for factor in factors:
        if isinstance(factor, float):
            number *= factor
            continue
        shape = np.broadcast_shapes(shape, factor.shape)
        n, parts = in_factors(factor)
        number *= n
        for part in parts:
            base, exponent = _base(part)
            before = powers.get(base)
            powers[base] = exponent if before is None else add(before, exponent)
    if number == 0.0:
        return Number(0.0, shape)
    raised = (power(base, exponent) for base, exponent in powers.items())
    kept = _unrepeated([k for k in raised if not (isinstance(k, Number) and k.value == 1)], shape)
    return _joined(number, kept) if kept else Number(number, shape)


def in_factors(term: Term) -> tuple[float, tuple[Term, ...]]:
    """Return a term as a number times factors."""
    if isinstance(term, Number):
        return term.value, ()
    if isinstance(term, Product):
        return term.number, term.factors
    if isinstance(term, Sum) and all(in_factors(t)[0] < 0 for t in term.terms):
        return -1.0, (add(*(times(-1.0, t) for t in term.terms)),)
    return 1.0, (term,)


def _joined(number: float, factors: tuple[Term, ...]) -> Term:
    if not factors:
        return Number(number)
    if number == 1.0 and len(factors) == 1:
        return factors[0]
    if len(factors) == 1 and isinstance(factors[0], Product):
        return _joined(number * factors[0].number, factors[0].factors)
    return Product(number, factors)


def _base(term: Term) -> tuple[Term, Term]:
    if isinstance(term, Power) and isinstance(term.exponent, Number):
        return term.base, term.exponent
    return term, ONE


def negative(term: Term) -> Term:
    """Return −x."""
    return times(-1.0, term)


def power(base: Term, exponent: Term | float) -> Term:
    """Return x ** y."""
    exponent = Number(exponent) if isinstance(exponent, float) else exponent
    if isinstance(exponent, Number):
        if exponent.value == 0.0:
            return ONE
        if exponent.value == 1.0:
            return base
        whole = exponent.value == int(exponent.value)
        if isinstance(base, Number) and (base.value > 0 or (whole and base.value)):
            return Number(base.value**exponent.value)
        if isinstance(base, Power) and isinstance(base.exponent, Number) and whole:
            return power(base.base, base.exponent.value * exponent.value)
        if isinstance(base, Product) and whole and (base.number != 1.0 or len(base.factors) > 1):
            parts = (power(factor, exponent) for factor in base.factors)
            return times(base.number**exponent.value, *parts)
    return Power(base, exponent)


def reciprocal(term: Term) -> Term:
    """Return 1 / x."""
    return power(term, -1.0)


def matrix_product(left: Term, right: Term, shape: Shape) -> Term:
    """Return left @ right.

    A vector is a column, as in textbooks: so a product of two vectors is written as what it is, a
    number or a matrix.

    Examples
    --------
    >>> from micrograd_nn.readers.explain.terms import Symbol
    >>> W, x, z = Symbol("W", (4, 3)), Symbol("x", (3,)), Symbol("z", (4,))
    >>> matrix_product(z, W, (3,)) == matrix_product(transposed(W), z, (3,))
    True
    >>> matrix_product(x, x, ()) == MatrixProduct(Transposed(x), x, ())
    True
    """
    a, lefts = _scale(left)
    b, rights = _scale(right)
    if len(lefts.shape) == 1 and len(rights.shape) == 2:
        lefts, rights = transposed(rights), lefts
    for one, other in ((lefts, rights), (rights, lefts)):
        if isinstance(one, Number) and _size(one.shape) == 1:
            return times(a, b, one.value, reshaped(_oriented(other), shape))
    return times(a, b, reshaped(_product_of(lefts, rights, shape), shape))


def _product_of(left: Term, right: Term, shape: Shape) -> Term:
    """Return a product of matrices, or of the vectors that they are a column or a row of."""
    column, row = _column_in(left), _row_in(right)
    if column is not None and row is not None and len(left.shape) == len(right.shape) == 2:
        return MatrixProduct(column, row, shape)
    row = _as_row(left) if len(left.shape) == 1 else _row_in(left)
    column = _column_in(right)
    if column is not None:
        return MatrixProduct(row or left, column, left.shape[:-1] if row is None else ())
    if row is not None:
        return MatrixProduct(row, right, right.shape[:-2] + right.shape[-1:])
    return MatrixProduct(left, _oriented(right), shape)


def _column_in(term: Term) -> Term | None:
    """Return the vector of which a term is the column, if it is one."""
    vector = term.of if isinstance(term, Reshaped) else term
    if len(vector.shape) != 1 or term.shape not in (vector.shape, (*vector.shape, 1)):
        return None
    return _as_column(vector)


def _row_in(term: Term) -> Term | None:
    """Return the row that a term is, if it is that of a vector."""
    vector = term.of if isinstance(term, Reshaped) else term
    if len(vector.shape) != 1 or term.shape != (1, *vector.shape):
        return None
    return _as_row(vector)


def _is_row(vector: Term) -> bool:
    """Tell whether a term of one axis is written as a row: xᵀ, or xᵀ W."""
    while isinstance(vector, MatrixProduct):
        vector = vector.left
    return isinstance(vector, Transposed) and len(vector.shape) == 1


def _as_row(vector: Term) -> Term:
    if _is_row(vector):
        return vector
    if isinstance(vector, MatrixProduct):  # (W x)ᵀ is xᵀ Wᵀ
        return MatrixProduct(_as_row(vector.right), transposed(vector.left), vector.shape)
    return Transposed(vector)


def _as_column(vector: Term) -> Term:
    if not _is_row(vector):
        return vector
    if isinstance(vector, MatrixProduct):
        return MatrixProduct(transposed(vector.right), _as_column(vector.left), vector.shape)
    assert isinstance(vector, Transposed)
    return vector.of


def _oriented(term: Term) -> Term:
    """Return the row of a vector as its transpose, so that it is written as one."""
    row = _row_in(term)
    return term if row is None else reshaped(row, term.shape)


def _scale(term: Term) -> tuple[Term, Term]:
    """Split a term into its scalar factors and the rest."""
    if not term.shape:
        return ONE, term
    number, factors = in_factors(term)
    scalars = tuple(factor for factor in factors if not factor.shape)
    rest = tuple(factor for factor in factors if factor.shape)
    if not rest:
        return _joined(number, scalars), Number(1.0, term.shape)
    return _joined(number, scalars), _joined(1.0, rest)


def transposed(term: Term) -> Term:
    """Return a matrix with rows and columns exchanged."""
    if isinstance(term, Transposed):
        return term.of
    if len(term.shape) < 2:
        return term
    number, rest = _scale(term)
    shape = term.shape[::-1]
    if isinstance(rest, Number):
        return times(number, Number(rest.value, shape))
    column, row = _column_in(rest), _row_in(rest)
    if column is not None:
        return times(number, reshaped(_as_row(column), shape))
    if row is not None:
        return times(number, reshaped(_as_column(row), shape))
    if isinstance(rest, MatrixProduct):
        left, right = rest.left, rest.right
        if len(left.shape) == len(right.shape) == 2:
            return times(number, matrix_product(transposed(right), transposed(left), shape))
        if len(left.shape) == len(right.shape) == 1:  # (x yᵀ)ᵀ is y xᵀ
            return times(number, MatrixProduct(_as_column(right), _as_row(left), shape))
    return times(number, Transposed(rest))


def total(term: Term, shape: Shape, axes: tuple[int, ...]) -> Term:
    """Return the sum over axes."""
    if not axes:
        return term
    number, rest = _scale(term)
    if isinstance(rest, Number):
        count = float(np.prod([term.shape[a] for a in axes]))
        return times(number, rest.value * count, Number(1.0, shape))
    if isinstance(rest, Reshaped) and _size(rest.of.shape) == 1:  # one number, repeated
        count = float(np.prod([term.shape[a] for a in axes]))
        return times(number, count, reshaped(rest.of, shape))
    if _size(shape) == 1:  # of all there is: in whatever order
        while isinstance(rest, (Total, Transposed)) or _is_reshaped(rest):
            rest = parts_of(rest)[0]
            axes = tuple(range(len(rest.shape)))
    return times(number, Total(rest, shape, axes))


def _is_reshaped(term: Term) -> bool:
    return isinstance(term, Reshaped) and _size(term.of.shape) == _size(term.shape)


def reshaped(term: Term, shape: Shape) -> Term:
    """Return the same numbers in another shape, or repeated to it."""
    if term.shape == shape:
        return term
    if isinstance(term, Number):
        return Number(term.value, shape)
    number, rest = _scale(term)
    pure = isinstance(rest, Reshaped) and _size(rest.of.shape) == _size(rest.shape) == _size(shape)
    inner = rest.of if pure and isinstance(rest, Reshaped) else rest
    if inner.shape != shape:
        return times(number, Reshaped(inner, shape))
    return times(number, _as_column(inner) if len(shape) == 1 else inner)


def _size(shape: Shape) -> int:
    return int(np.prod(shape))


def without(term: Term, factor: Term) -> Term:
    """Return a term without a factor of it, or of each of its summands.

    Examples
    --------
    >>> from micrograd_nn.readers.explain.terms import Symbol
    >>> x, m = Symbol("x"), Symbol("1/m")
    >>> without(times(2.0, m, x), m) == times(2.0, x), without(x, m) == x
    (True, True)
    """
    if isinstance(term, Product) and factor in term.factors:
        return times(term.number, *(f for f in term.factors if f != factor))
    if isinstance(term, Sum):
        return add(*(without(part, factor) for part in term.terms))
    return term
