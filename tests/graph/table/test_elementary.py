"""exp, log, sin, tanh and their like: on every kind of argument, against mpmath."""

import math

import numpy as np
import pytest
from oracles import assert_close, check, each, mp, normal, positive

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value, grad


def m_sigmoid(x):
    return 1 / (1 + mp.exp(-x))


#: name: (the same in mpmath, a map that brings any number into the domain)
FUNCTIONS = {
    "exp": (mp.exp, None),
    "expm1": (mp.expm1, None),
    "log": (mp.log, np.exp),
    "log1p": (lambda x: mp.log(1 + x), np.expm1),
    "sqrt": (mp.sqrt, np.exp),
    "sin": (mp.sin, None),
    "cos": (mp.cos, None),
    "tan": (mp.tan, None),
    "arctan": (mp.atan, None),
    "sinh": (mp.sinh, None),
    "cosh": (mp.cosh, None),
    "tanh": (mp.tanh, None),
    "sigmoid": (m_sigmoid, None),
    "softplus": (lambda x: mp.log(1 + mp.exp(x)), None),
    "erf": (mp.erf, None),
}
SHAPES = [(), (1,), (5,), (2, 3), (2, 1, 3), (0,), (2, 0)]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_value_and_derivatives_on_arrays(name, shape):
    reference, into_domain = FUNCTIONS[name]
    x = normal(*shape)
    check(getattr(F, name), each(reference), into_domain(x) if into_domain else x)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_value_agrees_with_float_and_tensor(name):
    reference, into_domain = FUNCTIONS[name]
    f = getattr(F, name)
    for x in normal(6, seed=3):
        x = float(into_domain(x) if into_domain else x)
        expected, slope = float(reference(mp.mpf(x))), float(mp.diff(reference, mp.mpf(x)))
        v, t = Value(x), Tensor(x)
        for y in (f(v), getattr(v, name)()):
            assert type(y) is Value
            assert type(y.data) is float
            assert y.data == pytest.approx(expected, rel=1e-14)
            v.zero_grad()
            y.backward()
            assert v.grad == pytest.approx(slope, rel=1e-14)
        assert type(f(x)) is float
        assert f(x) == f(v).data
        f(t).backward()
        assert float(t.grad) == pytest.approx(slope, rel=1e-14)
        assert getattr(t, name)().data == f(t).data


@pytest.mark.parametrize("name", FUNCTIONS)
def test_four_derivatives_of_a_float(name):
    reference, x = FUNCTIONS[name][0], 0.7
    f = getattr(F, name)
    for order in range(1, 5):
        f = grad(f)
        assert f(x) == pytest.approx(float(mp.diff(reference, mp.mpf(x), order)), rel=1e-12), order


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if FUNCTIONS[n][1] is None])
def test_higher_derivatives_at_zero(name):
    """Where forms through |x| go wrong."""
    f = getattr(F, name)
    on_array = f
    for order in range(1, 5):
        f = grad(f)
        on_array = grad(lambda x, of=on_array: of(x).sum())
        exact = float(mp.diff(FUNCTIONS[name][0], mp.mpf(0), order))
        assert f(0.0) == pytest.approx(exact, abs=1e-14), order
        assert_close(on_array(np.zeros(2)) + 1, np.full(2, exact) + 1, 1e-14, f"order {order}")


IEEE = [
    ("log", 0.0, -math.inf, math.inf),
    ("log", -1.0, math.nan, None),
    ("log", math.inf, math.inf, 0.0),
    ("log1p", -1.0, -math.inf, math.inf),
    ("log1p", -2.0, math.nan, None),
    ("sqrt", 0.0, 0.0, math.inf),
    ("sqrt", -1.0, math.nan, math.nan),
    ("sqrt", math.inf, math.inf, 0.0),
    ("exp", 1000.0, math.inf, math.inf),
    ("exp", -1000.0, 0.0, 0.0),
    ("exp", math.inf, math.inf, math.inf),
    ("exp", -math.inf, 0.0, 0.0),
    ("expm1", 1000.0, math.inf, math.inf),
    ("expm1", -math.inf, -1.0, 0.0),
    ("sin", math.inf, math.nan, math.nan),
    ("cos", -math.inf, math.nan, math.nan),
    ("tan", math.inf, math.nan, math.nan),
    ("arctan", math.inf, math.pi / 2, 0.0),
    ("sinh", 1000.0, math.inf, math.inf),
    ("sinh", -1000.0, -math.inf, math.inf),
    ("cosh", -1000.0, math.inf, -math.inf),
    ("tanh", math.inf, 1.0, 0.0),
    ("tanh", -math.inf, -1.0, 0.0),
    ("tanh", 1e308, 1.0, 0.0),
    ("sigmoid", math.inf, 1.0, 0.0),
    ("sigmoid", -math.inf, 0.0, 0.0),
    ("sigmoid", -1e308, 0.0, 0.0),
    ("softplus", math.inf, math.inf, 1.0),
    ("softplus", -math.inf, 0.0, 0.0),
    ("softplus", 1e308, 1e308, 1.0),
    ("softplus", -1e308, 0.0, 0.0),
    ("erf", math.inf, 1.0, 0.0),
    ("erf", -math.inf, -1.0, 0.0),
    ("erf", 1e200, 1.0, 0.0),
]
IEEE += [(name, math.nan, math.nan, math.nan) for name in FUNCTIONS]


def same(actual, expected):
    if math.isnan(expected):
        return math.isnan(actual)
    return actual == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(("name", "x", "y", "slope"), IEEE)
def test_ieee_values_and_slopes(name, x, y, slope):
    f = getattr(F, name)
    v, t = Value(x), Tensor([x])
    assert same(f(v).data, y)
    assert same(f(x), y)
    with np.errstate(all="ignore"):
        assert same(f(t).data[0], y)
        assert same(f(np.array([x]))[0], y)
        if slope is not None:
            f(v).backward()
            f(t).backward()
            assert same(v.grad, slope)
            assert same(t.grad[0], slope)
            assert same(grad(f)(x), slope)
            assert same(grad(lambda x: f(x).sum())(np.array([x]))[0], slope)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_derivatives_far_out_are_numbers(name):
    f, on_arrays = getattr(F, name), (lambda x: grad(lambda y: getattr(F, name)(y).sum())(x).sum())
    far = [750.0, 1e5, 1e160, 1e300] + ([] if FUNCTIONS[name][1] else [-750.0, -1e5, -1e300])
    for x in far:
        with np.errstate(all="ignore"):
            second = grad(grad(f))(x)
            assert not math.isnan(second), x
            assert same(grad(on_arrays)(np.array([x]))[0], second), x


@pytest.mark.parametrize("name", FUNCTIONS)
def test_integers_are_promoted(name):
    f = getattr(F, name)
    with np.errstate(all="ignore"):
        assert f(1) == f(1.0)
        assert type(f(1)) is float
        y = f(np.array([1, 2]))
    assert y.dtype == np.float64
    assert Tensor([1, 2]).dtype == np.float64
    assert_close(y, f(np.array([1.0, 2.0])))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("x", [1j, np.array([1j, 2.0]), np.complex128(1j), "1", None], ids=str)
def test_complex_and_text_are_refused(name, x):
    with pytest.raises(TypeError):
        getattr(F, name)(x)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_small_floats_are_kept(name, dtype):
    f = getattr(F, name)
    x = Tensor(np.array([0.5, 1.5], dtype))
    y = f(x)
    y.backward(seed=np.ones(2))
    assert y.dtype == dtype
    assert x.grad.dtype == dtype
    assert f(x.data).dtype == dtype
    assert_close(y.data, f(np.array([0.5, 1.5])), 4 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_warning_in_the_tails(name):
    """Warnings are errors here: only a result outside the domain may warn."""
    if FUNCTIONS[name][1] is None and name not in ("exp", "expm1", "sinh", "cosh"):
        x = Tensor([-1e5, -700.0, 0.0, 700.0, 1e5])
        y = getattr(F, name)(x)
        y.backward(seed=np.ones(5))
        assert np.all(np.isfinite(y.data))
        assert np.all(np.isfinite(x.grad))


def test_positive_is_positive():
    assert np.all(positive(5) > 0)
