"""A session collects outcomes instead of raising."""

import functools

import numpy as np
import pytest

from micrograd_nn import functional as F
from micrograd_nn.graph.primitive import table
from micrograd_nn.testing import GradientError, check_backprop, check_op, gradcheck
from micrograd_nn.testing.session import collecting


def wrong_tanh():
    return F.tanh.replaced(lambda g, z, x: g * (1 - z))


def test_it_collects_what_passes_and_what_fails():
    def parabola(x):
        return x * x

    with collecting() as outcomes, wrong_tanh():
        assert gradcheck(parabola, 2.0).numbers == 1
        assert gradcheck(lambda x: F.tanh(x), 0.5) is None
    first, second = outcomes
    assert (first.check, first.subject, first.passed, first.blamed) == (
        "gradcheck", "parabola", True, (),
    )  # fmt: skip
    assert (second.subject, second.passed, second.blamed) == ("a function", False, ("tanh",))
    assert "should be" in second.text
    assert all("test_session.py:" in outcome.line for outcome in outcomes)


def test_it_ends_with_its_block():
    with collecting() as outcomes, pytest.raises(ZeroDivisionError):
        1 // 0  # noqa: B018 (what raises)
    with wrong_tanh(), pytest.raises(GradientError):
        gradcheck(F.tanh, 0.5)
    assert outcomes == []


def test_other_errors_are_raised():
    with collecting() as outcomes, pytest.raises(TypeError, match="nothing to differentiate"):
        gradcheck(F.tanh, "x")
    assert outcomes == []


def test_backprop_reports_to_it_too():
    with collecting() as outcomes:
        check_backprop(lambda x: np.sin(x), {"x": 0.0}, inputs={"x": 0.5})
    assert [(o.check, o.passed, o.blamed) for o in outcomes] == [("check_backprop", False, ("x",))]


def test_check_op_reports_to_it_too():
    with collecting() as outcomes:
        assert check_op(np.sin, lambda g, x: g * np.cos(x), [0.5]).worst < 1
        assert check_op(np.sin, lambda g, x: g * np.sin(x), [0.5]) is None
        check_op(functools.partial(table["softmax"], axis=0), samples=[np.ones(2)])
    assert [(o.check, o.subject, o.passed, o.blamed) for o in outcomes] == [
        ("check_op", "sin", True, ()),
        ("check_op", "sin", False, ("sin",)),
        ("check_op", "softmax", True, ()),
    ]
