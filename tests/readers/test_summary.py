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
    assert lines[-1].startswith("total")
    assert "65" in lines[-1]
    assert len({len(line) for line in lines[:-1]}) == 1


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
