"""What draw() shows on request: local derivatives, colours, fewer cards, fewer parts."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_nn.functional as F
from micrograd_nn import MLP, Linear, Neuron, Sequential, Tensor, Value, draw
from micrograd_nn.graph.order import toposort
from micrograd_nn.readers.fonts import text_width

SVG = "{http://www.w3.org/2000/svg}"


def parsed(picture):
    return ET.fromstring(picture.svg())


def having(picture, kind, tag="g"):
    return [e for e in parsed(picture).iter(SVG + tag) if kind in e.get("class", "").split()]


def texts(picture):
    return [t.text for t in parsed(picture).iter(f"{SVG}text")]


def labels(picture):
    return [t.text for t in having(picture, "count", "text")]


def titled(picture, title):
    (card,) = (c for c in having(picture, "card") if c.find(f"{SVG}text").text == title)
    return card


def shapes(card):
    return {c for path in card.iter(f"{SVG}path") for c in path.get("class").split()}


# ----------------------------------------------------------------------------- small drawings


def test_tensors_carry_a_heat_map_or_a_histogram_and_functions_a_curve():
    x = Tensor(np.arange(-3.0, 3.0).reshape(2, 3), name="x")
    big = Tensor(np.arange(1000.0), name="big")
    picture = draw(x.tanh().sum() + big.sum())
    assert {"cell", "plus", "minus", "shade4"} <= shapes(titled(picture, "x"))
    assert shapes(titled(picture, "big")) == {"plus", "shade3"}
    assert {"curve", "point", "many"} <= shapes(titled(picture, "tanh"))


def test_the_curve_of_one_number_has_its_tangent():
    picture = draw(Value(0.3, name="x").tanh())
    assert {"curve", "point", "tangent", "axis"} == shapes(titled(picture, "tanh"))
    assert shapes(titled(picture, "x")) == set()


@pytest.mark.parametrize("collapse", [None, "neurons", "layers"])
def test_fused_neurons_and_layers_have_the_curve_of_their_activation(scalar_network, collapse):
    picture = draw(scalar_network, collapse=collapse)
    assert len(having(picture, "curve", "path")) == {None: 5, "neurons": 5, "layers": 2}[collapse]


@pytest.mark.parametrize("options", [{"hide": "plots"}, {"show": ("grad", "shape")}])
def test_cards_without_small_drawings(tensor_network, options):
    picture = draw(tensor_network, **options)
    assert not any(shapes(card) for card in having(picture, "card"))


def test_a_drawing_stands_inside_its_card(tensor_network, scalar_network):
    for root in (tensor_network, scalar_network):
        for card in having(draw(root), "card"):
            box = card.findall(f"{SVG}rect")[-1]
            x, y, width, height = (float(box.get(k)) for k in ("x", "y", "width", "height"))
            for path in card.iter(f"{SVG}path"):
                points = re.findall(r"[ML](\S+?) (-?[\d.]+)", path.get("d"))
                assert points
                for u, v in points:
                    assert x <= float(u) <= x + width
                    assert y <= float(v) <= y + height


# -------------------------------------------------------------------------- local derivatives


def test_local_derivatives_stand_on_the_edges():
    x, y = Value(3.0, name="x"), Value(4.0, name="y")
    assert labels(draw(x * y)) == []
    assert labels(draw(x * y, show=("data", "local"))) == ["∂ 4", "∂ 3"]
    assert labels(draw(x * x, show="local")) == ["∂ 3", "∂ 3"]
    assert labels(draw(x - 2.0, show="local")) == ["∂ 1"]


def test_local_derivatives_are_the_rule_s_own():
    x = Value(0.5, name="x")
    tanh = x.tanh().op
    with tanh.replaced(lambda g, z, x: g * 7.0):
        assert labels(draw(x.tanh(), show="local")) == ["∂ 7"]


def test_an_elementwise_operation_on_arrays_tells_the_range():
    x = Tensor([0.0, 1.0, 2.0, 3.0], name="x")
    assert labels(draw(x**2, show="local")) == ["∂ 0 … 6"]
    assert labels(draw(Tensor(np.eye(2)) @ Tensor(np.eye(2)), show="local")) == []


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_labels_of_one_card_do_not_overlap(direction):
    root = Neuron(6, activation="tanh", seed=0)(list(range(1, 7)))
    picture = draw(root, collapse=None, show=("data", "local"), direction=direction)
    spans = []
    for text in having(picture, "count", "text"):
        x, y = float(text.get("x")), float(text.get("y"))
        wide = text_width(text.text, 10)
        begin = x - wide if text.get("text-anchor") == "end" else x
        spans.append((y - 10, y) if direction == "LR" else (begin, begin + wide))
    assert len(spans) == 7  # of the weights and the bias; the inputs are constants
    spans.sort()
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))


def test_stale_data_leave_no_label():
    x = Value(2.0, name="x")
    y = x * x
    y.data = 5.0
    assert labels(draw(y + x, show="local")) == ["∂ 1", "∂ 1"]


# ------------------------------------------------------------------------------------ colours


def test_colour_by_gradient_is_logarithmic_and_has_a_legend():
    x = Value(1.0, name="x")
    root = (x * 1e-3).named("small") * 10.0
    root.backward()
    picture = draw(root, colour="grad")
    classes = {c.find(f"{SVG}text").text: c.get("class").split() for c in having(picture, "card")}
    assert "step6" in classes["small"]  # ten
    assert "step0" in classes["x"]  # 0.01, the least
    assert "step4" in classes["×"]  # one
    assert "unreached" in classes["0.001"]
    assert {"|grad|", "0.01", "10"} <= set(texts(picture))
    assert len(having(picture, "legend")) == 1
    assert having(draw(root), "legend") == []


def test_without_gradients_there_is_nothing_to_colour_by():
    picture = draw(Value(1.0) * 2, colour="grad")
    assert having(picture, "legend") == []
    assert not any("step" in c.get("class") for c in having(picture, "card"))


def test_colours_in_dot():
    x = Value(1.0, name="x")
    y = x.tanh()
    y.backward()
    plain, coloured = (draw(y, colour=c).to_dot().source for c in ("kind", "grad"))
    assert plain != coloured


# ----------------------------------------------------------------------------- fewer cards


def test_a_callable_chooses_the_boxes_to_collapse():
    root = MLP(2, [3, 1], seed=0)([1.0, 2.0])
    asked = []

    def first_layer(name):
        asked.append(name)
        return name == "MLP.layers.0"

    picture = draw(root, collapse=first_layer)
    assert {"MLP", "MLP.layers.0", "MLP.layers.1", "MLP.layers.0.neurons.2"} <= set(asked)
    shown = texts(picture)
    assert "3 neurons" in shown
    assert {"layers.1", "neurons.0", "w1", "w2", "w3", "b"} <= set(shown)
    assert len(having(picture, "card")) == 2 + 1 + 5


def test_parameters_can_be_hidden_but_not_inputs(scalar_network, tensor_network):
    shown = texts(draw(scalar_network, collapse=None, hide="parameters"))
    assert {"x1", "x2", "x3", "tanh(w · x + b)"} <= set(shown)
    assert not {"w1", "w2", "b"} & set(shown)
    shown = texts(draw(tensor_network, hide=["parameters"]))
    assert "X" in shown
    assert not {"W1", "b1", "W2", "b2"} & set(shown)


def test_constants_can_be_hidden():
    x = Value(3.0, name="x")
    assert "2" in texts(draw(x * 2))
    assert "2" not in texts(draw(x * 2, hide="constants"))
    assert len(having(draw(x * 2, hide="constants"), "edge", "path")) == 1


def test_an_unnamed_batch_is_an_input_and_no_constant():
    root = F.mse(Sequential(Linear(2, 1, seed=0))(np.ones((5, 2))), np.zeros((5, 1)))
    assert "5×2 float64" in texts(draw(root, hide="constants"))


def test_hiding_leaves_the_root():
    for hide in ("parameters", "constants"):
        assert len(having(draw(Value(1.0, name="x"), hide=hide), "card")) == 1
    assert len(having(draw(Tensor(2.0, requires_grad=False), hide="constants"), "card")) == 1


def test_hidden_cards_do_not_count():
    root = MLP(2, [16], seed=0)([1.0, 2.0])
    total = sum(root)
    assert len(having(draw(total, hide=("parameters", "constants")), "card")) < 60
    assert "neurons.15" in texts(draw(total, collapse="auto", hide="parameters"))


def test_weights_that_a_penalty_uses_stay_in_their_layer():
    model = MLP(2, [2, 1], seed=0)
    root = model([1.0, 2.0]) ** 2 + sum(p * p for p in model.parameters())
    collapsed = draw(root, collapse="layers", max_nodes=500)
    assert "6 parameters" in texts(collapsed)


def test_too_many_cards_of_collapsed_boxes_are_folded():
    model = MLP(2, [4, 1], seed=0)
    losses = [(model([float(i), 1.0]) - 1) ** 2 for i in range(60)]
    picture = draw(sum(losses), collapse="neurons")
    assert len(having(picture, "card")) < 20
    assert {"Σ 61 terms", "×60"} <= set(texts(picture))
    assert len(having(draw(sum(losses), collapse="neurons", max_nodes=1000), "card")) > 150


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hide": "weights"}, "hide must be one of 'parameters', 'constants', 'plots', got"),
        ({"colour": "data"}, "colour must be one of 'kind', 'grad', got 'data'"),
    ],
)
def test_unknown_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        draw(Value(1.0), **options)


# ------------------------------------------------------------------------------- any graph at all


@st.composite
def graphs(draw):
    """A node above a random graph of scalars and tensors, perhaps after a backward pass."""
    numbers = st.floats(allow_nan=True)
    nodes = [Value(draw(numbers), name=draw(st.none() | st.text(max_size=5))) for _ in range(2)]
    nodes.append(Tensor([[draw(numbers), 1.0], [2.0, draw(numbers)]]))
    unary = ["tanh", "relu", "exp", "log", "sqrt", "abs", "sigmoid", "neg"]
    binary = ["add", "sub", "mul", "div", "power", "maximum"]
    for _ in range(draw(st.integers(1, 12))):
        a, b = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        if draw(st.booleans()):
            nodes.append(getattr(F, draw(st.sampled_from(unary)))(a))
        else:
            b = draw(st.sampled_from([b, 2.0, 0.0]))
            nodes.append(getattr(F, draw(st.sampled_from(binary)))(a, b))
    root = nodes[-1]
    if draw(st.booleans()):
        root.backward(None if isinstance(root, Value) else np.ones((2, 2)))
    return root


@settings(deadline=None, max_examples=150)
@given(
    graphs(),
    st.fixed_dictionaries(
        {},
        optional={
            "collapse": st.sampled_from(["auto", "layers", "neurons", None]),
            "direction": st.sampled_from(["LR", "TB"]),
            "show": st.sets(st.sampled_from(["data", "grad", "shape", "local"])),
            "hide": st.sets(st.sampled_from(["parameters", "constants", "plots"])),
            "colour": st.sampled_from(["kind", "grad"]),
            "max_nodes": st.integers(1, 9),
        },
    ),
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_any_graph_is_drawn_with_any_options(root, options):
    picture = draw(root, **options)
    assert len(having(picture, "card")) == len(picture.scene.cards) >= 1
    assert len(having(picture, "edge", "path")) == len(picture.scene.wires)
    for element in parsed(picture).iter():
        for name in ("d", "x", "y", "width", "height", "transform", "viewBox"):
            assert not re.search("nan|inf", element.get(name, ""))
    assert str(picture)
    assert picture.to_dot().source
    if not options.keys() & {"collapse", "max_nodes", "hide"} and len(picture.scene.cards) < 60:
        order = toposort(root)
        assert len(picture.scene.cards) == len(order)
        assert len(picture.scene.wires) == sum(len(node.inputs) for node in order)
