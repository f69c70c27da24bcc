"""Networks of neurons: the index form, and the same on arrays."""

import numpy as np
import pytest
from programs import lines, run

import micrograd_nn.functional as F
from micrograd_nn import MLP, Value, explain
from micrograd_nn.graph.node import GraphError
from micrograd_nn.graph.order import toposort
from micrograd_nn.readers.explain.neurons import layers_of, places

ROWS, TARGETS = [[0.5, -1.0], [1.0, 2.0], [0.0, 1.0]], [1.0, 0.0, 1.0]


def network(*sizes, **options):
    return MLP(2, list(sizes), seed=0, **options)


def mean(losses):
    losses = list(losses)
    return sum(losses) * (1 / len(losses))


def check(model, loss):
    """Compare the source on arrays with the engine on neurons."""
    for p in model.parameters():
        p.zero_grad()
    loss.backward()
    explanation = explain(loss)
    value, gradients = run(explanation)
    assert value == pytest.approx(loss.data, rel=1e-13)
    for k, layer in enumerate(model.layers, start=1):
        W = np.array([[w.grad for w in neuron.w] for neuron in layer.neurons])
        b = np.array([neuron.b.grad for neuron in layer.neurons])
        scale = max(np.abs(W).max(), np.abs(b).max())
        np.testing.assert_allclose(gradients[f"W{k}"], W, rtol=0, atol=1e-13 * scale)
        np.testing.assert_allclose(gradients[f"b{k}"], b, rtol=0, atol=1e-13 * scale)
    return explanation


def right(explanation, left):
    return next(line.split(" = ", 1)[1] for line in lines(explanation) if line.startswith(left))


def test_one_example():
    model = network(3, 1, activation="tanh", output_activation="sigmoid")
    explanation = check(model, ((model(ROWS[0]) - 1.0) ** 2 * 0.5).named("E"))
    assert lines(explanation) == [
        "o_j[1] = Σ_i w_ij[1] x_i + b_j[1]",
        "a_j[1] = tanh(o_j[1])",
        "o_j[2] = Σ_i w_ij[2] a_i[1] + b_j[2]",
        "a_j[2] = σ(o_j[2])",
        "E = 1/2 (a_j[2] − y_j)²",
        "",
        "δ_j[2] = (a_j[2] − y_j) σ′(o_j[2])",
        "∂E/∂w_ij[2] = δ_j[2] a_i[1]",
        "∂E/∂b_j[2] = δ_j[2]",
        "δ_j[1] = tanh′(o_j[1]) Σ_l w_lj[2] δ_l[2]",
        "∂E/∂w_ij[1] = δ_j[1] x_i",
        "∂E/∂b_j[1] = δ_j[1]",
    ]


def test_a_sum_over_examples_has_no_share():
    model = network(3, 1)
    loss = sum((model(x) - y) ** 2 for x, y in zip(ROWS, TARGETS, strict=True))
    explanation = check(model, loss)
    assert right(explanation, "E = ") == "Σ (a_j[2] − y_j)²"
    assert right(explanation, "∂E/∂w_ij[2]") == "Σ δ_j[2] a_i[1]"


def test_several_outputs():
    model = network(3, 3, 2, activation="tanh")
    loss = sum((o - y) ** 2 for x, y in zip(ROWS, TARGETS, strict=True) for o in model(x)) / 3
    explanation = check(model, loss.named("E"))
    assert right(explanation, "E = ") == "1/m Σ (a_j[3] − y_j)²"
    assert right(explanation, "δ_j[3]") == "2 · (a_j[3] − y_j)"
    assert right(explanation, "δ_j[2]") == "tanh′(o_j[2]) Σ_l w_lj[3] δ_l[3]"


def test_micrograds_demo():
    model = network(4, 4, 1)
    losses = [(1 + -y * model(x)).relu() for x, y in zip(ROWS, [1, -1, 1], strict=True)]
    penalty = 1e-4 * sum(p * p for p in model.parameters())
    explanation = check(model, (mean(losses) + penalty).named("loss"))
    assert right(explanation, "loss = ").startswith(
        "1/m Σ relu(1 + c_j · a_j[3]) + 10⁻⁴ Σ w_ij[1]²"
    )
    assert right(explanation, "∂loss/∂w_ij[2]") == "1/m Σ δ_j[2] a_i[1] + 2·10⁻⁴ · w_ij[2]"


@pytest.mark.parametrize(
    "activation", ["leaky_relu", "elu", "softplus", "identity", "gelu", "silu"]
)
def test_activations(activation):
    model = network(3, 1, activation=activation)
    losses = [
        F.binary_cross_entropy_with_logits(model(x), y) for x, y in zip(ROWS, TARGETS, strict=True)
    ]
    explanation = check(model, mean(losses))
    assert right(explanation, "δ_j[2]") == "σ(a_j[2]) − y_j"


def test_a_target_of_a_name():
    model, y = network(2, 1), Value(0.5, name="y")
    explanation = explain((model(ROWS[0]) - y) ** 2)
    assert "y" in str(explanation)


def test_an_output_is_a_root():
    model = network(3, 1)
    explanation = explain(model(ROWS[0]))
    assert right(explanation, "δ_j[2]") == "1"


def test_an_activation_of_ones_own_is_g():
    model = network(3, 1, activation=lambda z: z * z)
    explanation = explain(model(ROWS[0]) ** 2)
    assert right(explanation, "a_j[1]") == "g(o_j[1])"
    assert right(explanation, "δ_j[1]") == "g′(o_j[1]) Σ_l w_lj[2] δ_l[2]"
    with pytest.raises(GraphError, match="call the network on a batch"):
        explanation.numpy()


def test_a_loss_that_treats_outputs_differently():
    model = network(3, 1)
    explanation = explain(model(ROWS[0]) * model(ROWS[1]) ** 2)
    assert right(explanation, "δ_j[2]") == "∂E/∂a_j[2]"
    with pytest.raises(GraphError, match="different ways"):
        explanation.numpy()


def test_latex_and_mathml_have_the_same_lines():
    model = network(3, 1)
    explanation = explain((model(ROWS[0]) - 1.0) ** 2)
    equations = len([line for line in lines(explanation) if " = " in line])
    assert explanation.latex().count("&=") == equations
    assert explanation.mathml().count("<mtr>") == equations
    assert r"\frac{\partial E}{\partial w_{ij}^{[2]}} &= \delta_{j}^{[2]}\, a_{i}^{[1]}" in (
        explanation.latex()
    )


def test_the_same_on_arrays():
    model = network(3, 1, activation="tanh")
    explanation = check(
        model, mean((model(x) - y) ** 2 for x, y in zip(ROWS, TARGETS, strict=True)).named("E")
    )
    np.testing.assert_array_equal(explanation.inputs["X"], ROWS)
    np.testing.assert_array_equal(explanation.inputs["Y"][:, 0], TARGETS)
    assert [e.name for e in explanation.forward] == ["Z1", "A1", "Z2", "E"]
    assert "dZ2 = 2 * (Z2 - Y)" in explanation.numpy()


def test_layers_and_places():
    model = network(3, 2)
    root = sum(o for x in ROWS for o in model(x))
    layers = layers_of(toposort(root))
    assert [len(layer.parameters) for layer in layers] == [3, 2]
    assert [layer.examples for layer in layers] == [3, 3]
    at = places(layers)
    assert {at[unit] for unit in layers[1].units} == {(e, n) for e in range(3) for n in range(2)}
