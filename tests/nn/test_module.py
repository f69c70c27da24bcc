"""Module: parameters, state, modes, repr."""

from __future__ import annotations

import copy
import pickle
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from micrograd_nn import (
    MLP,
    BatchNorm,
    Dropout,
    Layer,
    LayerNorm,
    Linear,
    Module,
    Neuron,
    Sequential,
    Tensor,
    Value,
)
from micrograd_nn.nn import to_scalars


class Nested(Module):
    """Parameters and modules as attributes, in lists, tuples and dicts, shared and frozen."""

    def __init__(self):
        self.scale = Tensor([1.0, 2.0], name="scale")
        self.shift = Value(0.5)
        self.frozen = Tensor([3.0], requires_grad=False)
        self.constant = Value(2.0).detach()
        self.rate = 0.1
        self.label = "nested"
        self.blocks = [Linear(2, 2, seed=0), (Linear(2, 3, seed=1), "text")]
        self.heads = {"a": Linear(3, 1, seed=2), "b": {"deep": Linear(3, 1, bias=False, seed=3)}}
        self.loose = [Value(1.0), Value(2.0), 3.0, None]
        self.tied = self.blocks[0]
        self.same = self.scale
        self.inner = self.scale * 2  # recorded: no leaf

    def forward(self, x):
        x = self.blocks[1][0](self.tied(x * self.scale + self.shift))
        return self.heads["a"](x) + self.heads["b"]["deep"](x)


NESTED = [
    "scale", "shift", "loose.0", "loose.1", "blocks.0.W", "blocks.0.b", "blocks.1.0.W",
    "blocks.1.0.b", "heads.a.W", "heads.a.b", "heads.b.deep.W",
]  # fmt: skip


def test_named_parameters_of_nested_modules():
    model = Nested()
    named = dict(model.named_parameters())
    assert sorted(named) == sorted(NESTED)
    assert named["heads.b.deep.W"] is model.heads["b"]["deep"].W
    assert named["loose.1"] is model.loose[1]
    assert model.parameters() == list(named.values())
    assert len(set(model.parameters())) == len(NESTED)


def test_gradients_reach_all_and_are_forgotten():
    model = Nested()
    x = np.random.default_rng(0).standard_normal((4, 2))
    model(x).backward(seed=np.random.default_rng(1).standard_normal((4, 1)))
    used = [p for name, p in model.named_parameters() if not name.startswith("loose")]
    assert all(np.any(p.grad != 0) for p in used)
    model.zero_grad()
    assert not any(np.any(p.grad) for p in model.parameters())
    assert {np.shape(p.grad) == p.shape for p in model.parameters()} == {True}


def test_named_modules_yields_each_once():
    model = Nested()
    found = dict(model.named_modules())
    assert found[""] is model
    assert set(found) == {"", "blocks.0", "blocks.1.0", "heads.a", "heads.b.deep"}
    assert len({id(m) for m in found.values()}) == len(found)


def test_a_module_that_knows_its_parent():
    parent, child = Module(), Module()
    parent.child, child.parent, child.w = child, parent, Value(1.0)
    assert [name for name, _ in parent.named_parameters()] == ["child.w"]
    parent.eval()
    assert not child.training


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (Neuron(2), ["w.0", "w.1", "b"]),
        (Layer(1, 2), ["neurons.0.w.0", "neurons.0.b", "neurons.1.w.0", "neurons.1.b"]),
        (MLP(1, [1]), ["layers.0.neurons.0.w.0", "layers.0.neurons.0.b"]),
        (Linear(2, 3), ["W", "b"]),
        (Linear(2, 3, bias=False), ["W"]),
        (Dropout(), []),
    ],
    ids=repr,
)
def test_names(model, names):
    assert [name for name, _ in model.named_parameters()] == names
    assert model.parameters() == [p for _, p in model.named_parameters()]


# --------------------------------------------------------------------------------------- state

STATEFUL = {
    "nested": Nested,
    "mlp": lambda: MLP(2, [3, 1], seed=0),
    "batch norm": lambda: Sequential(Linear(2, 3, seed=0), BatchNorm(3), Linear(3, 1, seed=1)),
    "float32": lambda: Linear(2, 3, seed=0, dtype=np.float32),
}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize("name", STATEFUL)
def test_state_round_trips(name):
    model, other = STATEFUL[name](), STATEFUL[name]()
    random = np.random.default_rng(0)
    state = {k: np.asarray(random.random(v.shape), v.dtype) for k, v in model.state_dict().items()}
    assert all(isinstance(v, np.ndarray) for v in model.state_dict().values())
    model.load_state_dict(state)
    assert same(model.state_dict(), state)
    other.load_state_dict(model.state_dict())
    x = random.random((4, 2))
    np.testing.assert_array_equal(model.eval()(x).data, other.eval()(x).data)
    model.load_state_dict({k: v.tolist() for k, v in state.items()})
    assert same(model.state_dict(), state)


@pytest.mark.parametrize("name", STATEFUL)
def test_a_state_is_a_copy(name):
    model = STATEFUL[name]()
    state = model.state_dict()
    kept = copy.deepcopy(state)
    for array in state.values():
        array[...] = 99.0
    assert same(model.state_dict(), kept)
    model.load_state_dict(state)
    for array in state.values():
        array[...] = -1.0
    assert all(np.all(v == 99.0) for v in model.state_dict().values())


def damaged(state, how):
    state, last = copy.deepcopy(state), list(state)[-1]
    for key in list(state)[:-1]:
        state[key] = state[key] + 1.0
    shape = state[last].shape
    if how == "missing":
        del state[last]
    elif how == "unknown":
        state["bogus"] = np.zeros(2)
    else:
        state[last] = {
            "shape": np.zeros((*shape, 2)),
            "scalar": np.zeros(() if shape else (1,)),
            "strings": np.full(shape, "abc"),
            "numbers as strings": np.full(shape, "1.5"),
            "objects": np.full(shape, None),
            "complex": np.full(shape, 1j),
            "dates": np.full(shape, np.datetime64("2020-01-01")),
        }[how]
    return state


@pytest.mark.parametrize(
    "how",
    ["missing", "unknown", "shape", "scalar", "strings", "numbers as strings", "objects", "complex",
     "dates"],
)  # fmt: skip
@pytest.mark.parametrize("name", STATEFUL)
def test_a_state_that_does_not_fit_changes_nothing(name, how):
    model = STATEFUL[name]()
    before = model.state_dict()
    error = KeyError if how in ("missing", "unknown") else (ValueError, TypeError)
    bad = "bogus" if how == "unknown" else list(before)[-1]
    with pytest.raises(error, match=bad.replace(".", r"\.")):
        model.load_state_dict(damaged(before, how))
    assert same(model.state_dict(), before)


def test_errors_of_a_state_name_both_sides():
    model = Linear(2, 3)
    with pytest.raises(KeyError, match=r"Linear.*missing b.*unknown c"):
        model.load_state_dict({"W": np.zeros((3, 2)), "c": np.zeros(3)})
    with pytest.raises(ValueError, match=r"W has shape \(2, 3\) .*\(3, 2\)"):
        model.load_state_dict({"W": np.zeros((2, 3)), "b": np.zeros(3)})


def test_loading_keeps_the_nodes_and_their_dtype():
    model = Linear(2, 3, dtype=np.float32)
    W = model.W
    model.load_state_dict({"W": np.ones((3, 2)), "b": np.arange(3)})
    assert model.W is W
    assert W.dtype == np.float32
    np.testing.assert_array_equal(model.b.data, [0.0, 1.0, 2.0])


# --------------------------------------------------------------------------- modes, generators


def test_modes_return_the_module_and_reach_every_part():
    model = Nested()
    assert model.training
    assert model.eval() is model
    assert not any(m.training for _, m in model.named_modules())
    assert model.train() is model
    assert all(m.training for _, m in model.named_modules())
    model.train(False)
    assert not model.heads["b"]["deep"].training
    assert Nested().training  # modes belong to the instance


def test_generators_by_name():
    model = Sequential(Dropout(0.1, seed=1), Linear(2, 2), Sequential(Dropout(0.2, seed=2)))
    found = model.generators()
    assert list(found) == ["layers.0.generator", "layers.2.layers.0.generator"]
    assert found["layers.0.generator"] is model[0].generator
    assert list(Dropout(0.1).generators()) == ["generator"]
    assert Nested().generators() == {}


# --------------------------------------------------------------------------- repr, copies, calls


def test_repr():
    model = Sequential(Linear(2, 30), "tanh", Dropout(0.25), BatchNorm(30), Linear(30, 40, False))
    assert repr(model).splitlines() == [
        "Sequential(",
        "  layers.0: Linear(2, 30)",
        "  layers.1: Activation('tanh')",
        "  layers.2: Dropout(0.25)",
        "  layers.3: BatchNorm(30)",
        "  layers.4: Linear(30, 40, bias=False)",
        ")  # 1,350 parameters",
    ]
    assert repr(Linear(2, 3)) == "Linear(2, 3)"
    nested = repr(Sequential(Sequential(Linear(2, 1))))
    assert "  layers.0: Sequential(\n    layers.0: Linear(2, 1)\n  )  # 3 parameters" in nested
    assert "13 parameters" in repr(MLP(2, [3, 1]))
    assert "heads.b.deep: Linear(3, 1, bias=False)" in repr(Nested())


@pytest.mark.parametrize("how", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])  # noqa: S301
@pytest.mark.parametrize("name", STATEFUL)
def test_copies(name, how):
    model = STATEFUL[name]()
    copied = how(model)
    assert same(model.state_dict(), copied.state_dict())
    assert repr(copied) == repr(model)
    for p in copied.parameters():
        p.data = np.zeros(p.shape) if p.shape else 0.0
    assert any(np.any(p.data) for p in model.parameters())
    if name == "nested":
        assert copied.tied is copied.blocks[0]
        assert copied.same is copied.scale


def test_calls_pass_arguments_and_scopes_are_restored():
    class Two(Module):
        def forward(self, x, *, by):
            return x * by

    class Bad(Module):
        def forward(self, x):
            raise RuntimeError("inside")

    two = Two()
    assert two(Value(3.0), by=2.0).data == 6.0
    assert two(Tensor([3.0]), by=2.0).scope == "Two"
    with pytest.raises(RuntimeError, match="inside"):
        Bad()(1.0)
    assert (Tensor([1.0]) * 2).scope == ""
    with pytest.raises(NotImplementedError, match=r"Module must define forward\(\)"):
        Module()(1.0)


def test_scopes_of_parts_are_their_paths():
    class Pair(Module):
        def __init__(self):
            self.parts = {"x": Linear(2, 2, seed=0), "y": [Linear(2, 1, seed=1)]}

        def forward(self, x):
            return self.parts["y"][0](self.parts["x"](x))

    out = Pair()(np.ones((1, 2)))
    assert out.scope == "Pair.parts.y.0"
    assert out.inputs[0].scope == "Pair.parts.x"


def test_replacing_a_parameter():
    layer = Linear(2, 1, seed=0)
    old = layer.W
    layer.W = Tensor([[1.0, 2.0]], name="W")
    assert layer.parameters()[0] is layer.W is not old
    out = layer(np.array([[1.0, 1.0]]))
    out.backward(seed=[[-2.0]])
    assert out.item() == 3.0
    assert not np.any(old.grad)
    np.testing.assert_array_equal(layer.W.grad, [[-2.0, -2.0]])


# --- Notebooks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "module",
    [
        MLP(2, [3, 1], seed=0),
        Layer(2, 3, seed=0),
        Neuron(2, seed=0),
        Linear(2, 3, seed=0),
        Sequential(Linear(2, 3, seed=0), "tanh", Dropout(0.5), LayerNorm(3), Linear(3, 1, seed=0)),
        Dropout(0.5),
        Sequential(),
    ],
    ids=lambda module: type(module).__name__,
)
def test_a_module_shows_itself_in_a_notebook(module):
    bundle = module._repr_mimebundle_()
    assert ET.fromstring(bundle["image/svg+xml"]).tag == "{http://www.w3.org/2000/svg}svg"
    assert bundle["text/plain"] == repr(module)
    assert set(module._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}


def test_a_part_that_is_put_into_a_list_is_called_by_its_place():
    model = Sequential(Linear(2, 2), "tanh")
    model.layers.append(Linear(2, 1))
    model.layers[1] = Linear(2, 2)
    assert [layer._scope for layer in model.layers] == ["layers.0", "layers.1", "layers.2"]
    del model.layers[0]
    assert [layer._scope for layer in model.layers] == ["layers.0", "layers.1"]


def test_converted_layers_have_their_names():
    tensors = Sequential(Linear(2, 2, seed=0), "tanh", Linear(2, 1, seed=1))
    scalars = to_scalars(tensors)
    assert [layer._scope for layer in scalars.layers] == ["layers.0", "layers.1"]
