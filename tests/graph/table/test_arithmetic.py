"""+ − * / ** and their like: every operand kind, every shape pair, both orders."""

import math
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import assert_close, check, each, gradient, mp, normal, positive

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value, grad, hessian, jacobian

BINARY = {
    "add": (operator.add, operator.add, False),
    "sub": (operator.sub, operator.sub, False),
    "mul": (operator.mul, operator.mul, False),
    "div": (operator.truediv, operator.truediv, False),
    "pow": (operator.pow, operator.pow, True),
    "F.maximum": (F.maximum, np.maximum, False),
    "F.minimum": (F.minimum, np.minimum, False),
}
SHAPE_PAIRS = [
    ((), ()),
    ((3,), ()),
    ((), (3,)),
    ((3,), (3,)),
    ((3,), (1,)),
    ((1,), (3,)),
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 3), (2, 1)),
    ((2, 1), (1, 3)),
    ((1, 1), (2, 3)),
    ((2, 1, 3), (4, 1)),
    ((1, 2, 1), (2, 1, 3)),
    ((2, 1, 1), ()),
    ((0,), (1,)),
    ((2, 0), (2, 1)),
    ((0, 3), (3,)),
    ((1, 0), (2, 1)),
]


NAMED = {"add": F.add, "sub": F.sub, "mul": F.mul, "div": F.div, "pow": F.power}


@pytest.mark.parametrize("name", NAMED)
def test_operators_are_the_functions(name):
    x, y = Value(1.5), Tensor([0.5, 2.0])
    for a, b in [(x, x), (x, y), (y, x), (y, 2.0), (2.0, x)]:
        by_operator, by_name = BINARY[name][0](a, b), NAMED[name](a, b)
        assert by_operator.op is by_name.op
        assert np.array_equal(by_operator.data, by_name.data)


@pytest.mark.parametrize("shapes", SHAPE_PAIRS, ids=str)
@pytest.mark.parametrize("name", BINARY)
def test_every_pair_of_shapes(name, shapes):
    f, reference, needs_positive = BINARY[name]
    x, y = normal(*shapes[0], seed=1), normal(*shapes[1], seed=2)
    if needs_positive:
        x = np.exp(x)
    check(f, lambda a, b: reference(a, b), x, y, order=2 if np.size(x) + np.size(y) < 9 else 1)


UNARY = {
    "neg": (operator.neg, operator.neg),
    "pos": (operator.pos, operator.pos),
    "abs": (abs, each(abs)),
    "F.neg": (F.neg, operator.neg),
    "F.abs": (F.abs, each(abs)),
    "F.sign": (F.sign, each(mp.sign)),
    "clip": (
        lambda x: F.clip(x, -0.5, 0.5),
        each(lambda x: min(max(x, mp.mpf(-0.5)), mp.mpf(0.5))),
    ),
    "clip from below": (lambda x: F.clip(x, -0.5), each(lambda x: max(x, mp.mpf(-0.5)))),
    "clip from above": (lambda x: F.clip(x, hi=0.5), each(lambda x: min(x, mp.mpf(0.5)))),
    "x * x": (lambda x: x * x, lambda x: x * x),
    "x + x": (lambda x: x + x, lambda x: 2 * x),
    "x - x": (lambda x: x - x, lambda x: 0 * x),
    "x / (x² + 1)": (lambda x: x / (x * x + 1), lambda x: x / (x * x + 1)),
    "2 - x": (lambda x: 2 - x, lambda x: 2 - x),
    "2 / x": (lambda x: 2 / x, lambda x: 2 / x),
    "2 ** x": (lambda x: 2**x, each(lambda x: mp.mpf(2) ** x)),
}
UNARY |= {
    f"x ** {n}": (lambda x, n=n: x**n, each(lambda x, n=n: x**n)) for n in (-3, -1, 0, 1, 2, 3, 7)
}


@pytest.mark.parametrize("shape", [(), (4,), (2, 2), (0,)], ids=str)
@pytest.mark.parametrize("name", UNARY)
def test_one_operand(name, shape):
    f, reference = UNARY[name]
    check(f, reference, normal(*shape, seed=4))


@pytest.mark.parametrize("power", [0.5, 1.5, -0.5, 0.1, 2.7, math.pi])
def test_fractional_powers(power):
    check(lambda x: x**power, each(lambda x: x ** mp.mpf(power)), positive(5))


SCALARS = [3, 2.5, True, np.float64(2.5), np.float32(1.5), np.int64(3), np.array(2.5)]


@pytest.mark.parametrize("other", SCALARS, ids=lambda s: f"{type(s).__name__}")
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow"])
def test_value_with_every_kind_of_number(name, other):
    f = BINARY[name][0]
    number = float(other)
    for left in (True, False):
        x = Value(1.5)
        y = f(x, other) if left else f(other, x)
        expected = f(1.5, number) if left else f(number, 1.5)
        assert isinstance(y, (Value, Tensor))
        assert float(y.data) == pytest.approx(expected, rel=1e-15)
        y.backward()
        h = 1e-6
        up = f(1.5 + h, number) if left else f(number, 1.5 + h)
        down = f(1.5 - h, number) if left else f(number, 1.5 - h)
        assert float(gradient(x)) == pytest.approx((up - down) / (2 * h), rel=1e-8)


@pytest.mark.parametrize("other", SCALARS, ids=lambda s: f"{type(s).__name__}")
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow"])
def test_tensor_with_every_kind_of_number(name, other):
    f = BINARY[name][0]
    x = Tensor([1.5, 2.0])
    for y, expected in (
        (f(x, other), f(np.array([1.5, 2.0]), float(other))),
        (f(other, x), f(float(other), np.array([1.5, 2.0]))),
    ):
        assert type(y) is Tensor
        assert_close(y.data, expected, 1e-15)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow"])
def test_value_meets_arrays(name):
    f = BINARY[name][0]
    array = np.array([[1.5, 2.0, 0.5]])
    for other in (array, Tensor(array)):
        for left in (True, False):
            x = Value(1.25)
            y = f(x, other) if left else f(other, x)
            expected = f(1.25, array) if left else f(array, 1.25)
            assert type(y) is Tensor
            assert_close(y.data, expected, 1e-15)
            y.backward(seed=np.array([[1.0, -2.0, 0.5]]))
            h = 1e-6
            slopes = (
                (f(1.25 + h, array) - f(1.25 - h, array))
                if left
                else (f(array, 1.25 + h) - f(array, 1.25 - h))
            ) / (2 * h)
            assert type(x.grad) is float
            assert x.grad == pytest.approx(float((slopes * [[1.0, -2.0, 0.5]]).sum()), rel=1e-8)


@pytest.mark.parametrize(
    "other",
    [1j, np.complex128(1j), np.array([1j]), "1", None, pytest.param(object(), id="object")],
    ids=repr,
)
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow"])
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_what_is_no_real_number_is_refused(kind, name, other):
    f = BINARY[name][0]
    for call in (lambda: f(kind(2.0), other), lambda: f(other, kind(2.0))):
        with pytest.raises(TypeError):
            call()


def nan_or_equal(actual, expected):
    return (math.isnan(actual) and math.isnan(expected)) or actual == expected


EDGES = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -2.0,
    3.0,
    -8.0,
    1 / 3,
    1e308,
    -1e308,
    5e-324,
    math.inf,
    -math.inf,
]
EDGES += [math.nan, 1000.0, -1000.0]


@pytest.mark.parametrize("name", [n for n in BINARY if not n.startswith("F.")])
def test_value_arithmetic_is_ieee(name):
    f = BINARY[name][0]
    for x in EDGES:
        for y in EDGES:
            with np.errstate(all="ignore"):
                expected = float(f(np.float64(x), np.float64(y)))
            for result in (f(Value(x), Value(y)), f(Value(x), y), f(x, Value(y))):
                assert type(result) is Value
                assert type(result.data) is float, (x, y)
                if name == "pow" and math.isfinite(expected):
                    assert result.data == pytest.approx(expected, rel=4e-16, abs=0), (x, y)
                else:
                    assert nan_or_equal(result.data, expected), (x, y)


@pytest.mark.parametrize("name", ["F.maximum", "F.minimum"])
def test_extremes_of_floats_are_numpys(name):
    f, reference, _ = BINARY[name]
    for x in EDGES:
        for y in EDGES:
            assert nan_or_equal(f(Value(x), Value(y)).data, float(reference(x, y))), (x, y)
            assert nan_or_equal(f(x, y), float(reference(x, y))), (x, y)


def test_the_documented_ieee_answers():
    assert Value(0.0).log().data == -math.inf
    assert (1 / Value(0.0)).data == math.inf
    assert (-1 / Value(0.0)).data == -math.inf
    assert math.isnan((0 / Value(0.0)).data)
    assert Value(1000.0).exp().data == math.inf
    root = Value(-8.0) ** (1 / 3)
    assert type(root.data) is float
    assert math.isnan(root.data)
    assert math.isnan(F.power(-8.0, 1 / 3))
    assert (Value(10.0) ** 400).data == math.inf
    assert (Value(-10.0) ** 401).data == -math.inf
    assert (Value(0.0) ** -1).data == math.inf


def slopes(f, *xs):
    """The gradient by every scalar road, which must agree."""
    every = tuple(range(len(xs)))
    with np.errstate(all="ignore"):
        values = [Value(x) for x in xs]
        f(*values).backward()
        expected = [v.grad for v in values]
        recorded = [Value(x) for x in xs]
        f(*recorded).backward(create_graph=True)
        tensors = [Tensor([x]) for x in xs]
        f(*tensors).sum().backward()
        for other in (
            [float(getattr(r.grad, "data", r.grad)) for r in recorded],
            [float(t.grad[0]) for t in tensors],
            list(grad(f, every)(*xs)),
        ):
            assert all(map(nan_or_equal, other, expected)), (other, expected)
    return expected


POWERS = [
    # x, y, slope in x, slope in y (None: anything)
    (0.0, 0.0, 0.0, None),
    (0.0, 1.0, 1.0, 0.0),
    (0.0, 2.0, 0.0, 0.0),
    (0.0, 3.0, 0.0, 0.0),
    (0.0, 0.5, math.inf, 0.0),
    (-2.0, 0.0, 0.0, None),
    (-2.0, 1.0, 1.0, None),
    (-2.0, 2.0, -4.0, None),
    (-2.0, 3.0, 12.0, None),
    (-2.0, -1.0, -0.25, None),
    (-2.0, -2.0, 0.25, None),
    (2.0, 0.0, 0.0, math.log(2)),
    (2.0, -1.0, -0.25, math.log(2) / 2),
    (1.0, 5.0, 5.0, 0.0),
    (math.inf, 0.0, 0.0, None),
    (1e300, 1.0, 1.0, None),
]


@pytest.mark.parametrize(("x", "y", "in_x", "in_y"), POWERS)
def test_slopes_of_powers(x, y, in_x, in_y):
    got = slopes(lambda x, y: x**y, x, y)
    assert got[0] == pytest.approx(in_x, rel=1e-15)
    if in_y is not None:
        assert got[1] == pytest.approx(in_y, rel=1e-15)
    assert slopes(lambda x: x**y, x) == pytest.approx([in_x], rel=1e-15)


@pytest.mark.parametrize("n", range(6))
@pytest.mark.parametrize("x", [0.0, -1.5, 2.0])
def test_every_derivative_of_an_integer_power(n, x):
    f, on_arrays = (lambda x: x**n), (lambda x: x**n)
    for order in range(1, 6):
        f = grad(f)
        on_arrays = grad(lambda x, of=on_arrays: of(x).sum())
        expected = math.perm(n, order) * x ** (n - order) if order <= n else 0.0
        assert f(x) == pytest.approx(expected, rel=1e-14), order
        assert_close(on_arrays(np.array([x])), [expected], 1e-14)


@pytest.mark.parametrize("x", [0.5, 2.0])
@pytest.mark.parametrize("y", [-1.5, 0.1, 2.0, 3.0])
def test_mixed_derivatives_of_a_power(x, y):
    f, lnx = (lambda x, y: x**y), math.log(x)
    H = [
        [y * (y - 1) * x ** (y - 2), x ** (y - 1) * (1 + y * lnx)],
        [x ** (y - 1) * (1 + y * lnx), x**y * lnx**2],
    ]
    for i in (0, 1):
        for j in (0, 1):
            second = grad(grad(f, i), j)(x, y)
            assert second == pytest.approx(H[i][j], rel=1e-13), (i, j)
    third = grad(grad(grad(f, 0), 0), 1)(x, y)
    assert third == pytest.approx(x ** (y - 2) * (2 * y - 1 + y * (y - 1) * lnx), rel=1e-12)


def test_a_constant_exponent_of_a_negative_base_gives_no_nan():
    x = Tensor([-2.0, 0.0, 3.0])
    (x**3).sum().backward()
    assert_close(x.grad, [12.0, 0.0, 27.0])
    x.zero_grad()
    (x ** np.array([2.0, 2.0, 2.0])).sum().backward()
    assert_close(x.grad, [-4.0, 0.0, 6.0])


def test_a_plus_a_counts_twice():
    for node in (Value(3.0), Tensor([3.0]), Tensor(3.0)):
        (node + node).backward()
        assert gradient(node).item() == 2.0
        node.zero_grad()
        (node * node * node).backward()
        assert gradient(node).item() == 27.0


TIES = [
    (F.maximum, 1.0, 1.0, [0.5, 0.5]),
    (F.minimum, 1.0, 1.0, [0.5, 0.5]),
    (F.maximum, 0.0, -0.0, [0.5, 0.5]),
    (F.maximum, 2.0, 1.0, [1.0, 0.0]),
    (F.maximum, 1.0, 2.0, [0.0, 1.0]),
    (F.minimum, 2.0, 1.0, [0.0, 1.0]),
    (F.minimum, 1.0, 2.0, [1.0, 0.0]),
    (F.maximum, math.inf, math.inf, [0.5, 0.5]),
    (F.maximum, math.inf, 0.0, [1.0, 0.0]),
    (F.minimum, -math.inf, 0.0, [1.0, 0.0]),
]


@pytest.mark.parametrize(("f", "x", "y", "expected"), TIES)
def test_ties(f, x, y, expected):
    assert slopes(f, x, y) == expected


def test_clip_with_nodes_and_arrays_as_bounds():
    x, lo, hi = Value(5.0), Value(0.0), Value(2.0)
    F.clip(x, lo, hi).backward()
    assert (x.grad, lo.grad, hi.grad) == (0.0, 0.0, 1.0)
    t = Tensor([-1.0, 0.5, 3.0])
    y = F.clip(t, np.array([0.0, 0.0, 0.0]), np.array([1.0, 2.0, 3.0]))
    assert_close(y.data, [0.0, 0.5, 3.0])
    y.backward(seed=np.array([1.0, 10.0, 100.0]))
    assert_close(t.grad, [0.0, 10.0, 100.0])
    assert_close(F.clip(np.array([1, 5, 9]), 2, 6), [2.0, 5.0, 6.0])


WHERE_SHAPES = [
    ((3,), (3,), (3,)),
    ((2, 1), (3,), ()),
    ((), (2, 3), (3,)),
    ((2, 3), (), (2, 1)),
    ((0,), (1,), ()),
]


@pytest.mark.parametrize("shapes", WHERE_SHAPES, ids=str)
def test_where_of_every_shape(shapes):
    c = normal(*shapes[0], seed=9) > 0
    x, y = normal(*shapes[1], seed=1), normal(*shapes[2], seed=2)
    reference = lambda x, y: np.asarray(np.where(c, x, y), object)  # noqa: E731
    check(lambda x, y: F.where(c, x, y), reference, x, y)


@pytest.mark.parametrize("c", [True, False, 1, 0, np.True_, np.False_, 1.0, 0.0])
def test_where_on_scalars(c):
    x, y = Value(2.0), Value(3.0)
    z = F.where(c, x, y)
    assert float(z.data) == (2.0 if c else 3.0)
    z.backward()
    assert (x.grad, y.grad) == ((1.0, 0.0) if c else (0.0, 1.0))
    assert float(F.where(c, 2.0, 3.0)) == (2.0 if c else 3.0)


def test_where_with_a_node_as_condition():
    c, x = Tensor([1.0, 0.0, -2.0]), Tensor([1.0, 2.0, 3.0])
    y = F.where(c, x, -x)
    assert_close(y.data, [1.0, -2.0, 3.0])
    y.sum().backward()
    assert_close(x.grad, [1.0, -1.0, 1.0])
    assert not np.any(c.grad)


def test_where_with_one_constant_branch():
    x = Tensor([-1.0, 2.0])
    F.where(x > 0, x, 0).backward(seed=np.array([3.0, 5.0]))
    assert_close(x.grad, [0.0, 5.0])
    x.zero_grad()
    F.where(x > 0, 7, x).backward(seed=np.array([3.0, 5.0]))
    assert_close(x.grad, [3.0, 0.0])


def test_float32_meets_python_numbers_and_stays():
    x = Tensor(np.ones(3, np.float32))
    for y in (
        x + 1,
        2 * x,
        x / 3,
        x**2,
        2**x,
        1 - x,
        x * math.pi,
        F.maximum(x, 0),
        F.clip(x, 0, 1),
    ):
        assert y.dtype == np.float32
    assert (x * Value(2.0)).dtype == np.float32
    assert (x * np.ones(3)).dtype == np.float64
    assert (x * np.ones(3, int)).dtype == np.float32 or (x * np.ones(3, int)).dtype == np.float64


def test_float32_and_float64_meet():
    a, b = Tensor(np.ones(3, np.float32)), Tensor(np.ones(3))
    y = a * b
    assert y.dtype == np.float64
    y.sum().backward()
    assert a.grad.dtype == np.float32
    assert b.grad.dtype == np.float64


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"add.*\(2,\).*\(3,\)"):
        Tensor(np.ones(2)) + Tensor(np.ones(3))
    with pytest.raises(ValueError, match=r"mul.*\(2, 3\).*\(2,\)"):
        np.ones((2, 3)) * Tensor(np.ones(2))


numbers = st.floats(-50, 50)


@given(numbers, numbers)
def test_rules_of_arithmetic(x, y):
    a, b = Value(x), Value(y)
    z = a * b - b / 4 + (-a)
    z.backward()
    assert a.grad == pytest.approx(y - 1, abs=1e-12)
    assert b.grad == pytest.approx(x - 0.25, abs=1e-12)
    assert z.data == x * y - y / 4 + (-x)


@given(st.lists(numbers, min_size=1, max_size=5), numbers)
def test_array_arithmetic_is_numpys(xs, y):
    x = np.array(xs)
    assert np.array_equal((Tensor(x) * y + 3 - x / 7).data, x * y + 3 - x / 7)
    assert np.array_equal((2 - Tensor(x)).data, 2 - x)


def test_jacobian_of_broadcasting():
    J = jacobian(lambda x, y: x * y, argnums=(0, 1))(np.array([[1.0], [2.0]]), np.array([3.0, 4.0]))
    assert J[0].shape == (2, 2, 2, 1)
    assert J[1].shape == (2, 2, 2)
    assert_close(J[0][:, :, 0, 0], [[3, 4], [0, 0]])
    assert_close(J[1][:, :, 1], [[0, 1], [0, 2]])
    assert_close(hessian(lambda x: (x * x * x).sum())(np.array([1.0, 2.0])), [[6, 0], [0, 12]])


@pytest.mark.parametrize(
    "x", [[2, -3, 0], [2.0, -3.0, 0.0], np.array([2, -3, 0], np.int8)], ids=["ints", "floats", "i8"]
)
def test_the_sign_of_numbers_of_any_kind_is_a_float(x):
    assert F.sign(x).dtype == np.float64
    assert F.sign(x).tolist() == [1.0, -1.0, 0.0]


def test_the_sign_of_booleans_and_of_what_has_none():
    assert F.sign(np.array([True, False])).tolist() == [1.0, 0.0]
    assert F.sign(True) == 1.0
    for wrong in ([Value(1.0), Value(2.0)], ["a"], np.array([1j])):
        with pytest.raises(TypeError, match="real numbers"):
            F.sign(wrong)
