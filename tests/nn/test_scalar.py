"""Neuron, Layer and MLP: what they record, what they keep, and what they notice."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import random

import numpy as np
import pytest

import micrograd_nn as mg
import micrograd_nn.functional as F
from micrograd_nn import MLP, SGD, Adam, Layer, Neuron, Tensor, Value, no_grad
from micrograd_nn import equations as eq
from micrograd_nn.graph.node import Node
from micrograd_nn.graph.order import toposort
from micrograd_nn.nn import initialisers
from micrograd_nn.nn.activations import by_name

NAMES = sorted(eq.ACTIVATIONS)
X = np.random.default_rng(0).standard_normal((5, 2))


def numbers_of(model, x):
    """Compute the network in plain NumPy from what its neurons hold now; rows are examples."""
    a = np.asarray(x, float)
    for layer in model.layers:
        z = [a @ np.array([w.data for w in n.w]) + n.b.data for n in layer.neurons]
        a = np.stack(
            [eq.ACTIVATIONS[n.activation].g(zi) for n, zi in zip(layer.neurons, z, strict=True)], -1
        )
    return a


def outputs(model, x):
    """Return what lists, single arrays and a batch give, each as an array (m, n_out)."""

    def row(out):
        return [value.data for value in (out if isinstance(out, list) else [out])]

    lists = np.array([row(model(list(map(float, example)))) for example in x])
    singles = np.array([row(model(np.asarray(example))) for example in x])
    return lists, singles, model(np.asarray(x)).data, model(Tensor(x)).data


def hold(model, x=X):
    known = numbers_of(model, x)
    for got in outputs(model, x):
        np.testing.assert_allclose(got, known, rtol=1e-12, atol=1e-14)


def by_hand(model, x):
    """Compute one example in scalar arithmetic; return every unit, layer by layer."""
    units = [list(x)]
    for layer in model.layers:
        units.append(
            [
                by_name(neuron.activation)(
                    sum((w * xi for w, xi in zip(neuron.w, units[-1], strict=True)), neuron.b)
                )
                for neuron in layer.neurons
            ]
        )
    return units


def gradients(model):
    return np.array([p.grad for p in model.parameters()])


# ---------------------------------------------------------------------------------- recording


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("output", ["identity", "sigmoid", "leaky_relu"])
def test_all_calls_agree_with_plain_numpy(name, output):
    hold(MLP(2, [3, 1, 2], activation=name, output_activation=output, seed=1))


@pytest.mark.parametrize("name", NAMES)
def test_units_hold_data_and_gradients_as_in_arithmetic_by_hand(name):
    model = MLP(2, [3, 2, 1], activation=name, seed=4)
    x = [Value(0.7), Value(-1.2)]
    out = model(x)
    out.backward(seed=-1.3)
    from_units, from_inputs = gradients(model), [v.grad for v in x]
    model.zero_grad()
    y = [Value(v.data) for v in x]
    layers = by_hand(model, y)
    layers[-1][0].backward(seed=-1.3)
    np.testing.assert_allclose(from_units, gradients(model), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(from_inputs, [v.grad for v in y], rtol=1e-12)
    assert out.grad == -1.3
    # from the output back to the inputs, by .inputs alone
    unit, k = out, len(layers) - 1
    while k:
        nodes = [unit]
        while not any(isinstance(i, Value) and i in set(model.parameters()) for i in unit.inputs):
            (unit,) = [i for i in unit.inputs if i.op is not None]  # the activation's argument
            nodes.append(unit)
        width = len(layers[k - 1])
        assert len(unit.inputs) == 2 * width + 1
        before = unit.inputs[:width]
        assert all(isinstance(node, Value) for node in before)
        known = layers[k - 1]
        np.testing.assert_allclose([n.data for n in before], [n.data for n in known], rtol=1e-12)
        np.testing.assert_allclose([n.grad for n in before], [n.grad for n in known], rtol=1e-12)
        assert nodes
        unit, k = before[0], k - 1
    assert tuple(before) == tuple(x)


def test_parameters_are_the_inputs_of_a_unit():
    neuron = Neuron(2, activation="tanh", seed=0)
    x = [Value(1.0), Value(2.0)]
    out = neuron(x)
    assert out.inputs == (*x, *neuron.w, neuron.b)
    assert out.op.name == "unit_tanh"


def test_a_hidden_unit_is_one_node_for_all_readers():
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    hidden = model.layers[0]([1.0, -2.0])
    for i, unit in enumerate(hidden):
        unit.name = f"h{i}"
    out = model.layers[1](hidden)
    assert [i.name for i in out.inputs[:3]] == ["h0", "h1", "h2"]
    assert all(a is b for a, b in zip(out.inputs, hidden, strict=False))
    nodes = toposort(out + hidden[0])
    assert sum(node.op is not None and node.op.name == "unit_tanh" for node in nodes) == 3


@pytest.mark.parametrize("name", ["tanh", "leaky_relu"])
def test_hidden_units_used_elsewhere_too(name):
    model = MLP(2, [3, 1], activation=name, seed=0)
    hidden = model.layers[0]([1.0, -2.0])
    out = model.layers[1](hidden)
    (out * 0.7 + hidden[0] ** 2 - 3 * hidden[2] + hidden[0] * hidden[1]).backward()
    got, units = gradients(model), [h.grad for h in hidden]
    model.zero_grad()
    _, h, (z,) = by_hand(model, [1.0, -2.0])
    (z * 0.7 + h[0] ** 2 - 3 * h[2] + h[0] * h[1]).backward()
    np.testing.assert_allclose(got, gradients(model), rtol=1e-12)
    np.testing.assert_allclose(units, [unit.grad for unit in h], rtol=1e-12)


def test_hidden_units_in_another_order_or_only_some():
    first, second = Layer(2, 3, activation="tanh", seed=0), Layer(3, 1, nonlin=False, seed=1)
    narrow = Layer(2, 1, nonlin=False, seed=2)
    h = first([1.0, -2.0])
    (second([h[2], h[0], h[0]]) * 1.5 + narrow(h[:2])).backward()
    got = np.array([p.grad for p in first.parameters()])
    first.zero_grad()
    h = [n([1.0, -2.0]) for n in first.neurons]
    (u, v) = (n.neurons[0] for n in (second, narrow))
    z = u.w[0] * h[2] + u.w[1] * h[0] + u.w[2] * h[0] + u.b
    (z * 1.5 + v.w[0] * h[0] + v.w[1] * h[1] + v.b).backward()
    np.testing.assert_allclose(got, [p.grad for p in first.parameters()], rtol=1e-13)


def test_overwriting_a_hidden_unit_cannot_spoil_the_graph():
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    model([1.0, -2.0]).backward()
    known = gradients(model)
    model.zero_grad()
    hidden = model.layers[0]([1.0, -2.0])
    out = model.layers[1](hidden)
    hidden[0].data = 99.0
    try:
        out.backward()
    except mg.StaleGraphError:
        return
    np.testing.assert_allclose(gradients(model), known, rtol=1e-13)


@pytest.mark.parametrize("form", ["list", "batch"])
def test_overwriting_a_parameter_after_recording(form):
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    run = lambda: model([0.3, -0.2]) if form == "list" else model(X).sum()  # noqa: E731
    run().backward()
    known = gradients(model)
    model.zero_grad()
    out = run()
    for p in model.parameters():
        p.data += 1.0
    try:
        out.backward()
    except mg.StaleGraphError:
        return
    np.testing.assert_allclose(gradients(model), known, rtol=1e-13)


def test_units_of_one_graph_in_several_backward_passes():
    model = MLP(2, [3, 1], activation="tanh", seed=3)
    first, second = model([1.0, 2.0]), model([-1.0, 0.5])
    first.backward()
    one = gradients(model)
    first.backward()
    np.testing.assert_allclose(gradients(model), 2 * one, rtol=1e-14)
    assert first.grad == 1.0
    hidden = [unit.grad for unit in first.inputs[:3]]
    second.backward(seed=0.5)
    assert [unit.grad for unit in first.inputs[:3]] == hidden
    model.zero_grad()
    second.backward(seed=0.5)
    two = gradients(model)
    model.zero_grad()
    (first + 0.5 * second).backward()
    np.testing.assert_allclose(gradients(model), one + two, rtol=1e-13)


def test_list_and_array_calls_in_one_graph_reach_the_same_parameters():
    model = MLP(2, [4, 1], activation="gelu", seed=3)
    seed = np.random.default_rng(1).standard_normal((5, 1))
    out = model(X)
    out.backward(seed=seed)
    batch = gradients(model)
    model.zero_grad()
    total = sum(model(x) * s for x, s in zip(X.tolist(), seed[:, 0], strict=True))
    total.backward()
    np.testing.assert_allclose(gradients(model), batch, rtol=1e-12)
    model.zero_grad()
    mixed = (model(X) * seed).sum()
    for x, s in zip(X.tolist(), seed[:, 0], strict=True):
        mixed = mixed + model(x) * s
    mixed.backward()
    np.testing.assert_allclose(gradients(model), 2 * batch, rtol=1e-12)


def test_no_grad_records_nothing_and_does_not_leave_constants_behind():
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    with no_grad():
        out, many = model([1.0, 2.0]), model(X)
    assert out.op is None
    assert many.op is None
    model(X).sum().backward()
    model([1.0, 2.0]).backward()
    assert np.all(gradients(model) != 0)
    assert out.data == model([1.0, 2.0]).data


def test_scopes_name_layer_and_neuron():
    model = MLP(2, [3, 1], seed=0)
    model.layers[0]([1.0, 2.0])  # what the layer keeps mustn't carry this call's scope
    out = model([1.0, 2.0])
    assert out.scope == "MLP.layers.1.neurons.0"
    assert [i.scope for i in out.inputs[:3]] == [f"MLP.layers.0.neurons.{i}" for i in range(3)]


def test_debug_nans_sees_hidden_units():
    model = MLP(1, [1, 1], output_activation="tanh", seed=0)
    model.layers[0].neurons[0].w[0].data = 1e308
    model.layers[1].neurons[0].w[0].data = 1.0
    with mg.debug_nans(), pytest.raises(mg.NonFiniteError, match=r"layers\.0"):
        model([100.0])


# ------------------------------------------------------------------------------ stale caches


def shift(p):
    p.data -= 0.75


def each(model, change):
    for p in model.parameters():
        change(p)


SPARE = [Value(0.9 - 0.4 * i) for i in range(12)]  # made before any call
NEURONS = [Neuron(2, activation="tanh", seed=i) for i in range(3)]


def tanh_units(model):
    for neuron in model.layers[0].neurons:
        neuron.function = by_name("tanh")


CHANGES = {
    "p.data =": lambda m: each(m, lambda p: setattr(p, "data", p.data + 0.3)),
    "p.data -=": lambda m: each(m, shift),
    "one weight": lambda m: shift(m.layers[1].neurons[0].w[2]),
    "one bias": lambda m: shift(m.layers[0].neurons[1].b),
    "w[0] = Value": lambda m: m.layers[0].neurons[1].w.__setitem__(0, SPARE[0]),
    "w[-1] = Value": lambda m: m.layers[0].neurons[1].w.__setitem__(-1, SPARE[0]),
    "w[:] = Values": lambda m: m.layers[0].neurons[1].w.__setitem__(slice(None), SPARE[:2]),
    "w = list": lambda m: setattr(m.layers[0].neurons[1], "w", SPARE[:2]),
    "w.reverse()": lambda m: m.layers[0].neurons[1].w.reverse(),
    "w.sort()": lambda m: [
        m.layers[1].neurons[0].w.sort(key=lambda p: sign * p.data) for sign in (1, -1)
    ],
    "w.pop, append": lambda m: (
        m.layers[0].neurons[1].w.append([m.layers[0].neurons[1].w.pop(0), SPARE[3]][1])
    ),
    "del, insert": lambda m: [
        m.layers[0].neurons[1].w.__delitem__(0),
        m.layers[0].neurons[1].w.insert(1, SPARE[4]),
    ],
    "remove, extend": lambda m: [
        m.layers[0].neurons[1].w.remove(m.layers[0].neurons[1].w[0]),
        m.layers[0].neurons[1].w.extend([SPARE[5]]),
    ],
    "clear, +=": lambda m: [
        m.layers[0].neurons[1].w.clear(),
        m.layers[0].neurons[1].w.__iadd__(SPARE[6:8]),
    ],
    "b = Value": lambda m: setattr(m.layers[0].neurons[0], "b", SPARE[8]),
    "neurons[0] =": lambda m: m.layers[0].neurons.__setitem__(0, NEURONS[0]),
    "neurons =": lambda m: setattr(m.layers[0], "neurons", list(NEURONS)),
    "neurons.reverse()": lambda m: m.layers[0].neurons.reverse(),
    "layers[0] =": lambda m: m.layers.__setitem__(0, Layer(2, 3, activation="sin", seed=0)),
    "activation": tanh_units,
    "load_state_dict": lambda m: m.load_state_dict(MLP(2, [3, 1], seed=77).state_dict()),
}


@pytest.mark.parametrize("without_grad", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_by_the_next_call(change, without_grad):
    model = MLP(2, [3, 1], activation="tanh" if "neurons" in change else "gelu", seed=5)
    if change == "layers[0] =":
        eq_known = {"sin": eq.Activation(np.sin, np.cos)}
        eq.ACTIVATIONS |= eq_known
    try:
        before = numbers_of(model, X)
        hold(model)
        with no_grad():
            hold(model)
        if without_grad:
            with no_grad():
                CHANGES[change](model)
                hold(model)
        else:
            CHANGES[change](model)
        assert not np.allclose(numbers_of(model, X), before)
        hold(model)
        model.zero_grad()
        seed = np.random.default_rng(2).standard_normal((5, 1))
        model(X).backward(seed=seed)
        batch = gradients(model)
        model.zero_grad()
        sum(model(x) * s for x, s in zip(X.tolist(), seed[:, 0], strict=True)).backward()
        np.testing.assert_allclose(gradients(model), batch, rtol=1e-11, atol=1e-13)
        model.zero_grad()
        for x, s in zip(X, seed[:, 0], strict=True):
            by_hand(model, x.tolist())[-1][0].backward(seed=s)
        np.testing.assert_allclose(gradients(model), batch, rtol=1e-11, atol=1e-13)
    finally:
        eq.ACTIVATIONS.pop("sin", None)


def test_a_plain_list_of_weights_is_watched_too():
    neuron = Neuron(2, nonlin=False, seed=0)
    neuron.w = [Value(1.0), Value(2.0)]
    assert neuron([1.0, 1.0]).data == neuron(np.ones((1, 2))).item() == 3.0
    neuron.w[0] = SPARE[0]
    assert neuron([1.0, 1.0]).data == neuron(np.ones((1, 2))).item() == SPARE[0].data + 2.0


@pytest.mark.parametrize("change", ["append", "pop", "extend"])
def test_a_layer_that_grows_or_shrinks(change):
    layer, spare = Layer(2, 2, seed=0), [Neuron(2, seed=9)]
    layer([1.0, 2.0]), layer(X)
    if change == "append":
        layer.neurons.append(spare[0])
    elif change == "extend":
        layer.neurons.extend(spare * 2)
    else:
        layer.neurons.pop()
    width = len(layer.neurons)
    assert layer(X).shape == (5, width)
    out = layer([1.0, 2.0])
    assert len(out if isinstance(out, list) else [out]) == width


@pytest.mark.parametrize("optimiser", [SGD, Adam])
def test_steps_of_an_optimiser_are_seen(optimiser):
    model = MLP(2, [3, 1], activation="tanh", seed=5)
    optimizer = optimiser(model.parameters(), lr=0.1)
    seen = []
    for k in range(4):
        hold(model)
        seen.append(model([1.0, 2.0]).data)
        model.zero_grad()
        (model([0.3, 0.2]) if k % 2 else model(X).sum()).backward()
        optimizer.step()
    assert len(set(seen)) == 4


@pytest.mark.parametrize("form", ["list", "batch"])
def test_a_layer_of_unlike_neurons_applies_to_each_its_own(form):
    layer = Layer(2, 3)
    layer.neurons = [
        Neuron(2, activation=n, seed=i) for i, n in enumerate(["tanh", "gelu", "relu"])
    ]
    known = [neuron([0.5, -1.0]).data for neuron in layer.neurons]
    if form == "list":
        got = [value.data for value in layer([0.5, -1.0])]
    else:
        got = layer(np.array([[0.5, -1.0]])).data[0]
    np.testing.assert_allclose(got, known, rtol=1e-13)


@pytest.mark.parametrize("make", [Neuron, lambda n, **k: MLP(n, [4, 3], **k)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_a_unit_cannot_have_an_activation_of_the_whole_layer(name, make):
    with pytest.raises(ValueError, match=r"softmax.*cross_entropy"):
        make(2, activation=name)


@pytest.mark.parametrize("form", ["list", "batch"])
@pytest.mark.parametrize(
    "function", [lambda z: z * z, F.exp, lambda z: F.leaky_relu(z, 0.3), F.arctan, np.tanh]
)
def test_other_functions_as_activations(function, form):
    model = MLP(2, [3, 1], activation=function, seed=2)
    out = model(X.tolist()[0]) if form == "list" else model(X[:1])
    out.backward(seed=[[1.0]] if form == "batch" else 1.0)
    got, data = gradients(model), np.asarray(out.data).item()
    model.zero_grad()
    h = [
        function(n.w[0] * float(X[0, 0]) + n.w[1] * float(X[0, 1]) + n.b)
        for n in model.layers[0].neurons
    ]
    last = model.layers[1].neurons[0]
    z = sum((w * hi for w, hi in zip(last.w, h, strict=True)), last.b)
    z.backward()
    assert data == pytest.approx(z.data, rel=1e-13)
    np.testing.assert_allclose(got, gradients(model), rtol=1e-12)


# ------------------------------------------------------------------------------- tied weights


@pytest.mark.parametrize("form", ["list", "batch"])
def test_tied_weights(form):
    model = MLP(2, [2, 1], activation="tanh", seed=0)
    a, b = model.layers[0].neurons
    a.w[0] = b.w[1]
    hold(model)
    out = model(X[0].tolist()) if form == "list" else model(X[:1])
    out.backward(seed=2.0 if form == "list" else np.array([[2.0]]))
    got = b.w[1].grad
    model.zero_grad()
    by_hand(model, X[0].tolist())[-1][0].backward(seed=2.0)
    assert got == pytest.approx(b.w[1].grad, rel=1e-13)


def test_tied_weights_are_listed_once():
    model = MLP(2, [2, 1], seed=0)
    a, b = model.layers[0].neurons
    a.w[0] = b.w[1]
    for part in (model, model.layers[0]):
        found = part.parameters()
        assert len(found) == len(set(found)) == len(dict(part.named_parameters()))
    SGD(model.parameters(), lr=0.1)


def test_a_frozen_weight_is_no_parameter():
    model = MLP(2, [2, 1], seed=0)
    neuron = model.layers[0].neurons[0]
    neuron.w[0] = neuron.w[0].detach()
    hold(model)
    assert len(model.parameters()) == len(dict(model.named_parameters())) == 8
    SGD(model.parameters(), lr=0.1)


@pytest.mark.parametrize("form", ["list", "batch"])
@pytest.mark.parametrize("kind", ["recorded", "tensor"])
def test_weights_that_are_other_nodes(kind, form):
    if (kind, form) == ("tensor", "list"):
        neuron = Neuron(2, nonlin=False, seed=0)
        neuron.w[0] = Tensor(3.0)
        with pytest.raises(TypeError, match=r"Tensor.*Linear"):
            neuron([0.5, -1.0])
        return
    neuron, source = Neuron(2, nonlin=False, seed=0), Value(3.0)
    leaf = source if kind == "recorded" else Tensor(3.0)
    neuron.w[0] = leaf * 2 if kind == "recorded" else leaf
    factor = 2.0 if kind == "recorded" else 1.0
    out = neuron([0.5, -1.0]) if form == "list" else neuron(np.array([[0.5, -1.0]])).sum()
    assert out.item() == pytest.approx(3.0 * factor * 0.5 - neuron.w[1].item(), rel=1e-14)
    out.backward(seed=-0.7)
    assert np.asarray(leaf.grad).item() == pytest.approx(-0.7 * factor * 0.5, rel=1e-14)


@pytest.mark.parametrize("part", ["weight", "bias", "weights", "all"])
@pytest.mark.parametrize("kind", ["plain", "detached"])
def test_weights_that_are_plain_numbers_or_frozen(kind, part):
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    fixed = (lambda p: p.data) if kind == "plain" else (lambda p: p.detach())
    known = [out.copy() for out in outputs(model, X)]
    for neuron in model.layers[0].neurons:
        if part in ("weight", "weights", "all"):
            neuron.w[0] = fixed(neuron.w[0])
        if part in ("weights", "all"):
            neuron.w[1] = fixed(neuron.w[1])
        if part in ("bias", "all"):
            neuron.b = fixed(neuron.b)
    for got, out in zip(outputs(model, X), known, strict=True):
        np.testing.assert_allclose(got, out, rtol=1e-13)
    x = Tensor(X)
    model(x).backward(seed=np.linspace(1, 2, 5)[:, None])
    batch = gradients(model)
    assert batch.size == 13 - {"weight": 3, "bias": 3, "weights": 6, "all": 9}[part]
    model.zero_grad()
    values = [[Value(v) for v in row] for row in X]
    sum(model(row) * s for row, s in zip(values, np.linspace(1, 2, 5), strict=True)).backward()
    np.testing.assert_allclose(gradients(model), batch, rtol=1e-12)
    np.testing.assert_allclose([[v.grad for v in row] for row in values], x.grad, rtol=1e-12)


def test_a_weight_that_is_an_input_and_an_input_used_twice():
    neuron = Neuron(2, nonlin=False, seed=0)
    w, v, x = *neuron.w, Value(1.5)
    neuron([w, x]).backward(seed=2.0)
    assert w.grad == pytest.approx(4 * w.data)
    assert x.grad == pytest.approx(2 * v.data)
    y = Value(-0.5)
    neuron([y, y]).backward(seed=2.0)
    assert y.grad == pytest.approx(2 * (w.data + v.data))
    neuron.b = neuron.w[0]
    neuron.zero_grad()
    neuron([3.0, 1.0]).backward(seed=2.0)
    assert w.grad == pytest.approx(8.0)


# ------------------------------------------------------------------------- functional and higher


def input_gradient(model, x):
    """Return ∂(Σ outputs)/∂x from the hand-derived equations."""
    parameters, names = {}, []
    for k, layer in enumerate(model.layers, start=1):
        parameters[f"W{k}"] = np.array([[w.data for w in n.w] for n in layer.neurons])
        parameters[f"b{k}"] = np.array([[n.b.data] for n in layer.neurons])
        names.append(layer.neurons[0].activation)
    columns = np.asarray(x, float).reshape(-1, 1)
    cache = eq.forward(parameters, columns, names)
    # half_mse with a target of ŷ − 1 has dA = 1
    target = cache[f"A{len(names)}"] - 1
    return eq.backward(parameters, cache, target, names, "half_mse")["dA0"][:, 0]


POINT = [0.4, -0.9]
FORMS = {
    "list of numbers": (lambda model: lambda x, y: model([x, y]), tuple(POINT)),
    "list of elements": (lambda model: lambda x: model([x[0], x[1]]), (np.array(POINT),)),
    "list(x)": (lambda model: lambda x: model(list(x)), (np.array(POINT),)),
    "vector": (lambda model: lambda x: model(x).sum(), (np.array(POINT),)),
    "batch": (lambda model: lambda x: model(x).sum(), (np.array([POINT]),)),
}


def flat(results):
    results = results if isinstance(results, tuple) else (results,)
    return np.concatenate([np.ravel(r) for r in results])


@pytest.mark.parametrize("widths", [[1], [4, 1], [3, 1, 3, 1]])
@pytest.mark.parametrize("form", FORMS)
def test_functional_derivatives_by_the_inputs(form, widths):
    model = MLP(2, widths, activation="tanh", seed=6)
    build, args = FORMS[form]
    f, argnums = build(model), tuple(range(len(args)))
    known = input_gradient(model, POINT)
    np.testing.assert_allclose(flat(mg.grad(f, argnums)(*args)), known, rtol=1e-12)
    value, pullback = mg.vjp(f, *args)
    np.testing.assert_allclose(flat(pullback(-1.5)), -1.5 * known, rtol=1e-12)
    assert np.asarray(value).item() == pytest.approx(numbers_of(model, [POINT]).item(), rel=1e-13)
    tangent = np.array([0.3, -2.0])
    tangents = tangent if len(args) == 2 else (tangent.reshape(args[0].shape),)
    moved = mg.jvp(f, args, tuple(tangents))[1]
    assert np.asarray(moved).item() == pytest.approx(known @ tangent, rel=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_hessians_by_the_inputs(form):
    model = MLP(2, [4, 1], activation="tanh", seed=6)
    build, args = FORMS[form]
    f, h = build(model), 1e-5
    known = np.array(
        [
            (input_gradient(model, POINT + h * e) - input_gradient(model, POINT - h * e)) / (2 * h)
            for e in np.eye(2)
        ]
    )
    assert np.abs(known).max() > 0.01
    H = mg.hessian(f, tuple(range(len(args))))(*args)
    H = np.array([[np.asarray(block).reshape(-1) for block in row] for row in H]).reshape(2, 2)
    np.testing.assert_allclose(H, known, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("form", ["list", "elements", "batch"])
def test_a_gradient_that_is_a_graph(form):
    # d/dp of |∂out/∂x|², the gradient penalty, against central differences of the equations
    model = MLP(2, [3, 1], activation="tanh", seed=8)
    if form == "list":
        x = [Value(v) for v in POINT]
        out = model(x)
    else:
        x = [Tensor(POINT)]
        out = model([x[0][0], x[0][1]]) if form == "elements" else model(x[0].reshape(1, 2)).sum()
    out.backward(create_graph=True)
    penalty = sum((F.sum(v.grad * v.grad) if v.shape else v.grad * v.grad) for v in x)
    for p in model.parameters():
        p.zero_grad()
    penalty.backward()
    got, h = gradients(model), 1e-5
    for p, slope in zip(model.parameters(), got, strict=True):
        here, ends = p.data, []
        for step in (h, -h):
            p.data = here + step
            ends.append(np.sum(input_gradient(model, POINT) ** 2))
        p.data = here
        assert slope == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-6, abs=1e-8)


def test_create_graph_leaves_nodes_in_every_gradient():
    model = MLP(2, [3, 1], activation="tanh", seed=8)
    x = [Value(v) for v in POINT]
    out = model(x)
    out.backward()
    known, hidden = gradients(model), [i.grad for i in out.inputs[:3]]
    model.zero_grad()
    out.backward(create_graph=True)
    assert [p.grad.data for p in model.parameters()] == pytest.approx(list(known), rel=1e-13)
    assert out.grad.data == 1.0
    assert [i.grad.data for i in out.inputs[:3]] == pytest.approx(hidden, rel=1e-13)


@pytest.mark.parametrize("name", ["tanh", "silu", "softplus"])
def test_third_derivatives_of_lists_and_batches_agree(name):
    model = MLP(1, [3, 2, 1], activation=name, seed=8)
    forms = (lambda x: model([x]), lambda x: (model(np.ones((1, 1)) * x)).sum())
    results = []
    for f in forms:
        for _ in range(3):
            f = mg.grad(f)
        results.append(f(0.3))
    assert results[0] == pytest.approx(results[1], rel=1e-10)
    assert results[0] != 0


@pytest.mark.parametrize("use", ["call", "batch", "backward", "inputs", "trace", "layers", "grad"])
def test_memory_is_back_without_the_collector(use):
    model = MLP(2, [3, 3, 1], activation="tanh", seed=0)

    def run():
        if use == "batch":
            model(X).sum().backward()
            return
        if use == "grad":
            mg.grad(lambda x, y: model([x, y]), (0, 1))(1.0, 2.0)
            return
        out = model([1.0, 2.0])
        if use == "layers":
            hidden = model.layers[0]([1.0, 2.0])
            out = model.layers[2](model.layers[1](hidden)) + hidden[0]
        if use != "call":
            out.backward()
        if use in ("inputs", "layers"):
            assert out.inputs[0].inputs[0].grad is not None
        if use == "trace":
            mg.trace(out)

    def nodes():
        return sum(isinstance(thing, Node) for thing in gc.get_objects())

    run()
    gc.collect()
    gc.disable()
    try:
        before = nodes()
        for _ in range(10):
            run()
        assert nodes() <= before
    finally:
        gc.enable()


# ------------------------------------------------------------------- copying, edges of numbers


def round_trips():
    return {"deepcopy": copy.deepcopy, "pickle": lambda x: pickle.loads(pickle.dumps(x))}  # noqa: S301


@pytest.mark.parametrize("how", round_trips())
@pytest.mark.parametrize("called", [False, True])
@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_copies_of_a_model_stand_alone(how, called, name):
    model = MLP(2, [3, 1], activation=name, seed=3)
    if called:
        model([1.0, 2.0]), model(X)
    copied = round_trips()[how](model)
    for a, b in zip(model.parameters(), copied.parameters(), strict=True):
        assert a is not b
        assert a.data == b.data
    known = numbers_of(model, X)
    each(copied, shift)
    hold(copied)
    np.testing.assert_array_equal(numbers_of(model, X), known)
    hold(model)
    copied.layers[0].neurons[0].w[1] = SPARE[0]
    hold(copied)
    copied([1.0, 2.0]).backward()
    assert not gradients(model).any()
    assert gradients(copied).any()


@pytest.mark.parametrize("how", round_trips())
def test_copies_of_a_recorded_output(how):
    model = MLP(2, [3, 2, 1], activation="tanh", seed=3)
    x = [Value(1.0), Value(-2.0, name="x2")]
    out = model(x)
    out.backward()
    leaves = gradients(model)
    copied = round_trips()[how](out)
    assert (copied.data, copied.grad) == (out.data, out.grad)
    for a, b in zip(out.inputs[:2], copied.inputs[:2], strict=True):
        assert a is not b
        assert (a.data, a.grad, a.op) == (b.data, b.grad, b.op)
    copied.backward()
    np.testing.assert_array_equal(gradients(model), leaves)
    originals, nodes = ([n for n in toposort(o) if n.op is None] for o in (out, copied))
    for a, b in zip(originals, nodes, strict=True):
        assert (b.name, b.data) == (a.name, a.data)
        assert b.grad == pytest.approx(2 * a.grad, rel=1e-14)


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("name", ["tanh", "relu", "gelu", "identity"])
@pytest.mark.parametrize("form", ["where", "seed", "list"])
def test_a_cotangent_of_zero_keeps_bad_examples_out(form, name, bad):
    model = MLP(2, [3, 1], activation=name, seed=3)
    good = [0.3, -0.8]
    model(good).backward()
    known = gradients(model)
    model.zero_grad()
    rows = np.array([[bad, 1.0], good])
    with np.errstate(all="ignore"):
        if form == "where":
            F.where(np.array([[False], [True]]), model(rows), 0.0).sum().backward()
        elif form == "seed":
            model(rows).backward(seed=np.array([[0.0], [1.0]]))
        else:
            F.where(True, model(good), model([bad, 1.0])).backward()
            model([bad, 1.0]).backward(seed=0.0)
    np.testing.assert_allclose(gradients(model), known, rtol=1e-13)


def test_infinities_that_cancel_are_not_an_error():
    neuron = Neuron(1, nonlin=False, seed=0)
    (neuron([1.0]) * math.inf - neuron([2.0]) * math.inf).backward()
    assert math.isnan(neuron.w[0].grad)
    assert math.isnan(neuron.b.grad)


# --------------------------------------------------------------------------- inputs and errors


@pytest.mark.parametrize(
    "example",
    [
        (1.0, -2.0),
        [1, -2],
        [np.float32(1), np.int64(-2)],
        [Value(1.0), -2.0],
        np.array([1.0, -2.0]),
        np.array([1, -2]),
        np.array([1, -2], np.float32),
        [True, Value(-2.0)],
        np.array([Value(1.0), Value(-2.0)], dtype=object),
    ],
)
def test_forms_of_one_example(example):
    model = MLP(2, [3, 2], activation="tanh", seed=1)
    out = model(example)
    assert all(type(value) is Value for value in out)
    np.testing.assert_allclose([v.data for v in out], numbers_of(model, [[1, -2]])[0], rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, bool])
def test_forms_of_a_batch(dtype):
    model = MLP(2, [3, 2], activation="tanh", seed=1)
    batch = np.array([[1, 0], [1, 1], [0, 1]], dtype)
    out = model(batch)
    assert out.dtype == np.float64
    np.testing.assert_allclose(out.data, numbers_of(model, batch), rtol=1e-6)
    assert model(batch[:0]).shape == (0, 2)


def test_more_axes_and_vectors():
    model = MLP(2, [3, 4], activation="tanh", seed=1)
    cube = np.random.default_rng(0).standard_normal((2, 5, 2))
    np.testing.assert_allclose(model(cube).data, numbers_of(model, cube), rtol=1e-12)
    np.testing.assert_allclose(model(Tensor(cube[0, 0])).data, numbers_of(model, cube)[0, 0])
    neuron = model.layers[0].neurons[0]
    assert neuron(cube).shape == (2, 5)


@pytest.mark.parametrize(
    "wrong",
    [
        [1.0],
        [1.0, 2.0, 3.0],
        (),
        np.ones(3),
        np.ones((4, 3)),
        np.ones((2, 1)),
        Tensor(np.ones((4, 3))),
        Value(1.0),
        pytest.param((v for v in [1.0, 2.0, 3.0]), id="generator"),
        np.array(1.0),
        Tensor(1.0),
        3.0,
        [[1.0, 2.0], [3.0, 4.0]],
    ],
)
def test_examples_of_a_wrong_form_are_refused_by_the_first_layer(wrong):
    model = MLP(2, [3, 1], seed=0)
    with pytest.raises((ValueError, TypeError), match=r"layers\.0|MLP takes"):
        model(wrong)
    assert model([1.0, 2.0]).scope == "MLP.layers.1.neurons.0"


@pytest.mark.parametrize("x", [[0.5, Tensor(0.25)], [Tensor([0.5, 0.25])[i] for i in (0, 1)]])
def test_elements_of_tensors_in_a_list_are_not_detached(x):
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    leaf = x[1].inputs[0] if x[1].op is not None else x[1]
    out = model(x)
    out.backward(seed=2.0)
    np.testing.assert_allclose(
        np.ravel(leaf.grad)[-1], 2 * input_gradient(model, [0.5, 0.25])[1], rtol=1e-12
    )


@pytest.mark.parametrize("size", [0, -1, 2.5, "3", None, True])
@pytest.mark.parametrize(
    "make", [Neuron, lambda n: Layer(2, n), lambda n: MLP(2, [3, n]), lambda n: MLP(n, [1])]
)
def test_sizes_must_be_positive_integers(make, size):
    with pytest.raises((ValueError, TypeError), match=r"positive integer"):
        make(size)


def test_unknown_names_and_no_layers():
    with pytest.raises(ValueError, match="Did you mean 'relu'"):
        MLP(2, [3, 1], activation="rellu")
    with pytest.raises(ValueError, match="Did you mean 'uniform'"):
        MLP(2, [3, 1], init="unifrom")
    with pytest.raises(ValueError, match="at least one layer"):
        MLP(2, [])
    with pytest.raises(ValueError, match="Did you mean 'relu'"):
        MLP(2, [1], activation="rel")  # though no layer has it


def test_nonlin_as_the_third_argument():
    assert [n.nonlin for n in Layer(2, 3, False).neurons] == [False] * 3
    assert [n.nonlin for n in Layer(2, 3, nonlin=False).neurons] == [False] * 3


# ---------------------------------------------------------------------------------- first weights


def weights(model):
    return np.array([w.data for layer in model.layers for n in layer.neurons for w in n.w])


def test_seeds():
    a, b, c = (MLP(3, [5, 2], seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(weights(a), weights(b))
    assert np.all(weights(a) != weights(c))
    assert len(set(weights(a))) == 25  # no two neurons are drawn alike
    state = random.getstate()
    MLP(3, [5, 2], seed=1)
    MLP(3, [5, 2], init="he")
    assert random.getstate() == state
    random.seed(3)
    d = MLP(3, [5, 2])
    random.seed(3)
    np.testing.assert_array_equal(weights(d), weights(MLP(3, [5, 2])))
    generator = np.random.default_rng(5)
    assert np.all(weights(MLP(3, [5], seed=generator)) != weights(MLP(3, [5], seed=generator)))


VARIANCES = {
    "zeros": lambda n_in, n_out: 0.0,
    "uniform": lambda n_in, n_out: 1 / 3,
    "normal": lambda n_in, n_out: 1e-4,
    "xavier": lambda n_in, n_out: 2 / (n_in + n_out),
    "xavier_normal": lambda n_in, n_out: 2 / (n_in + n_out),
    "he": lambda n_in, n_out: 2 / n_in,
    "he_uniform": lambda n_in, n_out: 2 / n_in,
}


@pytest.mark.parametrize("init", VARIANCES)
def test_variances_of_a_layer(init):
    layer = MLP(60, [120], init=init, seed=0).layers[0]
    drawn = np.array([w.data for n in layer.neurons for w in n.w])
    known = VARIANCES[init](60, 120)
    assert drawn.var() == pytest.approx(known, rel=0.08, abs=1e-12)
    assert {n.b.data for n in layer.neurons} == {0.0}


def test_the_initialiser_is_chosen_by_the_activation():
    model = MLP(80, [80, 80], activation="relu", output_activation="tanh", init="auto", seed=0)
    he, xavier = (weights(MLP(80, [80], init=init, seed=1)).var() for init in ("he", "xavier"))
    first, second = (np.var([w.data for n in layer.neurons for w in n.w]) for layer in model.layers)
    assert first == pytest.approx(he, rel=0.1)
    assert second == pytest.approx(xavier, rel=0.1)


def test_an_initialiser_of_ones_own():
    seen = []

    def ones(shape, generator):
        seen.append(isinstance(generator, np.random.Generator))
        return np.ones(shape)

    assert set(weights(MLP(3, [4, 2], init=ones))) == {1.0}
    assert all(seen)
    assert initialisers.by_name(ones) is ones
