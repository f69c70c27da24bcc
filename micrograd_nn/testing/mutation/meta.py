"""Whether gradcheck can be trusted: right functions that it must accept, wrong ones to reject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from micrograd_nn.graph import backward
from micrograd_nn.graph.cotangents import fitted
from micrograd_nn.graph.node import data_of
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.table.activations import relu
from micrograd_nn.graph.table.arithmetic import absolute, maximum, mul, power, power_derivative
from micrograd_nn.graph.table.arrays import matmul, sum_
from micrograd_nn.graph.table.elementary import cos, cosh, exp, log, sin, sinh, sqrt, tanh
from micrograd_nn.graph.table.fused import softmax
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Value
from micrograd_nn.testing.errors import GradientError
from micrograd_nn.testing.gradcheck import gradcheck
from micrograd_nn.testing.mutation.battery import Check
from micrograd_nn.testing.mutation.edits import Edit
from micrograd_nn.testing.tangents import Elementwise

Rule = Callable[..., Any]


class Accepted:
    """gradcheck must accept a function at some inputs."""

    def __init__(self, case: Callable[..., Any], *inputs: Any, order: int = 1) -> None:
        self.case, self.inputs, self.order = case, inputs, order

    def __call__(self) -> None:
        """Raise what gradcheck raises."""
        gradcheck(self.case, *self.inputs, order=self.order)

    def __str__(self) -> str:
        return f"{_name(self.case)}, which is right"


class Rejected:
    """gradcheck must reject a function while something is wrong, and name what is at fault."""

    def __init__(
        self,
        wrong: Callable[[], AbstractContextManager[None]],
        blamed: str,
        case: Callable[..., Any],
        *inputs: Any,
        order: int = 1,
        words: str = "",
    ) -> None:
        self.wrong, self.blamed, self.words = wrong, blamed, words
        self.case, self.inputs, self.order = case, inputs, order

    def __call__(self) -> None:
        """Raise an AssertionError if gradcheck finds nothing, or blames something else."""
        with self.wrong():
            try:
                gradcheck(self.case, *self.inputs, order=self.order)
            except GradientError as error:
                message, blamed = str(error), error.blamed
            else:
                raise AssertionError(f"{self} was accepted")
        assert blamed == [self.blamed], f"{blamed} instead of {self.blamed} is blamed"
        assert self.words in message, f"the message doesn't tell {self.words!r}"

    def __str__(self) -> str:
        return f"{_name(self.case)}, with {self.blamed} wrong"


def _name(case: Callable[..., Any]) -> str:
    return getattr(case, "__name__", "").strip("_") or type(case).__name__


def wrong_rule(row: Primitive, place: int, rule: Rule | None) -> Callable[[], Any]:
    """Return what puts a wrong rule into a row."""
    rules = [*row.rules[:place], rule, *row.rules[place + 1 :]]
    return lambda: row.replaced(*rules)


# ----------------------------------------------------------------------------- small functions


class _Scale:
    """As much of a Module as gradcheck needs."""

    def __init__(self) -> None:
        self.weight = Tensor([0.5, -2.0], name="weight")

    def __call__(self, x: Any) -> Any:
        return tanh(x * self.weight)

    def named_parameters(self) -> list[tuple[str, Tensor]]:
        return [("weight", self.weight)]

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass

    def generators(self) -> dict[str, Any]:
        return {}


def _two_results(x: Any, y: Any) -> Any:
    return sin(x), exp(y)


def _of_a_list(parts: Sequence[Any]) -> Any:
    return sin(parts[0]) * exp(parts[1])


def _unused(x: Any, y: Any) -> Any:
    return sin(x)


def _product(x: Any, y: Any) -> Any:
    return sin(x) * y


def _square(x: Any) -> Any:
    return x * x


def _fifth(x: Any) -> Any:
    return power(x, 5.0)


def _rows(x: Any) -> Any:
    return softmax(x, axis=-1)


def _tiny(x: Any) -> Any:
    return tanh(x) * 1e-9


def _log_of_product(x: Any, y: Any) -> Any:
    return log(x * x * y + 1.0)


def _of_sums(x: Any, y: Any) -> Any:
    total = sum_(x * y, axis=None, keepdims=False)
    return tanh(total) * total + total


def _deep(x: Any) -> Any:
    for _ in range(6):
        x = sin(x) * exp(x * 0.3) + x
    return x


def _matrices(x: Any, y: Any) -> Any:
    return tanh(matmul(x, y))


def _keeps_gradients() -> None:
    x = Tensor([0.5, -1.5])
    x.grad = np.array([3.0, 4.0])
    gradcheck(_square, x, order=2)
    assert x.grad.tolist() == [3.0, 4.0], "the gradient that a leaf had is lost"


def _once(x: Any) -> Any:
    return sin(x)


# ----------------------------------------------------------------------------------- the suite


def checker_checks() -> list[Check]:
    """Return the checks that tell a faulty gradcheck from a sound one."""
    rng = np.random.default_rng(17)
    x, X = 0.8, rng.normal(size=(3, 4))
    vector, other = rng.normal(size=4), rng.normal(size=(4, 2))
    small = X.astype(np.float32)
    return [*_right(x, X, vector, other, small), *_wrong(x, X, vector, other), *_faulty_engine(X)]


def _right(x: float, X: Any, vector: Any, other: Any, small: Any) -> list[Check]:
    had = Value(0.5)
    had.grad = 2.0
    return [
        Accepted(_deep, x, order=3),
        Accepted(_deep, X, order=2),
        Accepted(_deep, small),
        Accepted(_of_sums, X, vector, order=2),
        Accepted(_matrices, X, other, order=2),
        Accepted(_matrices, small, other.astype(np.float32)),
        Accepted(_rows, X, order=3),
        Accepted(_Scale(), np.array([0.3, 0.7]), order=2),
        Accepted(_two_results, x, vector),
        Accepted(_of_a_list, [x, 0.3], order=3),
        Accepted(_unused, x, vector),
        Accepted(relu, np.array([0.0, 1.0, -1.0])),
        Accepted(sqrt, np.array([0.0, 2.0])),
        Accepted(tanh, np.array([-400.0, 20.0, 400.0])),
        Accepted(_tiny, X),
        Accepted(_once, had),
        _keeps_gradients,
    ]


def _wrong(x: float, X: Any, vector: Any, other: Any) -> list[Check]:
    def scaled(row: Primitive, factor: float, place: int = 0) -> Callable[[], Any]:
        rule = row.rules[place]
        assert rule is not None
        return wrong_rule(row, place, lambda g, z, *xs, **ps: factor * rule(g, z, *xs, **ps))

    def last(g: Any, z: Any, x: Any) -> Any:
        return g * np.append(np.ones(np.size(z) - 1), 1.0 + 1e-6) / x

    def first(g: Any, z: Any, x: Any) -> Any:
        return g * np.append(1.0 + 1e-6, np.ones(np.size(z) - 1)) / x

    def at_three(g: Any, z: Any, x: Any) -> Any:
        return g / x * (1.0 if type(g) is float or isinstance(g, np.ndarray) else 1.5)

    def without_a_derivative(g: Any, z: Any, x: Any) -> Any:
        return g / data_of(x)

    def at_two(g: Any, z: Any, x: Any, y: Any, k: Any) -> Any:
        return g * power_derivative(x, y, k + 1.0) * (1.0 + 1e-11 * (k - 1.0))

    def folded(g: Any, z: Any, x: Any) -> Any:
        e = exp(-2.0 * absolute(x))
        return g * (4.0 * e / (1.0 + e) ** 2)

    positive = np.exp(vector)
    shuffled = wrong_rule(log, 0, lambda g, z, x: g[::-1] / x)
    return [
        Rejected(scaled(sin, 1.0 + 1e-13), "sin", _once, x),
        Rejected(scaled(sin, 1.0 + 1e-11), "sin", _product, x, X),
        Rejected(scaled(exp, 1.0 + 1e-12), "exp", _two_results, x, vector),
        Rejected(scaled(sin, 1.0 + 1e-12), "sin", _two_results, x, vector),
        Rejected(scaled(exp, 2.0), "exp", exp, x),
        Rejected(scaled(exp, -1.0), "exp", exp, X),
        Rejected(scaled(tanh, 5.0), "tanh", _tiny, X),
        Rejected(scaled(tanh, 1.0 + 1e-6), "tanh", _tiny, x),
        Rejected(wrong_rule(tanh, 0, lambda g, z, x: g * (1 - z * z)), "tanh", tanh, 20.0),
        Rejected(
            wrong_rule(tanh, 0, lambda g, z, x: g * (1 - z * z)),
            "tanh",
            tanh,
            np.array([0.1, 19.0]),
        ),
        Rejected(wrong_rule(log, 0, first), "log", log, positive),
        Rejected(wrong_rule(log, 0, last), "log", log, positive),
        Rejected(shuffled, "log", log, np.full(4, 2.0)),
        Rejected(wrong_rule(softmax, 0, lambda g, z, x, axis: g * 0.0), "softmax", _rows, X),
        Rejected(wrong_rule(relu, 0, lambda g, z, x: g * (x >= 0)), "relu", relu, 0.0),
        Rejected(
            wrong_rule(relu, 0, lambda g, z, x: g * (x >= 0)), "relu", relu, np.array([1.0, 0.0])
        ),
        Rejected(wrong_rule(absolute, 0, lambda g, z, x: g * (z / x)), "abs", absolute, 0.0),
        Rejected(wrong_rule(sqrt, 0, lambda g, z, x: g * 0.5 / (z + 1e-300)), "sqrt", sqrt, 0.0),
        Rejected(scaled(sin, np.nan), "sin", _once, x),
        Rejected(scaled(sin, np.inf), "sin", _once, x),
        Rejected(scaled(sin, 2.0), "sin", _once, 0.0),
        Rejected(wrong_rule(cos, 0, lambda g, z, x: g * (0.1 - sin(x))), "cos", cos, 0.0),
        Rejected(wrong_rule(maximum, 1, lambda g, z, x, y: g * (y > x)), "maximum", maximum, x, x),
        Rejected(scaled(mul, 1.01, 0), "mul", _product, x, 0.3, words="argument 0"),
        Rejected(scaled(mul, 1.01, 1), "mul", _product, x, 0.3, words="argument 1"),
        Rejected(scaled(matmul, 1.000001, 0), "matmul", _matrices, X, other, words="argument 0"),
        Rejected(wrong_rule(mul, 0, None), "mul", _product, x, 0.3),
        Rejected(scaled(tanh, 1.01), "tanh", _Scale(), np.array([0.3, 0.7])),
        Rejected(scaled(mul, 1.01, 1), "mul", _Scale(), np.array([0.3, 0.7])),
        Rejected(scaled(exp, 1.01), "exp", _of_a_list, [x, 0.3]),
        Rejected(wrong_rule(power_derivative, 0, at_two), "power_derivative", _fifth, 1.3, order=3),
        Rejected(scaled(tanh, 1.01), "tanh", _of_sums, X, vector),
        Rejected(wrong_rule(log, 0, without_a_derivative), "log", log, 2.0, order=2),
        Rejected(wrong_rule(log, 0, without_a_derivative), "log", _log_of_product, X, 3.0, order=2),
        Rejected(scaled(cosh, 1.01), "cosh", sinh, x, order=3),
        Rejected(scaled(sinh, 1.01), "sinh", sinh, x, order=3),
        Rejected(wrong_rule(tanh, 0, folded), "tanh", tanh, np.array([0.0, 0.5]), order=3),
        Rejected(wrong_rule(log, 0, at_three), "create_graph", log, 2.0, order=2),
    ]


def _faulty_engine(X: Any) -> list[Check]:
    overwrite = Edit(
        "", backward._deliver, "child._grad = _added(before, cotangent)", "child._grad = cotangent"
    )
    recorded = Edit(
        "", fitted, "sum_to(cotangent, shape=shape)", "sum_to(cotangent, shape=shape) * 0.5"
    )
    doubled = Edit(
        "", Elementwise.tangent, "total + vanishing(t, d)", "total + 2.0 * vanishing(t, d)"
    )
    return [
        Rejected(overwrite.made, "accumulation into x", _square, X),
        Rejected(recorded.made, "create_graph", _product, X, X[:, :1], order=2),
        Rejected(doubled.made, "oracle", sin, X),
    ]
