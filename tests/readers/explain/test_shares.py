import numpy as np
import pytest
from programs import array, backward, check, given, linear_model, lines

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value, explain


def written(loss):
    explanation = check(loss.named("J"))
    return [line for line in lines(explanation) if line.startswith(("J", "m", "n", "dW", "dZ"))]


@pytest.mark.parametrize(
    "mean",
    [
        lambda s, m: np.mean(s),
        lambda s, m: np.sum(s) / m,
        lambda s, m: 1 / m * np.sum(s),
        lambda s, m: np.sum(np.sum(s, axis=0)) / m,
        lambda s, m: np.sum(s, axis=0, keepdims=True).reshape(()) * (1 / m),
    ],
)
def test_a_mean_however_it_is_written(mean):
    Z, _, _ = linear_model(5)
    assert written(mean(Z * Z, 5)) == [
        "J = 1/m Σ Z²",
        "dZ = 2 Z",
        "dW = 1/m dZᵀ X",
        "m = 5; dZ: of the sum over examples, m times the gradient",
    ]


def test_half_a_mean():
    Z, _, _ = linear_model(5)
    assert written(np.sum(Z * Z) / 10)[:3] == ["J = 1/(2m) Σ Z²", "dZ = Z", "dW = 1/m dZᵀ X"]
    Z, _, _ = linear_model(5)
    assert written(0.5 * np.mean(Z * Z))[:3] == ["J = 1/(2m) Σ Z²", "dZ = Z", "dW = 1/m dZᵀ X"]


def test_a_sum_over_classes_too():
    Z, _, _ = linear_model(5, 3)
    assert written(-1 / 5 * np.sum(Z * Z))[:2] == ["J = −1/m Σ Z²", "dZ = −2 Z"]


def test_two_sums():
    Z, _, _ = linear_model(5)
    loss = -1 / 5 * (np.sum(np.exp(Z)) + np.sum(np.sin(Z)))
    assert written(loss)[0] == "J = −1/m (Σ exp(Z) + Σ sin(Z))"


def test_a_sum_has_no_share():
    Z, _, _ = linear_model(5)
    assert written(np.sum(Z * Z)) == ["J = Σ Z²", "dZ = 2 Z", "dW = dZᵀ X"]


def test_one_half_is_not_the_share_of_two_examples():
    Z, _, _ = linear_model(2)
    assert written(0.5 * np.sum(Z * Z))[0] == "J = 1/2 Σ Z²"


def test_a_share_of_weights_is_a_number():
    W = Tensor(array(4, 2), name="W")
    assert written(0.25 * np.sum(W * W)) == ["J = 1/4 Σ W²", "dW = 1/2 W"]


def test_the_share_stands_only_where_it_belongs():
    Z, W, _ = linear_model(5)
    assert written(np.mean(Z * Z) + 0.01 * np.sum(W * W)) == [
        "J = 1/m Σ Z² + 0.01 Σ W²",
        "dZ = 2 Z",
        "dW = 1/m dZᵀ X + 0.02 W",
        "m = 5; dZ: of the sum over examples, m times the gradient",
    ]


def test_means_of_different_counts():
    Z, _, _ = linear_model(5)
    loss = np.mean(Z * Z) + np.mean(np.exp(Z[:3]))
    names = written(loss)
    assert names[0] == "J = 1/m Σ Z² + 1/n Σ exp(Z[:3])"
    assert names[-2:] == ["m = 5", "n = 3"]
    assert "dZ = 2/m Z + 1/n scatter(exp(Z[:3]))" in names


def test_means_over_several_axes_and_means_of_means():
    Z = Tensor(array(3, 4, 5), name="Z")
    assert written(np.mean(Z * Z))[:2] == ["J = 1/m Σ Z²", "dZ = 2/m Z"]
    assert written(np.mean(np.mean(Z * Z, axis=(0, 2))))[:2] == [
        "J = 1/(15m) Σ Z²",
        "dZ = 2/(15m) Z",
    ]
    assert written(np.sum(np.mean(Z * Z, axis=(0, 2)))) == ["J = 1/15 Σ Z²", "dZ = 2/15 Z"]
    assert written(np.mean(Z * Z) * np.mean(Z))[-1] == "m = 60"


def test_a_mean_of_scalars():
    xs = [Value(float(k), name=f"x{k}") for k in range(1, 5)]
    loss = sum(x * x for x in xs) * (1 / len(xs))
    equation = explain(loss.named("J")).forward[-1]
    assert "1/m" in str(equation.term)


def test_the_name_of_the_count():
    Z, _, _ = linear_model(5)
    explanation = explain(np.mean(Z * Z).named("J"), count="N")
    assert lines(explanation)[1] == "J = 1/N Σ Z²"
    assert backward(explanation)[1] == "dW = 1/N dZᵀ X"


@pytest.mark.parametrize("number", [0.0, np.inf, -0.2, 1e300])
def test_other_factors_are_numbers(number):
    Z = given(array(5, 1), "Z") * Tensor(np.ones((5, 1)), name="W")
    with np.errstate(all="ignore"):
        explanation = explain((np.sum(Z) * number).named("J"))
    assert ("1/m" in str(explanation)) == (number == -0.2)


def test_cross_entropy_of_labels():
    Z, _, _ = linear_model(4, 3)
    explanation = check(F.cross_entropy(Z, [0, 2, 1, 1]).named("J"))
    assert lines(explanation)[1] == "J = −1/m Σ Y ∘ log_softmax(Z)"
    assert backward(explanation)[0] == "dZ = softmax(Z) − Y"
    np.testing.assert_array_equal(explanation.inputs["Y"], np.eye(3)[[0, 2, 1, 1]])
