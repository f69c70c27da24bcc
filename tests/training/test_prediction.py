import math

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn.data import circles
from micrograd_nn.nn import MLP, BatchNorm, Dropout, Linear, Sequential
from micrograd_nn.training import accuracy, evaluate, predict, predict_proba

X, y = circles(30, noise=0.1, seed=0)


def test_predict_returns_plain_rows():
    model = Sequential(Linear(2, 3, seed=0), "tanh", Linear(3, 2, seed=1))
    outputs = predict(model, X)
    assert type(outputs) is np.ndarray
    assert outputs.shape == (30, 2)
    np.testing.assert_array_equal(outputs, model(X).data)
    np.testing.assert_allclose(predict(model, X, batch_size=7), outputs, rtol=1e-14)


def test_a_model_is_used_as_in_use_and_left_as_it_was():
    model = Sequential(Dropout(0.5, seed=0), BatchNorm(2), Linear(2, 1, seed=0))
    model[1].eval()
    before = model.state_dict()
    np.testing.assert_array_equal(predict(model, X), predict(model, X))
    predict_proba(model, X)
    evaluate(model, X, y)
    assert [part.training for part in model] == [True, False, True]
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("scalar", [True, False])
def test_probabilities_of_one_output(scalar):
    def model(last):
        if scalar:
            return MLP(2, [3, 1], output_activation=last, seed=1)
        return Sequential(Linear(2, 3, seed=1), "relu", Linear(3, 1, seed=2), last)

    logits = predict(model("identity"), X)
    expected = 1 / (1 + np.exp(-logits))
    assert predict_proba(model("identity"), X).shape == (30, 1)
    np.testing.assert_allclose(predict_proba(model("identity"), X), expected, rtol=1e-14)
    np.testing.assert_allclose(predict_proba(model("sigmoid"), X), expected, rtol=1e-14)


def test_probabilities_of_several_outputs_sum_to_one():
    layers = Linear(2, 4, seed=1), "tanh", Linear(4, 3, seed=2)
    of_logits = predict_proba(Sequential(*layers), X)
    ready = predict_proba(Sequential(*layers, "softmax"), X)
    np.testing.assert_allclose(of_logits.sum(axis=1), 1.0)
    np.testing.assert_allclose(of_logits, ready, rtol=1e-13)


def test_log_softmax_gives_logits():
    model = Sequential(Linear(2, 3, seed=2), "log_softmax")
    np.testing.assert_allclose(predict_proba(model, X), np.exp(predict(model, X)), rtol=1e-13)


def test_a_change_of_shape_after_the_sigmoid_is_seen_through():
    class Flat(Sequential):
        def forward(self, x):
            return F.reshape(super().forward(x), (-1,))

    model = Flat(Linear(2, 1, seed=0), "sigmoid")
    np.testing.assert_array_equal(predict_proba(model, X), predict(model, X))


def test_from_logits_overrules():
    model = Sequential(Linear(2, 1, seed=0), "sigmoid")
    doubly = predict_proba(model, X, from_logits=True)
    np.testing.assert_allclose(doubly, 1 / (1 + np.exp(-predict(model, X))))
    scores = Sequential(Linear(2, 1, seed=0), "tanh")
    with pytest.raises(ValueError, match="are no probabilities: pass from_logits=True"):
        predict_proba(scores, X, from_logits=False)


def test_large_logits_do_not_overflow():
    model = Sequential(Linear(1, 1, init="zeros"))
    model[0].W.data = [[1.0]]
    assert predict_proba(model, [[-1000.0], [0.0], [1000.0]]).ravel().tolist() == [0.0, 0.5, 1.0]


def test_evaluate_gives_loss_and_metrics():
    model = Sequential(Linear(2, 1, seed=0), "sigmoid")
    p = predict(model, X).ravel()
    found = evaluate(model, X, y, "binary_cross_entropy", ["accuracy", "mae"], batch_size=7)
    assert list(found) == ["loss", "accuracy", "mae"]
    expected = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    assert math.isclose(found["loss"], expected, rel_tol=1e-12)
    assert found["accuracy"] == np.mean((p > 0.5) == y)
    assert math.isclose(found["mae"], np.mean(np.abs(p - y)), rel_tol=1e-12)


def test_float32_models_predict_float32():
    model = Sequential(Linear(2, 1, seed=0, dtype="float32"))
    assert predict(model, X).dtype == np.float32
    assert predict_proba(model, X).dtype == np.float32


def test_wrong_arguments_are_refused():
    model = Sequential(Linear(2, 1, seed=0))
    with pytest.raises(ValueError, match=r"reshape\(-1, 1\)"):
        predict(model, [1.0, 2.0])
    with pytest.raises(ValueError, match="X holds nan at row 0, column 1"):
        predict_proba(model, [[1.0, math.nan]])
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        predict(model, X, batch_size=0)
    with pytest.raises(ValueError, match="y has 29"):
        evaluate(model, X, y[1:])


@pytest.mark.parametrize("metrics", [["accuracy"], {"right": "accuracy"}, accuracy])
def test_accuracy_has_the_threshold_of_the_loss_or_of_the_last_activation(metrics):
    def half(prediction, target):
        return ((prediction - target) ** 2).mean()

    def found(output, loss):
        model = MLP(1, [1], output_activation=output, init="zeros", seed=0)
        model.layers[0].neurons[0].b.data = 0.25
        *_, share = evaluate(model, [[1.0], [2.0]], [0, 1], loss, metrics).values()
        return share

    ones = (found("identity", "binary_cross_entropy_with_logits"), found("sigmoid", half))
    assert ones == (0.5, 0.5)
    assert found("identity", "mse") == 0.5
    with pytest.raises(ValueError, match="the function half and targets 0 and 1 don't tell"):
        found("identity", half)


def test_accuracy_of_several_outputs_needs_no_threshold():
    model = MLP(1, [2], init="zeros", seed=0)
    found = evaluate(
        model, [[1.0], [2.0]], [0, 1], lambda z, y: F.cross_entropy(z, y), ["accuracy"]
    )
    assert found["accuracy"] == 0.5
