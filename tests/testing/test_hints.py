"""A wrong gradient beside the right one tells what the mistake is."""

import numpy as np
import pytest

from micrograd_nn.testing.hints import hint

RIGHT = np.random.default_rng(0).normal(size=(4, 3))
SQUARE = np.random.default_rng(1).normal(size=(3, 3))
G = np.random.default_rng(2).normal(size=(4, 3))


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (-RIGHT, "a sign is wrong"),
        (2 * RIGHT, "counted twice"),
        (RIGHT / 2, "overwrites (=)"),
        (12 * RIGHT, "12 times the right gradient, the number of elements: a sum"),
        (RIGHT / 12, "the right gradient divided by 12, the number of elements: a mean"),
        (RIGHT / 4, "the length of axis 0: a mean where a sum"),
        (3 * RIGHT, "the length of axis 1: a sum where a mean"),
        (5 * RIGHT, "5 times the right gradient"),
        (RIGHT / 7, "divided by 7"),
        (1.7 * RIGHT, "1.7 times"),
        (1.000001 * RIGHT, "1.000001 times"),
        (0 * RIGHT, "missing"),
        (RIGHT.T, "transposed"),
        (RIGHT.sum(0), "summed over an axis"),
        (RIGHT[::-1], "reverse order along axis 0"),
        (np.roll(RIGHT, 1, 0), "shifted by one element along axis 0"),
        (np.abs(RIGHT), "the sign is wrong in some elements"),
        (1 / RIGHT, "one over"),
        (RIGHT**2, "the square"),
        (RIGHT + 0.5, "a constant is added everywhere: 0.5"),
        (np.broadcast_to(RIGHT.mean(0), (4, 3)), "averaged over axis 0"),
        (np.broadcast_to(RIGHT.sum(0), (4, 3)), "summed over axis 0"),
        (np.where(RIGHT > 1, np.nan, RIGHT), "NaN where"),
        (np.where(RIGHT.max() == RIGHT, np.inf, RIGHT), "infinite where"),
        (np.where(np.arange(12).reshape(4, 3) < 2, 7.0, RIGHT), "2 of 12 elements are wrong"),
        (np.where(np.arange(4)[:, None] == 2, 7.0, RIGHT), "all of them at index 2 of axis 0"),
        (np.where(RIGHT < 0, 0.0, RIGHT), "0 in all of these"),
        (RIGHT / G, "the cotangent g is ignored"),
        (RIGHT * G, "the cotangent g twice"),
    ],
)
def test_hint(got, words):
    assert words in hint(got, RIGHT, G)


def test_transposed_square():
    assert "transposed" in hint(SQUARE.T, SQUARE)


def test_not_summed_after_broadcasting():
    assert "broadcast" in hint(RIGHT, RIGHT.sum(0))


def test_no_influence():
    assert "does not influence" in hint(RIGHT, 0 * RIGHT)


def test_scalars():
    assert "sign" in hint(-2.5, 2.5)
    assert "missing" in hint(0.0, 2.5)
    assert "the cotangent g is ignored" in hint(2.5, 2.5 * 0.3, 0.3)


def test_one_number_is_a_multiple_of_any_other():
    for factor in (2, 0.5, 3, 1 / 3, 1.7, 1.000001):
        assert hint(2.5 * factor, 2.5, 0.3) is None
        one = np.array([0.0, 2.5, 0.0])
        assert "times" not in (hint(one * factor, one) or "")
        assert "right gradient" in hint([2.5 * factor, factor], [2.5, 1.0])


def test_nothing_to_say():
    assert hint(RIGHT, RIGHT) is None
    assert hint(np.random.default_rng(3).normal(size=(4, 3)), RIGHT, G) is None
    assert hint(np.zeros((0, 3)), np.zeros((0, 3))) is None
    assert hint(np.zeros((5, 3)), RIGHT) is None


def test_rounding_hides_nothing():
    noise = 1 + 1e-14 * np.random.default_rng(4).normal(size=(4, 3))
    assert "sign" in hint(-RIGHT * noise, RIGHT)
