import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_nn.functional as F
from micrograd_nn import Neuron, Tensor, Value, primitive
from micrograd_nn.readers.sparkline import function_of, sparkline


def mark(drawing, style):
    return next((m.points for m in drawing.marks if m.style == style), None)


def slope(points):
    """The slope of a line in the function's own units, for a curve from −4 to 4."""
    (x, y), (u, v) = points
    return (y - v) / (u - x)


def test_the_curve_is_the_kernel_s_and_the_tangent_the_rule_s():
    drawing = sparkline([Value(0.5).tanh()])
    curve = mark(drawing, "curve")
    ((x, y),) = mark(drawing, "point")
    middle = len(curve) // 2
    assert curve[middle] == pytest.approx((0.5, 0.5))  # tanh(0) = 0
    # One unit along is that part of the width that the curve takes, over 8.
    unit_x = (curve[-1][0] - curve[0][0]) / 8
    unit_y = (curve[0][1] - curve[-1][1]) / (2 * math.tanh(4))
    assert x == pytest.approx(0.5 + 0.5 * unit_x)
    assert y == pytest.approx(0.5 - math.tanh(0.5) * unit_y)
    steepness = slope(mark(drawing, "tangent")) * unit_x / unit_y
    assert steepness == pytest.approx(1 - math.tanh(0.5) ** 2)


def test_a_wrong_rule_draws_a_wrong_tangent():
    def halved(g, z, x):
        return g * 0.5

    square = primitive("square_of_sparkline", lambda x: x * x, halved)
    function = function_of(square(Value(3.0)))
    assert function.slope(3.0) == 0.5


def test_a_neuron_is_its_activation_at_the_weighted_sum():
    neuron = Neuron(2, activation="tanh", seed=0)
    out = neuron([1.0, -2.0])
    function = function_of(out)
    assert function.row.name == "tanh"
    z = neuron.w[0].data - 2 * neuron.w[1].data
    assert function.points == pytest.approx([z])
    assert function(function.points) == pytest.approx([out.data])


def test_an_array_s_elements_stand_on_the_curve_without_a_tangent():
    x = np.linspace(-1, 1, 200)
    drawing = sparkline([Tensor(x).relu()])
    dots = mark(drawing, "point many")
    assert 10 < len(dots) <= 32
    assert mark(drawing, "tangent") is None
    assert [d for d, _ in dots] == sorted(d for d, _ in dots)


def test_the_kink_of_relu_has_the_slope_of_its_row():
    (y, _), (v, _) = (p[::-1] for p in mark(sparkline([Value(0.0).relu()]), "tangent"))
    assert y == v  # relu'(0) = 0


@pytest.mark.parametrize(
    "node",
    [
        Value(2.0) ** 3,
        10.0 / Value(2.0),
        F.maximum(Value(1.0), 0.5),
        F.leaky_relu(Value(-1.0), 0.1),
        F.huber(Value(3.0), 1.0),
    ],
)
def test_operations_with_constants_are_functions(node):
    drawing = sparkline([node])
    assert mark(drawing, "point") is not None
    assert mark(drawing, "tangent") is not None


@pytest.mark.parametrize(
    "node",
    [
        Value(2.0),
        Value(2.0) * 3,
        Value(2.0) + 1,
        -Value(2.0),
        Value(2.0) / 5,
        Value(2.0) * Value(3.0),
        Value(2.0) ** Value(3.0),
        Tensor([[1.0, 2.0]]) @ Tensor([[1.0], [2.0]]),
        Tensor([1.0, 2.0]).sum(),
        Tensor([1.0, 2.0]) ** np.array([2.0, 3.0]),
        Value(math.nan).tanh(),
        Value(math.inf).tanh(),
        Value(1e200).tanh(),
        Neuron(2, nonlin=False)([1.0, 2.0]),
    ],
)
def test_straight_lines_and_functions_of_several_have_no_curve(node):
    assert sparkline([node]) is None


def test_different_functions_have_no_curve_in_common():
    assert sparkline([Value(1.0).tanh(), Value(1.0).sin()]) is None
    assert sparkline([Value(1.0) ** 2, Value(1.0) ** 3]) is None
    assert sparkline([Value(1.0).tanh(), Value(-1.0).tanh()]) is not None


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["exp", "log", "sqrt", "tan", "sinh", "tanh", "sigmoid", "gelu", "abs"]),
    st.floats(allow_nan=True),
)
def test_any_number_is_drawn_inside_the_frame(name, x):
    drawing = sparkline([getattr(F, name)(Value(x))])
    for found in drawing.marks if drawing else ():
        for point in found.points:
            assert all(math.isnan(c) or -1e-6 <= c <= 1 + 1e-6 for c in point), found
