import numpy as np
import pytest
from programs import array, check, given, lines, run

import micrograd_nn.functional as F
from micrograd_nn import MLP, Linear, Module, Sequential, Tensor, explain
from micrograd_nn.graph.order import toposort
from micrograd_nn.readers.explain.naming import is_gathering, names_of, users_of

STRANGE = [
    "my weight", "θ", "λ1", "w[0]", "lambda", "np", "2nd", "W·2", "a_b", "x'", "<b>", "50%", "a$b",
    "W\\", "__x", "print", "inputs", "parameters", "Σ", "ŷ", "日本", "dW", "m", "n", "sum", "1/m",
    "abs", "float", "range", "sigmoid", "relu", "table", "math", "None", '"', "'", "{x}", "#", "&",
    " ", "\n", "-1", "J",
]  # fmt: skip


@pytest.mark.parametrize("name", STRANGE)
def test_any_name_will_do(name):
    W = Tensor([0.5, -2.0], name=name)
    root = np.mean(F.relu(W) + F.sigmoid(W))
    root.backward()
    explanation = explain(root)
    _, gradients = run(explanation)
    ((key, gradient),) = gradients.items()
    assert key == {"1/m": "(1/m)", "\n": " "}.get(name, name)
    np.testing.assert_allclose(gradient, W.grad, rtol=1e-14)


def test_two_values_of_one_name_are_told_apart():
    a, b = Tensor(array(2, 2), name="Z"), Tensor(array(2, 2, seed=1), name="Z")
    root = np.sum(a @ b)
    root.backward()
    explanation = explain(root)
    assert lines(explanation) == ["L = Σ Z Z·2", "", "dZ = 𝟏 Z·2ᵀ", "dZ·2 = Zᵀ 𝟏"]
    np.testing.assert_allclose(run(explanation)[1]["Z·2"], b.grad)


def test_a_value_named_like_a_gradient():
    W, dW = Tensor(array(2, 2), name="W"), Tensor(array(2, 2, seed=1), name="dW")
    explanation = check(np.sum(np.tanh(W @ dW).named("ddW") ** 2).named("J"))
    names = [e.name for e in (*explanation.forward, *explanation.backward)]
    assert len(set(names)) == len(names)


def test_python_names_that_differ_only_in_signs():
    a, b = Tensor(array(2, 2), name="x y"), Tensor(array(2, 2, seed=1), name="x_y")
    check(np.sum(np.tanh(a @ b)).named("J"))


def test_the_number_of_examples_avoids_names_in_use():
    m = Tensor([1.0, 2.0, 5.0], name="m")
    assert lines(check(np.mean(m * m).named("J")))[0] == "J = 1/n Σ m²"


def test_layers_and_arrays_without_names():
    model = Sequential(Linear(2, 3, seed=0), "relu", Linear(3, 1, seed=1))
    loss = F.mse(model(array(4, 2)), array(4, 1))
    assert lines(explain(loss))[:4] == [
        "Z1 = X W1ᵀ + b1",
        "A1 = relu(Z1)",
        "Z2 = A1 W2ᵀ + b2",
        "L = 1/m Σ (Z2 − Y)²",
    ]


def test_layers_of_one_name_get_the_number_of_their_result():
    one, two = Linear(2, 3, seed=0), Linear(3, 1, seed=1)
    written = lines(explain(F.mse(two(F.tanh(one(array(4, 2)))), array(4, 1))))
    assert written[:2] == ["Z1 = X W1ᵀ + b1", "Z2 = tanh(Z1) W2ᵀ + b2"]


def test_neurons_on_a_batch_are_matrices():
    model = MLP(2, [3, 1], seed=0)
    loss = F.mse(model(array(4, 2)), array(4, 1))
    explanation = explain(loss)
    assert lines(explanation)[:3] == ["Z1 = X W1ᵀ + b1", "A1 = relu(Z1)", "Z2 = A1 W2ᵀ + b2"]
    assert lines(explanation)[-1] == "W1, b1, W2, b2: the weights and biases of the neurons"
    loss.backward()
    _, gradients = run(explanation)
    for k, layer in enumerate(model.layers, start=1):
        expected = [[w.grad for w in neuron.w] for neuron in layer.neurons]
        np.testing.assert_allclose(gradients[f"W{k}"], expected, rtol=1e-13, atol=1e-16)


def test_weights_that_have_names_are_not_gathered():
    w = [Tensor(0.5, name="w1"), Tensor(2.0, name="w2")]
    assert not is_gathering(np.stack(w))
    check(np.sum(np.stack(w) * given([3.0, 4.0], "x")).named("J"))


def test_names_that_are_given_go_first():
    x = Tensor([1.0, 2.0], name="x")
    y = np.exp(x)
    order = toposort(np.sum(y * y))
    names, _ = names_of(order, users_of(order), {y: "E"})
    assert names[y] == "E"


def test_names_that_are_given_are_nobody_elses():
    x = Tensor([1.0, 2.0], name="x")
    y = np.exp(x) * 2
    root = np.sum(y * np.array([3.0, 4.0]))
    order = toposort(root)
    constant = root.inputs[0].inputs[1]
    names, _ = names_of(order, users_of(order), {y: "L", x: "V1", constant: "x"})
    assert (names[y], names[x], names[constant]) == ("L", "V1", "x")
    assert len(set(names.values())) == len(names)


def test_a_product_of_computed_values_is_no_layer():
    """As the Q Kᵀ of attention: it is written where it is used."""

    class Head(Module):
        def __init__(self):
            self.WQ, self.WK = (
                Tensor(array(4, 2), name="WQ"),
                Tensor(array(4, 2, seed=1), name="WK"),
            )

        def forward(self, X):
            Q, K = (X @ self.WQ).named("Q"), (X @ self.WK).named("K")
            return F.softmax((Q @ K.T / 2).named("S"))

    X = Tensor(array(3, 4, seed=2), requires_grad=False, name="X")
    equations = lines(explain(np.sum(Head()(X) ** 2).named("J")))
    assert "S = 1/2 Q Kᵀ" in equations
    assert "dQ = 1/2 dS K" in equations


def test_the_result_of_a_first_layer_is_not_its_input():
    class Own(Module):
        def __init__(self):
            self.V, self.c = Tensor(array(3, 2), name="V"), Tensor(array(3, 1), name="c")

        def forward(self, X):
            return F.tanh(self.V @ X + self.c)

    X = Tensor(array(2, 5), requires_grad=False, name="X")
    assert lines(explain(np.sum(Own()(X)).named("J")))[0] == "A1 = tanh(V X + c)"
