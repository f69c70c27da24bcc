import math

import pytest

from micrograd_nn.readers.explain.algebra import add, negative, power, reciprocal, times
from micrograd_nn.readers.explain.terms import (
    Call,
    MatrixProduct,
    Number,
    Power,
    Prime,
    Product,
    Reshaped,
    Sum,
    Symbol,
    Total,
    Transposed,
)
from micrograd_nn.readers.explain.text import abridged, index, line, number, text

x, y, m = Symbol("x"), Symbol("y"), Symbol("1/m")
A, B = Symbol("A", (2, 2)), Symbol("B", (2, 2))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"), (1.0, "1"), (-3.0, "−3"), (64.0, "64"), (100_000.0, "100000"), (1e6, "10⁶"),
        (0.5, "1/2"), (0.25, "1/4"), (0.75, "3/4"), (-0.125, "−1/8"), (1 / 3, "1/3"),
        (2 / 15, "2/15"), (1 / 60, "1/60"), (0.1, "0.1"), (0.02, "0.02"), (0.3, "0.3"),
        (0.1 + 0.2, "0.3"), (1e-3, "0.001"), (1e-4, "10⁻⁴"), (2e-4, "2·10⁻⁴"),
        (1.25e-7, "1.25·10⁻⁷"), (1e20, "10²⁰"), (1.5e20, "1.5·10²⁰"), (math.pi, "3.14159"),
        (1e-300, "10⁻³⁰⁰"), (math.inf, "∞"), (-math.inf, "−∞"), (math.nan, "NaN"), (10.5, "10.5"),
    ],
)  # fmt: skip
def test_numbers(value, written):
    assert number(value) == written


@pytest.mark.parametrize(
    ("term", "written"),
    [
        (add(x, negative(y)), "x − y"),
        (add(negative(x), y), "−x + y"),
        (times(x, y), "x · y"),
        (times(2.0, x), "2 · x"),
        (times(A, B), "A ∘ B"),
        (times(2.0, A), "2 A"),
        (times(x, A), "x A"),
        (times(A, add(A, B)), "A ∘ (A + B)"),
        (times(m, A), "1/m A"),
        (times(2.0, m, A), "2/m A"),
        (times(0.5, m, A), "1/(2m) A"),
        (times(2 / 15, m, A), "2/(15m) A"),
        (times(0.3, m, A), "0.3 1/m A"),
        (times(-1.0, m, Total(A, (), (0, 1))), "−1/m Σ A"),
        (times(A, reciprocal(B)), "A / B"),
        (times(A, reciprocal(add(A, B))), "A / (A + B)"),
        (times(reciprocal(A), reciprocal(B)), "1 / (A ∘ B)"),
        (times(0.5, A, reciprocal(B)), "A / (2 B)"),
        (times(2.0, A, reciprocal(B)), "2 A / B"),
        (reciprocal(power(B, 2.0)), "1 / B²"),
        (power(A, 2.0), "A²"),
        (power(add(A, B), 12.0), "(A + B)¹²"),
        (power(A, 0.5), "√A"),
        (power(A, 0.3), "A^0.3"),
        (Power(A, B), "A^B"),
        (Power(A, Sum((B, Number(-1.0)))), "A^(B − 1)"),
        (power(negative(A), 3.0), "−A³"),
        (Transposed(A), "Aᵀ"),
        (Transposed(add(A, B)), "(A + B)ᵀ"),
        (power(Transposed(A), 2.0), "Aᵀ²"),
        (MatrixProduct(Transposed(A), B, (2, 2)), "Aᵀ B"),
        (MatrixProduct(add(A, B), B, (2, 2)), "(A + B) B"),
        (MatrixProduct(times(A, B), B, (2, 2)), "(A ∘ B) B"),
        (times(MatrixProduct(A, B, (2, 2)), B), "(A B) ∘ B"),
        (MatrixProduct(Number(1.0, (2, 2)), B, (2, 2)), "𝟏 B"),
        (Total(A, (), (0, 1)), "Σ A"),
        (Total(add(A, B), (), (0, 1)), "Σ (A + B)"),
        (Total(times(A, B), (), (0, 1)), "Σ A ∘ B"),
        (times(A, Total(B, (2, 1), (1,))), "A ∘ (Σ B)"),
        (add(A, negative(Total(B, (2, 1), (1,)))), "A − Σ B"),
        (times(2.0, Reshaped(Total(B, (1,), (0, 1)), ())), "2 Σ B"),
        (Reshaped(A, (4,)), "A"),
        (Call("sigmoid", (A,), (2, 2)), "σ(A)"),
        (Call("abs", (add(A, B),), (2, 2)), "|A + B|"),
        (Call("maximum", (A, Number(0.0)), (2, 2)), "max(A, 0)"),
        (Call("hinge", (A, B), (2, 2)), "max(0, 1 − B A)"),
        (Call("inside", (A, Number(-0.5), Number(0.5)), (2, 2)), "[−1/2 ≤ A ≤ 1/2]"),
        (times(A, Call("softmax_minus_labels", (B,), (2, 2))), "A ∘ (softmax(B) − Y)"),
        (power(Call("norm", (A,), (2,)), 2.0), "‖A‖²"),
        (Call("getitem", (A,), (2,), (("index", ("slice", 1, None, None)),)), "A[1:]"),
        (Call("of_ones_own", (A, B), (2, 2)), "of_ones_own(A, B)"),
        (Prime("relu", (A,), 0, (2, 2)), "relu′(A)"),
        (Prime("maximum", (A, B), 1, (2, 2)), "max′2(A, B)"),
        (Number(-2.0), "−2"),
        (times(A, Power(B, Number(-2.0)), add(A, Number(-1.0))), "A ∘ (A − 1) / B²"),
    ],
)
def test_terms(term, written):
    assert text(term) == written


def test_long_sums_and_arguments_are_abridged():
    many = tuple(Symbol(f"x{i}") for i in range(1, 101))
    assert text(Sum(many)) == "x1 + x2 + x3 + x4 + … 92 more … + x97 + x98 + x99 + x100"
    assert text(Call("stack", many, (100,))).startswith("stack(x1, x2, x3, x4, … 92 more …, x97")
    assert abridged(many[:20]) == many[:20]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2, "2"), (("slice", None, 3, None), ":3"), (("slice", None, None, -1), "::-1"),
        ((Ellipsis, None, ("slice", None, None, 2)), "..., None, ::2"),
        (("array", (12,), tuple(range(12))), "…"), (-1, "-1"),
    ],
)  # fmt: skip
def test_indices(value, written):
    assert index(value) == written


def test_lines_of_the_index_form():
    assert line("Σ", Product(2.0, (x,)), "+", y) == "Σ 2 · x + y"
    assert line(Sum((x, y))) == "x + y"
    assert line("Σ", Sum((x, y)), y) == "Σ (x + y) y"
