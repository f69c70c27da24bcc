"""From scalars to tensors and back, and from a config."""

from __future__ import annotations

import json

import numpy as np
import pytest

from micrograd_nn import (
    MLP,
    Activation,
    BatchNorm,
    Dropout,
    Flatten,
    Layer,
    LayerNorm,
    Linear,
    Module,
    Neuron,
    Sequential,
    Tensor,
)
from micrograd_nn.nn import from_config, to_config, to_scalars, to_tensors
from micrograd_nn.nn.activations import ACTIVATIONS

X = np.random.default_rng(0).standard_normal((5, 2))
ELEMENTWISE = sorted(set(ACTIVATIONS) - {"softmax", "log_softmax"})


def gradients(model, x=X):
    model.zero_grad()
    out = model(x)
    out.backward(seed=np.random.default_rng(1).standard_normal(out.shape))
    return out.data, [p.grad for p in model.parameters()]


def flat(model, grads):
    """Return gradients layer by layer as (W, b), whatever the kind of network."""
    if isinstance(model, Sequential):
        return np.concatenate(
            [
                np.column_stack([layer.W.grad, layer.b.grad]).ravel()
                for layer in model.layers
                if isinstance(layer, Linear)
            ]
        )
    return np.array(grads)


@pytest.mark.parametrize("output", ["identity", "sigmoid"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_both_networks_have_one_output_and_gradient(name, output):
    scalar = MLP(2, [3, 1, 2], activation=name, output_activation=output, seed=1)
    for p in scalar.parameters():
        p.data += 0.1
    tensor = to_tensors(scalar)
    back = to_scalars(tensor)
    assert isinstance(back, MLP)
    for model in (scalar, back):
        out, grads = gradients(model)
        known, _ = gradients(tensor)
        np.testing.assert_allclose(out, known, rtol=1e-13)
        np.testing.assert_allclose(grads, flat(tensor, None), rtol=1e-11, atol=1e-14)
    assert [p.data for p in back.parameters()] == [p.data for p in scalar.parameters()]
    assert [p.name for p in tensor.parameters()] == ["W1", "b1", "W2", "b2", "W3", "b3"]


def test_the_copies_share_nothing():
    scalar = MLP(2, [3, 1], seed=1)
    tensor = to_tensors(scalar)
    tensor[0].W.data[...] = 0.0
    back = to_scalars(tensor)
    back.layers[0].neurons[0].w[0].data = 9.0
    assert scalar.layers[0].neurons[0].w[0].data not in (0.0, 9.0)
    assert tensor[0].W.data[0, 0] == 0.0


def test_dtypes():
    tensor = to_tensors(MLP(2, [3, 1], seed=1), dtype=np.float32)
    assert {p.dtype for p in tensor.parameters()} == {np.dtype(np.float32)}
    assert tensor(X.astype(np.float32)).dtype == np.float32
    assert all(isinstance(p.data, float) for p in to_scalars(tensor).parameters())


def test_activations_between_and_a_function_of_ones_own():
    tensor = Sequential(
        Linear(2, 3, seed=0), "tanh", Linear(3, 3, seed=1), Linear(3, 4, seed=2), lambda z: z * z,
        Linear(4, 1, seed=3), "sigmoid",
    )  # fmt: skip
    scalar = to_scalars(tensor)
    np.testing.assert_allclose(scalar(X).data, tensor(X).data, rtol=1e-13)
    lists = [scalar(x).data for x in X.tolist()]
    np.testing.assert_allclose(lists, tensor(X).data[:, 0], rtol=1e-12)
    np.testing.assert_allclose(to_tensors(scalar)(X).data, tensor(X).data, rtol=1e-12)


@pytest.mark.parametrize(
    "layers",
    [
        ["relu", Linear(2, 1)],
        [Linear(2, 1), "relu", "tanh"],
        [Linear(2, 1, bias=False)],
        [Linear(2, 2), Dropout(0.5)],
        [Linear(2, 2), BatchNorm(2)],
        [Flatten(), Linear(2, 1)],
        [Linear(2, 3), "softmax"],
        [],
    ],
    ids=str,
)
def test_what_has_no_scalar_counterpart(layers):
    with pytest.raises(ValueError, match=r"scalar counterpart|softmax"):
        to_scalars(Sequential(*layers))


# -------------------------------------------------------------------------------------- configs

MODELS = {
    "linear": lambda: Linear(2, 3),
    "no bias, float32": lambda: Linear(2, 3, bias=False, dtype=np.float32),
    "numpy sizes": lambda: Linear(np.int64(2), np.int32(3)),
    "mlp": lambda: MLP(2, [3, 4, 1]),
    "mlp with names": lambda: MLP(2, [3, 1], activation="tanh", output_activation="sigmoid"),
    "one layer": lambda: MLP(2, [1], output_activation="sigmoid"),
    "mixed mlp": lambda: to_scalars(
        Sequential(Linear(2, 3), "tanh", Linear(3, 3), "gelu", Linear(3, 1), "sigmoid")
    ),
    "functions of the table": lambda: MLP(2, [3, 1], activation=ACTIVATIONS["gelu"]),
    "sequential": lambda: Sequential(
        Linear(2, 4), "tanh", BatchNorm(4, momentum=0.3, eps=0.01), Dropout(0.2), LayerNorm(4, 0.1),
        Flatten(), Linear(4, 2), Activation("softmax"),
    ),
    "nested": lambda: Sequential(Sequential(Linear(2, 3), "relu"), MLP(3, [2])),
    "empty": lambda: Sequential(),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_round_trips_of_configs(name):
    model = MODELS[name]()
    config = json.loads(json.dumps(to_config(model)))  # a config is plain JSON
    rebuilt = from_config(config)
    assert type(rebuilt) is type(model)
    assert repr(rebuilt) == repr(model)
    assert list(rebuilt.state_dict()) == list(model.state_dict())
    rebuilt.load_state_dict(model.state_dict())
    x = X.astype(np.float32)
    outs = [np.asarray(m.eval()(Tensor(x, requires_grad=False)).data) for m in (model, rebuilt)]
    assert outs[0].dtype == outs[1].dtype
    np.testing.assert_array_equal(*outs)
    assert to_config(rebuilt) == to_config(model)


class Own(Linear):
    pass


class Scale(Module):
    def __init__(self):
        self.factor = Tensor(2.0)

    def forward(self, x):
        return x * self.factor


UNKNOWN = {
    "own module": Scale,
    "own subclass": lambda: Own(2, 1),
    "subclass inside": lambda: Sequential(Own(2, 1)),
    "module inside": lambda: Sequential(Linear(2, 1), Scale()),
    "deep inside": lambda: Sequential(Sequential(Scale())),
    "own function": lambda: Sequential(Linear(2, 1), lambda z: z * z),
    "own function in an mlp": lambda: MLP(2, [3, 1], activation=lambda z: z * z),
    "function of an output": lambda: MLP(2, [1], output_activation=lambda z: z * z),
    "a layer": lambda: Layer(2, 1),
    "a neuron": lambda: Neuron(2),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_cannot_be_rebuilt_has_no_config(name):
    assert to_config(UNKNOWN[name]()) is None


def unlike():
    model = MLP(2, [2, 1], seed=1)
    model.layers[0].neurons[0].function = ACTIVATIONS["tanh"]
    return model


def test_a_network_of_unlike_neurons_does_not_pass_for_another():
    model = unlike()
    config = to_config(model)
    if config is not None:
        rebuilt = from_config(config)
        rebuilt.load_state_dict(model.state_dict())
        np.testing.assert_allclose(rebuilt(X).data, model(X).data)
    try:
        tensor = to_tensors(model)
    except ValueError:
        return
    np.testing.assert_allclose(tensor(X).data, model(X).data)


@pytest.mark.parametrize("config", [{"type": "Nope", "config": {}}, {}, {"type": None}])
def test_unknown_types(config):
    with pytest.raises(ValueError, match=r"no layer type .*Linear"):
        from_config(config)
