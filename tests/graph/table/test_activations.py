"""relu, gelu, silu, elu, leaky_relu, softmax and their kinks."""

import math

import numpy as np
import pytest
from oracles import assert_close, check, each, mp, normal

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value, grad, hessian, jvp, vjp
from micrograd_nn.graph.table import fused


def m_phi(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


FUNCTIONS = {
    "relu": (F.relu, lambda x: max(x, mp.mpf(0))),
    "gelu": (F.gelu, lambda x: x * m_phi(x)),
    "silu": (F.silu, lambda x: x / (1 + mp.exp(-x))),
    "elu": (F.elu, lambda x: x if x > 0 else mp.expm1(x)),
    "elu(alpha=0.3)": (lambda x: F.elu(x, alpha=0.3), lambda x: x if x > 0 else 0.3 * mp.expm1(x)),
    "leaky_relu": (F.leaky_relu, lambda x: x if x > 0 else mp.mpf(0.01) * x),
    "leaky_relu(slope=0.3)": (
        lambda x: F.leaky_relu(x, slope=0.3),
        lambda x: x if x > 0 else mp.mpf(0.3) * x,
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", [(), (6,), (2, 3), (0, 2)], ids=str)
def test_value_and_derivatives_on_arrays(name, shape):
    f, reference = FUNCTIONS[name]
    check(f, each(reference), 2 * normal(*shape))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("x", [-3.0, -0.2, 0.4, 2.5])
def test_value_agrees_with_float_and_tensor(name, x):
    f, reference = FUNCTIONS[name]
    v, t = Value(x), Tensor(x)
    y = f(v)
    assert type(y) is Value
    assert type(y.data) is float
    assert f(x) == y.data == pytest.approx(float(reference(mp.mpf(x))), rel=1e-14)
    y.backward()
    f(t).backward()
    slope = float(mp.diff(reference, mp.mpf(x)))
    assert v.grad == pytest.approx(slope, rel=1e-13)
    assert float(t.grad) == pytest.approx(slope, rel=1e-13)
    for order in (2, 3):
        g = f
        for _ in range(order):
            g = grad(g)
        expected = float(mp.diff(reference, mp.mpf(x), order))
        assert g(x) == pytest.approx(expected, rel=1e-11, abs=1e-14)


KINKS = [
    (F.relu, 0.0, 0.0),
    (F.relu, -0.0, 0.0),
    (F.abs, 0.0, 0.0),
    (F.sign, 0.0, 0.0),
    (F.leaky_relu, 0.0, 0.01),
    (lambda x: F.leaky_relu(x, 0.25), 0.0, 0.25),
    (F.elu, 0.0, 1.0),
    (lambda x: F.clip(x, 0.0, 1.0), 0.0, 1.0),
    (lambda x: F.clip(x, 0.0, 1.0), 1.0, 1.0),
    (lambda x: F.clip(x, 0.0, 1.0), 1.5, 0.0),
    (lambda x: F.clip(x, 0.0, 1.0), -0.5, 0.0),
    (lambda x: F.clip(x, 0.0, 1.0), 0.5, 1.0),
    (lambda x: F.maximum(x, 0.0), 0.0, 0.5),
    (lambda x: F.maximum(0.0, x), 0.0, 0.5),
    (lambda x: F.minimum(x, 0.0), 0.0, 0.5),
    (lambda x: F.maximum(x, x), 2.0, 1.0),
    (lambda x: F.minimum(x, x), 2.0, 1.0),
    (F.sqrt, 0.0, math.inf),
    (lambda x: x**0, 0.0, 0.0),
    (lambda x: x**0, -3.0, 0.0),
    (lambda x: x**0.0, 0.0, 0.0),
    (lambda x: x**1, 0.0, 1.0),
    (lambda x: x**2, 0.0, 0.0),
    (lambda x: x**0.5, 0.0, math.inf),
    (lambda x: x**-1, 0.0, -math.inf),
    (lambda x: 0**x, 2.0, 0.0),
    (lambda x: 0.0**x, 0.5, 0.0),
    (lambda x: 1 / x, 0.0, -math.inf),
    (F.log, 0.0, math.inf),
]


@pytest.mark.parametrize(("f", "x", "slope"), KINKS)
@pytest.mark.parametrize("road", ["Value", "Tensor", "float", "array", "recorded", "jvp"])
def test_at_kinks(f, x, slope, road):
    with np.errstate(all="ignore"):
        if road in ("Value", "Tensor"):
            node = {"Value": Value, "Tensor": Tensor}[road](x)
            f(node).backward()
            assert float(node.grad) == slope
        elif road == "float":
            assert grad(f)(x) == slope
        elif road == "array":
            got = grad(lambda x: f(x).sum())(np.array([x, x]))
            assert list(got) == [slope, slope]
        elif road == "recorded":
            node = Value(x)
            f(node).backward(create_graph=True)
            assert float(node.grad) == slope
        else:
            assert jvp(f, (x,), (1.0,))[1] == slope


@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_derivative_at_the_kink_is_a_number(name):
    f, _ = FUNCTIONS[name]
    assert math.isfinite(grad(grad(f))(0.0))
    assert np.all(np.isfinite(hessian(lambda x: f(x).sum())(np.zeros(2))))


@pytest.mark.parametrize(
    ("name", "x", "y", "slope"),
    [
        ("relu", math.inf, math.inf, 1.0),
        ("relu", -math.inf, 0.0, 0.0),
        ("gelu", 1e308, 1e308, 1.0),
        ("gelu", -1e308, 0.0, 0.0),
        ("gelu", math.inf, math.inf, 1.0),
        ("gelu", -math.inf, 0.0, 0.0),
        ("silu", 1e308, 1e308, 1.0),
        ("silu", -1e308, 0.0, 0.0),
        ("silu", math.inf, math.inf, 1.0),
        ("silu", -math.inf, 0.0, 0.0),
        ("elu", -math.inf, -1.0, 0.0),
        ("elu", math.inf, math.inf, 1.0),
        ("elu", -1e308, -1.0, 0.0),
        ("leaky_relu", math.inf, math.inf, 1.0),
        ("leaky_relu", -math.inf, -math.inf, 0.01),
    ],
)
def test_far_out(name, x, y, slope):
    f = FUNCTIONS[name][0]
    v, t = Value(x), Tensor([x])
    assert f(v).data == y == f(x)
    f(v).backward()
    assert abs(v.grad) == slope
    f(t).backward()
    assert f(t).data[0] == y
    assert abs(t.grad[0]) == slope


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nan_stays_nan(name):
    f = FUNCTIONS[name][0]
    assert math.isnan(f(Value(math.nan)).data)
    assert math.isnan(f(math.nan))
    assert math.isnan(f(Tensor([math.nan])).data[0])


def test_a_parameter_of_an_activation_may_be_learnt():
    """PReLU: the slope is an argument with a derivative of its own."""
    slope = Value(0.25)
    F.leaky_relu(Value(-3.0), slope).backward()
    assert slope.grad == -3.0
    x, slope = Tensor([-3.0, 2.0, -1.0]), Tensor(0.5)
    y = F.leaky_relu(x, slope)
    assert_close(y.data, [-1.5, 2.0, -0.5])
    y.backward(seed=np.array([1.0, 10.0, 100.0]))
    assert_close(slope.grad, -103.0)
    assert_close(x.grad, [0.5, 10.0, 50.0])
    alpha = Tensor([2.0, 3.0])
    x = Tensor([-1.0, 1.0])
    F.elu(x, alpha).sum().backward()
    assert_close(alpha.grad, [math.expm1(-1.0), 0.0])
    assert_close(x.grad, [2 * math.exp(-1.0), 1.0])


def test_where_log_is_zero_where_it_is_not_taken():
    def f(x):
        return F.where(x > 0, F.log(x), 0.0)

    with np.errstate(all="ignore"):
        for x in (0.0, -1.0, -math.inf):
            v = Value(x)
            f(v).backward()
            assert v.grad == 0.0
            assert grad(f)(x) == 0.0
            assert jvp(f, (x,), (1.0,))[1] == 0.0
            assert grad(grad(f))(x) == 0.0
        x = np.array([0.0, -1.0, 2.0, -np.inf])
        t = Tensor(x)
        f(t).sum().backward()
        assert list(t.grad) == [0.0, 0.0, 0.5, 0.0]
        assert list(grad(lambda x: f(x).sum())(x)) == [0.0, 0.0, 0.5, 0.0]
        assert list(jvp(f, (x,), (np.ones(4),))[1]) == [0.0, 0.0, 0.5, 0.0]
        second = grad(lambda x: grad(lambda y: f(y).sum())(x).sum())(x)
        assert list(second) == [0.0, 0.0, -0.25, 0.0]


@pytest.mark.parametrize(
    "f",
    [
        F.sqrt,
        lambda x: 1 / x,
        lambda x: x**0.5,
        lambda x: x**-2,
        lambda x: F.log(x) * x,
        lambda x: F.exp(1 / x),
        lambda x: F.sqrt(F.sqrt(x)),
        lambda x: F.log1p(x - 1),
        lambda x: F.tanh(1 / x),
    ],
)
@pytest.mark.parametrize("x", [0.0, -1.0])
def test_a_zero_cotangent_contributes_zero(f, x):
    def guarded(x):
        return F.where(x > 0, f(x), 0.0)

    def product(x):
        return f(x) * 0.0 if x > 5 else F.where(False, f(x), x)

    with np.errstate(all="ignore"):
        v = Value(x)
        guarded(v).backward()
        assert v.grad == 0.0
        v.zero_grad()
        guarded(v).backward(create_graph=True)
        assert float(v.grad) == 0.0
        assert grad(guarded)(x) == 0.0
        assert jvp(guarded, (x,), (1.0,))[1] == 0.0
        assert grad(product)(x) == 1.0
        t = Tensor([x, 2.0])
        y = guarded(t)
        y.sum().backward()
        assert t.grad[0] == 0.0
        assert t.grad[1] != 0.0
        assert not np.isnan(t.grad[1])
        assert jvp(guarded, (np.array([x]),), (np.ones(1),))[1] == 0.0


ROWS = {
    "matmul": lambda x: x @ np.ones((3, 3)),
    "prod": lambda x: F.prod(x, axis=1, keepdims=True),
    "norm": lambda x: F.norm(x, axis=1, keepdims=True),
    "var": lambda x: F.var(x, axis=1, keepdims=True),
    "std": lambda x: F.std(x, axis=1, keepdims=True),
    "logsumexp": lambda x: F.logsumexp(x, axis=1, keepdims=True),
    "softmax": lambda x: F.softmax(x, axis=1),
    "log_softmax": lambda x: F.log_softmax(x, axis=1),
    "cumsum": lambda x: F.cumsum(x, axis=1),
    "layer_norm": lambda x: F.layer_norm(x),
    "log of sum": lambda x: F.log(F.sum(x, axis=1, keepdims=True)),
}


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan, 0.0])
@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_is_left_out_contributes_zero(name, bad):
    x = Tensor([[bad, bad, 0.0], [1.0, 2.0, 4.0]])
    keep = np.array([[False], [True]])
    with np.errstate(all="ignore"):
        y = F.where(keep, ROWS[name](x), 0.0)
        y.backward(seed=normal(*y.shape))
        assert list(x.grad[0]) == [0.0, 0.0, 0.0]
        assert np.all(np.isfinite(x.grad[1]))


def test_a_zero_cotangent_meets_an_infinite_row_in_a_product():
    x, W = Tensor([[1.0, np.inf], [1.0, 2.0]]), Tensor(np.ones((2, 2)))
    with np.errstate(all="ignore"):
        F.where(np.array([[False], [True]]), x @ W, 0.0).sum().backward()
    assert_close(W.grad, [[1.0, 1.0], [2.0, 2.0]])


def test_relu_of_a_difference_of_equals():
    x = Value(1.5)
    F.relu(x - x).backward()
    assert x.grad == 0.0


def test_logsumexp_of_nothing_but_minus_infinity():
    x, rows = Tensor([-np.inf, -np.inf]), Tensor([[-np.inf, -np.inf], [0.0, 0.0]])
    y = F.logsumexp(x)
    assert y.data == -np.inf
    y.backward()
    F.logsumexp(rows, axis=1).backward(seed=np.ones(2))
    assert not np.any(np.isnan(x.grad))
    assert_close(rows.grad[1], [0.5, 0.5])
    assert not np.any(np.isnan(rows.grad))


ELEMENTS = {"sqrt": F.sqrt, "log": F.log, "tanh": F.tanh, "x ** 0.5": lambda x: x**0.5}
ELEMENTS |= {"x * x": lambda x: x * x, "1 / x": lambda x: 1 / x, "gelu": F.gelu, "sin": F.sin}


@pytest.mark.parametrize("road", ["backward", "create_graph", "vjp", "mask"])
@pytest.mark.parametrize("bad", [-1.0, 0.0, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ELEMENTS)
def test_a_seed_of_zero_contributes_zero(name, bad, road):
    f, x, seed = ELEMENTS[name], Tensor([bad, 4.0]), np.array([0.0, 1.0])
    with np.errstate(all="ignore"):
        if road == "vjp":
            found = vjp(f, x.data)[1](seed)[0]
        elif road == "mask":
            (f(x) * seed).sum().backward()
            found = x.grad
        else:
            f(x).backward(seed=seed, create_graph=road == "create_graph")
            found = np.asarray(x.grad)
    assert found[0] == 0.0
    assert np.isfinite(found[1])


@pytest.mark.parametrize("bad", [np.inf, np.nan])
@pytest.mark.parametrize("name", ROWS)
def test_a_row_whose_seed_is_zero_contributes_zero(name, bad):
    x = Tensor([[bad, bad, 0.0], [1.0, 2.0, 4.0]])
    with np.errstate(all="ignore"):
        y = ROWS[name](x)
        y.backward(seed=np.array([[0.0], [1.0]]) * normal(*y.shape))
    assert list(x.grad[0]) == [0.0, 0.0, 0.0]
    assert np.all(np.isfinite(x.grad[1]))


NAN_SLOPES = {
    "relu": (F.relu, ()),
    "leaky_relu": (F.leaky_relu, (0.1,)),
    "elu": (F.elu, (1.0,)),
    "gelu": (F.gelu, ()),
    "silu": (F.silu, ()),
    "abs": (F.abs, ()),
    "maximum": (F.maximum, (0.5,)),
    "minimum": (F.minimum, (0.5,)),
    "clip": (F.clip, (0.0, 1.0)),
    "hinge": (fused.hinge, (1.0,)),
    "huber": (fused.huber, (1.0,)),
}


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("kind", [Value, lambda v: Tensor([v, 1.0]), lambda v: Tensor(v)])
@pytest.mark.parametrize("name", NAN_SLOPES)
def test_the_slope_at_nan_is_nan(name, kind, create_graph):
    f, others = NAN_SLOPES[name]
    x = kind(math.nan)
    F.sum(f(x, *others)).backward(create_graph=create_graph)
    grad = np.ravel(np.asarray(getattr(x.grad, "_data", x.grad)))
    assert math.isnan(grad[0])
    assert not np.any(np.isnan(grad[1:]))
    x = kind(math.nan)
    F.where(np.array([False]), f(x, *others), 1.0).sum().backward(create_graph=create_graph)
    assert not np.any(np.isnan(np.asarray(getattr(x.grad, "_data", x.grad))))


@pytest.mark.parametrize("kind", [Value, lambda v: Tensor([v])])
def test_bounds_at_nan_and_at_infinity(kind):
    for x, lo, hi, expected in [
        (math.nan, 0.0, 1.0, [math.nan] * 3),
        (-math.inf, -math.inf, 1.0, [1.0, 0.0, 0.0]),
        (math.inf, -1.0, math.inf, [1.0, 0.0, 0.0]),
        (math.inf, -1.0, 1.0, [0.0, 0.0, 1.0]),
        (-math.inf, -1.0, 1.0, [0.0, 1.0, 0.0]),
        (0.0, 2.0, 1.0, [0.0, 0.0, 1.0]),
    ]:
        nodes = [kind(v) for v in (x, lo, hi)]
        F.sum(F.clip(*nodes)).backward()
        assert np.array_equal(
            [float(n.grad) if n.shape == () else n.grad[0] for n in nodes], expected, equal_nan=True
        ), (x, lo, hi)
