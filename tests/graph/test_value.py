"""Value: one float that remembers where it came from; micrograd's programs run on it."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value


@pytest.mark.parametrize(
    "data",
    [3, 3.0, True, np.float64(3), np.float32(3), np.float16(3), np.int64(3), np.bool_(True),
     np.array(3.0), np.array(3), Fraction(3), Value(3.0)],
    ids=lambda d: type(d).__name__,
)  # fmt: skip
def test_any_real_number_becomes_a_float(data):
    v = Value(data)
    assert type(v.data) is float
    assert v.data == float(getattr(data, "data", data) if isinstance(data, Value) else data)
    v.data = 0.0
    v.data = data
    assert type(v.data) is float


@pytest.mark.parametrize(
    "data",
    [1j, np.complex128(1j), np.complex64(2), np.array(1j), "1", np.str_("1"), b"1", None, [1.0],
     np.ones(2), np.ones(1), pytest.param(object(), id="object"), np.datetime64("2020-01-01")],
    ids=lambda d: type(d).__name__,
)  # fmt: skip
def test_everything_else_is_refused(data):
    with pytest.raises((TypeError, ValueError)):
        Value(data)
    v = Value(1.0)
    with pytest.raises((TypeError, ValueError)):
        v.data = data
    assert v.data == 1.0


def test_what_a_value_holds():
    v = Value(2.5, name="v")
    assert (v.data, v.grad, v.name, v.op, v.inputs) == (2.5, 0.0, "v", None, ())
    assert v.shape == ()
    assert v.dtype == np.float64
    assert v.item() == float(v) == 2.5
    assert int(v) == 2
    assert type(v.grad) is float


def test_the_gradient_may_be_set():
    v = Value(1.0)
    v.grad = 3
    assert v.grad == 3.0
    v.grad += 1.5
    assert v.grad == 4.5
    (v * 2).backward()
    assert v.grad == 6.5
    v.grad = 0
    (v * 2).backward()
    assert v.grad == 2.0
    v.grad = None
    assert v.grad == 0.0
    v.grad = np.float64(2.0)
    assert v.grad == 2.0


def test_micrograds_own_example():
    """From micrograd's README."""
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def test_micrograds_own_sanity_check():
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    assert y.data == -20.0
    assert x.grad == 46.0


def test_training_by_hand():
    w = Value(0.0)
    for _ in range(100):
        loss = (w * 3 - 6) ** 2
        w.grad = 0.0
        loss.backward()
        w.data -= 0.05 * w.grad
    assert w.data == pytest.approx(2.0)
    assert type(w.data) is float


def test_sum_of_a_list_and_augmented_operators():
    vs = [Value(i) for i in range(5)]
    total = sum(vs)
    total.backward()
    assert total.data == 10.0
    assert [v.grad for v in vs] == [1.0] * 5
    x = y = Value(3.0)
    y += 1
    y *= 2
    y -= 3
    y /= 5
    y **= 2
    assert (x.data, y.data) == (3.0, 1.0)
    y.backward()
    assert x.grad == pytest.approx(2 * 2 / 5)


def test_methods_are_the_functions():
    names = "exp log sqrt sin cos tan tanh sigmoid relu softplus silu gelu erf"
    for name in names.split():
        v = Value(0.7)
        assert getattr(v, name)().data == getattr(F, name)(0.7)
        assert getattr(v, name)().op is getattr(F, name)(v).op


def test_values_and_tensors_mix():
    v, t = Value(2.0), Tensor([1.0, 2.0, 3.0])
    for y in (v * t, t * v, v + t, t - v, v / t, t**v, v**t, F.maximum(v, t), F.where(t > 1, v, t)):
        assert type(y) is Tensor
        assert y.shape == (3,)
    (v * t).sum().backward()
    assert v.grad == 6.0
    assert type(v.grad) is float
    assert list(t.grad) == [2.0, 2.0, 2.0]
    w = Value(1.0)
    z = (w * 3) * t  # through an inner Value
    z.sum().backward()
    assert w.grad == 18.0


def test_a_value_can_be_put_in_an_array_and_taken_out():
    v = Value(2.0)
    assert float(np.asarray(v.data)) == 2.0
    assert math.sqrt(v) == math.sqrt(2.0)
    assert f"{float(v):.1f}" == "2.0"
    assert round(float(v)) == 2


def test_huge_integers():
    with pytest.raises((OverflowError, TypeError)):
        Value(10**400)
    assert (Value(1.0) * 10**300).data == 1e300


def test_operators_that_have_no_derivative_are_refused():
    v = Value(5.0)
    for f in (
        lambda: v // 2,
        lambda: v % 2,
        lambda: v & 1,
        lambda: v @ v,
        lambda: v[0],
        lambda: ~v,
    ):
        with pytest.raises((TypeError, ValueError)):
            f()


def test_subclasses_keep_working():
    class Parameter(Value):
        __slots__ = ()

    p = Parameter(3.0)
    y = p * p + 1 - p / 2
    y.backward()
    assert p.grad == 5.5
    q = 2**p
    q.backward()
    assert q.data == 8.0


numbers = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(numbers, numbers)
def test_arithmetic_of_any_two_floats_is_numpys(x, y):
    a, b = Value(x), Value(y)
    with np.errstate(all="ignore"):
        p, q = np.float64(x), np.float64(y)
        pairs = [
            (a + b, p + q),
            (a - b, p - q),
            (a * b, p * q),
            (a / b, p / q),
            (-a, -p),
            (abs(a), abs(p)),
        ]
        pairs += [(F.maximum(a, b), np.maximum(p, q)), (F.minimum(a, b), np.minimum(p, q))]
        pairs += [(F.relu(a), np.maximum(p, 0)), (F.sign(a), np.sign(p))]
    for got, expected in pairs:
        assert type(got.data) is float
        assert got.data == expected or (math.isnan(got.data) and math.isnan(expected))


@given(numbers, numbers)
def test_nothing_raises_for_any_floats(x, y):
    """Forward and backward follow IEEE arithmetic whatever goes in."""
    a, b = Value(x), Value(y)
    names = (
        "exp expm1 log log1p sqrt sin cos tan arctan sinh cosh tanh sigmoid softplus erf gelu silu"
    )
    with np.errstate(all="ignore"):
        for f in [getattr(F, n) for n in names.split()] + [F.elu, F.leaky_relu, F.relu]:
            z = f(a)
            z.backward()
            z.backward(create_graph=True)
            assert type(z.data) is float
        for f in (F.add, F.sub, F.mul, F.div, F.power, F.maximum, F.minimum):
            z = f(a, b)
            z.backward()
            assert type(z.data) is float
            a.zero_grad(), b.zero_grad()
            z.backward(create_graph=True)


@given(numbers, numbers)
def test_comparisons_are_those_of_the_floats(x, y):
    assert (Value(x) < Value(y)) == (x < y)
    assert (Value(x) <= y) == (x <= y)
    assert (x > Value(y)) == (x > y)
    assert (Value(x) >= Value(y)) == (x >= y)
