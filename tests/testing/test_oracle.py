"""The oracle and its bound, against arithmetic at 60 digits that knows neither."""

from __future__ import annotations

import random
from typing import Any

import mpmath
import numpy as np
import pytest

from micrograd_nn import Value
from micrograd_nn import functional as F
from micrograd_nn.graph.primitive import table
from micrograd_nn.testing import GradientError, gradcheck
from micrograd_nn.testing.mutation.cases import cases_of
from micrograd_nn.testing.oracle import Oracle
from micrograd_nn.testing.tangents import is_known

mp = mpmath.mp.clone()
mp.dps = 60

# name: (recorded function, at many digits, its derivative by each argument)
UNARY: dict[str, tuple[Any, Any, Any]] = {
    "sin": (F.sin, mp.sin, mp.cos),
    "exp": (F.exp, mp.exp, mp.exp),
    "tanh": (F.tanh, mp.tanh, lambda x: mp.sech(x) ** 2),
    "sigmoid": (
        F.sigmoid,
        lambda x: 1 / (1 + mp.exp(-x)),
        lambda x: mp.exp(-x) / (1 + mp.exp(-x)) ** 2,
    ),
    "softplus": (F.softplus, lambda x: mp.log1p(mp.exp(x)), lambda x: 1 / (1 + mp.exp(-x))),
    "arctan": (F.arctan, mp.atan, lambda x: 1 / (1 + x * x)),
    "erf": (F.erf, mp.erf, lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x)),
    "log1p_square": (
        lambda x: F.log1p(x * x),
        lambda x: mp.log1p(x * x),
        lambda x: 2 * x / (1 + x * x),
    ),
    "root": (
        lambda x: F.sqrt(x * x + 1.0),
        lambda x: mp.sqrt(x * x + 1),
        lambda x: x / mp.sqrt(x * x + 1),
    ),
    "gelu": (
        F.gelu,
        lambda x: x * mp.ncdf(x),
        lambda x: mp.ncdf(x) + x * mp.npdf(x),
    ),
}
BINARY: dict[str, tuple[Any, Any, Any, Any]] = {
    "add": (lambda x, y: x + y, lambda x, y: x + y, lambda x, y: 1, lambda x, y: 1),
    "sub": (lambda x, y: x - y, lambda x, y: x - y, lambda x, y: 1, lambda x, y: -1),
    "mul": (lambda x, y: x * y, lambda x, y: x * y, lambda x, y: y, lambda x, y: x),
    "div": (
        lambda x, y: x / (y * y + 0.5),
        lambda x, y: x / (y * y + mp.mpf("0.5")),
        lambda x, y: 1 / (y * y + mp.mpf("0.5")),
        lambda x, y: -2 * x * y / (y * y + mp.mpf("0.5")) ** 2,
    ),
}


def random_program(rng: random.Random) -> list[tuple[str, int, int]]:
    """Steps of a random graph on two inputs: each refers to earlier values."""
    program = []
    for count in range(2, 2 + rng.randint(2, 9)):
        name = rng.choice([*UNARY, *BINARY, *BINARY])
        program.append((name, rng.randrange(count), max(0, count - 1 - rng.randrange(3))))
    return program


def recorded(program: list[tuple[str, int, int]], values: list[Any]) -> Any:
    values = list(values)
    for name, i, j in program:
        f = UNARY[name][0] if name in UNARY else BINARY[name][0]
        values.append(f(values[j]) if name in UNARY else f(values[i], values[j]))
    return values[-1]


def many_digits(program: list[tuple[str, int, int]], xs: list[float]) -> tuple[Any, list[Any]]:
    """The value and the gradient, by the chain rule in the reverse direction at 60 digits."""
    values: list[Any] = [mp.mpf(x) for x in xs]
    for name, i, j in program:
        f = UNARY[name][1] if name in UNARY else BINARY[name][1]
        values.append(f(values[j]) if name in UNARY else f(values[i], values[j]))
    adjoint = [mp.mpf(0)] * (len(values) - 1) + [mp.mpf(1)]
    for place in range(len(values) - 1, 1, -1):
        name, i, j = program[place - 2]
        if name in UNARY:
            adjoint[j] += adjoint[place] * UNARY[name][2](values[j])
        else:
            by_x, by_y = BINARY[name][2:]
            adjoint[i] += adjoint[place] * by_x(values[i], values[j])
            adjoint[j] += adjoint[place] * by_y(values[i], values[j])
    return values[-1], adjoint[:2]


def programs() -> list[tuple[list[tuple[str, int, int]], list[float]]]:
    rng = random.Random(4)
    found = []
    while len(found) < 150:
        program, xs = random_program(rng), [rng.uniform(-2, 2), rng.uniform(-2, 2)]
        value = float(many_digits(program, xs)[0])
        if abs(value) < 1e6:
            found.append((program, xs))
    return found


def test_bound_holds_on_random_expressions_at_60_digits() -> None:
    ratios = []
    for program, xs in programs():
        leaves = [Value(x) for x in xs]
        root = recorded(program, leaves)
        _, exact = many_digits(program, xs)
        expected = Oracle(root, leaves).gradient(1.0)
        root.backward()
        for leaf, truth in zip(leaves, exact, strict=True):
            should = expected[leaf]
            for number in (float(should.value), leaf.grad):
                error = abs(mp.mpf(number) - truth)
                assert error <= should.bound, (program, xs, error, should.bound)
                if should.bound:
                    ratios.append(float(error / mp.mpf(float(should.bound))))
    assert len(ratios) > 250
    assert max(ratios) > 1e-3, "the bound is so wide that it says nothing"


def test_bound_is_not_vacuous() -> None:
    for program, xs in programs()[:40]:
        leaves = [Value(x) for x in xs]
        root = recorded(program, leaves)
        for should in Oracle(root, leaves).gradient(1.0).values():
            size = abs(float(should.value))
            if size > 1e-3:
                assert should.bound < 1e-9 * size


def test_oracle_and_dual_numbers_agree_on_random_expressions() -> None:
    for program, xs in programs()[:60]:
        leaves = [Value(x) for x in xs]
        root = recorded(program, leaves)
        oracle = Oracle(root, leaves)
        gradient = [float(oracle.gradient(1.0)[leaf].value) for leaf in leaves]
        forward = [float(oracle.tangent([a, b])) for a, b in ((1.0, 0.0), (0.0, 1.0))]
        assert forward == pytest.approx(gradient, rel=1e-11, abs=1e-11)


def of_the_package(row: Any) -> bool:
    """Other tests add rows of their own to the table."""
    return any(rule and rule.__module__.startswith("micrograd_nn.graph") for rule in row.rules)


RULES = [
    (row, place)
    for row in table.values()
    if of_the_package(row) and cases_of(row) and not row.vector
    for place, rule in enumerate(row.rules)
    if rule is not None
]


@pytest.mark.parametrize(("row", "place"), RULES, ids=lambda x: getattr(x, "name", str(x)))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_rule_that_is_off_by_a_millionth_is_caught(row: Any, place: int) -> None:
    right = row.rules[place]

    def wrong(g: Any, z: Any, *args: Any, **params: Any) -> Any:
        result = right(g, z, *args, **params)
        return [1.000001 * r for r in result] if row.variadic else 1.000001 * result

    found = []
    rules = [*row.rules[:place], wrong, *row.rules[place + 1 :]]
    with row.replaced(*rules):
        for case in cases_of(row):
            try:
                gradcheck(case, *case.arguments)
            except GradientError as error:
                found.append(error)
                if len(found) == 2:
                    break
    assert found
    assert all(error.blamed == [row.name] for error in found)


@pytest.mark.parametrize("row", {row.name: row for row, _ in RULES}.values(), ids=lambda r: r.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_right_rules_pass_everywhere(row: Any) -> None:
    assert is_known(row)
    for case in cases_of(row):
        report = gradcheck(case, *case.arguments, order=case.order)
        assert report.worst <= 1.0


def test_every_row_of_the_table_is_known_to_the_oracle() -> None:
    unknown = [row.name for row in table.values() if of_the_package(row) and not is_known(row)]
    assert unknown == []


def test_oracle_shares_no_rule_with_the_table() -> None:
    with F.tanh.replaced(lambda g, z, x: g * 17.0):
        x = Value(0.3)
        root = F.tanh(x)
        truth = float(mp.sech(mp.mpf(0.3)) ** 2)
        assert float(Oracle(root, [x]).gradient(1.0)[x].value) == pytest.approx(truth, rel=1e-15)


def test_an_unknown_operation_is_refused_by_name() -> None:
    from micrograd_nn import primitive
    from micrograd_nn.testing.tangents import UnknownOperationError

    cube = primitive("cube_of_oracle_test", lambda x: x**3, lambda g, z, x: g * 3 * x * x)
    try:
        x = Value(2.0)
        with pytest.raises(UnknownOperationError, match="cube_of_oracle_test"):
            Oracle(cube(x), [x])
    finally:
        del table["cube_of_oracle_test"]


def test_gradients_of_zero_are_expected_for_what_does_not_matter() -> None:
    x, y = Value(2.0), Value(3.0)
    expected = Oracle(x * 2.0, [x, y]).gradient(1.0)
    assert float(expected[y].value) == 0.0
    assert float(expected[y].bound) == 0.0


def test_float32_has_the_tolerance_of_float32() -> None:
    from micrograd_nn import Tensor

    wide, small = Tensor([0.5, -1.5]), Tensor(np.array([0.5, -1.5], np.float32))
    bounds = [Oracle(F.tanh(t), [t]).gradient(np.ones(2))[t].bound for t in (wide, small)]
    assert np.all(bounds[1] / bounds[0] > 1e8)
