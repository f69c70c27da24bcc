import subprocess
import sys

import numpy as np
import pytest

from micrograd_nn import MLP, Dropout, Linear, Module, Neuron, Sequential, Tensor
from micrograd_nn.readers import summary


def test_layers_parameters_and_total():
    model = MLP(2, [16, 16, 1], seed=0)
    table = summary(model)
    assert [(row.path, row.parameters) for row in table.rows] == [
        ("layers.0", 48),
        ("layers.1", 272),
        ("layers.2", 17),
    ]
    assert table.parameters == 337 == len(model.parameters())
    assert table.bytes == 337 * 8


def test_output_shapes_come_from_a_run_that_leaves_no_trace():
    model = Sequential(Linear(2, 8, seed=0), "tanh", Dropout(0.5, seed=0), Linear(8, 1, seed=1))
    state = {module: dict(vars(module)) for _, module in model.named_modules()}
    table = summary(model, input_shape=(100, 2))
    assert [row.output for row in table.rows] == [(100, 8), (100, 8), (100, 8), (100, 1)]
    assert {module: dict(vars(module)) for _, module in model.named_modules()} == state
    assert summary(model, example=np.ones((3, 2))).rows[-1].output == (3, 1)


def test_a_shape_that_does_not_fit_leaves_no_trace_either():
    model = Sequential(Linear(2, 8, seed=0))
    with pytest.raises(ValueError, match="rows of 2"):
        summary(model, input_shape=(100, 3))
    assert "forward" not in vars(model.layers[0])
    assert model.training


def test_shared_parameters_count_once():
    class Tied(Module):
        def __init__(self):
            self.one = Linear(3, 3, seed=0)
            self.other = Linear(3, 3, seed=1)
            self.other.W = self.one.W
            self.scale = Tensor(1.0)

        def forward(self, x):
            return self.other(self.one(x)) * self.scale

    table = summary(Tied(), input_shape=(5, 3))
    assert table.parameters == 9 + 3 + 3 + 1
    assert sum(row.parameters for row in table.rows) == table.parameters
    assert table.rows[0].path == "Tied"


def test_it_prints_as_a_table():
    lines = str(summary(MLP(2, [16, 1], seed=0), input_shape=(5, 2))).splitlines()
    assert lines[0].split() == ["layer", "type", "output", "parameters"]
    assert lines[5].split() == ["total", "65"]
    assert len({len(line) for line in lines[:6]}) == 1
    assert lines[6:] == [
        "",
        "memory    520 bytes",
        "training  1,040 bytes (Adam 2,080 bytes)",
        "outputs   680 bytes",
    ]


class Long(Module):
    def __init__(self):
        self.a_rather_long_name_of_an_encoder = Sequential(
            Linear(2, 1000, seed=0), "leaky_relu", Sequential(Linear(1000, 100, seed=1), "tanh")
        )
        self.head = MLP(100, [20, 3], activation="tanh", seed=2)

    def forward(self, x):
        return self.head(self.a_rather_long_name_of_an_encoder(x))


@pytest.mark.parametrize("width", [120, 80, 60, 40, 30])
@pytest.mark.parametrize("shape", [None, (64, 2)])
def test_it_fits_the_terminal(width, shape, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    table = summary(Long(), input_shape=shape)
    lines = str(table).splitlines()
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for count in ("3,000", "100,100", "2,020", "63", "105,183"):
        assert count in text
    assert ("output" in lines[0].split()) == (shape is not None and width >= 40)
    assert ("type" in lines[0].split()) == (width >= (60 if shape else 40))
    if width >= 40:
        assert len({line.split()[0] for line in lines[2:8]}) == 6
    if width == 120:
        assert "a_rather_long_name_of_an_encoder.layers.2.layers.0" in text


def test_nested_networks_are_told_by_their_innermost_layers():
    table = summary(Long(), input_shape=(64, 2))
    encoder = "a_rather_long_name_of_an_encoder"
    assert {row.path: row.output for row in table.rows} == {
        f"{encoder}.layers.0": (64, 1000),
        f"{encoder}.layers.1": (64, 1000),
        f"{encoder}.layers.2.layers.0": (64, 100),
        f"{encoder}.layers.2.layers.1": (64, 100),
        "head.layers.0": (64, 20),
        "head.layers.1": (64, 3),
    }
    assert table.output_bytes == 64 * 8 * (1000 + 1000 + 100 + 100 + 20 + 3)


@pytest.mark.parametrize("example", [[1.0, 2.0], (1.0, 2.0), np.array([1.0, 2.0])])
def test_a_single_example_of_a_scalar_network_has_shapes(example):
    table = summary(MLP(2, [16, 1], seed=0), example)
    assert [row.output for row in table.rows] == [(16,), (1,)]
    assert table.output_bytes == 17 * 8


def test_a_layer_used_twice_is_one_row():
    layer = Linear(3, 3, seed=0)
    table = summary(Sequential(layer, "tanh", layer), input_shape=(2, 3))
    assert [(row.path, row.parameters) for row in table.rows] == [("layers.0", 12), ("layers.1", 0)]
    assert table.output_bytes == 3 * 2 * 3 * 8


def test_one_neuron():
    assert summary(Neuron(3)).parameters == 4


def test_only_networks_have_layers():
    with pytest.raises(TypeError, match="named_modules"):
        summary(3)
    with pytest.raises(ValueError, match="not both"):
        summary(MLP(2, [1]), example=np.ones((1, 2)), input_shape=(1, 2))


def test_readers_load_no_optional_package():
    code = (
        "import sys, micrograd_nn.readers; "
        "assert not {'matplotlib', 'graphviz', 'cairosvg'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
