"""Single numbers: the chain rule step by step."""

import pytest
from programs import lines, run, scalars

import micrograd_nn.functional as F
from micrograd_nn import Value, explain, grad
from micrograd_nn.readers.explain.chain import LONGEST, steps


def test_each_step_with_numbers():
    a, b, c, f = scalars(a=2, b=-3, c=10, f=-2)
    d = ((a * b).named("e") + c).named("d")
    assert lines(explain((d * f).named("L"))) == [
        "e = a × b = 2 × (−3) = −6",
        "d = e + c = (−6) + 10 = 4",
        "L = d × f = 4 × (−2) = −8",
        "",
        "∂L/∂f = d = 4",
        "∂L/∂d = f = −2",
        "∂L/∂c = ∂L/∂d · ∂d/∂c = (−2) · 1 = −2",
        "∂L/∂e = ∂L/∂d · ∂d/∂e = (−2) · 1 = −2",
        "∂L/∂b = ∂L/∂e · ∂e/∂b = (−2) · a = (−2) · 2 = −4",
        "∂L/∂a = ∂L/∂e · ∂e/∂a = (−2) · b = (−2) · (−3) = 6",
    ]


def test_several_ways_are_added():
    (x,) = scalars(x=3)
    y = (x * x).named("y")
    written = lines(explain((y * x).named("L")))
    assert written[-1] == (
        "∂L/∂x = ∂L/∂x + ∂L/∂y · ∂y/∂x + ∂L/∂y · ∂y/∂x = y + 3 · x + 3 · x = 9 + 3 · 3 + 3 · 3 = 27"
    )


def test_a_number_used_twice_by_the_root():
    (x,) = scalars(x=2)
    assert lines(explain((x * x).named("L")))[-1] == "∂L/∂x = x + x = 2 + 2 = 4"


def test_powers():
    (x,) = scalars(x=-5)
    assert lines(explain((x**2).named("L"))) == [
        "L = x² = (−5)² = 25",
        "",
        "∂L/∂x = 2 · x = −10",
    ]
    y = (x**3).named("y")
    assert lines(explain((y * 2.0).named("L")))[-1] == (
        "∂L/∂x = ∂L/∂y · ∂y/∂x = 2 · (3 · x²) = 2 · 75 = 150"
    )


def test_a_negative_number_is_written_once():
    (x,) = scalars(x=4)
    assert lines(explain((-x).named("L")))[0] == "L = −x = −4"


def test_textbook_forms():
    (x,) = scalars(x=0.5)
    assert lines(explain(F.tanh(x).named("t")))[-1].startswith("∂t/∂x = 1 − t² = 0.7864")
    assert lines(explain(F.sigmoid(x).named("s")))[-1].startswith("∂s/∂x = s · (1 − s) = ")


def test_wrt():
    w, x, b = scalars(w=2, x=-3, b=10)
    written = lines(explain(F.sigmoid((w * x).named("p") + b).named("y"), wrt=w))
    assert [line.split(" = ")[0] for line in written[written.index("") + 1 :]] == [
        "∂y/∂v1", "∂y/∂p", "∂y/∂w",
    ]  # fmt: skip


def test_the_same_as_formulas():
    w, x, b = scalars(w=2, x=-3, b=10)
    explanation = explain(F.sigmoid(w * x + b).named("y"), wrt=w)
    assert explanation.latex() == (
        "\\begin{aligned}\n"
        "y &= \\sigma\\left(w \\cdot x + b\\right) \\\\\n"
        "dw &= y \\cdot \\left(1 - y\\right) \\cdot x\n"
        "\\end{aligned}"
    )
    w.zero_grad()
    F.sigmoid(w * x + b).backward()
    value, gradients = run(explanation)
    assert value == explanation.forward[-1].data
    assert gradients["w"] == pytest.approx(w.grad, rel=1e-14)


def test_a_derivative_of_a_derivative():
    (x,) = scalars(x=2)
    second = grad(lambda x: x**3)(x)
    assert lines(explain(second, wrt=x))[-1].endswith("= 12")


def test_steps_are_data():
    a, b = scalars(a=1, b=-3)
    found = steps((a * b).named("d"))
    assert [step.forward for step in found] == [True, False, False]
    assert found[-1].parts == ("∂d/∂a", "b", "−3")


def test_a_long_chain_is_shortened():
    x = Value(0.5, name="x")
    y = x
    for _ in range(20_000):
        y = y + 1.0
    written = str(explain(y)).split("\n")
    assert len(written) == LONGEST + 1
    assert any(row == "… 39,801 more lines …" for row in written)
    assert written[-1].strip().startswith("∂L/∂x = ")
