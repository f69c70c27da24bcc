import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

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
    without,
)
from micrograd_nn.readers.explain.shortest import length, shortest
from micrograd_nn.readers.explain.terms import (
    ONE,
    ZERO,
    Call,
    MatrixProduct,
    Number,
    Power,
    Product,
    Reshaped,
    Sum,
    Symbol,
    Term,
    Total,
    Transposed,
    symbols,
)
from micrograd_nn.readers.explain.text import text

x, y, z = Symbol("x"), Symbol("y"), Symbol("z")
A, B, c = Symbol("A", (2, 3)), Symbol("B", (3, 4)), Symbol("c")


def test_constants_are_folded():
    assert add(Number(2.0), Number(3.0)) == Number(5.0)
    assert times(2.0, Number(3.0)) == Number(6.0)
    assert power(Number(2.0), 3.0) == Number(8.0)
    assert power(Number(0.0), -1.0) == Power(Number(0.0), Number(-1.0))  # not 1/0


def test_neutral_elements_vanish():
    assert add(x, ZERO) == x
    assert times(ONE, x) == x
    assert times(1.0, x) == x
    assert power(x, 1.0) == x
    assert power(x, 0.0) == ONE
    assert times(0.0, x) == ZERO
    assert times(0.0, A) == Number(0.0, (2, 3))


def test_double_negation_and_transposition():
    assert negative(negative(x)) == x
    assert transposed(transposed(A)) == A
    assert transposed(Symbol("v", (3,))) == Symbol("v", (3,))


def test_equal_terms_are_collected():
    assert add(x, x) == Product(2.0, (x,))
    assert add(x, negative(x)) == ZERO
    assert times(x, x) == Power(x, Number(2.0))
    assert times(x, reciprocal(x)) == ONE
    assert times(power(x, 3.0), power(x, -1.0)) == power(x, 2.0)
    assert add(times(x, y), times(y, x)) == Product(2.0, (x, y))


def test_a_negative_sum_has_its_minus_taken_out():
    assert times(2.0, add(negative(x), negative(y))) == Product(-2.0, (Sum((x, y)),))


def test_numbers_leave_matrix_products_transpositions_and_sums():
    assert matrix_product(times(2.0, A), times(c, B), (2, 4)) == Product(
        2.0, (c, MatrixProduct(A, B, (2, 4)))
    )
    assert transposed(times(3.0, A)) == Product(3.0, (Transposed(A),))
    assert total(times(3.0, c, A), (3,), (0,)) == Product(3.0, (c, Total(A, (3,), (0,))))


def test_the_transpose_of_a_product_is_the_product_of_the_transposes():
    product = matrix_product(transposed(A), Symbol("D", (2, 5)), (3, 5))
    assert text(transposed(product)) == "Dᵀ A"


def test_in_matrix_products_a_vector_is_a_column():
    u, v = Symbol("u", (2,)), Symbol("v", (3,))
    assert matrix_product(A, v, (2,)) == MatrixProduct(A, v, (2,))
    assert matrix_product(u, A, (3,)) == MatrixProduct(Transposed(A), u, (3,))
    assert matrix_product(v, v, ()) == MatrixProduct(Transposed(v), v, ())
    outer = matrix_product(reshaped(u, (2, 1)), reshaped(v, (1, 3)), (2, 3))
    assert outer == MatrixProduct(u, Transposed(v), (2, 3))
    assert transposed(outer) == MatrixProduct(v, Transposed(u), (3, 2))
    between = matrix_product(matrix_product(u, A, (3,)), v, ())
    assert text(between) == "uᵀ A v"


def test_columns_and_rows_of_vectors():
    u, v = Symbol("u", (2,)), Symbol("v", (3,))
    assert text(matrix_product(A, reshaped(v, (3, 1)), (2, 1))) == "A v"
    row = matrix_product(reshaped(u, (1, 2)), A, (1, 3))
    assert (text(row), row.shape) == ("uᵀ A", (1, 3))
    assert text(reshaped(row, (3,))) == "Aᵀ u"
    assert transposed(reshaped(u, (1, 2))) == reshaped(u, (2, 1))
    assert text(matrix_product(Symbol("c", (2, 1)), reshaped(v, (1, 3)), (2, 3))) == "c vᵀ"
    one = Number(1.0, (1, 1))
    assert text(matrix_product(one, reshaped(v, (1, 3)), (1, 3))) == "vᵀ"
    ones = Number(1.0, (2,))
    assert text(matrix_product(Transposed(A), ones, (3,))) == "Aᵀ 𝟏"
    assert text(matrix_product(ones, u, ())) == "𝟏ᵀ u"


def test_the_transpose_of_ones_has_their_shape_transposed():
    assert transposed(Number(2.0, (2, 3))) == Number(2.0, (3, 2))


def test_a_sum_of_a_constant_is_its_number():
    assert total(Number(2.0, (3, 4)), (4,), (0,)) == Number(6.0, (4,))


def test_a_sum_of_one_number_repeated_is_a_multiple_of_it():
    assert total(reshaped(c, (3, 4)), (), (0, 1)) == Product(12.0, (c,))


def test_sums_over_everything_merge():
    rows = Total(A, (2,), (1,))
    assert total(rows, (), (0,)) == Total(A, (), (0, 1))
    assert total(Transposed(A), (), (0, 1)) == Total(A, (), (0, 1))
    assert total(rows, (1,), (0,)) == Total(A, (1,), (0, 1))


def test_reshapes_to_the_same_shape_vanish():
    assert reshaped(A, (2, 3)) == A
    assert reshaped(reshaped(A, (6,)), (2, 3)) == A
    assert reshaped(times(2.0, A), (6,)) == Product(2.0, (Reshaped(A, (6,)),))
    assert reshaped(Number(2.0), (2, 3)) == Number(2.0, (2, 3))


def test_repetitions_that_arithmetic_does_by_itself_vanish():
    row = Symbol("r", (1, 3))
    assert add(A, negative(Reshaped(row, (2, 3)))) == Sum((A, Product(-1.0, (row,))))
    assert times(A, Reshaped(row, (2, 3))) == Product(1.0, (A, row))
    kept = Reshaped(row, (2, 3))
    assert add(row, kept).shape == (2, 3)
    assert kept in add(row, kept).terms


def test_multiplied_out_only_where_that_cancels_a_fraction():
    slope = add(negative(times(y, reciprocal(x))), ONE)
    assert shortest(times(x, slope)) == add(x, negative(y))
    textbook = times(2.0, x, add(ONE, negative(power(x, 2.0))))
    assert shortest(textbook) == textbook


def test_a_number_that_all_terms_have_is_taken_out_and_what_is_positive_comes_first():
    assert text(shortest(add(times(-2.0, y), times(2.0, x)))) == "2 · (x − y)"
    assert text(shortest(add(negative(y), x))) == "x − y"
    assert text(shortest(add(times(2.0, x), times(3.0, y)))) == "2 · x + 3 · y"


def test_without():
    share = Symbol("1/m")
    assert without(add(times(share, x), times(2.0, share, y)), share) == add(x, times(2.0, y))
    assert without(x, share) == x


def test_length_and_symbols():
    term = times(2.0, add(x, negative(y)), Call("exp", (z,), ()))
    assert length(term) == 5
    assert [s.name for s in symbols(term)] == ["x", "y", "z"]


# ------------------------------------------------------------ equalities between real numbers


def value(term: Term, known: dict[str, float]) -> float:
    if isinstance(term, Symbol):
        return known[term.name]
    if isinstance(term, Number):
        return term.value
    if isinstance(term, Sum):
        return sum(value(t, known) for t in term.terms)
    if isinstance(term, Product):
        return float(np.prod([term.number, *(value(f, known) for f in term.factors)]))
    assert isinstance(term, Power)
    return float(value(term.base, known) ** value(term.exponent, known))


def made(parts):
    """Build terms by the constructors, beside what they should be as functions of x, y, z."""
    return st.recursive(
        st.sampled_from(
            [
                (x, lambda k: k["x"]),
                (y, lambda k: k["y"]),
                (z, lambda k: k["z"]),
                (Number(2.0), lambda k: 2.0),
                (Number(-0.5), lambda k: -0.5),
            ]
        ),
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(
                lambda p: (add(p[0][0], p[1][0]), lambda k: p[0][1](k) + p[1][1](k))
            ),
            st.tuples(inner, inner).map(
                lambda p: (times(p[0][0], p[1][0]), lambda k: p[0][1](k) * p[1][1](k))
            ),
            inner.map(lambda p: (negative(p[0]), lambda k: -p[1](k))),
            st.tuples(inner, st.sampled_from([-1.0, 2.0, 3.0])).map(
                lambda p: (power(p[0][0], p[1]), lambda k: p[0][1](k) ** p[1])
            ),
        ),
        max_leaves=parts,
    )


@given(made(8), st.tuples(*[st.floats(0.5, 2.0)] * 3))
def test_every_constructor_keeps_the_value(pair, numbers):
    term, function = pair
    known = dict(zip("xyz", numbers, strict=True))
    try:
        expected = function(known)
        got, short = value(term, known), value(shortest(term), known)
    except (ZeroDivisionError, OverflowError):
        return
    scale = max(abs(expected), 1e3)  # what cancels leaves what it rounded
    if np.isfinite(expected) and abs(expected) < 1e6:
        assert abs(got - expected) < 1e-6 * scale
        assert abs(short - expected) < 1e-6 * scale


@given(made(8))
def test_equal_terms_have_equal_hashes(pair):
    term, _ = pair
    hash(term)  # is remembered, but not pickled: strings hash otherwise in another process
    assert b"_hash" not in pickle.dumps(term)
    same = pickle.loads(pickle.dumps(term))  # noqa: S301
    assert same == term
    assert hash(same) == hash(term)
