import numpy as np
import pytest
from programs import array, linear_model, lines, two_layers

from micrograd_nn import Tensor, Value, explain, no_grad
from micrograd_nn.graph.node import GraphError


def test_text_is_aligned():
    written = str(explain(two_layers())).split("\n")
    equations = [row for row in written if " = " in row and not row.startswith("m = ")]
    assert len({row.index(" = ") for row in equations}) == 1


def test_text_with_shapes():
    written = explain(two_layers()).text(shapes=True).split("\n")
    shapes = ["4 × 5", "4 × 5", "1 × 5", "1 × 5", "number"]
    assert all(row.endswith(f"   {s}") for row, s in zip(written, shapes, strict=False))
    starts = {len(row) - len(shape) for row, shape in zip(written, shapes, strict=False)}
    assert len(starts) == 1
    vector = explain(np.sum(Tensor(array(3), name="x") ** 2).named("L"))
    assert vector.text(shapes=True).endswith("dx = 2 x    (3,)")


def test_it_prints_itself():
    explanation = explain(two_layers())
    assert repr(explanation) == str(explanation) == explanation.text()


def test_what_the_leaves_hold():
    explanation = explain(two_layers())
    assert list(explanation.inputs) == ["X", "Y"]
    assert list(explanation.parameters) == ["W1", "b1", "W2", "b2"]
    assert explanation.parameters["W1"].shape == (4, 2)


def test_equations_can_be_read_one_by_one():
    explanation = explain(two_layers())
    (equation,) = [e for e in explanation.backward if e.name == "dZ1"]
    assert equation.of == "Z1"
    assert equation.shape == (4, 5)
    assert equation.data.shape == (4, 5)


def test_notes_are_short_for_deep_networks():
    Z, _, _ = linear_model(5)
    for k in range(8):
        Z = np.tanh(Z).named(f"A{k}")
    assert lines(explain(np.mean(Z * Z).named("J")))[-1].startswith("m = 5; dA7 … dZ: of the sum")


def test_each_number_of_examples_has_its_note():
    u, v = Tensor(array(3), name="u"), Tensor(array(4), name="v")
    a, b = np.exp(u).named("a"), np.sin(v).named("b")
    assert lines(explain((np.mean(a * a) + np.mean(b * b)).named("J")))[-2:] == [
        "m = 3; da: of the sum over examples, m times the gradient",
        "n = 4; db: of the sum over examples, n times the gradient",
    ]


def test_a_root_without_a_name_is_a_loss():
    x = Tensor(array(3), name="x")
    assert lines(explain(np.sum(x * x)))[0] == "L = Σ x²"


def test_a_root_of_one_number_in_brackets():
    x = Tensor(array(1, 3), name="x")
    w = Tensor(array(3, 1), name="w")
    assert lines(explain((x @ w).named("L"))) == ["L = x w", "", "dx = wᵀ", "dw = xᵀ"]


# --------------------------------------------------------------------------------- bad input


def test_a_leaf_has_no_graph():
    with pytest.raises(GraphError, match="'w' has no graph: it is a leaf"):
        explain(Tensor(2.0, name="w"))
    with no_grad():
        y = Value(2.0) * 3
    with pytest.raises(GraphError, match="no_grad"):
        explain(y)


@pytest.mark.parametrize("bad", [3.0, None, "W", [1.0], np.zeros(3)])
def test_what_is_no_node(bad):
    with pytest.raises(TypeError, match="takes the Value or Tensor that was computed"):
        explain(bad)


def test_a_root_of_many_numbers():
    x = Tensor(array(3), name="x")
    with pytest.raises(GraphError, match=r"has shape \(3,\): take its sum or mean first"):
        explain(x * x)


def test_wrt_must_be_below():
    x = Tensor(array(3), name="x")
    with pytest.raises(GraphError, match="the root doesn't depend on leaf named 'q'"):
        explain(np.sum(x * x), wrt=Tensor(2.0, name="q"))
    with pytest.raises(TypeError, match="wrt must be nodes of the graph, got str"):
        explain(np.sum(x * x), wrt="x")


def test_wrt_nothing():
    x = Tensor(array(3), name="x")
    explanation = explain(np.sum(x * x).named("L"), wrt=[])
    assert lines(explanation)[0] == "L = Σ x²"
    assert not explanation.backward


def test_a_graph_of_inputs_alone():
    x = Tensor(array(3), name="x", requires_grad=False)
    explanation = explain(np.sum(x * x).named("L"))
    assert lines(explanation) == ["L = Σ x²"]
    assert not explanation.backward
