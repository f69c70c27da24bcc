"""The articles' equations, symbol for symbol."""

import numpy as np
import pytest
from programs import (
    array,
    backward,
    check,
    given,
    l_layers,
    linear_model,
    lines,
    scalars,
    two_layers,
)

import micrograd_nn.functional as F
from micrograd_nn import MLP, Tensor, explain
from micrograd_nn.testing import GradientError, check_backprop


def test_two_layers_in_columns():
    assert str(check(two_layers())) == (
        " Z1 = W1 X + b1\n"
        " A1 = tanh(Z1)\n"
        " Z2 = W2 A1 + b2\n"
        " A2 = σ(Z2)\n"
        "  J = −1/m Σ (Y ∘ log(A2) + (1 − Y) ∘ log(1 − A2))\n"
        "\n"
        "dZ2 = A2 − Y\n"
        "dW2 = 1/m dZ2 A1ᵀ\n"
        "db2 = 1/m Σ dZ2\n"
        "dA1 = W2ᵀ dZ2\n"
        "dZ1 = dA1 ∘ (1 − A1²)\n"
        "dW1 = 1/m dZ1 Xᵀ\n"
        "db1 = 1/m Σ dZ1\n"
        "\n"
        "m = 5; dZ2, dA1, dZ1: of the sum over examples, m times the gradient"
    )


def test_two_layers_in_rows_are_transposed():
    assert backward(check(two_layers(rows=True))) == [
        "dZ2 = A2 − Y",
        "dW2 = 1/m dZ2ᵀ A1",
        "db2 = 1/m Σ dZ2",
        "dA1 = dZ2 W2",
        "dZ1 = dA1 ∘ (1 − A1²)",
        "dW1 = 1/m dZ1ᵀ X",
        "db1 = 1/m Σ dZ1",
    ]


@pytest.mark.parametrize(("g", "name"), [(F.relu, "relu"), (F.softplus, None), (F.elu, "elu")])
def test_l_layers(g, name):
    written = backward(check(l_layers((2, 3, 2, 1), g)))
    assert written[0] == "dZ[3] = A[3] − Y"
    assert "dW[2] = 1/m dZ[2] A[1]ᵀ" in written
    assert "db[2] = 1/m Σ dZ[2]" in written
    assert "dA[1] = W[2]ᵀ dZ[2]" in written
    slope = {"relu": "relu′(Z[2])", "elu": "elu′(Z[2], 1)", None: "σ(Z[2])"}[name]
    assert f"dZ[2] = dA[2] ∘ {slope}" in written
    assert written[-2:] == ["dW[1] = 1/m dZ[1] Xᵀ", "db[1] = 1/m Σ dZ[1]"]


def test_one_example_has_no_share():
    x, y = given([[0.5], [-1.0]], "x"), given([[1.0]], "y")
    w, b = Tensor([[0.3, 0.7]], name="w"), Tensor([[0.1]], name="b")
    a = F.sigmoid((w @ x + b).named("z")).named("a")
    loss = (-np.sum(y * np.log(a) + (1 - y) * np.log(1 - a))).named("J")
    assert backward(check(loss)) == ["dz = a − y", "dw = dz xᵀ", "db = dz"]


@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("mean", ["mean", "share", "divided"])
def test_softmax_with_plain_logs(columns, mean):
    m = 6
    one_hot = np.eye(3)[[0, 2, 1, 1, 0, 2]]
    Z, _, _ = linear_model(m, 3)
    if columns:
        X, W, b = (
            given(array(2, m), "X"),
            Tensor(array(3, 2), name="W"),
            Tensor(array(3, 1), name="b"),
        )
        Z = (W @ X + b).named("Z")
    Y = given(one_hot.T if columns else one_hot, "Y")
    axis = 0 if columns else 1
    P = F.softmax(Z, axis=axis).named("P")
    if mean == "mean":
        loss = -np.mean(np.sum(Y * np.log(P), axis=axis))
    elif mean == "share":
        loss = -1 / m * np.sum(Y * np.log(P))
    else:
        loss = -np.sum(Y * np.log(P)) / m
    explanation = check(loss.named("L"))
    assert lines(explanation)[2] == "L = −1/m Σ Y ∘ log(P)"
    assert backward(explanation)[:2] == [
        "dZ = P − Y",
        "dW = 1/m dZ Xᵀ" if columns else "dW = 1/m dZᵀ X",
    ]
    assert lines(explanation)[-2:] == [
        "m = 6; dZ: of the sum over examples, m times the gradient",
        "Y sums to 1 over the classes",
    ]


def test_targets_that_do_not_sum_to_1_keep_their_sum():
    Z, _, _ = linear_model(6, 3)
    P = F.softmax(Z).named("P")
    Y = given(np.linspace(0.1, 0.9, 18).reshape(6, 3), "Y")
    written = backward(check(-np.mean(np.sum(Y * np.log(P), axis=1))))
    assert written[:2] == ["dP = −Y / P", "dZ = P ∘ (dP − Σ dP ∘ P)"]


def test_index_form_with_deltas():
    model = MLP(2, [3, 1], activation="tanh", output_activation="sigmoid", seed=0)
    rows, targets = [[0.5, -1.0], [1.0, 2.0], [0.0, 1.0]], [1.0, 0.0, 1.0]
    errors = [(model(x) - y) ** 2 for x, y in zip(rows, targets, strict=True)]
    assert lines(explain((sum(errors) * (1 / 6)).named("E"))) == [
        "o_j[1] = Σ_i w_ij[1] x_i + b_j[1]",
        "a_j[1] = tanh(o_j[1])",
        "o_j[2] = Σ_i w_ij[2] a_i[1] + b_j[2]",
        "a_j[2] = σ(o_j[2])",
        "E = 1/(2m) Σ (a_j[2] − y_j)²",
        "",
        "δ_j[2] = (a_j[2] − y_j) σ′(o_j[2])",
        "∂E/∂w_ij[2] = 1/m Σ δ_j[2] a_i[1]",
        "∂E/∂b_j[2] = 1/m Σ δ_j[2]",
        "δ_j[1] = tanh′(o_j[1]) Σ_l w_lj[2] δ_l[2]",
        "∂E/∂w_ij[1] = 1/m Σ δ_j[1] x_i",
        "∂E/∂b_j[1] = 1/m Σ δ_j[1]",
        "",
        "m = 3",
        "Σ is over the examples, where it has no index",
    ]


def test_chain_rule_with_numbers():
    a, b, c = scalars(a=2, b=-3, c=10)
    L = ((a * b).named("d") + c).named("L")
    assert "∂L/∂a = ∂L/∂d · ∂d/∂a = 1 · b = −3" in lines(explain(L))


def test_mean_squared_error_of_s5():
    Z, _, _ = linear_model()
    loss = np.mean((given(np.ones((6, 1)), "y") - Z) ** 2).named("MSE")
    explanation = check(loss)
    assert lines(explanation)[1] == "MSE = 1/m Σ (y − Z)²"
    assert backward(explanation)[0] == "dZ = −2 (y − Z)"


# ----------------------------------------------------------------------------------- errata


def test_coth_is_not_tanh():
    Z = Tensor([0.5, 1.5], name="Z")
    printed = (np.exp(Z) + np.exp(-Z)) / (np.exp(Z) - np.exp(-Z))
    assert not np.allclose(printed.data, np.tanh(Z.data))
    with pytest.raises(GradientError) as raised:  # the articles' derivative is that of tanh
        check_backprop(np.sum(printed), {"dZ": 1 - np.tanh(Z.data) ** 2})
    assert raised.value.blamed == ["Z"]


def test_each_layer_has_its_own_bias():
    loss = l_layers((2, 3, 3, 1), F.tanh)
    explanation = explain(loss)
    grads = {e.name: e.data for e in explanation.backward}
    wrong = {"db[1]": grads["db[1]"], "db[2]": grads["db[1]"]}  # b[1] in every layer
    with pytest.raises(GradientError) as raised:
        check_backprop(loss, wrong)
    assert raised.value.blamed == ["b[2]"]
    assert "right: db[2] = " in str(raised.value)


def test_a_sum_from_0_has_one_example_too_many():
    loss = two_layers()
    grads = {e.name: e.data for e in explain(loss).backward}
    with pytest.raises(GradientError) as raised:
        check_backprop(loss, {"dW2": grads["dW2"] * 5 / 6})
    assert raised.value.blamed == ["W2"]


def test_the_summed_index_belongs_to_the_input():
    loss = l_layers((3, 3, 3, 1), F.tanh, m=1)
    values = {e.name: e.data for e in explain(loss).forward}
    grads = {e.name: e.data for e in explain(loss).backward}
    wrong = np.repeat(grads["dZ[2]"] * values["A[1]"], 3, axis=1)  # δ_j a_j for δ_j a_i
    with pytest.raises(GradientError) as raised:
        check_backprop(loss, {"dZ[2]": grads["dZ[2]"], "dW[2]": wrong})
    assert raised.value.blamed == ["W[2]"]
    assert "right: dW[2] = dZ[2] A[1]ᵀ" in str(raised.value)


# ------------------------------------------------------------------- beside a learner's equation


def test_the_right_equation_stands_beside_the_wrong_one():
    loss = two_layers()
    grads = {e.name: e.data for e in explain(loss).backward}
    A1 = next(e.data for e in explain(loss).forward if e.name == "A1")
    wrong = {"dA1": grads["dA1"], "dZ1": grads["dA1"] * (1 - A1)}
    with pytest.raises(GradientError) as raised:
        check_backprop(loss, wrong, convention="articles")
    assert raised.value.blamed == ["Z1"]
    assert "right: dZ1 = dA1 ∘ (1 − A1²)" in str(raised.value)


def test_an_equation_that_is_left_out_stands_beside_a_wrong_one_all_the_same():
    loss = two_layers()
    with pytest.raises(GradientError) as raised:
        check_backprop(loss, {"dA2": np.ones((1, 5))}, convention="articles")
    assert "right: dA2 = (1 − Y) / (1 − A2) − Y / A2" in str(raised.value)
