import numpy as np
import pytest
from programs import library_rows

from micrograd_nn import primitive
from micrograd_nn.graph.primitive import table
from micrograd_nn.readers.explain.primes import PRIMES, slope

ROWS = [
    row
    for row in library_rows().values()
    if row.elementwise and not row.variadic and not row.vector and row.on_floats is not None
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_textbook_form_is_the_rule(row):
    args = [np.array([0.3, 0.7, 1.9]), np.array([0.9, 0.2, 2.5]), np.array([1.0, 2.0, 1.0])]
    args = args[: row.arity]
    if row.name == "where":
        args[0] = np.array([0.0, 1.0, 1.0])
    if row.name == "power_derivative":
        args = [args[0], 3.0, 1.0]
    z = row.on_arrays(*args)
    for place, rule in enumerate(row.rules):
        if rule is None:
            continue
        expected = rule(np.ones_like(z), z, *args)
        got = slope(row, place)(z, *args)
        np.testing.assert_allclose(np.broadcast_to(got, np.shape(expected)), expected, rtol=1e-13)


def test_a_row_with_a_kink_is_named():
    slope(table["relu"], 0)(None, 2.0)
    assert ("relu", 0) in PRIMES.values()


def test_a_derivative_with_a_parameter():
    row = primitive("odd_scaled", lambda x, k: k * x * x, lambda g, z, x, *, k: g * 2 * k * x)
    try:
        assert slope(row, 0)(None, 3.0, k=2.0) == 12.0
        assert slope(row, 0)(None, np.array([1.0, 3.0]), k=2.0).tolist() == [4.0, 12.0]
    finally:
        del table["odd_scaled"]


@pytest.mark.parametrize("textbook", ["{0} if {0} > 0 else 1", "os.system({0})", "{7}", "(", "y"])
def test_a_textbook_form_that_is_no_plain_formula_is_named(textbook):
    name = f"odd_{abs(hash(textbook))}"
    row = primitive(name, lambda x: 3 * x, lambda g, z, x: 3 * g, textbook=(textbook,))
    try:
        assert slope(row, 0)(None, 2.0) == 3.0
    finally:
        del table[name]
