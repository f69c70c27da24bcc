"""Finite differences that know their own error, on easy functions and on hard ones."""

import mpmath
import numpy as np
import pytest

from micrograd_nn.testing import finite
from micrograd_nn.testing.complex_step import complex_step
from micrograd_nn.testing.taylor import KINK, OUTSIDE, ROUGH

mp = mpmath.mp.clone()
mp.dps = 50


def at(f, x, domain=None):
    return finite.directional(f, [x], [1.0], domain)


SMOOTH = {
    "exp": (np.exp, mp.exp),
    "exp(50 x)": (lambda x: np.exp(50 * x), lambda x: 50 * mp.exp(50 * x)),
    "tanh": (np.tanh, lambda x: mp.sech(x) ** 2),
    "gaussian": (lambda x: np.exp(-x * x), lambda x: -2 * x * mp.exp(-x * x)),
    "cubic": (lambda x: x**3 - 2 * x, lambda x: 3 * x**2 - 2),
    "sin(5 x) / x": (
        lambda x: np.sin(5 * x) / x,
        lambda x: 5 * mp.cos(5 * x) / x - mp.sin(5 * x) / x**2,
    ),
    "log(1 + x²) sin x": (
        lambda x: np.log(1 + x * x) * np.sin(x),
        lambda x: 2 * x / (1 + x * x) * mp.sin(x) + mp.log(1 + x * x) * mp.cos(x),
    ),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_the_error_is_a_bound_and_a_sharp_one(name):
    f, exact = SMOOTH[name]
    x = np.random.default_rng(0).normal(size=400) * 3
    found = finite.vjp(f, [x], np.ones(400))
    assert found.reliable.all()
    truth = [exact(mp.mpf(float(v))) for v in x]
    missed = [float(abs(mp.mpf(float(v)) - t)) for v, t in zip(found.value, truth, strict=True)]
    assert np.all(np.array(missed) <= 1.5 * found.error)
    assert np.median(found.error / np.abs(np.array(truth, float))) < 1e-11


@pytest.mark.parametrize("name", ["exp", "tanh"])
def test_far_out(name):
    f, exact = SMOOTH[name]
    for x in (-300.0, -40.0, 40.0, 700.0):
        found = at(f, x)
        assert found.reliable
        assert abs(found.value - float(exact(x))) <= found.error


@pytest.mark.parametrize("x", [1e-3, 1e-6, 1e-12, -1e-6, 1e-100])
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (np.abs, np.sign),
        (lambda x: np.maximum(x, 0), lambda x: float(x > 0)),
        (lambda x: 1 / x, lambda x: -1 / x**2),
        (lambda x: x * abs(x), lambda x: 2 * abs(x)),
    ],
)
def test_close_to_a_kink_or_a_pole_steps_shrink(f, slope, x):
    found = finite.vjp(f, [np.array([x])], np.ones(1))
    assert found.reliable.all()
    assert (
        abs(found.value[0] - slope(x)) <= found.error[0] < 1e-9 * max(abs(slope(x)), 1e-100) + 1e-9
    )


@pytest.mark.parametrize(
    ("f", "reason"),
    [
        (np.abs, KINK),
        (lambda x: np.maximum(x, 0), KINK),
        (lambda x: np.where(x > 0, 2 * x, np.sin(x)), KINK),
        (lambda x: x * abs(x), ROUGH),  # differentiable, but only once
        (lambda x: np.abs(x) ** 3, ROUGH),
        (lambda x: np.where(x > 0, 1.0, 0.0), ROUGH),
        (lambda x: np.where(x >= 0, 1.0, 0.0), ROUGH),
        (np.floor, ROUGH),
        (lambda x: np.sqrt(np.abs(x)), ROUGH),
        (np.sqrt, ROUGH),
        (lambda x: 1 / x, OUTSIDE),
    ],
)
def test_at_a_rough_point_nothing_is_claimed(f, reason):
    found = at(f, 0.0)
    assert not found.reliable
    assert found.reason == reason
    assert "unreliable" in str(found)


def test_steps_between_jumps():
    found = at(np.floor, 0.3)
    assert found.reliable
    assert abs(found.value) <= found.error < 1e-12


def test_fast_oscillation():
    x = 0.01
    found = at(lambda x: np.sin(1 / x), x)
    assert found.reliable
    assert abs(found.value + np.cos(1 / x) / x**2) <= found.error < 1e-6


def hashed(x):
    """Return numbers between -1 and 1 that jump about with x."""
    return np.modf(np.sin(np.asarray(x) * 1e9) * 1e5)[0]


def test_noise_widens_the_error():
    x = np.random.default_rng(0).normal(size=1000)
    found = finite.vjp(lambda x: np.sin(x) + 1e-10 * hashed(x), [x], np.ones(1000))
    sure = found.reliable
    assert sure.mean() > 0.95
    assert np.all(np.abs(found.value - np.cos(x))[sure] <= 2 * found.error[sure])
    assert 1e-10 < np.median(found.error[sure]) < 1e-7


def test_noise_that_differs_at_each_call():
    rng = np.random.default_rng(0)
    found = at(lambda x: np.sin(x) + 1e-10 * rng.uniform(-1, 1), 1.0)
    assert not found.reliable or abs(found.value - np.cos(1.0)) <= found.error > 1e-10


def test_loud_noise_is_refused():
    rng = np.random.default_rng(0)
    assert not at(lambda x: np.sin(x) + 1e-3 * rng.uniform(-1, 1), 1.0).reliable


@pytest.mark.parametrize("x", [0.0, 0.3, -1e-9, 1e7])
def test_constant_and_linear(x):
    constant = at(lambda x: np.full(np.shape(x), 3.0), x)
    assert constant.reliable
    assert constant.value == 0
    assert constant.error < 1e-12
    linear = at(lambda x: 3 * x + 1, x)
    assert linear.reliable
    assert abs(linear.value - 3) <= linear.error < 1e-11


def test_never_outside_of_the_domain():
    asked = []

    def log(x):
        asked.append(np.min(x))
        return np.log(x)

    for x in (np.array([1e-12, 1e-3, 1.0, 50.0]), np.array([[1e-7]])):
        found = finite.vjp(log, [x], np.ones(x.shape), domain=lambda x: x > 0)
        assert found.reliable.all()
        assert np.all(np.abs(found.value - 1 / x) <= found.error)
        assert np.all(found.error * x < 1e-11)
    assert min(asked) > 0


def test_one_sided_at_the_border():
    def f(x):
        assert np.all(x >= 0)
        return np.exp(x) + x**2

    found = at(f, 0.0, lambda x: x >= 0)
    assert abs(found.value - 1) <= found.error < 1e-10
    other = at(lambda x: f(-x), 0.0, lambda x: x <= 0)
    assert abs(other.value + 1) <= other.error < 1e-10


def test_not_elementwise():
    rng = np.random.default_rng(1)
    x, y, g = rng.normal(size=(4, 3)), rng.normal(size=(3, 5)), rng.normal(size=(4, 5))
    for argnum, exact in ((0, g @ y.T), (1, x.T @ g)):
        found = finite.vjp(np.matmul, [x, y], g, argnum)
        assert found.reliable.all()
        assert np.all(np.abs(found.value - exact) <= found.error)
        assert found.error.max() < 1e-11
    along = finite.directional(np.matmul, [x, y], [x, -y])
    assert along.value.shape == (4, 5)
    assert np.all(np.abs(along.value) <= along.error)  # d/dt (1 + t)(1 − t) = 0


def test_gradient_of_a_scalar_and_of_one_input():
    x, y = np.array([1.0, -3.0]), np.array([2.0, 0.5])
    found = finite.gradient(lambda x, y: np.sum(x * y**2), [x, y], 1)
    assert np.all(np.abs(found.value - 2 * x * y) <= found.error)


def test_elementwise_is_recognised():
    x = np.random.default_rng(0).normal(size=(5, 3))
    row = x[:1]
    assert finite.Opaque(np.exp, [x]).acts_elementwise()
    assert finite.Opaque(np.multiply, [x, row]).acts_elementwise()
    assert not finite.Opaque(lambda x: np.cumsum(x, 0), [x]).acts_elementwise()
    assert not finite.Opaque(lambda x: x[:, ::-1], [x]).acts_elementwise()
    assert not finite.Opaque(np.sum, [x]).acts_elementwise()

    def one_pair(x):
        result = x * 2
        result[4, 2] += x[0, 1]
        return result

    assert not finite.Opaque(one_pair, [x]).acts_elementwise()


def test_float32_is_differentiated_in_float64_where_possible():
    x = np.array([0.3, 2.0], np.float32)
    wide = finite.vjp(np.sin, [x], np.ones(2))
    assert np.all(np.abs(wide.value - np.cos(x.astype(float))) <= wide.error)
    assert wide.error.max() < 1e-11

    def only_float32(x):
        if x.dtype != np.float32:
            raise TypeError("float32 only")
        return x * x

    narrow = finite.vjp(only_float32, [x], np.ones(2))
    assert narrow.reliable.all()
    assert np.all(np.abs(narrow.value - 2 * x.astype(float)) <= narrow.error)
    assert 1e-8 < narrow.error.max() < 1e-3


def test_float32_inside_shows_as_noise():
    found = at(lambda x: np.sin(np.asarray(x, np.float32)).astype(float), 0.7)
    assert not found.reliable or (abs(found.value - np.cos(0.7)) <= 2 * found.error > 1e-8)


def test_stairs_made_by_rounding_are_not_taken_for_smooth():
    for f, x in (
        (lambda x: (1e10 + x) - 1e10, 0.3),
        (lambda x: 1 + np.tanh(x), -16.0),
        (lambda x: 0.5 * x * (1 + np.tanh(0.8 * (x + 0.0447 * x**3))), -6.8),
    ):
        found = at(f, x)
        assert not found.reliable
    kink = at(lambda x: np.abs(x - 3), 3.001)
    assert kink.reliable
    assert abs(kink.value - 1) <= kink.error < 1e-10


def test_inputs_are_left_alone_and_integers_stay_integers():
    x = np.array([1.0, 2.0, 3.0])

    def f(x, labels):
        assert labels.dtype.kind == "i"
        x *= 2
        return x[labels]

    found = finite.vjp(f, [x, np.array([2, 0])], np.array([1.0, 10.0]))
    assert x.tolist() == [1, 2, 3]
    assert found.value.round(8).tolist() == [20, 0, 2]


def test_errors_of_the_code_pass_through():
    with pytest.raises(ZeroDivisionError):
        finite.vjp(lambda x: 1 // 0, [np.ones(2)], np.ones(2))


# ------------------------------------------------------------------------------- complex step


@pytest.mark.parametrize(
    ("f", "exact"),
    [
        (np.exp, lambda x: mp.exp(x)),
        (lambda x: np.tanh(x * x), lambda x: 2 * x * mp.sech(x * x) ** 2),
        (lambda x: np.log(1 + x * x) * np.sin(x), SMOOTH["log(1 + x²) sin x"][1]),
    ],
)
def test_complex_step_sharpens_analytic_code(f, exact):
    for x in (-1.3, 0.02, 0.7):
        found, coarse = complex_step(f, [x], [1.0]), at(f, x)
        missed = float(abs(mp.mpf(float(found.value)) - exact(mp.mpf(x))))
        assert missed <= found.error < coarse.error / 5


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.abs(x)),
        np.linalg.norm,
        np.var,
        np.std,
        lambda x: np.sum(np.sign(x) * x.astype(float)),
        lambda x: np.sum(np.maximum(x, 0)),
    ],
)
def test_complex_step_is_not_believed_where_it_is_wrong(f):
    x, v = np.array([1.0, -2.0, 4.0]), np.array([1.0, 0.5, -0.25])
    found, finite_ = complex_step(f, [x], [v]), finite.directional(f, [x], [v])
    assert found.reliable
    assert abs(found.value - finite_.value) <= finite_.error


def test_what_is_frozen_holds_nothing_else_still():
    asked = []

    def hypot(x, y):
        asked.append((np.broadcast_to(x, (3, 4))[0, 0], y[0, 0]))
        return np.hypot(x, y)

    x, y = np.zeros((3, 1)), np.arange(4.0)[None, :]
    frozen = np.broadcast_to(y == 0, (3, 4))
    found = finite.Opaque(hypot, [x, y], frozen=frozen).slopes(0)
    assert found.reliable.tolist() == [[False, True, True, True]] * 3
    assert set(asked) == {(0.0, 0.0)}


def test_a_number_that_the_code_insists_on_stays_a_number():
    def scaled(x, factor):
        return np.abs(x) * factor if factor > 0 else x

    x = np.array([0.0, 1.0])
    slopes = finite.Opaque(scaled, [x, 2.0], frozen=x == 0).slopes(1)
    assert not slopes.reliable.any()
