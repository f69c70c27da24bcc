"""gradcheck accepts what is right, of every kind, and blames what is wrong by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from micrograd_nn import MLP, Linear, Sequential, Tensor, Value, no_grad, primitive
from micrograd_nn import functional as F
from micrograd_nn.graph.node import data_of
from micrograd_nn.graph.primitive import Primitive, table
from micrograd_nn.testing import GradientError, gradcheck

X = np.random.default_rng(1).normal(size=(3, 4))
W = np.random.default_rng(2).normal(size=(2, 4))


def rejected(f: Any, *inputs: Any, **options: Any) -> GradientError:
    with pytest.raises(GradientError) as caught:
        gradcheck(f, *inputs, **options)
    return caught.value


# ------------------------------------------------------------------------------- what is right


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(
    ("f", "inputs"),
    [
        (lambda x: F.tanh(x) * x, (0.5,)),
        (lambda x, y: x**3 / y - F.exp(x * y), (0.5, 1.5)),
        (lambda x: F.softmax(x * x, axis=0), (X,)),
        (lambda x, w: F.linear(x, w, None), (X, W)),
        (lambda x, w, b: F.gelu(F.linear(x, w, b)), (X, W, W[:, 0])),
        (lambda x: F.layer_norm(x), (X,)),
        (lambda x, s: F.sin(x) * s + s, (X, 0.7)),
        (lambda parts: F.concatenate(parts, axis=0) ** 2, ([X, 2.0 * X],)),
        (lambda x: {"a": F.sin(x), "b": [F.exp(x), x * x]}, (0.3,)),
        (lambda x, y: (F.sin(x), F.exp(y)), (0.3, X)),
        (lambda x, labels: F.cross_entropy(x, labels), (X, np.array([0, 3, 1]))),
        (lambda x, index: x[index] ** 2, (X, 1)),
        (lambda x, y: x * 1.0, (X, 0.5)),
        (lambda x: F.relu(x) ** 2 + abs(x) ** 3, (X,)),
    ],
)
def test_right_functions_pass(f: Any, inputs: Any, order: int) -> None:
    report = gradcheck(f, *inputs, order=order)
    assert report.numbers > 0
    assert 0.0 <= report.worst <= 1.0


def test_float32() -> None:
    report = gradcheck(lambda x, w: F.softmax(x @ w.T), X.astype(np.float32), W.astype(np.float32))
    assert report.worst <= 1.0


def test_nodes_are_taken_as_they_are() -> None:
    x, t = Value(0.5, name="x"), Tensor(X, name="t")
    x.grad = 3.0
    gradcheck(lambda x, t: F.sin(t * x), x, t, order=2)
    assert x.grad == 3.0
    assert not np.any(t.grad)
    assert x.data == 0.5
    np.testing.assert_array_equal(t.data, X)


def test_arrays_of_the_caller_are_left_alone() -> None:
    a = X.copy()
    gradcheck(lambda x: F.exp(x) * x, a, order=3)
    np.testing.assert_array_equal(a, X)


@pytest.mark.parametrize("order", [1, 2])
def test_modules(order: int) -> None:
    model = Sequential(Linear(4, 3, seed=0), F.tanh, Linear(3, 2, seed=1))
    before = [p.data.copy() for p in model.parameters()]
    report = gradcheck(model, X, order=order)
    assert report.numbers >= X.size + sum(b.size for b in before)
    for p, b in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.data, b)


def test_scalar_networks() -> None:
    network = MLP(2, [3, 1], seed=0)
    report = gradcheck(network, [0.5, -1.0], order=2)
    assert report.numbers >= 13


def test_the_function_may_be_a_method_of_numpy() -> None:
    gradcheck(np.tanh, X)
    gradcheck(lambda x, w: np.sum(x @ w.T, axis=0), X, W)


def test_a_leaf_returned_as_it_is() -> None:
    assert gradcheck(lambda x: x, 0.5).numbers == 1


def test_numpy_scalars_are_floats() -> None:
    assert gradcheck(F.sin, np.float64(0.5)).numbers == 1
    assert gradcheck(F.sin, np.float32(0.5)).numbers == 1


def test_constant_derivatives_are_said_to_be() -> None:
    report = gradcheck(lambda x: 3.0 * x, 2.0, order=3)
    assert "constant" in str(report)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (F.relu, np.array([0.0, 1.0])),
        (F.sqrt, np.array([0.0, 4.0])),
        (abs, np.array([0.0, -1.0])),
        (lambda x: F.where(data_of(x) > 0, F.log(x), 0.0), np.array([0.0, 2.0])),
        (lambda x: F.max(x), np.array([1.0, 1.0, 0.5])),
        (lambda x: x**0, np.array([0.0, 2.0])),
        (F.tanh, np.array([-400.0, 20.0, 800.0])),
        (F.sigmoid, np.array([-740.0, 40.0])),
        (lambda x: F.logsumexp(x), np.array([-np.inf, 1.0])),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_edges_pass(f: Any, x: Any) -> None:
    gradcheck(f, x)


# ------------------------------------------------------------------------------- what is wrong


def test_message_names_input_element_and_numbers() -> None:
    with F.exp.replaced(lambda g, z, x: g * z * np.where(np.arange(np.size(z)) == 2, 2.0, 1.0)):
        error = rejected(lambda logits: F.exp(logits), np.array([0.1, 0.2, 0.3, 0.4]))
    assert error.blamed == ["exp"]
    (wrong,) = error.disagreements
    assert wrong.what == "logits"
    assert wrong.index == (2,)
    assert wrong.got == pytest.approx(2.0 * wrong.expected)
    assert "logits[2]" in str(error)
    assert "allowed" in str(error)


def test_message_names_argument_and_line() -> None:
    with F.mul.replaced(lambda g, z, x, y: g * y, lambda g, z, x, y: g * x * 1.000001):
        error = rejected(lambda x, y: F.sin(x) * y, 0.5, 1.5)
    assert error.blamed == ["mul"]
    assert "argument 1" in str(error)
    assert "argument 0" not in str(error)
    assert "test_gradcheck.py" in str(error)


def test_reproduction_runs() -> None:
    with F.tanh.replaced(lambda g, z, x: g * (1 - z)):
        error = rejected(F.tanh, np.array([0.5, 1.5]))
        code = str(error).split("to reproduce:")[1]
        lines = [line.strip() for line in code.strip().splitlines()]
        exec("\n".join(lines), {"array": np.array})


def test_only_the_culprit_is_blamed_in_a_deep_network() -> None:
    model = Sequential(
        Linear(4, 5, seed=0), F.gelu, Linear(5, 5, seed=1), F.tanh, Linear(5, 2, seed=2)
    )
    with F.gelu.replaced(lambda g, z, x: g * F.sigmoid(1.702 * x)):
        assert rejected(model, X).blamed == ["gelu"]


def test_two_culprits() -> None:
    with (
        F.sin.replaced(lambda g, z, x: -g * F.cos(x)),
        F.exp.replaced(lambda g, z, x: g * z * 1.001),
    ):
        assert set(rejected(lambda x: F.sin(x) + F.exp(x) + F.cos(x), 0.5).blamed) == {"sin", "exp"}


@pytest.mark.parametrize("factor", [1 + 1e-12, 1 - 1e-9, 1.000001, 0.0, -1.0, 5.0])
@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1.0, 1e9])
def test_a_wrong_factor_is_seen_at_any_scale(factor: float, scale: float) -> None:
    with F.sin.replaced(lambda g, z, x: factor * g * F.cos(x)):
        assert rejected(lambda x: F.sin(x) * scale, 0.5).blamed == ["sin"]


def test_one_wrong_element_in_many_is_seen() -> None:
    many = np.random.default_rng(0).normal(size=100_000)

    def wrong(g: Any, z: Any, x: Any) -> Any:
        factor = np.ones(x.shape)
        factor[77_777] = 1.0 + 1e-9
        return g * factor * F.cos(x)

    with F.sin.replaced(wrong):
        error = rejected(F.sin, many)
    assert error.disagreements[0].index == (77_777,)


def test_swapped_elements_of_equal_sum_are_seen() -> None:
    with F.sin.replaced(lambda g, z, x: (g * F.cos(x))[::-1]):
        assert rejected(F.sin, np.array([0.5, 1.5, -0.3])).blamed == ["sin"]


def test_transposed_gradient_is_seen() -> None:
    square = np.random.default_rng(3).normal(size=(3, 3))
    with F.matmul.replaced(lambda g, z, x, y: (g @ y.T).T, F.matmul.rules[1]):
        assert rejected(lambda x, y: x @ y, square, square + 1.0).blamed == ["matmul"]


def test_missing_rule_is_blamed() -> None:
    with F.mul.replaced(F.mul.rules[0], None):
        assert rejected(lambda x, y: F.sin(x) * F.sin(y), 0.5, 1.5).blamed == ["mul"]


def test_nan_is_no_gradient() -> None:
    with F.sin.replaced(lambda g, z, x: g * np.nan):
        assert rejected(F.sin, 0.5).blamed == ["sin"]


def test_wrong_at_a_kink_only() -> None:
    with F.relu.replaced(lambda g, z, x: g * (x >= 0)):
        gradcheck(F.relu, np.array([1.0, -1.0]))
        assert rejected(F.relu, np.array([1.0, 0.0])).blamed == ["relu"]


def test_wrong_in_the_tails_only() -> None:
    with F.tanh.replaced(lambda g, z, x: g * (1.0 - z * z)):
        assert rejected(F.tanh, 19.0).blamed == ["tanh"]


def test_a_rule_that_breaks_on_nodes_is_wrong_at_order_two() -> None:
    def rule(g: Any, z: Any, x: Any) -> Any:
        return g * F.cos(data_of(x))  # the value is right, but it isn't recorded

    with F.sin.replaced(rule):
        gradcheck(F.sin, 0.5)
        error = rejected(F.sin, 0.5, order=2)
    assert error.blamed == ["sin"]
    assert "second derivative" in str(error)


def test_a_rule_that_computes_otherwise_on_nodes() -> None:
    def rule(g: Any, z: Any, x: Any) -> Any:
        recorded = isinstance(x, (Value, Tensor))
        return g * F.cos(x) * (1.5 if recorded else 1.0)

    with F.sin.replaced(rule):
        gradcheck(F.sin, 0.5)
        assert rejected(F.sin, 0.5, order=2).blamed == ["create_graph"]


def test_a_detached_value_is_no_mistake_but_is_told() -> None:
    report = gradcheck(lambda x: F.sin(x) * x.detach(), 0.5, order=2)
    assert "detach" in str(report)


def test_kinked_second_derivatives_pass() -> None:
    gradcheck(F.relu, np.array([0.0, 1.0, -2.0]), order=2)
    gradcheck(lambda x: F.maximum(x, 0.0) * x, np.array([0.0, 1.0]), order=2)
    gradcheck(abs, 0.0, order=2)


def test_a_wrong_parameter_gradient_of_a_module() -> None:
    model = Linear(4, 3, seed=0)
    linear = F.linear(Tensor(X), Tensor(W), Tensor(np.ones(2))).op
    wrong = [linear.rules[0], lambda g, z, x, W, b: 1.01 * (g.T @ x), linear.rules[2]]
    with linear.replaced(*wrong):
        error = rejected(model, X)
    assert error.blamed == ["linear"]
    assert "weight" in str(error).lower() or "W" in str(error)


# ------------------------------------------------------------------------------- what is refused


def test_nothing_to_differentiate() -> None:
    with pytest.raises(TypeError, match="nothing to differentiate"):
        gradcheck(lambda n: n, 3)


def test_a_result_that_is_not_recorded() -> None:
    with pytest.raises(TypeError, match="recorded"):
        gradcheck(lambda x: float(x.data) ** 2, 0.5)

    def unrecorded(x: Any) -> Any:
        with no_grad():
            return F.sin(x)

    with pytest.raises((TypeError, GradientError)):
        gradcheck(unrecorded, 0.5)


@pytest.mark.parametrize("options", [{"order": 0}, {"order": 4}, {"oracle": "guess"}])
def test_bad_options(options: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        gradcheck(F.sin, 0.5, **options)


def test_an_error_of_the_function_is_its_own() -> None:
    def broken(x: Any) -> Any:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        gradcheck(broken, 0.5)


def test_gradients_are_restored_after_a_failure() -> None:
    x = Value(0.5)
    x.grad = 7.0
    with F.sin.replaced(lambda g, z, x: g * 0.0):
        rejected(F.sin, x)
    assert x.grad == 7.0


def test_the_same_seed_gives_the_same_message() -> None:
    with F.sin.replaced(lambda g, z, x: g * 0.5):
        first, second = (str(rejected(F.sin, X, seed=3)) for _ in range(2))
    assert first == second


def test_a_rule_that_is_wrong_by_a_little_is_blamed():
    """1 − tanh² at 3 is off by 16 units in the last place: more than rounding explains."""
    with F.tanh.replaced(lambda g, z, x: g * (1 - z * z)):
        for seed in range(5):
            with pytest.raises(GradientError) as caught:
                gradcheck(lambda x: F.tanh(x), 3.0, seed=seed)
            assert caught.value.blamed == ["tanh"]


def test_one_derivative_agrees():
    assert str(gradcheck(F.tanh, 0.5)).startswith("1 derivative up to order 1 agrees with ")


# ------------------------------------------------------------------------- rows of a user's own


@pytest.fixture
def own() -> Iterator[Callable[..., Primitive]]:
    """A maker of rows; they, and the units made of them, are in the table during the test only."""
    before = set(table)
    yield primitive
    for name in set(table) - before:
        del table[name]


def hypot_x(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g * (x / F.where(z, z, 1.0))


def hypot_y(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g * (y / F.where(z, z, 1.0))


@pytest.mark.parametrize("value", ["0", "0 each", "0 by x, 0 by y"])
def test_a_kink_counts_for_each_argument_and_each_element(own: Any, value: str) -> None:
    kinks = {"x == 0 and y == 0": value}
    row = own("distance", np.hypot, (hypot_x, hypot_y), kinks=kinks)
    for inputs in ((0.0, 0.0), (np.zeros(2), np.arange(2.0)), (np.zeros((3, 1)), np.arange(4.0))):
        report = gradcheck(row, *inputs)
        assert report.numbers == sum(map(np.size, inputs))
        assert "at the kink x == 0 and y == 0 of distance the derivative is" in str(report)

    def one_at_the_kink(g: Any, z: Any, x: Any, y: Any) -> Any:
        return g * F.where(z, y / F.where(z, z, 1.0), 1.0)

    def wrong_elsewhere(g: Any, z: Any, x: Any, y: Any) -> Any:
        return g * (y / F.where(z, 2 * z, 1.0))

    for rule in (one_at_the_kink, wrong_elsewhere):
        with row.replaced(hypot_x, rule):
            error = rejected(row, np.zeros((3, 1)), np.arange(4.0))
            assert error.blamed == ["distance"]
            assert "argument 1" in str(error)


def test_at_the_kink_of_one_argument_the_others_have_their_derivative(own: Any) -> None:
    rules = (lambda g, z, x, y: g * F.sign(x), lambda g, z, x, y: g * F.cos(y))
    row = own("size_plus", lambda x, y: np.abs(x) + np.sin(y), rules, kinks={"x == 0": "0"})
    assert gradcheck(row, np.array([0.0, 1.0]), np.array([[2.0], [3.0]])).numbers == 4
    with row.replaced(rules[0], lambda g, z, x, y: g * F.sin(y)):
        assert "argument 1" in str(rejected(row, 0.0, 2.0))


def test_a_row_that_is_not_elementwise_is_told_from_a_wrong_rule(own: Any) -> None:
    def cumsum_x(g: Any, z: Any, x: Any) -> Any:
        return F.flip(F.cumsum(F.flip(g, axis=0), axis=0), axis=0)

    x = np.array([1.0, 2.0, 3.0])
    error = rejected(own("running sum", np.cumsum, cumsum_x), x)
    assert error.blamed == ["running sum"]
    assert "declare elementwise=False" in str(error)
    assert "rules[0]" not in str(error)
    right = own("running sum too", np.cumsum, cumsum_x, elementwise=False, along=(0,))
    assert gradcheck(right, x).worst <= 1


def test_a_network_with_an_activation_of_ones_own(own: Any) -> None:
    def soft_size_x(g: Any, z: Any, x: Any) -> Any:
        return g * (F.tanh(x) + x / F.cosh(x) ** 2)

    row = own("soft size", lambda x: x * np.tanh(x), soft_size_x)
    model = MLP(2, [3, 1], activation=row, seed=0)
    assert gradcheck(model, [0.5, -1.0]).numbers == 15
    with row.replaced(lambda g, z, x: g * F.tanh(x)):
        assert rejected(model, [0.5, -1.0]).blamed == ["unit_soft size"]
