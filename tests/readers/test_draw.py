import re
import sys
import time
import types
import xml.etree.ElementTree as ET

import graphviz
import numpy as np
import pytest

from micrograd_nn import MLP, Layer, Neuron, Tensor, Value
from micrograd_nn.readers import draw
from micrograd_nn.readers.fonts import text_width

SVG = "{http://www.w3.org/2000/svg}"


def parsed(picture):
    return ET.fromstring(picture.svg())


def cards(picture):
    return [g for g in parsed(picture).iter(f"{SVG}g") if "card" in g.get("class", "").split()]


def edges(picture):
    return [p for p in parsed(picture).iter(f"{SVG}path") if p.get("class") == "edge"]


def texts(picture):
    return [t.text for t in parsed(picture).iter(f"{SVG}text")]


def expression():
    a, b, c = Value(2.0, name="a"), Value(-3.0, name="b"), Value(10.0, name="c")
    return (a * b + c).named("d").tanh() + 2


# ------------------------------------------------------------------------------- what is shown


def test_one_card_and_one_title_per_value_and_one_edge_per_argument():
    picture = draw(expression())
    assert len(cards(picture)) == 8
    assert len(edges(picture)) == 7
    for card in cards(picture):
        assert len(card.findall(f"{SVG}title")) == 1
    assert len(list(parsed(picture).iter(f"{SVG}title"))) == 8


def test_an_input_used_twice_has_two_edges():
    a = Value(2.0, name="a")
    paths = edges(draw(a + a))
    assert len(paths) == 2
    assert paths[0].get("d") != paths[1].get("d")


def test_cards_tell_data_and_gradient():
    root = expression()
    assert "no gradient yet" in texts(draw(root))
    root.backward()
    shown = texts(draw(root))
    assert "no gradient yet" not in shown
    assert {"a", "b", "c", "d", "×", "+", "tanh", "−3", "−6"} <= set(shown)


def test_a_gradient_that_is_zero_is_not_missing():
    x = Value(-1.0, name="x")
    y = x.relu()
    y.backward()
    assert x.grad == 0.0
    assert "no gradient yet" not in texts(draw(y))


def test_hidden_neurons_show_their_gradients(scalar_network):
    assert "no gradient yet" not in texts(draw(scalar_network))


def test_constants_are_small_and_have_no_gradient():
    constant = next(c for c in cards(draw(Value(1.0) * 0.5)) if "constant" in c.get("class"))
    assert [t.text for t in constant.iter(f"{SVG}text")] == ["0.5"]


def test_tensors_tell_shape_and_dtype():
    t = Tensor(np.ones((5, 3), np.float32), name="T")
    assert "5×3 float32" in texts(draw(t.sum()))
    assert "5×3 float32" not in texts(draw(t.sum(), show=("data", "grad")))


def test_show_leaves_out_parts():
    shown = texts(draw(expression(), show="data"))
    assert "data" in shown
    assert "no gradient yet" not in shown


def test_drawing_changes_nothing():
    t = Tensor([1.0, 2.0])
    root = (t * 2).sum()
    draw(root).svg()
    root.backward()
    before = t._data
    draw(root).svg()
    assert t._data is before
    np.testing.assert_array_equal(t.grad, [2.0, 2.0])


def test_a_picture_keeps_what_was_true_when_it_was_drawn():
    x = Value(1.0, name="x")
    picture = draw(x * 2)
    x.data = 77.0
    assert "77" not in texts(picture)


# ------------------------------------------------------------------------------------ the file


def test_a_name_is_only_a_name():
    name = """</svg><script>alert("&'")</script>\x00\ud800"""
    picture = draw(Value(1.0, name=name) * 2)
    assert list(parsed(picture).iter(f"{SVG}script")) == []
    assert "<script" not in picture.svg()
    titles = [t.text for t in parsed(picture).iter(f"{SVG}title")]
    assert any(t.startswith('</svg><script>alert("&\'")</script>\ufffd\ufffd') for t in titles)


def test_svg_scales_and_stands_alone(scalar_network):
    root = parsed(draw(scalar_network))
    width, height = float(root.get("width")), float(root.get("height"))
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    assert "max-width:100%" in root.get("style")
    for box in root.iter(f"{SVG}rect"):
        assert 0 <= float(box.get("x")) <= width
        assert 0 <= float(box.get("y")) <= height
    assert "prefers-color-scheme: dark" in root.find(f"{SVG}style").text
    text = draw(scalar_network).svg()
    assert "foreignObject" not in text
    assert "href" not in text
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]


def test_ids_begin_with_a_hash_and_do_not_clash():
    one, other = draw(expression()), draw(Value(1.0))
    ids = [{e.get("id") for e in parsed(picture).iter() if e.get("id")} for picture in (one, other)]
    assert not ids[0] & ids[1]
    (prefix,) = {i[:13] for i in ids[0]}
    assert re.fullmatch("mg-[0-9a-f]{10}", prefix)
    used = set(re.findall(r"#(mg-[0-9a-f]{10})", one.svg()))
    assert used == {prefix}


def test_drawing_is_deterministic(scalar_network):
    assert draw(scalar_network).svg() == draw(scalar_network).svg()


def test_text_fits_its_card(scalar_network, tensor_network):
    sizes = {"title": 12, "sign": 15, "op": 10, "label": 10, "badge": 10}
    for root in (scalar_network, tensor_network):
        for card in cards(draw(root)):
            box = card.findall(f"{SVG}rect")[-1]
            left, width = float(box.get("x")), float(box.get("width"))
            lines = {}
            for text in card.iter(f"{SVG}text"):
                kind = text.get("class")
                wide = text_width(
                    text.text, sizes.get(kind, 10), kind in ("title", "sign"), kind not in sizes
                )
                lines[text.get("y")] = lines.get(text.get("y"), 0.0) + wide
                x = float(text.get("x"))
                begin = {"end": x - wide, "middle": x - wide / 2}.get(text.get("text-anchor"), x)
                assert begin >= left
                assert begin + wide <= left + width + 0.1
            assert max(lines.values()) <= width


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_directions(direction):
    width, height = (
        float(parsed(draw(expression(), direction=direction)).get(side))
        for side in ("width", "height")
    )
    assert (width > height) == (direction == "LR")


def test_saving(tmp_path):
    picture = draw(expression())
    assert picture.save(tmp_path / "g.svg").read_text(encoding="utf-8") == picture.svg()
    assert (picture.save(str(tmp_path / "g.dot"))).read_text(encoding="utf-8").startswith("digraph")
    assert picture.save(tmp_path / "g.html").read_text(encoding="utf-8") == picture.html()
    with pytest.raises(ValueError, match=r"\.svg, \.html, \.dot, \.png, \.pdf"):
        picture.save(tmp_path / "g.jpg")


def test_png_and_pdf(tmp_path):
    try:
        import cairosvg  # noqa: F401
    except (ImportError, OSError):
        with pytest.raises(ImportError, match=r"micrograd-nn\[png\]"):
            draw(expression()).save(tmp_path / "g.png")
        return
    png = draw(expression()).save(tmp_path / "g.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert len(png) > 10_000  # a blank sheet of that size has fewer
    assert draw(expression()).save(tmp_path / "g.pdf").read_bytes().startswith(b"%PDF")


def test_notebooks_get_svg_and_text():
    picture = draw(expression())
    bundle = picture._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    assert bundle["image/svg+xml"] == picture._repr_svg_() == picture.svg()
    assert set(picture._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert set(picture._repr_mimebundle_(exclude=["text/plain"])) == {"image/svg+xml"}


# ------------------------------------------------------------------------------------ collapsing


def test_parameters_of_a_neuron_are_cards_or_a_line():
    root = Neuron(2, activation="tanh", seed=1)([Value(1.0), Value(2.0)])
    shown = texts(draw(root, collapse=None))
    assert {"x1", "x2", "w1", "w2", "b", "tanh(w · x + b)"} <= set(shown)
    folded = draw(root, collapse="neurons")
    assert len(cards(folded)) == 3
    assert "2 weights, 1 bias" in texts(folded)


@pytest.mark.parametrize(
    ("collapse", "count", "boxes"), [(None, 33, 8), ("neurons", 12, 3), ("layers", 9, 1)]
)
def test_collapse(scalar_network, collapse, count, boxes):
    picture = draw(scalar_network, collapse=collapse)
    assert len(cards(picture)) == count
    groups = [g for g in parsed(picture).iter(f"{SVG}g") if g.get("class", "").startswith("group")]
    assert len(groups) == boxes


def test_auto_stays_readable():
    for widths, count in (([3], 18), ([16, 16, 1], 35), ([64, 64, 1], 5)):
        root = MLP(2, widths, seed=0)([1.0, 2.0])
        root = sum(root) if isinstance(root, list) else root
        assert len(cards(draw(root))) == count


def test_layers_of_tensors_are_boxes(tensor_network):
    assert {"Sequential", "layers.0", "layers.1", "layers.2"} <= set(texts(draw(tensor_network)))
    collapsed = draw(tensor_network, collapse="layers")
    assert len(cards(collapsed)) == 7
    assert "18 parameters" in texts(collapsed)


def test_a_network_called_on_its_own_result_is_split_into_calls():
    model = MLP(2, [2, 2], seed=0)
    y = model(model([1.0, 2.0]))
    shown = texts(draw(y[0] * y[1]))
    assert {"layers.0", "layers.1", "layers.0 · call 2", "layers.1 · call 2"} <= set(shown)


def test_alike_cards_share_one_when_there_are_too_many(moons_loss):
    picture = draw(moons_loss)
    assert len(cards(picture)) <= 30
    assert {"×100", "×16", "Σ 101 terms", "for 100 examples"} <= set(texts(picture))


def test_what_there_is_no_room_for_is_counted():
    x = Value(0.1, name="x")
    for _ in range(500):
        x = x.tanh()
    picture = draw(x, max_nodes=20)
    assert len(cards(picture)) == 21
    assert "481 more nodes" in texts(picture)


def test_hidden_nodes_are_counted_once():
    a = [Value(float(i), name=f"a{i}") for i in range(6)]
    for _ in range(40):
        a = [(p * q).tanh() for p, q in zip(a, a[1:] + a[:1], strict=True)]
    picture = draw(a[0], max_nodes=15)
    hidden = [int(t.split()[0].replace(",", "")) for t in texts(picture) if "more node" in t]
    assert sum(hidden) + 15 == picture.scene.nodes


def test_a_sum_of_many_is_one_card():
    total = sum(Value(float(i)) for i in range(300))
    assert "Σ 301 terms" in texts(draw(total))


# ---------------------------------------------------------------------------------- large graphs


def test_5000_nodes_are_drawn_collapsed_in_a_second(moons_loss):
    times = []
    for _ in range(3):
        start = time.process_time()
        draw(moons_loss).svg()
        times.append(time.process_time() - start)
    assert min(times) < 1  # 0.2 s; of this process alone, however busy the machine


def test_a_chain_of_20000_nodes_needs_no_recursion():
    x = Value(0.5, name="x")
    for _ in range(20_000):
        x = x.tanh()
    assert len(cards(draw(x))) == 61
    assert draw(x).to_dot().source.count("->") == 60
    assert len(draw(x, collapse=None, max_nodes=3_000).scene.cards) == 3_001


# ------------------------------------------------------------------------------------------- dot


def test_dot_has_clusters_and_every_edge(scalar_network):
    graph = draw(scalar_network, collapse="neurons").to_dot()
    assert isinstance(graph, graphviz.Digraph)
    source = graph.source
    assert source.count("->") == 20
    assert len(re.findall(r"^\s*n\d+ \[", source, re.MULTILINE)) == 12
    assert len(re.findall(r"subgraph cluster_\d+", source)) == 3
    assert source.count("{") == source.count("}")


def test_dot_doubles_edges_and_escapes_names():
    name = '</svg> "quoted" \\N <b>'
    a = Value(2.0, name=name)
    source = draw(a + a).to_dot().source
    assert source.count("n0 -> n1") == 2
    assert '\\"quoted\\"' in source
    assert "\\\\N" in source


def test_dot_labels_are_never_html():
    source = draw(Value(1.0, name="<b>bold</b>"), show=()).to_dot().source
    assert 'label="<b>bold</b>"' in source


def test_engine_dot_draws_or_says_what_to_install(monkeypatch):
    picture = draw(expression(), engine="dot")
    try:
        assert 'class="edge"' in picture.svg()
    except RuntimeError as error:
        assert "apt install graphviz" in str(error)  # noqa: PT017
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(RuntimeError, match="pip install pygraphviz"):
        draw(expression(), engine="dot").svg()


FROM_GRAPHVIZ = """<?xml version="1.0"?>
<!DOCTYPE svg>
<svg width="9pt" height="9pt" viewBox="0 0 9 9" xmlns="http://www.w3.org/2000/svg"
 xmlns:xlink="http://www.w3.org/1999/xlink">
<g id="graph0" class="graph">
<title>%3</title>
<g id="node1" class="node">
<title>n0</title>
<g id="a_node1"><a xlink:title="half &gt; a title">
<path d="M0 0"/>
</a>
</g>
</g>
<g id="edge1" class="edge">
<title>n0&#45;&gt;n1</title>
</g>
</g>
</svg>
"""


def test_pygraphviz_is_the_other_way_and_its_svg_becomes_our_own(monkeypatch):
    asked = []

    class AGraph:
        def __init__(self, string):
            asked.append(string)

        def draw(self, format, prog):
            asked.append((format, prog))
            return FROM_GRAPHVIZ.encode()

    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", types.SimpleNamespace(AGraph=AGraph))
    a = Value(2.0, name="<b>\\N")
    picture = draw(a + a, engine="dot")
    root = parsed(picture)
    assert asked == [picture.to_dot().source, ("svg", "dot")]
    assert [t.text for t in root.iter(f"{SVG}title")] == ["<b>\\N\ndata 2.0\nno gradient yet"]
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == 3
    assert all(re.fullmatch("mg-[0-9a-f]{10}-(graph0|node1|edge1)", i) for i in ids)
    assert list(root.iter(f"{SVG}a")) == []
    assert "max-width:100%" in root.get("style")


def test_dot_keeps_the_order_of_arguments():
    assert "ordering=in" in draw(expression()).to_dot().source


# ---------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"collapse": "cells"}, "collapse must be one of 'auto', 'layers', 'neurons', None"),
        ({"direction": "up"}, "direction must be one of"),
        ({"engine": "neato"}, "engine must be one of"),
        ({"show": ("data", "colour")}, "show must be one of"),
        ({"max_nodes": 0}, "max_nodes must be at least 1"),
    ],
)
def test_unknown_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        draw(Value(1.0), **options)


def test_only_nodes_and_networks_are_drawn():
    with pytest.raises(TypeError, match="Value or Tensor"):
        draw([Value(1.0)])


def test_a_neuron_on_its_own_stands_in_one_box():
    neuron, layer = Neuron(2, seed=0), Layer(2, 2, seed=0)
    frames = draw(neuron([1.0, 2.0]), collapse=None).scene.frames
    assert [frame.label for frame in frames] == ["Neuron"]
    frames = draw(layer.neurons[0]([1.0, 2.0]), collapse=None).scene.frames
    assert [frame.label for frame in frames] == ["neurons.0"]


def test_neurons_of_several_activations_stand_in_a_box_each():
    model = MLP(2, [2, 2], seed=0)
    model.layers[1].neurons[1].nonlin = True
    frames = draw(sum(model([1.0, 2.0])), collapse=None).scene.frames
    labels = ["MLP", "layers.0", "neurons.0", "neurons.1", "layers.1", "neurons.0", "neurons.1"]
    assert sorted(frame.label for frame in frames) == sorted(labels)
