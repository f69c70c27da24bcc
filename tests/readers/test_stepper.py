"""The stepper as a file: its size, its safety, and what it tells when the graph changes after."""

import html
import json
import re

import numpy as np
import pytest

from micrograd_nn import MLP, StaleGraphError, Tensor, Value
from micrograd_nn.readers import draw
from micrograd_nn.readers.stepper.contents import MOST
from micrograd_nn.readers.stepper.record import LIMIT


def data_of(picture):
    text = re.search(r'<script id="data" type="application/json">(.*?)</script>', picture.html())
    return json.loads(text[1])


def chain(count):
    """A graph of so many nodes, without any layers, in which all operations have two arguments."""
    x, y = Value(0.3141592653589793, name="x"), Value(0.2718281828459045, name="y")
    z = x * y
    for k in range(count - 3):
        z = z * x if k % 2 else z + y
    return z


def test_small_files_for_64_nodes():
    flat = draw(chain(64))
    model = MLP(3, [4, 4, 1], activation="tanh", seed=1)
    loss = (((model([1.0, 2.0, 3.0]) - 1) ** 2 + 0.5).exp() * 0.5).tanh().sigmoid()
    network = draw(loss)
    assert flat.scene.nodes == network.scene.nodes == 64
    for picture in (flat, network):
        assert len(picture.html().encode()) < 60_000


def test_the_file_asks_nobody(scalar_network, tensor_network):
    for root in (scalar_network, tensor_network):
        html = draw(root).html()
        assert re.findall(r"https?://[^\"'\s<)]+", html) == [
            "http://www.w3.org/2000/svg",
            "http://www.w3.org/1998/Math/MathML",
        ]
        assert re.findall(r"(?:src|href)=\"([^\"]*)\"", html) == ["data:,"]
        assert "@import" not in html
        assert "default-src 'none'" in html


def test_names_are_names():
    evil = "</script><script>alert(1)</script>"
    x = Value(2.0, name=evil)
    y = (x * x).named("<img src=x onerror=alert(1)>&\ud800\"'")
    html = draw(y).html()
    assert "<script>alert" not in html
    assert "<img" not in html
    assert html.count("</script>") == 2
    assert data_of(draw(y))["nodes"][0][2] == evil


def test_surrogates_can_be_saved(tmp_path):
    path = draw(Value(1.0, name="\ud800") * 2).save(tmp_path / "g.html")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_what_is_computed_later_changes_nothing():
    W = Tensor([[1.0, -2.0]], name="W")
    x = Value(3.0, name="x")
    held = W.data
    loss = ((W * x).sum() ** 2).named("loss")
    picture, same = draw(loss), draw(loss)
    before = same.html()
    held[...] = 100.0
    W.data = np.array([[7.0, 7.0]])
    x.data = 9.0
    loss.backward()
    assert picture.html() == before


def test_leaves_show_what_the_graph_was_computed_from():
    """After a step of an optimiser the parameters are others than those of the drawn loss."""
    w = Value(2.0, name="w")
    loss = w * w
    w.data -= 0.5
    nodes = data_of(draw(loss))["nodes"]
    assert [node[4] for node in nodes] == [2.0, 4.0]


def test_overwritten_inner_data_are_refused():
    x = Value(2.0)
    y = x * x
    z = y.exp()
    y.data = 5.0
    picture = draw(z)
    assert picture.svg()
    with pytest.raises(StaleGraphError):
        picture.html()


def test_graphs_too_large_are_refused_in_words():
    y = Value(1.0)
    for _ in range(LIMIT):
        y = y.tanh()
    with pytest.raises(ValueError, match=r"at most 3,000 nodes.*3,001.*\.svg"):
        draw(y, max_nodes=10).html()
    with pytest.raises(ValueError, match=r"at most 1,000 cards.*1,200 even"):
        draw(chain(1200), max_nodes=10).html()
    assert MOST == 1000


def test_large_graphs_keep_nothing_for_the_stepper(moons_loss):
    assert draw(moons_loss).record is None


def test_levels_are_those_of_draw(scalar_network):
    data = data_of(draw(scalar_network))
    assert [name for name, _ in data["levels"]] == ["networks", "layers", "neurons", "everything"]
    assert data["levels"][-1][1] == []
    assert data["isAuto"]
    assert data["levels"][data["level"]][0] == "everything"
    chosen = data_of(draw(scalar_network, collapse="layers"))
    assert chosen["levels"][chosen["level"]][0] == "layers"
    assert not chosen["isAuto"]


def test_infinities_and_nan_are_told():
    x = Value(0.0, name="x")
    data = data_of(draw(x.log() * 0.0 + x))
    values = [node[4] for node in data["nodes"]]
    assert "-Infinity" in values
    assert "NaN" in values
    assert any("Infinity" in event for event in data["events"])


def test_small_arrays_are_shown_in_full(tensor_network):
    data = data_of(draw(tensor_network))
    shapes = {node[2]: node[4] for node in data["nodes"] if isinstance(node[4], list)}
    assert shapes["X"][0] == "10×2"
    assert shapes["b1"] == ["(6,)", "all 0"]
    small = data_of(draw(Tensor([[1.0, 2.0]], name="small").sum()))
    assert small["nodes"][0][4] == ["1×2", "1, 2", [[1.0, 2.0]]]


def test_a_constant_or_a_leaf_alone():
    constant = data_of(draw(Tensor([1.0], requires_grad=False) * 2))
    assert (constant["seed"], constant["events"]) == ("", [])
    leaf = data_of(draw(Value(1.0)))
    assert (leaf["seed"], leaf["events"]) == (1.0, [])


def test_within_another_page():
    picture = draw(Value(2.0, name='<"x">') ** 2)
    frame = picture.stepper(height=400)._repr_html_()
    assert html.unescape(re.search(r'srcdoc="([^"]*)"', frame)[1]) == picture.html()
    assert "height: 400px" in frame
    with pytest.raises(ValueError, match="positive number of pixels, got 0"):
        picture.stepper(height=0)
