"""Plain arrays in a loss: NumPy computes 1 − Y before the graph sees it."""

import numpy as np
import pytest
from programs import array, backward, check, lines, run

import micrograd_nn.functional as F
from micrograd_nn import Tensor
from micrograd_nn import explain as explained
from micrograd_nn.graph.order import toposort
from micrograd_nn.readers.explain.constants import related
from micrograd_nn.readers.explain.naming import users_of

X = array(6, 2)
Y = (array(6, 1, seed=5) > 0).astype(float)


def probabilities():
    W, b = Tensor(array(1, 2), name="W"), Tensor(array(1), name="b")
    return F.sigmoid((X @ W.T + b).named("Z")).named("A")


@pytest.mark.parametrize(
    "loss",
    [
        lambda A: -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A)),
        lambda A: np.mean(-Y * np.log(A) - (1 - Y) * np.log(1 - A)),
        lambda A: F.binary_cross_entropy(A, Y),
        lambda A: F.binary_cross_entropy(A, Y.astype(int)),
        lambda A: F.binary_cross_entropy(A, Y[:, 0] > 0),
    ],
)
def test_cross_entropy_of_plain_arrays(loss):
    explanation = check(loss(probabilities()).named("J"))
    assert lines(explanation)[2] == "J = −1/m Σ (Y ∘ log(A) + (1 − Y) ∘ log(1 − A))"
    assert backward(explanation)[0] == "dZ = A − Y"
    assert list(explanation.inputs) == ["X", "Y"]
    np.testing.assert_array_equal(explanation.inputs["Y"], Y)


def test_the_source_takes_other_targets():
    def loss(targets):
        A = probabilities()
        return -np.mean(targets * np.log(A) + (1 - targets) * np.log(1 - A))

    other = np.ones_like(Y)
    other[0] = 0
    explanation = explained(loss(Y))
    expected, _ = run(explained(loss(other)))
    got, _ = run(explanation, {**explanation.inputs, "Y": other})
    assert got == pytest.approx(expected, rel=1e-15)


def test_an_array_of_negative_numbers():
    A = probabilities()
    explanation = check(np.sum(-Y * np.log(A)).named("J"))
    assert lines(explanation)[2] == "J = −Σ Y ∘ log(A)"
    np.testing.assert_array_equal(explanation.inputs["Y"], Y)


def test_arrays_with_names_keep_them():
    x = Tensor(array(3), name="x")
    one, two = (Tensor([1.0, 2.0, 4.0], requires_grad=False, name=n) for n in "ab")
    assert lines(check(np.sum(x * one + x * x * two).named("J")))[0] == "J = Σ (x ∘ a + x² ∘ b)"


def test_an_array_that_was_given_a_name_is_not_negated():
    x, c = Tensor(array(3), name="x"), np.array([-1.0, -2.0, -4.0])
    order = toposort(np.sum(x * c))
    (constant,) = [node for node in order if node.op is None and node is not x]
    assert related(order, users_of(order))[constant].sign == -1
    assert constant not in related(order, users_of(order), {constant: "c"})


def test_the_same_array_twice_is_one_input():
    x, c = Tensor(array(3), name="x"), array(3, seed=9)
    explanation = check(np.sum(x * c + np.sin(x * c)).named("J"))
    assert len(explanation.inputs) == 1
