"""The generated problems: shapes, counts, geometry, seeds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_nn.data import blobs, circles, moons, spirals, xor

GENERATORS = [circles, moons, xor, blobs, spirals]
everywhere = pytest.mark.parametrize("generate", GENERATORS)


@everywhere
@given(n=st.integers(1, 60), noise=st.floats(0, 2), seed=st.integers(0, 2**32 - 1))
def test_shapes_types_and_counts(generate, n, noise, seed):
    X, y = generate(n, noise=noise, seed=seed)
    assert (X.shape, X.dtype) == ((n, 2), np.float64)
    assert (y.shape, y.dtype) == ((n,), np.int64)
    assert np.bincount(y, minlength=2).tolist() == [(n + 1) // 2, n // 2]
    assert np.all(np.isfinite(X))


@everywhere
def test_same_seed_same_numbers(generate):
    X, y = generate(30, seed=7)
    same_X, same_y = generate(30, seed=7)
    other_X, _ = generate(30, seed=8)
    assert np.array_equal(X, same_X)
    assert np.array_equal(y, same_y)
    assert not np.array_equal(X, other_X)


@everywhere
def test_without_a_seed_each_call_differs(generate):
    assert not np.array_equal(generate(30)[0], generate(30)[0])


@everywhere
def test_a_generator_can_be_the_seed(generate):
    random = np.random.default_rng(7)
    first, second = generate(30, seed=random)[0], generate(30, seed=random)[0]
    assert np.array_equal(first, generate(30, seed=7)[0])
    assert not np.array_equal(first, second)


@everywhere
def test_classes_come_shuffled(generate):
    _, y = generate(100, seed=0)
    assert 20 < np.count_nonzero(np.diff(y)) < 80


@everywhere
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n is at least 1, not 0"),
        ({"n": 5, "noise": -0.1}, "noise is a standard deviation"),
        ({"n": 5, "noise": float("nan")}, "noise is a standard deviation"),
        ({"n": 5, "noise": float("inf")}, "noise is a standard deviation"),
    ],
)
def test_impossible_requests(generate, arguments, message):
    with pytest.raises(ValueError, match=message):
        generate(**arguments)


@everywhere
@pytest.mark.parametrize("n", [100.0, "100", None])
def test_a_count_is_a_whole_number(generate, n):
    with pytest.raises(TypeError, match="n is a whole number, an int, not"):
        generate(n)


@given(n=st.integers(2, 60), factor=st.floats(0.01, 0.99))
def test_circles_have_their_radii(n, factor):
    X, y = circles(n, noise=0.0, seed=0, factor=factor)
    radius = np.hypot(X[:, 0], X[:, 1])
    np.testing.assert_allclose(radius, np.where(y == 1, factor, 1.0), rtol=1e-14)


def test_circles_of_the_article_can_be_told_apart():
    X, y = circles(seed=0)
    assert len(X) == 1000
    inside = np.hypot(X[:, 0], X[:, 1]) < 0.65
    assert np.mean(inside == (y == 1)) > 0.99


@pytest.mark.parametrize("factor", [0.0, 1.0, -1.0, float("nan")])
def test_circles_need_an_inner_radius_inside(factor):
    with pytest.raises(ValueError, match="factor is the inner radius"):
        circles(10, factor=factor)


def test_noise_has_the_deviation_asked_for():
    noisy, _ = circles(4000, noise=0.2, seed=1)
    clean, _ = circles(4000, noise=0.0, seed=1)
    assert np.std(noisy - clean) == pytest.approx(0.2, rel=0.05)


def test_moons_are_half_circles():
    X, y = moons(101, noise=0.0, seed=0)
    upper, lower = X[y == 0], X[y == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1.0)
    np.testing.assert_allclose(np.hypot(*(lower - [1.0, 0.5]).T), 1.0)
    assert upper[:, 1].min() >= 0
    assert lower[:, 1].max() <= 0.5


@given(n=st.integers(1, 80), seed=st.integers(0, 1000))
def test_xor_is_exclusive_or_with_equal_quadrants(n, seed):
    X, y = xor(n, noise=0.0, seed=seed)
    positive = X > 0
    assert np.array_equal(y, positive[:, 0] ^ positive[:, 1])
    assert np.all((np.abs(X) >= 0.1) & (np.abs(X) <= 1.0))
    quadrants = np.bincount(2 * positive[:, 0] + positive[:, 1], minlength=4)
    assert abs(quadrants[0] - quadrants[3]) <= 1
    assert abs(quadrants[1] - quadrants[2]) <= 1


@pytest.mark.parametrize("generate", [blobs, spirals])
@given(n=st.integers(1, 50), classes=st.integers(1, 7))
def test_any_number_of_classes(generate, n, classes):
    _, y = generate(n, seed=0, classes=classes)
    counts = np.bincount(y, minlength=classes)
    assert counts.sum() == n
    assert np.ptp(counts) <= 1


@pytest.mark.parametrize("generate", [blobs, spirals])
def test_no_class_is_too_few(generate):
    with pytest.raises(ValueError, match="classes is at least 1"):
        generate(10, classes=0)


def test_blobs_lie_around_their_centres():
    X, y = blobs(3000, noise=0.1, seed=0, classes=4)
    for label, centre in enumerate([(1, 0), (0, 1), (-1, 0), (0, -1)]):
        np.testing.assert_allclose(X[y == label].mean(axis=0), centre, atol=0.02)
        np.testing.assert_allclose(X[y == label].std(axis=0), 0.1, rtol=0.1)


def test_spiral_arms_are_one_arm_turned():
    X, y = spirals(60, noise=0.0, seed=0, classes=3)
    arms = [X[y == label][np.argsort(np.hypot(*X[y == label].T))] for label in range(3)]
    for label, arm in enumerate(arms):
        turn = 2 * np.pi * label / 3
        rotation = [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
        np.testing.assert_allclose(arm, arms[0] @ np.transpose(rotation), atol=1e-12)
    np.testing.assert_allclose(np.hypot(*arms[0].T), np.arange(1, 21) / 20)
