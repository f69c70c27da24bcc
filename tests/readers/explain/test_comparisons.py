"""What was compared is compared in the equations, too: on other data it may come out otherwise."""

import numpy as np
import pytest
from programs import array, backward, check, given, lines, run

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value, explain
from micrograd_nn.graph.node import GraphError


def check_on_other_data(root):
    """Check an explanation, and its source where all comparisons come out the other way."""
    explanation = check(root)
    other = {name: -x for name, x in explanation.parameters.items()}
    value, gradients = run(explanation, parameters=other)
    leaves = [Tensor(x, name=name) for name, x in other.items()]
    return explanation, value, gradients, leaves


def leaky(x):
    return np.where(x > 0, x, x / 2)


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, z, x: F.where(x > 0, g, g / 2),
        lambda g, z, x: F.where(np.logical_not(z <= 0), g, g / 2),
        lambda g, z, x: g * (0.5 + 0.5 * F.where(x > 0, 1.0, 0.0)),
        lambda g, z, x: g / 2 + g / 2 * (x > 0),
        lambda g, z, x: F.where((x > 0) & (x < 1e9), g, g / 2),
        lambda g, z, x: F.where((x > 0) & np.ones(3, bool), g, g / 2),
        lambda g, z, x: F.where(x > np.array([0.0, -1e-9, 1e-9]), g, g / 2),
    ],
)
def test_a_rule_that_compares(own, rule):
    leak = own("leak", leaky, rule)
    x = Tensor([0.5, -1.5, 2.0], name="x")
    explanation, value, gradients, leaves = check_on_other_data(np.mean(np.sin(leak(x))).named("L"))
    assert backward(explanation) == ["dx = 1/m cos(leak(x)) ∘ leak′(x)"]
    (other,) = leaves
    expected = np.mean(np.sin(leak(other)))
    expected.backward()
    np.testing.assert_allclose(value, expected.data, rtol=1e-15)
    np.testing.assert_allclose(gradients["x"], other.grad, rtol=1e-14)


def test_what_is_compared_is_no_input(own):
    leak = own("leak", leaky, lambda g, z, x: F.where(x > 0, g, g / 2))
    explanation = explain(np.mean(leak(Tensor([0.5, -1.5, 2.0], name="x"))))
    assert explanation.inputs == {}
    assert "np.where(x > 0, " in explanation.numpy()
    assert "m = x.size" in explanation.numpy()


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, z, x: F.where(x > 0, g, g / 2),  # of single numbers, only one side is recorded
        lambda g, z, x: g if x > 0 else g / 2,
    ],
)
@pytest.mark.parametrize("number", [lambda x: Value(x, name="x"), lambda x: Tensor(x, name="x")])
def test_a_rule_that_branches_is_called_as_a_whole(own, rule, number):
    leak = own("leak", leaky, rule, textbook=("1",))
    explanation, _, gradients, _ = check_on_other_data(F.tanh(leak(number(2.0))).named("L"))
    slope = 1 - np.tanh(1.0) ** 2
    assert gradients["x"] == pytest.approx(slope / 2, rel=1e-14)
    assert len(explanation.inputs) == 0


def test_a_rule_that_has_lost_what_it_compared_is_called_as_a_whole(own):
    leak = own("leak", leaky, lambda g, z, x: g * (1.0 - 0.5 * (x <= 0)))
    _, _, gradients, _ = check_on_other_data(
        np.sum(leak(Tensor([0.5, -1.5, 2.0], name="x"))).named("L")
    )
    assert gradients["x"].tolist() == [0.5, 1.0, 0.5]


def test_a_rule_that_branches_and_mixes_elements_is_refused(own):
    spread = own(
        "spread", lambda x: np.flip(x), lambda g, z, x: np.flip(g) if x.sum() > 0 else None,
        elementwise=False,
    )  # fmt: skip
    with pytest.raises(GraphError, match=r"rule of 'spread'.*by functional.where"):
        explain(np.sum(spread(Tensor([0.5, 2.0], name="x"))))


def test_a_rule_that_compares_and_mixes_elements(own):
    turned = own(
        "turned", lambda x: np.flip(np.maximum(x, 0)),
        lambda g, z, x: F.where(x > 0, np.flip(g, 0), 0.0), elementwise=False,
    )  # fmt: skip
    y = given([1.0, 2.0, 3.0], "y")
    root = np.sum(turned(Tensor([0.5, -1.0, 2.0], name="x")) * y).named("L")
    assert backward(check(root)) == ["dx = where(x > 0, flip(y, 0), 0)"]


# --------------------------------------------------------------------------- in the graph itself


@pytest.mark.parametrize(
    ("make", "forward", "gradient"),
    [
        (
            lambda x, y: np.where(x > 0, x, 0.1 * x),
            "L = Σ where(x > 0, x, 0.1 x)",
            "dx = 0.1 + 0.9 [x > 0]",
        ),
        (lambda x, y: (x - y >= 1) * x, "L = Σ [x − y ≥ 1] ∘ x", "dx = [x − y ≥ 1]"),
        (
            lambda x, y: np.where((x > 0) & ~(y < x), x, 2 * x),
            "L = Σ where((x > 0) ∧ ¬(y < x), x, 2 x)",
            "dx = 2 − [(x > 0) ∧ ¬(y < x)]",
        ),
        (lambda x, y: x * np.floor(y), "L = Σ x ∘ ⌊y⌋", "dx = ⌊y⌋"),
        (lambda x, y: x * np.isfinite(y), "L = Σ x ∘ [isfinite(y)]", "dx = [isfinite(y)]"),
    ],
)
def test_comparisons_in_the_graph(make, forward, gradient):
    x, y = Tensor([0.5, -1.5, 2.0], name="x"), given([1.5, -2.5, -1.0], "y")
    explanation, value, gradients, leaves = check_on_other_data(np.sum(make(x, y)).named("L"))
    assert lines(explanation)[0] == forward
    assert backward(explanation) == [gradient]
    (other,) = leaves
    expected = np.sum(make(other, y))
    expected.backward()
    assert value == pytest.approx(float(expected.data), rel=1e-15)
    np.testing.assert_allclose(gradients["x"], other.grad, rtol=1e-14)


def test_a_choice_that_comes_out_alike_throughout_is_a_choice_all_the_same():
    x = Tensor([0.5, 1.5], name="x")
    explanation, value, _, _ = check_on_other_data(np.sum(np.where(x > 0, x, 0.1 * x)).named("L"))
    assert lines(explanation)[0] == "L = Σ where(x > 0, x, 0.1 x)"
    assert value == pytest.approx(-0.2)


def test_what_is_only_compared_has_its_equation():
    x, w = Tensor([0.5, -1.5], name="x"), Tensor([1.0, 2.0], name="w")
    z = (w * w - 2).named("z")
    explanation = explain(np.sum(np.where(z > 0, x, 2 * x)).named("L"))
    assert lines(explanation)[:2] == ["z = w² − 2", "L = Σ where(z > 0, x, 2 x)"]
    assert backward(explanation) == ["dx = 2 − [z > 0]", "dw = 0"]
    value, gradients = run(explanation, parameters={"x": x.data, "w": np.array([2.0, 1.0])})
    assert value == -2.5
    assert gradients["x"].tolist() == [1.0, 2.0]
    assert gradients["w"].tolist() == [0.0, 0.0]


def test_a_comparison_as_latex_and_as_mathml():
    x = Tensor(array(3), name="x")
    explanation = explain(np.sum(np.where((x >= 0) | np.not_equal(x, 1), x, 0.1 * x)).named("L"))
    compared = r"\left(x \geq  0\right) \lor  \left(x \neq  1\right)"
    assert rf"\operatorname{{where}}\left({compared}, x, 0.1\, x\right)" in explanation.latex()
    assert f"0.9\\, [{compared}]" in explanation.latex()
    assert "<mi>x</mi><mo>≥</mo><mn>0</mn>" in explanation.mathml()
