"""The special functions against mpmath, in units in the last place, out to where they underflow."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest

from micrograd_nn.graph import expansions, special

mp = mpmath.mp.clone()
mp.prec = 160

INF = math.inf
TINY = 5e-324


class Function(NamedTuple):
    name: str
    exact: Callable[[Any], Any]
    ulp: float  # the accuracy that the docstring promises
    left: float  # the range over which the result is neither 0 nor at its limit
    right: float
    limits: tuple[float, float]  # at −∞ and at ∞
    at_zero: float

    @property
    def array(self) -> Callable[[Any], Any]:
        return getattr(special, f"{self.name}_array")

    @property
    def scalar(self) -> Callable[[float], float]:
        return getattr(special, f"{self.name}_float")


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def softplus(x: Any) -> Any:
    return mp.log1p(mp.exp(x))


def normal_cdf(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def normal_pdf(x: Any) -> Any:
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


FUNCTIONS = [
    Function("erf", mp.erf, 1.5, -6.0, 6.0, (-1.0, 1.0), 0.0),
    Function("erfc", mp.erfc, 2.0, -6.0, 27.22, (2.0, 0.0), 1.0),
    Function("exp_minus_square", lambda x: mp.exp(-x * x), 1.5, -27.28, 27.28, (0.0, 0.0), 1.0),
    Function("normal_cdf", normal_cdf, 2.0, -38.46, 8.4, (0.0, 1.0), 0.5),
    Function("normal_pdf", normal_pdf, 2.0, -38.56, 38.56, (0.0, 0.0), 0.3989422804014327),
    Function("sigmoid", sigmoid, 2.0, -745.1, 40.0, (0.0, 1.0), 0.5),
    Function("softplus", softplus, 2.0, -745.1, 800.0, (0.0, INF), 0.6931471805599453),
]

each_function = pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.name)


def ulps(result: float, exact: Any, digits: int = 53, smallest: int = -1074) -> float:
    """The error in units in the last place of the exact result, which are at least 2**smallest."""
    if exact == 0:
        return 0.0 if result == 0 else INF
    exponent = max(math.floor(mp.log(abs(exact), 2)) + 1 - digits, smallest)
    return float(abs(mp.mpf(float(result)) - exact) / mp.ldexp(1, exponent))


def samples(f: Function) -> list[float]:
    """Some hundred points: everywhere, near 0, at the far ends, and where the tables have seams."""
    rng = np.random.default_rng(20)
    small = 10.0 ** rng.uniform(-18, 0, 40)
    middle_of_two_points = (1 + (np.arange(128, step=16) + 0.5) / 128)[:, None] * [1, 2, 4, 8, 16]
    seams = np.concatenate([middle_of_two_points.ravel() - 1, [1.0, 3.0, 7.0, 15.0]])
    seams = np.concatenate([seams, np.nextafter(seams, 0), np.nextafter(seams, 99)])
    # Where the result is just below a power of 2, an error is the most units in the last place.
    below_powers = -np.log(2) * np.arange(1, 40) - rng.uniform(0, 0.03, 39)
    points = np.concatenate(
        [
            rng.uniform(f.left, f.right, 150),
            rng.uniform(-3, 3, 150),
            small,
            -small,
            f.left * rng.uniform(0.95, 1.0, 40),
            f.right * rng.uniform(0.95, 1.0, 40),
            seams,
            -seams,
            below_powers,
            [1e-300, -1e-300, 2.3e-308, TINY, -TINY, f.left, f.right],
            # Found by search: what x² rounds off, times the rest of the series, is felt here.
            [23.190471839271297, -34.60309138458045],
        ]
    )
    return [float(x) for x in points if f.left <= x <= f.right and x != 0]


@each_function
def test_is_as_accurate_as_its_docstring_says(f):
    points = samples(f)
    exact = [f.exact(mp.mpf(x)) for x in points]
    for results in (f.array(np.array(points)), [f.scalar(x) for x in points]):
        worst, x = max((ulps(y, e), x) for y, e, x in zip(results, exact, points, strict=True))
        assert worst <= f.ulp, f"{f.name}({x!r}) is {worst:.2f} ULP off"


@each_function
@pytest.mark.parametrize(
    ("dtype", "digits", "smallest"), [(np.float32, 24, -149), (np.float16, 11, -24)]
)
def test_narrow_floats_are_rounded_once(f, dtype, digits, smallest):
    points = np.array([x for x in samples(f) if abs(x) < 100]).astype(dtype)
    results = f.array(points)
    assert results.dtype == dtype
    for x, y in zip(points, results, strict=True):
        assert ulps(y, f.exact(mp.mpf(float(x))), digits, smallest) < 0.501


@each_function
def test_limits_zeros_and_nan(f):
    special_points = [-INF, -1e308, -1e200, 0.0, -0.0, 1e200, 1e308, INF, math.nan]
    low, high = f.limits
    far = 1e308 if f.name == "softplus" else high
    near = 1e200 if f.name == "softplus" else high
    expected = [low, low, low, f.at_zero, f.at_zero, near, far, high, math.nan]
    np.testing.assert_array_equal(f.array(np.array(special_points)), expected)
    np.testing.assert_array_equal([f.scalar(x) for x in special_points], expected)


@each_function
def test_underflow_is_gradual_and_then_complete(f):
    for limit, end, beyond in zip(f.limits, (f.left, f.right), (-1.02, 1.02), strict=True):
        if limit == 0.0:
            x = abs(end) * beyond
            assert f.array(np.array([x]))[0] == f.scalar(x) == 0.0
            assert 0.0 < f.scalar(end) < 1e-320
            assert 0.0 < f.array(np.array([end]))[0] < 1e-320


def test_erf_is_odd_and_keeps_the_sign_of_zero():
    x = np.concatenate([np.linspace(0, 7, 500), [TINY, 1e-310]])
    np.testing.assert_array_equal(special.erf_array(-x), -special.erf_array(x))
    assert np.signbit(special.erf_array(np.array([-0.0, 0.0]))).tolist() == [True, False]
    assert math.copysign(1.0, special.erf_float(-0.0)) == -1.0


@each_function
def test_never_warns_never_raises_whatever_numpy_is_told(f):
    x = np.array([-INF, -1e300, -800.0, -27.0, -1e-310, 0.0, 1e-310, 27.0, 800.0, INF, math.nan])
    with np.errstate(over="ignore"):
        narrow = x.astype(np.float32)
    with np.errstate(all="raise"):  # pytest turns the warnings of other settings into errors
        f.array(x)
        f.array(narrow)
        for element in x.tolist():
            f.scalar(element)
        assert np.geterr()["over"] == "raise"


@each_function
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0), (5,), (2, 3, 4)])
def test_any_shape(f, shape):
    x = np.linspace(-2.0, 2.0, math.prod(shape)).reshape(shape)
    result = f.array(x)
    assert isinstance(result, np.ndarray)
    assert result.shape == shape
    assert result.dtype == np.float64
    expected = [f.scalar(v) for v in x.ravel().tolist()]
    np.testing.assert_allclose(result.ravel(), expected, rtol=1e-15)


@each_function
def test_any_memory_layout(f):
    x = np.random.default_rng(3).normal(size=(40, 30)) * 4
    whole = f.array(x)
    for pick in (np.s_[::2], np.s_[:, ::3], np.s_[::-1, ::-1], np.s_[5], np.s_[:, 7]):
        np.testing.assert_allclose(f.array(x[pick]), whole[pick], rtol=1e-15)
    np.testing.assert_allclose(f.array(x.T), whole.T, rtol=1e-15)
    np.testing.assert_allclose(f.array(np.asfortranarray(x)), whole, rtol=1e-15)
    np.testing.assert_allclose(f.array(np.broadcast_to(x[0], (3, 30)))[1], whole[0], rtol=1e-15)
    swapped = x.astype(x.dtype.newbyteorder())
    np.testing.assert_allclose(f.array(swapped), whole, rtol=1e-15)


@each_function
def test_large_arrays_go_in_blocks_without_seams(f):
    size = 2 * special._BLOCK + 7
    x = np.linspace(f.left, f.right, size)
    expected = np.concatenate([f.array(part) for part in np.array_split(x, 50)])
    np.testing.assert_allclose(f.array(x), expected, rtol=1e-15, atol=TINY)
    np.testing.assert_array_equal(f.array(x.reshape(-1, 1)), f.array(x)[:, None])


@each_function
@pytest.mark.parametrize("size", [4, 20_000])
def test_the_input_is_left_as_it_was(f, size):
    x = np.linspace(-3.0, 3.0, size)
    before = x.copy()
    result = f.array(x)
    np.testing.assert_array_equal(x, before)
    assert not np.shares_memory(result, x)
    result[...] = 0.0  # the result is the caller's own, and no table is touched by writing to it
    x.flags.writeable = False
    np.testing.assert_array_equal(f.array(x), f.array(before))
    assert f.array(before)[-1] != 0.0


@each_function
def test_integers_booleans_and_lists_become_float64(f):
    expected = f.array(np.array([0.0, 1.0]))
    for x in (np.array([0, 1]), np.array([False, True]), [0, 1], [0.0, 1.0]):
        result = f.array(x)
        assert result.dtype == np.float64
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("tail", [expansions.ERFC, expansions.NORMAL], ids=["erfc", "normal"])
def test_the_tables_of_the_tails_are_exact(tail):
    many_digits = mpmath.mp.clone()
    many_digits.prec = 1400  # exp(28²) erfc(28) loses a thousand bits
    for point, value, error, *_ in expansions.tail_table(tail).rows[::40]:
        t = many_digits.sqrt(tail.scale) * many_digits.mpf(point)
        exact = many_digits.exp(t * t) * many_digits.erfc(t) * tail.whole / 2
        assert abs((many_digits.mpf(value) + error) / exact - 1) < 1e-22


def test_the_table_of_erf_is_exact():
    for point, value, error, first, *_ in expansions.erf_table().rows[::20]:
        assert abs(mp.mpf(value) + error - mp.erf(point)) < 1e-22
        assert first == pytest.approx(2 / math.sqrt(math.pi) * math.exp(-point * point), rel=1e-15)
