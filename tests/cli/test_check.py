"""micrograd-nn check: runs a file and reports every check in it."""

import textwrap

import pytest

HOMEWORK = """
import numpy as np
from micrograd_nn import functional as F
from micrograd_nn.testing import check_backprop, gradcheck

def forward(x, w):
    z = np.dot(w, x)
    a = np.tanh(z)
    return a * a

x, w = np.array([0.5, -1.0]), np.array([2.0, 0.3])
a = np.tanh(w @ x)
da = 2 * a
dz = da * (1 - a{square})
check_backprop(forward, {{"da": da, "dz": dz, "dw": dz * x}}, inputs={{"x": x, "w": w}})
gradcheck(F.softmax, x, order=2)
"""


@pytest.fixture
def homework(folder):
    def write(text, name="homework.py"):
        (folder / name).write_text(textwrap.dedent(text))
        return name

    return write


def test_what_is_right(mn, homework):
    result = mn("check", homework(HOMEWORK.format(square="**2")))
    assert (result.code, result.err) == (0, "")
    assert "✓ forward  check_backprop, line 15" in result.out
    assert "✓ softmax  gradcheck, line 16" in result.out
    assert result.out.endswith("2 checks passed\n")


def test_what_is_wrong(mn, homework):
    result = mn("check", homework(HOMEWORK.format(square="")))
    assert (result.code, result.err) == (1, "")
    assert "✗ forward" in result.out
    assert "✗ dz" in result.out
    assert "✓ dw" in result.out  # an error that was carried forward isn't blamed
    assert "✓ softmax" in result.out  # a check that fails doesn't end the file
    assert result.out.endswith("1 of 2 checks failed\n")


OPERATIONS = """
import numpy as np
from micrograd_nn.testing import check_op

def cube(x):
    return x**3

{checks}
"""
RIGHT = "check_op(cube, lambda g, x: g * 3 * x**2, [0.5])"
WRONG = "check_op(cube, lambda g, x: g * 3 * x, [0.5])"


def test_operations(mn, homework):
    right = mn("check", homework(OPERATIONS.format(checks=RIGHT)))
    assert (right.code, right.err) == (0, "")
    assert "✓ cube  check_op, line 8" in right.out
    assert "right in all respects on 1 sample" in right.out
    both = mn("check", homework(OPERATIONS.format(checks=f"{WRONG}\n{RIGHT}")))
    assert (both.code, both.err) == (1, "")
    assert "✗ cube  check_op, line 8" in both.out
    assert "the gradient of x is wrong" in both.out
    assert "✓ cube  check_op, line 9" in both.out
    assert both.out.endswith("1 of 2 checks failed\n")


def test_the_file_is_run_as_a_program(mn, homework, folder):
    homework("from micrograd_nn.functional import tanh", "neighbour.py")
    name = homework(
        """
        import sys
        from neighbour import tanh
        from micrograd_nn.testing import gradcheck
        if __name__ == "__main__" and sys.argv == ["homework.py"]:
            gradcheck(tanh, 0.5)
        """
    )
    assert mn("check", name).code == 0


@pytest.mark.parametrize(
    ("text", "code", "error"),
    [
        ("x = 1", 2, "no check was run"),
        ("x = [1, 2\n", 1, "line 1: "),
        ("a = 0\n1 / a\n", 1, "line 2: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", 1, "ended with exit code 3"),
    ],
)
def test_what_cannot_be_checked(mn, homework, text, code, error):
    result = mn("check", homework(text))
    assert result.code == code
    assert "homework.py" in result.error
    assert error in result.error


def test_what_is_not_there(mn, folder):
    assert "there is no such file" in mn("check", "nothing.py").error
    assert "is a folder" in mn("check", folder).error
    assert mn("check", "nothing.py").code == 2


def test_a_crash_after_a_check_shows_the_check(mn, homework):
    result = mn("check", homework(HOMEWORK.format(square="**2") + "\n1 / 0\n"))
    assert result.code == 1
    assert "2 checks passed" in result.out
    assert "ZeroDivisionError" in result.error
