"""Pictures as a real renderer shows them: what is written is also seen."""

import importlib.util
import io
import shutil
import subprocess
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from micrograd_nn import MLP, Value, draw
from micrograd_nn.readers.svgtext import plain

Image = pytest.importorskip("PIL.Image", reason="Pillow reads the pixels")

SVG = "{http://www.w3.org/2000/svg}"


def cairosvg():
    try:
        return importlib.import_module("cairosvg")
    except (ImportError, OSError):  # OSError: the C library cairo is missing
        return None


def rendered(svg):
    """Return the pixels of a picture, one for each unit of length."""
    if shutil.which("rsvg-convert"):
        png = subprocess.run(
            ["rsvg-convert", "--format=png"], input=svg.encode(), capture_output=True, check=True
        ).stdout
    elif cairosvg():
        png = cairosvg().svg2png(bytestring=plain(svg).encode())
    else:
        pytest.skip("neither rsvg-convert nor cairosvg is installed to render SVG")
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def chain_of(count):
    """A graph of that many scalar nodes."""
    if count > 100:
        model, nodes = MLP(2, [8, 1], seed=0), []
        while len(nodes) * 16 < count:
            nodes.append((model([0.1 * len(nodes), 1.0]) - 1.0) ** 2)
        root = sum(nodes)
    else:
        root = Value(0.5, name="x")
        others = [Value(float(i), name=f"a{i}") for i in range((count - 1) // 3)]
        for other in others:
            root = (root * other).tanh()
    root.backward()
    return root


@pytest.mark.parametrize("count", [1, 10, 60, 500, 5000])
def test_every_card_is_seen_where_it_is_written(count):
    svg = draw(chain_of(count)).svg()
    root = ET.fromstring(svg)
    pixels = rendered(svg)
    width, height = float(root.get("width")), float(root.get("height"))
    assert abs(pixels.shape[1] - width) <= 1
    assert abs(pixels.shape[0] - height) <= 1
    sheet = pixels[int(height) // 2, 3]
    cards = [g for g in root.iter(f"{SVG}g") if "card" in g.get("class", "").split()]
    assert 1 <= len(cards) <= 61
    for card in cards:
        box = card.findall(f"{SVG}rect")[-1]
        x, y, w, h = (float(box.get(k)) for k in ("x", "y", "width", "height"))
        part = pixels[int(y + 16) : int(y + 16 + h), int(x + 16) : int(x + 16 + w)]
        assert np.any(part.max(axis=2) < 170), "a card without dark text"
        border = part[part.shape[0] // 2, 0]
        assert np.any(border != sheet), "a card without a border"
    # Nothing is cut off: the margin is empty.
    for edge in (pixels[6, 10:-10], pixels[-7, 10:-10], pixels[10:-10, 6], pixels[10:-10, -7]):
        assert np.all(edge == sheet)


def test_arrows_reach_their_cards():
    svg = draw(Value(2.0, name="a") * Value(3.0, name="b")).svg()
    pixels = rendered(svg)
    for path in ET.fromstring(svg).iter(f"{SVG}path"):
        if path.get("class") == "edge":
            *_, x, y = path.get("d").replace("L", " ").replace("C", " ").split()
            spot = pixels[int(float(y)) + 14 : int(float(y)) + 19, int(float(x)) + 10]
            assert np.any(np.abs(spot - 255) > 40)


def test_dark_and_light_differ():
    svg = draw(chain_of(10)).svg()
    media = "@media (prefers-color-scheme: dark) {"  # which these renderers don't have
    dark = svg.replace(media, "").replace("}\n}\n</style>", "}\n</style>")
    assert media in svg
    assert rendered(svg)[8, 8].min() > 240
    assert rendered(dark)[8, 8].max() < 60
