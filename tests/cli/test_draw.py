"""micrograd-nn draw, and the whitelist by which expressions are read."""

import math
import re
import xml.etree.ElementTree as ET

import pytest

from micrograd_nn import Value
from micrograd_nn.cli.expression import FUNCTIONS, parse


def compute(text, **values):
    return parse(text).record({name: Value(value) for name, value in values.items()})


# --- What is understood -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", 2.0),
        ("-x", -2.0),
        ("+x", 2.0),
        ("x + y*x", -4.0),
        ("(x + y)*x", -2.0),
        ("x - y - x", 3.0),
        ("x / y / x", 1 / -3),
        ("2**3**x", 512.0),
        ("-x**2", -4.0),
        ("x**-1", 0.5),
        ("1.5e1*x", 30.0),
        ("1_000*x", 2000.0),
        ("0x10*x", 32.0),
        ("maximum(x, y) - minimum(x, y)", 5.0),
        ("abs(y)", 3.0),
        ("pi*x", 2 * math.pi),
        ("  x\t", 2.0),
        ("tanh(sin(x) + exp(-x))", math.tanh(math.sin(2) + math.exp(-2))),
        ("(x*y + 10).tanh()", math.tanh(4)),
        ("x.maximum(y).exp().log()", 2.0),
        ("2 * y.relu() + x.sin()", math.sin(2)),
    ],
)
def test_arithmetic_is_python_s(text, expected):
    assert compute(text, x=2.0, y=-3.0).data == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_can_be_called_and_differentiated(name):
    arity, _ = FUNCTIONS[name]
    x = Value(0.3)
    root = parse(f"{name}({'x, y'[: 3 * arity - 2]})").record({"x": x, "y": Value(0.2)})
    root.backward()
    assert math.isfinite(root.data)
    assert math.isfinite(x.grad)


def test_names_are_in_the_order_in_which_they_appear():
    assert parse("b*a + maximum(c, b)").names == ("b", "a", "c")


def test_pi_can_be_a_variable():
    assert parse("2*pi").record({"pi": Value(3.0)}).data == 6.0


@pytest.mark.parametrize("terms", [900, 3_000, 9_000])
def test_a_long_sum_is_no_problem(terms):
    assert compute("+".join(["x"] * terms), x=1.0).data == terms


def test_a_long_text_is_read_as_a_short_one_is():
    some = "x - -y*2**-x + (x - 3)/y/2 - 1e-3 * -x"
    known = compute(some, x=3.0, y=0.5).data
    ones = "*1" * 4_000
    assert compute(f"{some}{ones}", x=3.0, y=0.5).data == known
    assert compute(f"({some}){ones}", x=3.0, y=0.5).data == known
    zeros = " - 0" * 4_000
    assert compute(f"{some}{zeros}", x=3.0, y=0.5).data == known
    assert parse(f"b + a{zeros}").names == ("b", "a")


# --- What is refused ----------------------------------------------------------------------------

MALICIOUS = [
    "__import__('os').system('touch pwned')",
    "().__class__.__bases__[0].__subclasses__()",
    "x.__class__",
    "open('pwned', 'w')",
    "eval('1')",
    "exec('x')",
    "(lambda: x)()",
    "lambda x: x",
    "[x for x in (1, 2)]",
    "{x: 1}",
    "x[0]",
    "(x, y)",
    "[x]",
    "x if y else 1",
    "x and y",
    "not x",
    "x < y",
    "x == y",
    "x // y",
    "x % y",
    "x @ y",
    "x | y",
    "x << 2",
    "~x",
    "x := 2",
    "(x := 2)",
    "x = 2",
    "x; y",
    "import os",
    "await x",
    "(yield x)",
    "f'{x}'",
    "'text'",
    "b'bytes'",
    "True",
    "None",
    "...",
    "1j",
    "tanh.__globals__",
    "tanh(x).__class__",
    "tanh(*x)",
    "tanh(**x)",
    "tanh(x=1)",
    "tanh()",
    "tanh(x, y)",
    "maximum(x)",
    "tanh",
    "tanh + 1",
    "F.tanh(x)",
    "x.tanh",
    "x.tanh.y()",
    "x.backward()",
    "x.__init__()",
    "x.tanh(1)",
    "x.maximum()",
    "x.tanh()()",
    "x.tanh(x=1)",
    "x.tanh(*y)",
    "'x'.tanh()",
    "[x].tanh()",
    "(tanh)(x)(y)",
    "9**9**9**9 .real",
    "x\x00y",
    "x +",
    "x + * y",
    "x)",
    "(" * 500 + "x" + ")" * 500,
    "-" * 19_000 + "x",
    "(x # \n + y)" + "+ x" * 5_000,
    "x and y" + "+ x" * 5_000,
    "tanh.__globals__" + "+ x" * 5_000,
    "x" * 30_000,
    "1e999*x",
    "9" * 4000 + "*x",
    "",
    "   ",
    "\ud800",
]


@pytest.mark.parametrize("text", MALICIOUS, ids=lambda text: repr(text[:30]))
def test_what_is_no_arithmetic_is_refused(mn, folder, text):
    result = mn("draw", "--", text)
    assert result.code == 2
    assert result.out == ""
    assert len(result.error) < 700
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x^2", "'x^2': a power is written **, as in x**2"),
        ("arcsin(x)", "there is no function 'arcsin'; there are exp,"),
        ("x.y", "'x.y' isn't allowed: an expression has numbers, names"),
        ("tanh", "tanh is a function: write tanh(x)"),
        ("tanh(x, y)", "tanh takes one argument, and 'tanh(x, y)' has 2"),
        ("maximum(x)", "maximum takes 2 arguments, and 'maximum(x)' has 1"),
        ("x.tan(y)", "tan takes one argument, and 'x.tan(y)' has 2"),
        ("x.maximum()", "maximum takes 2 arguments, and 'x.maximum()' has 1"),
        ("x.tanh", "'x.tanh' isn't allowed: a method is called, as in x.tanh()"),
        ("(x*y).foo()", "there is no function 'foo'; there are exp,"),
        ("x + * y", "'x + * y' is no expression: invalid syntax at character 5"),
        ("2 + pi", "has no variable"),
        ("'a'", "it is no real number"),
    ],
)
def test_the_error_says_what_to_write(mn, text, said):
    assert said in mn("draw", text).error


def test_a_tower_of_powers_takes_no_time_and_is_infinite(mn):
    assert "not finite" in mn("draw", "x*9**9**9**9").out


# --- The command --------------------------------------------------------------------------------


def test_it_prints_the_value_and_the_gradients_and_draws_the_graph(mn, folder):
    result = mn("draw", "x*y + tanh(x)", "--set", "x=2", "--set", "y=-3", "-o", "g.svg")
    assert (result.code, result.err) == (0, "")
    slope = -3 + 1 / math.cosh(2) ** 2
    assert re.search(rf"^  x +2 +{slope:.10g}$", result.out, re.M)
    assert re.search(r"^  y +-3 +2$", result.out, re.M)
    assert f"value     {-6 + math.tanh(2):.10g}\n" in result.out
    picture = ET.parse(folder / "g.svg").getroot()
    text = "".join(picture.itertext())
    assert "tanh" in text
    assert f"{slope:.4g}".replace("-", "−") in text


def test_names_without_a_value_are_1_and_it_says_so(mn, folder):
    result = mn("draw", "x*y", "--set", "y=5")
    assert "value     5\n" in result.out
    assert "x = 1, since no value was given; --set x=2 gives one" in result.out


def test_without_an_output_it_prints_the_graph_and_writes_nothing(mn, folder):
    result = mn("draw", "x*y + x", "--set", "x=3")
    assert "  +  data 6  grad 1\n  ├─ ×  data 3  grad 1\n" in result.out
    assert "  └─ x (above)\n" in result.out
    assert "written" not in result.out
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "begin"), [("g.html", "<!doctype html>"), ("g.dot", "digraph"), ("g.svg", "<svg")]
)
def test_the_suffix_is_the_format(mn, folder, name, begin):
    assert mn("draw", "(a*b + c).tanh()", "--set", "a=2", "--set", "b=-3", "-o", name).code == 0
    assert (folder / name).read_text(encoding="utf-8").lower().startswith(begin)


def test_options_of_the_picture(mn, folder):
    mn("draw", "x*y*y*y", "--set", "x=3", "--local", "--direction", "TB", "-o", "g.svg")
    picture = ET.parse(folder / "g.svg").getroot()
    assert float(picture.get("height")) > float(picture.get("width"))
    assert "∂ 3" in "".join(picture.itertext())
    assert "  └─ y  data 1  grad 3  ∂ 3\n" in mn("draw", "x*y", "--set", "x=3", "--local").out


@pytest.mark.parametrize("text", ["-x*y", "-x * y", "-3*x", "--x", "-(x)", "-at(x)"])
def test_an_expression_may_begin_with_a_minus(mn, text):
    result = mn("draw", text, "--set", "x=2")
    assert result.code == (2 if "at(" in text else 0), result.err


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (["x"], "--set takes NAME=NUMBER, such as x=2, not 'x'"),
        (["x="], "not 'x='"),
        (["=2"], "not '=2'"),
        (["x=two"], "not 'x=two'"),
        (["x=nan"], "not 'x=nan'"),
        (["z=2"], "there is no 'z' in the expression; its names are x, y"),
        (["x=1", "x=2"], "--set gives 'x' twice"),
    ],
)
def test_values_are_checked(mn, pairs, said):
    options = [word for pair in pairs for word in ("--set", pair)]
    result = mn("draw", "x*y", *options)
    assert result.code == 2
    assert said in result.error


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("g.bmp", "g.bmp: it can't be written: "),
        ("nowhere/g.svg", "nowhere/g.svg: it can't be written: there is no folder 'nowhere'"),
    ],
)
def test_a_picture_that_cannot_be_written_is_an_error(mn, output, said):
    result = mn("draw", "x*y", "-o", output)
    assert result.code == 2
    assert said in result.error


def test_a_graph_that_is_written_is_not_printed(mn):
    assert "└─" in mn("draw", "x*y").out
    assert "└─" not in mn("draw", "x*y", "-o", "g.dot").out


def test_a_large_graph_is_printed_folded(mn):
    result = mn("draw", "*".join(f"sin(x{i})" for i in range(400)))
    assert result.code == 0
    assert "more nodes" in result.out
    assert len(result.out.splitlines()) < 600
