import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from micrograd_nn import (
    MLP,
    Dropout,
    Flatten,
    LayerNorm,
    Linear,
    Module,
    Neuron,
    Sequential,
    Tensor,
    Value,
    draw,
)
from micrograd_nn.readers import NetworkPicture
from micrograd_nn.readers.network_layout import Diagram, shown
from micrograd_nn.readers.stages import stages_of

SVG = "{http://www.w3.org/2000/svg}"


def parsed(picture):
    return ET.fromstring(picture.svg())


def having(root, kind, tag="g"):
    return [e for e in root.iter(SVG + tag) if kind in e.get("class", "").split()]


def titles(root, kind):
    return [e.find(SVG + "title").text for e in having(root, kind)]


def edges(root):
    return [e for bundle in having(root, "bundle") for e in bundle.findall(SVG + "path")]


def strength(edge):
    return float(re.search(r"stroke-width:([\d.]+)", edge.get("style"))[1])


@pytest.fixture
def model():
    model = Sequential(Linear(2, 3, seed=0), "tanh", Linear(3, 1, seed=1), "sigmoid")
    model[0].W.data = [[2.0, -1.0], [0.5, 0.0], [-0.25, 1.0]]
    model[0].b.data = [0.5, -0.5, 0.0]
    return model


def test_stages_hold_what_the_network_computes(model):
    x = np.array([0.3, -0.7])
    given, hidden, out = stages_of(model, x)
    np.testing.assert_array_equal(given.values, x)
    z = model[0].W.data @ x + model[0].b.data
    np.testing.assert_allclose(hidden.sums, z)
    np.testing.assert_allclose(hidden.values, np.tanh(z))
    assert (hidden.activation, out.activation) == ("tanh", "sigmoid")
    np.testing.assert_allclose(out.values, model(x[None]).data[0])
    assert [stage.units for stage in (given, hidden, out)] == [2, 3, 1]
    assert [stage.layer for stage in (given, hidden, out)] == [0, 1, 2]


@pytest.mark.parametrize("x", [[0.3, -0.7], (0.3, Value(-0.7)), np.array([[0.3, -0.7]])])
def test_scalar_networks_are_read_likewise(x):
    model = MLP(2, [3, 2], activation="tanh", seed=0)
    _, hidden, out = stages_of(model, x)
    assert hidden.weights.tolist() == [[w.data for w in n.w] for n in model.layers[0].neurons]
    np.testing.assert_allclose(out.values, [a.data for a in model([0.3, -0.7])])
    assert (hidden.activation, out.activation) == ("tanh", "identity")
    assert [stage.units for stage in stages_of(Neuron(3, seed=0))] == [3, 1]


def test_it_is_valid_without_script_and_scales(model):
    picture = draw(model, x=[0.3, -0.7])
    assert isinstance(picture, NetworkPicture)
    root = parsed(picture)
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    assert "max-width:100%" in root.get("style")
    assert not {"script", "foreignObject"} & {e.tag.removeprefix(SVG) for e in root.iter()}
    assert "prefers-color-scheme: dark" in picture.svg()
    assert root.get("aria-label").endswith("2 → 3 tanh → 1 sigmoid")


def test_ids_and_styles_of_two_diagrams_do_not_meet(model):
    one, other = draw(model), draw(model, x=[1.0, 2.0])
    assert one.svg() == draw(model).svg()
    ids = [parsed(picture).get("id") for picture in (one, other)]
    assert ids[0] != ids[1]
    for picture, name in zip((one, other), ids, strict=True):
        css = parsed(picture).find(SVG + "style").text
        rules = [line for line in css.splitlines() if "{" in line and not line.startswith("@")]
        assert all(s.startswith(f"#{name} ") for rule in rules
                   for s in rule.partition("{")[0].split(","))  # fmt: skip


def test_edges_are_coloured_by_sign_and_as_wide_as_the_weight(model):
    root = parsed(draw(model))
    found = {e.find(SVG + "title").text: e for e in edges(root)}
    assert len(found) == 2 * 3 + 3
    signs = {title: e.get("class").split()[1] for title, e in found.items()}
    assert signs["w1,1 = 2"] == "positive"
    assert signs["w1,2 = −1"] == "negative"
    assert signs["w2,2 = 0"] == "zero"
    widths = [strength(found[t]) for t in ("w1,1 = 2", "w1,2 = −1", "w2,1 = 0.5", "w2,2 = 0")]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == 4.0
    assert widths[-1] == 0.6


def test_titles_tell_weights_biases_sums_and_activations(model):
    root = parsed(draw(model, x=[0.3, -0.7]))
    assert "weights of unit 1: 2, −1" in titles(root, "bundle")
    units = titles(root, "unit")
    assert units[0] == "input 1 = 0.3"
    z = 2 * 0.3 + 0.7 + 0.5
    assert units[2].splitlines() == [
        "layer 1, unit 1 (layers.0)", "z = 1.8", f"a = tanh(z) = {np.tanh(z):.4g}", "b = 0.5"
    ]  # fmt: skip
    biases = [e.text for e in root.iter(SVG + "text") if "bias" in e.get("class")]
    assert biases[:3] == ["b 0.50", "b −0.50", "b 0"]


def test_units_are_shaded_by_activation(model):
    model[0].W.data = [[9.0, 0.0], [0.0, 0.0], [-0.5, 0.0]]
    model[0].b.data = [0.0, 0.0, 0.0]
    root = parsed(draw(model, x=[1.0, 0.0]))
    discs = having(root, "shade", "circle")
    hidden = [
        (d.get("class").split()[0], float(d.get("fill-opacity"))) for d in discs if d.get("r")
    ]
    assert hidden[2][0] == "positive"
    assert hidden[3] == ("zero", 0.0)
    assert hidden[4][0] == "negative"
    assert hidden[2][1] > hidden[4][1] > 0
    assert not having(parsed(draw(model)), "shade", "circle")


def test_layers_are_labelled_with_their_activation(model):
    words = [e.text for e in parsed(draw(model)).iter(SVG + "text")]
    for expected in ("input", "layer 1", "tanh", "layer 2", "sigmoid", "3 units", "9 params"):
        assert expected in words


def test_other_layers_are_boxes():
    model = Sequential(Linear(2, 3, seed=0), LayerNorm(3), "gelu", Dropout(0.5), Linear(3, 1))
    picture = draw(model, x=[1.0, 2.0])
    root = parsed(picture)
    labels = [e.text for e in root.iter(SVG + "text") if e.get("class") == "label"]
    assert labels == ["LayerNorm(3)", "gelu", "Dropout(0.5)"]
    assert len(having(root, "unit")) == 2 + 3 + 1
    assert str(picture) == "Sequential: 2 → 3 → LayerNorm(3) → gelu → Dropout(0.5) → 1"
    assert "LayerNorm(3): 3 numbers" in titles(root, "box")[0]


def test_inputs_of_several_dimensions():
    model = Sequential(Flatten(), Linear(6, 2, seed=0))
    assert str(draw(model, x=np.ones((2, 3)))) == "Sequential: 6 → Flatten() → 2"
    assert str(draw(model)) == "Sequential: ? → Flatten() → 2"


def test_a_network_of_unknown_layers_is_drawn_still():
    class Own(Module):
        def __init__(self):
            self.W = Tensor(np.ones((2, 2, 2)), name="W")

        def forward(self, x):
            return x + self.W.sum()

    root = parsed(draw(Own(), x=[1.0, 2.0]))
    assert titles(root, "box") == ["the network · Own(): 2 numbers, 9, 10"]


def test_with_an_example_layers_stand_in_the_order_of_their_calls():
    class Turned(Module):
        def __init__(self):
            self.second, self.first = Linear(3, 1, seed=0), Linear(2, 3, seed=0)

        def forward(self, x):
            return self.second(self.first(x))

    assert str(draw(Turned(), x=[1.0, 2.0])) == "Turned: 2 → 3 → 1"
    words = [e.text for e in parsed(draw(Turned(), x=[1.0, 2.0])).iter(SVG + "text")]
    assert words.index("first") < words.index("second")


def test_wide_layers_are_elided():
    assert shown(10) == list(range(10))
    assert shown(11) == [0, 1, 2, 3, 4, 7, 8, 9, 10]
    root = parsed(draw(Sequential(Linear(784, 128, seed=0), "relu", Linear(128, 10, seed=0))))
    words = [e.text for e in root.iter(SVG + "text")]
    assert {"775 more", "119 more", "784 inputs", "128 units", "100,480 params"} <= set(words)
    assert len(having(root, "unit")) == 9 + 9 + 10
    assert titles(root, "bundle")[0].startswith("784 weights of unit 1: −")
    assert float(root.get("height")) < 700


def test_deep_networks_fit():
    layers = [Linear(3, 3, seed=k) for k in range(40)]
    stages = stages_of(Sequential(*layers))
    diagram = Diagram(stages)
    assert len(diagram.places) == 14
    assert diagram.width < 1600
    root = parsed(draw(Sequential(*layers)))
    assert "⋯ 28 more layers" in [e.text for e in root.iter(SVG + "text")]
    assert "layer 40" in [e.text for e in root.iter(SVG + "text")]


def test_circles_do_not_overlap_and_lie_inside():
    model = MLP(3, [9, 2, 10, 1], seed=0)
    root = parsed(draw(model, x=[1.0, 2.0, 3.0]))
    width, height = float(root.get("width")), float(root.get("height"))
    discs = [(float(c.get("cx")), float(c.get("cy")), float(c.get("r")))
             for c in having(root, "rim", "circle")]  # fmt: skip
    assert len(discs) == 3 + 9 + 2 + 10 + 1
    for k, (x, y, r) in enumerate(discs):
        assert r < x < width - r
        assert r < y < height - r
        for u, v, _ in discs[:k]:
            assert np.hypot(x - u, y - v) > 2 * r + 8


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_drawn(model, bad):
    model[0].W.data = [[bad, 1.0], [0.0, 1.0], [1.0, 1.0]]
    root = parsed(draw(model, x=[1.0, 1.0]))
    assert all(np.isfinite(strength(e)) for e in edges(root))


def test_drawing_leaves_no_trace(model):
    state = {module: dict(vars(module)) for _, module in model.named_modules()}
    draw(model, x=[1.0, 2.0])
    assert {module: dict(vars(module)) for _, module in model.named_modules()} == state


def test_names_are_escaped():
    class Net(Module):
        def __init__(self):
            self.parts = {"<a & b>": Linear(2, 1, seed=0)}

        def forward(self, x):
            return self.parts["<a & b>"](x)

    assert "parts.<a & b>" in "".join(parsed(draw(Net())).itertext())


def test_it_is_saved_and_shown(model, tmp_path):
    picture = draw(model)
    path = picture.save(tmp_path / "network.svg")
    assert path.read_text(encoding="utf-8") == picture.svg()
    page = picture.save(tmp_path / "network.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert picture.svg() in page
    assert set(picture._repr_mimebundle_()) >= {"image/svg+xml", "text/plain"}
    with pytest.raises(ValueError, match=r"network\.dot.*\.svg"):
        picture.save(tmp_path / "network.dot")
    with pytest.raises(TypeError, match="no DOT form"):
        picture.to_dot()


@pytest.mark.parametrize("x", [[1.0], [1.0, 2.0, 3.0], np.ones((5, 2))])
def test_an_example_that_does_not_fit_is_an_error(model, x):
    with pytest.raises(ValueError, match=r"layers\.0 takes rows of 2|x must be one example"):
        draw(model, x=x)


def test_classes_are_no_networks():
    with pytest.raises(TypeError, match="got type"):
        draw(MLP)


@pytest.mark.parametrize(
    "options",
    [{"collapse": np.ones(2)}, {"collapse": None}, {"direction": "TB"}, {"show": ["data"]},
     {"max_nodes": 5}, {"hide": "plots"}, {"colour": "grad"}],
)  # fmt: skip
def test_options_of_graphs_are_refused(options):
    """Such as draw(model, X[0]), which would draw the network without its activations."""
    (option,) = options
    with pytest.raises(ValueError, match=rf"^{option}= is for graphs.* draw\(model, x=\.\.\.\)"):
        draw(Linear(2, 1), **options)
