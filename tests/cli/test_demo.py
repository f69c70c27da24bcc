"""micrograd-nn demo: the main job."""

import importlib.util
import re
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from micrograd_nn import Activation, Tensor, data
from micrograd_nn.cli import circle, demo
from micrograd_nn.cli.progress import progress_text
from micrograd_nn.cli.terminal import Screen

PLOTS = importlib.util.find_spec("matplotlib") is not None
PICTURES = ["data.png", "activations.png", "curves.png", "regions.png"] if PLOTS else []
MOVIES = {"regions.gif": 8, "descent.gif": 11} if PLOTS else {}


def test_it_learns_checks_its_gradients_and_draws(mn, folder):
    result = mn("demo", "--quick")
    assert (result.code, result.err) == (0, "")
    accuracy = float(re.search(r"test +accuracy ([\d.]+) %", result.out)[1])
    assert accuracy >= 99
    rows = re.findall(r"^  (d[Wb]\d) .* (0|\d\.\de[-+]\d\d)$", result.out, re.M)
    assert [name for name, _ in rows] == [f"d{p}{k}" for k in range(1, 6) for p in "Wb"]
    assert max(float(difference) for _, difference in rows) < 1e-12
    assert "they agree" in result.out

    made = folder / "micrograd-nn-demo"
    names = ["network.svg", "graph.svg", *PICTURES, *MOVIES, "model.npz"]
    assert sorted(path.name for path in made.iterdir()) == sorted(names)
    for name in names:
        assert re.search(rf"^  {name} +\w", result.out, re.M)
    text = "".join(ET.parse(made / "graph.svg").getroot().itertext())
    assert {"x1", "x2", "w11", "loss", "data", "grad"} <= set(re.findall(r"\w+", text))
    for name in PICTURES:
        assert (made / name).read_bytes().startswith(b"\x89PNG")
    for name, frames in MOVIES.items():
        from PIL import Image

        with Image.open(made / name) as movie:
            assert movie.n_frames == frames
    network = ET.parse(made / "network.svg").getroot()
    assert {"input", "layer 5", "relu", "sigmoid", "42 params"} <= set(network.itertext())


def test_its_model_can_be_used(mn, folder):
    mn("demo", "--quick", "--out", "made")
    mn("data", "circles", "-n", 200, "--seed", 9, "-o", "points.csv")
    result = mn("predict", "made/model.npz", "points.csv")
    assert result.error.endswith("these columns are not used: class")
    rows = [line.split(",") for line in result.out.splitlines()[1:]]
    actual = data.read_csv("points.csv", "class").y
    assert np.mean([int(row[0]) == label for row, label in zip(rows, actual, strict=True)]) >= 0.98
    assert all(float(row[1]) + float(row[2]) == pytest.approx(1, abs=2e-6) for row in rows)


def test_without_matplotlib_it_says_what_to_install(mn, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = mn("demo", "--quick", "--epochs", 1, "--out", "made")
    assert result.code == 0
    assert sorted(path.name for path in (folder / "made").iterdir()) == [
        "graph.svg",
        "model.npz",
        "network.svg",
    ]
    assert 'matplotlib is missing: pip install "micrograd-nn[plot]"' in result.out


def test_wrong_gradients_are_told(mn, folder, monkeypatch):
    right = circle.equations.backward

    def wrong(*arguments):
        grads = right(*arguments)
        return {**grads, "dW2": grads["dW2"] * (1 + 1e-9)}

    monkeypatch.setattr(circle.equations, "backward", wrong)
    result = mn("demo", "--quick", "--epochs", 1)
    assert result.code == 1
    assert "they differ" in result.out
    assert "the gradients differ from the equations" in result.error


def test_too_low_an_accuracy_is_told(mn, folder, monkeypatch):
    monkeypatch.setattr(demo, "QUICK_EPOCHS", 1)
    monkeypatch.setattr(demo, "RATE", 1e-9)
    result = mn("demo", "--quick")
    assert result.code == 1
    assert "below 99 %" in result.error


@pytest.mark.parametrize("output", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_is_an_error(mn, folder, output):
    (folder / "file").touch()
    result = mn("demo", "--quick", "--out", output)
    assert (result.code, result.out) == (2, "")
    assert f"error: {output}: it can't be written" in result.error


@pytest.mark.parametrize("seed", range(12))
def test_the_network_starts_alive_and_at_one_half(seed):
    X, _ = data.circles(400, noise=0.1, seed=seed)
    model = circle.build(seed, X)
    A = Tensor(X)
    for layer in model.layers[:-2]:
        A = layer(A)
        if isinstance(layer, Activation):
            assert np.all(np.mean(A.data > 0, axis=0) >= 0.1)
    assert np.all(model(X).data == 0.5)


@pytest.mark.parametrize("columns", range(1, 130, 7))
def test_the_progress_line_never_wraps(columns):
    screen = Screen()
    screen.colours = False
    logs = {"loss": 0.123456, "accuracy": 0.98765, "val_accuracy": 1.0}
    shown = {"loss": "loss", "accuracy": "training", "val_accuracy": "test"}
    for epoch in (0, 1, 99, 100):
        assert len(progress_text(epoch, 100, logs, shown, columns, screen)) < max(columns, 1)


def test_the_progress_line_is_shown_on_a_terminal(mn, folder, monkeypatch):
    monkeypatch.setattr("micrograd_nn.cli.terminal.is_terminal", lambda stream: True)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    err = mn("demo", "--quick", "--epochs", 2).err
    assert err.startswith("\r  epoch 0/2  ──────────")
    last = err.rstrip("\n").split("\r")[-1]
    assert re.fullmatch(r"  epoch 2/2  ━{30}  loss 0\.\d{4}  training .* %  test .* %\x1b\[K", last)
