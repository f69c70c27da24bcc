import numpy as np

import micrograd_nn.functional as F
from micrograd_nn import Tensor
from micrograd_nn.graph.primitive import table
from micrograd_nn.readers.explain.primes import slope
from micrograd_nn.readers.explain.reading import term_of
from micrograd_nn.readers.explain.text import text

X, W = Tensor(np.ones((3, 2)), name="X"), Tensor(np.ones((4, 2)), name="W")
x = Tensor(np.array([0.5, 2.0]), name="x")
NAMES = {X: "X", W: "W", x: "x"}


def read(node, exact=False):
    return text(term_of(node, NAMES, None, exact))


def test_operators():
    assert read(X @ W.T) == "X Wᵀ"
    assert read(F.linear(X, W, Tensor(np.zeros(4), requires_grad=False))) == "X Wᵀ"
    assert read(-(x - 2 * x) / 3) == "1/3 x"
    assert read(x**2 / np.sqrt(x)) == "x^1.5"
    assert read(np.sum(np.mean(X, axis=0))) == "1/3 Σ X"
    assert read(X.reshape(6).reshape(3, 2)) == "X"
    assert read(X[1:, 0]) == "X[1:, 0]"


def test_what_is_one_number_throughout_is_a_number():
    assert read(x * np.full(2, 3.0)) == "3 x"
    assert read(x * np.array([1.0, 2.0])) == "x ∘ const"


def test_exact_functions_are_read_by_their_formula_unless_they_stand_for_themselves():
    assert read(np.log1p(x)) == "log(1 + x)"
    assert term_of(np.log1p(x), NAMES, None, exact=True).name == "log1p"
    assert read(np.expm1(x)) == "exp(x) − 1"


def test_a_constant_condition_chooses_its_branch():
    assert read(np.where(np.ones(2) > 0, x, 0.0)) == "x"
    assert read(np.where(np.ones(2) < 0, 5.0, x * x)) == "x²"
    assert read(np.where(np.array([True, False]), x, 0.0)).startswith("where(")


def test_derivatives_of_powers():
    derivative = table["power_derivative"]
    assert read(derivative(x, 3.0, 1.0)) == "3 x²"
    assert read(derivative(x, 3.0, 3.0)) == "6"
    assert read(derivative(x, 3.0, 4.0)) == "0"
    assert read(slope(derivative, 0)(None, x, 3.0, 1.0)) == "6 x"


def test_reading_stops_at_what_is_known_as_a_term():
    inner = x * x
    known = term_of(x + 1, NAMES)
    assert text(term_of(np.exp(inner), {**NAMES, inner: known})) == "exp(x + 1)"
