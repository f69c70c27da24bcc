"""The scalar network, the tensor network and the hand-derived equations are one and the same.

Every network is computed in many ways and each is held against ``equations.backward``, to 1e-12 of
the norm of what is summed to give a gradient: the same backward pass on absolute values.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_nn.functional as F
from micrograd_nn import (
    MLP,
    SGD,
    Adam,
    AdamW,
    Layer,
    Linear,
    Neuron,
    RMSProp,
    Sequential,
    Tensor,
    Value,
    nn,
    vjp,
)
from micrograd_nn import equations as eq
from micrograd_nn.nn.activations import ACTIVATIONS

TOLERANCE = 1e-12
NAMES = sorted(set(eq.ACTIVATIONS) & set(ACTIVATIONS))


def test_nn_knows_every_activation_of_the_equations():
    assert sorted(eq.ACTIVATIONS) == NAMES


class Case(NamedTuple):
    parameters: dict[str, np.ndarray]
    names: list[str]
    X: np.ndarray  # examples are columns
    Y: np.ndarray
    loss: str

    @property
    def m(self):
        return self.X.shape[1]

    @property
    def last(self):
        return len(self.names)

    @property
    def layers(self):
        return list(enumerate(self.names, start=1))


@st.composite
def cases(draw, max_layers=4, max_width=5, max_batch=6, losses=eq.LOSSES):
    layers = draw(st.integers(1, max_layers))
    size = st.integers(1, max_width)
    widths = draw(st.lists(size, min_size=layers + 1, max_size=layers + 1))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=layers, max_size=layers))
    loss = draw(st.sampled_from(losses))
    m = draw(st.integers(1, max_batch))
    scale = draw(st.sampled_from([0.3, 1.0, 2.5]))
    hard = draw(st.booleans())
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parameters = {}
    for k in range(1, layers + 1):
        # kept moderate: a pre-activation of 10⁴ would itself be known to 12 digits only
        deviation = scale / np.sqrt(widths[k - 1])
        parameters[f"W{k}"] = deviation * random.standard_normal((widths[k], widths[k - 1]))
        parameters[f"b{k}"] = 0.5 * random.standard_normal((widths[k], 1))
    X = random.standard_normal((widths[0], m))
    if loss == "binary_cross_entropy":
        names[-1] = "sigmoid"
        Y = random.random((widths[-1], m))
        Y = np.round(Y) if hard else Y
    else:
        Y = 2 * random.standard_normal((widths[-1], m))
    return Case(parameters, names, X, Y, loss)


class Result(NamedTuple):
    prediction: np.ndarray
    cost: float
    grads: dict[str, np.ndarray]


def reference(case):
    cache = eq.forward(case.parameters, case.X, case.names)
    grads = eq.backward(case.parameters, cache, case.Y, case.names, case.loss)
    return Result(cache[f"A{case.last}"], eq.cost(cache, case.Y, case.loss), {**cache, **grads})


def magnitudes(case, cache, plain_difference=False):
    """Return what the gradients would be if nothing cancelled: the sums of their terms' sizes.

    Of the output's delta A − Y the terms are A and Y; of the form that doesn't cancel at hard
    labels, (1 − Y) A − Y (1 − A), they are smaller.
    """
    size = {}
    Z, A, Y = cache[f"Z{case.last}"], cache[f"A{case.last}"], case.Y
    slope = [np.abs(eq.ACTIVATIONS[name].g_prime(cache[f"Z{k}"])) for k, name in case.layers]
    if case.loss == "half_mse":
        dA = np.abs(A) + np.abs(Y)
        dZ = dA * slope[-1]
    else:
        dA = (1 - Y) / eq.sigmoid(-Z) + Y / A
        dZ = A + Y if plain_difference else (1 - Y) * A + Y * eq.sigmoid(-Z)
    for k, _ in reversed(case.layers):
        if k < case.last:
            dZ = dA * slope[k - 1]
        size[f"dA{k}"], size[f"dZ{k}"] = dA, dZ
        size[f"dW{k}"] = dZ @ np.abs(cache[f"A{k - 1}"]).T / case.m
        size[f"db{k}"] = dZ.mean(1)
        dA = np.abs(case.parameters[f"W{k}"]).T @ dZ
    return size


def agree(result, expected, case, slack=0.0, plain_difference=False):
    tolerance = TOLERANCE + slack
    sizes = magnitudes(case, expected.grads, plain_difference)
    np.testing.assert_allclose(
        result.prediction,
        expected.prediction,
        rtol=0,
        atol=tolerance * (1e-300 + np.linalg.norm(expected.prediction)),
    )
    assert abs(result.cost - expected.cost) <= tolerance * max(abs(expected.cost), 1e-30)
    for name, got in result.grads.items():
        known = expected.grads[name]
        assert got.shape == known.shape, name
        assert np.linalg.norm(got - known) <= tolerance * np.linalg.norm(sizes[name]), name


# ------------------------------------------------------------------------- ways to one network


def scalar_network(case, logits=False):
    """Return the MLP of the case's parameters, whose layers may differ in their activation."""
    widths = [
        case.X.shape[0],
        *(case.parameters[f"W{k}"].shape[0] for k in range(1, case.last + 1)),
    ]
    model = MLP(widths[0], widths[1:])
    names = [*case.names[:-1], "identity"] if logits else case.names
    model.layers = [
        Layer(n_in, n_out, activation=name)
        for n_in, n_out, name in zip(widths, widths[1:], names, strict=False)
    ]
    for k, layer in enumerate(model.layers, start=1):
        for i, neuron in enumerate(layer.neurons):
            for j, weight in enumerate(neuron.w):
                weight.data = case.parameters[f"W{k}"][i, j]
            neuron.b.data = case.parameters[f"b{k}"][i, 0]
    return model


def scalar_gradients(model):
    grads = {}
    for k, layer in enumerate(model.layers, start=1):
        grads[f"dW{k}"] = np.array([[w.grad for w in neuron.w] for neuron in layer.neurons])
        grads[f"db{k}"] = np.array([[neuron.b.grad] for neuron in layer.neurons])
    return grads


def tensor_gradients(model):
    linears = [layer for layer in model.layers if isinstance(layer, Linear)]
    grads = {f"dW{k}": layer.W.grad for k, layer in enumerate(linears, start=1)}
    return grads | {f"db{k}": layer.b.grad[:, None] for k, layer in enumerate(linears, start=1)}


def cost_of(case, prediction, target, logits):
    """Return J: summed over the output units, averaged over the examples."""
    if case.loss == "half_mse":
        loss = F.half_mse
    elif logits:
        loss = F.binary_cross_entropy_with_logits
    else:
        loss = F.binary_cross_entropy
    return loss(prediction, target, reduction="sum") / case.m


def example_by_example(case, logits=False):
    model = scalar_network(case, logits)
    outputs = [model(x) for x in case.X.T.tolist()]
    rows = [out if isinstance(out, list) else [out] for out in outputs]
    assert all(isinstance(value, Value) for row in rows for value in row)
    J = cost_of(case, rows, case.Y.T.tolist(), logits)
    J.backward()
    A = np.array([[value.data for value in row] for row in rows]).T
    return Result(A, J.data, scalar_gradients(model))


def losses_of_single_examples(case, logits=False):
    """The sum of the losses of single Values, as one writes it with micrograd."""
    model = scalar_network(case, logits)
    total = Value(0.0)
    A = np.empty_like(case.Y)
    for i in range(case.m):
        out = model(case.X[:, i])
        row = out if isinstance(out, list) else [out]
        A[:, i] = [value.data for value in row]
        for a, y in zip(row, case.Y[:, i], strict=True):
            total = total + cost_of(case, a, y, logits)
    total.backward()
    return Result(A, total.data, scalar_gradients(model))


def scalar_network_on_a_batch(case, logits=False):
    model = scalar_network(case, logits)
    out = model(case.X.T)
    assert isinstance(out, Tensor)
    J = cost_of(case, out, case.Y.T, logits)
    J.backward()
    return Result(out.data.T, J.item(), scalar_gradients(model))


def converted_network(case, logits=False):
    model = nn.to_tensors(scalar_network(case, logits))
    out = model(case.X.T)
    J = cost_of(case, out, case.Y.T, logits)
    J.backward()
    return Result(out.data.T, J.item(), tensor_gradients(model))


def there_and_back(case, logits=False):
    model = nn.to_scalars(nn.to_tensors(scalar_network(case, logits)))
    out = model(Tensor(case.X.T))
    J = cost_of(case, out, case.Y.T, logits)
    J.backward()
    return Result(out.data.T, J.item(), scalar_gradients(model))


def columns_by_hand(case, logits=False):
    """The articles' own lines on tensors whose columns are examples; dZ and dA are held, too."""
    nodes = {name: Tensor(array, name=name) for name, array in case.parameters.items()}
    Z, A = {}, {0: case.X}
    for k, name in enumerate(case.names, start=1):
        Z[k] = nodes[f"W{k}"] @ A[k - 1] + nodes[f"b{k}"]
        A[k] = ACTIVATIONS[name](Z[k])
    J = cost_of(case, Z[case.last] if logits else A[case.last], case.Y, logits)
    J.backward()
    grads = {f"d{name}": node.grad for name, node in nodes.items()}
    grads |= {f"dZ{k}": node.grad * case.m for k, node in Z.items()}
    if not logits:
        grads |= {f"dA{k}": A[k].grad * case.m for k in range(1, case.last + 1)}
    return Result(A[case.last].data, J.item(), grads)


WAYS = [
    example_by_example,
    losses_of_single_examples,
    scalar_network_on_a_batch,
    converted_network,
    there_and_back,
    columns_by_hand,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@given(case=cases())
def test_every_way_gives_the_numbers_of_the_equations(way, case):
    expected = reference(case)
    if case.loss == "half_mse":
        agree(way(case), expected, case)
        return
    # From a probability, 1 − A has lost what a large logit rounds away; from the logit, nothing.
    largest = np.abs(expected.grads[f"Z{case.last}"]).max()
    if largest < 25:
        agree(way(case), expected, case, slack=1e-15 * np.exp(largest))
    result = way(case, logits=True)
    if result.prediction.shape == expected.prediction.shape and way is not columns_by_hand:
        result = result._replace(prediction=eq.sigmoid(result.prediction))
    agree(result, expected, case)


@given(case=cases(max_layers=3, max_width=4, max_batch=3))
def test_the_index_form_gives_the_numbers_of_the_matrices(case):
    expected = reference(case)
    grads = eq.gradients_by_indices(case.parameters, case.X, case.Y, case.names, case.loss)
    got = Result(expected.prediction, expected.cost, grads)
    agree(got, expected, case, plain_difference=True)


@given(case=cases(max_layers=3, max_width=4, max_batch=1, losses=("half_mse",)))
def test_hidden_units_hold_the_deltas_of_the_index_form(case):
    # δ_j[k] = ∂E/∂o_j[k] = ∂E/∂a_j[k] · g'(o_j[k]), and the units of the graph hold ∂E/∂a
    model = scalar_network(case)
    x, y = case.X[:, 0], case.Y[:, 0]
    o, a = eq.forward_one_by_indices(case.parameters, x, case.names)
    deltas = eq.deltas_by_indices(case.parameters, o, a, y, case.names, "half_mse")
    units, layers = x.tolist(), []
    for layer in model.layers:
        out = layer(units)
        units = out if isinstance(out, list) else [out]
        layers.append(units)
    error = F.half_mse(units, y.tolist(), reduction="sum")
    error.backward()
    for k, (name, layer) in enumerate(zip(case.names, layers, strict=True), start=1):
        np.testing.assert_allclose([unit.data for unit in layer], a[k], rtol=1e-12, atol=1e-13)
        slopes = eq.ACTIVATIONS[name].g_prime(np.array(o[k]))
        got = np.array([unit.grad for unit in layer]) * slopes
        size = np.linalg.norm(deltas[k]) + 1e-300
        assert np.linalg.norm(got - deltas[k]) <= 1e-11 * size


# ------------------------------------------------------------------------- S1: the three forms

FORMS = [
    (eq.layer_by_neurons, eq.layer_gradients_by_neurons),
    (eq.layer_by_examples, eq.layer_gradients_by_examples),
    (eq.layer_by_matrices, eq.layer_gradients_by_matrices),
]


def by_neurons(layer, X):
    return [[neuron(x) for x in X.T.tolist()] for neuron in layer.neurons]


def by_layer(layer, X):
    outs = [layer(x.tolist()) for x in X.T]
    rows = [out if isinstance(out, list) else [out] for out in outs]
    return [list(column) for column in zip(*rows, strict=True)]


def by_batch(layer, X):
    return F.transpose(layer(X.T))


def by_neurons_on_batches(layer, X):
    return [neuron(X.T) for neuron in layer.neurons]


@pytest.mark.parametrize("form", [by_neurons, by_layer, by_batch, by_neurons_on_batches])
@pytest.mark.parametrize("name", NAMES)
def test_three_forms_of_a_layer(form, name):
    random = np.random.default_rng(NAMES.index(name))
    for n_in, n_out, m in [(1, 1, 1), (3, 1, 4), (2, 4, 1), (4, 3, 5)]:
        layer = Layer(n_in, n_out, activation=name, init="normal", seed=1)
        W, b = random.standard_normal((n_out, n_in)), random.standard_normal((n_out, 1))
        X, dA = random.standard_normal((n_in, m)), random.standard_normal((n_out, m))
        for i, neuron in enumerate(layer.neurons):
            neuron.b.data = b[i, 0]
            for weight, number in zip(neuron.w, W[i], strict=True):
                weight.data = number
        A = form(layer, X)
        A = F.stack([F.stack(row) if isinstance(row, list) else row for row in A])
        A.backward(seed=dA / m)
        dW = np.array([[w.grad for w in neuron.w] for neuron in layer.neurons])
        db = np.array([[neuron.b.grad] for neuron in layer.neurons])
        for forward, backward in FORMS:
            np.testing.assert_allclose(A.data, forward(W, b, X, name)[1], rtol=1e-12, atol=1e-14)
            for got, known in zip((dW, db), backward(W, b, X, dA, name), strict=False):
                assert np.linalg.norm(got - known) <= TOLERANCE * np.linalg.norm(known)
        # and the gradient by the inputs, dA[l−1] = Wᵀ dZ, through the functional interface
        inputs = vjp(lambda rows, layer=layer: layer(rows), X.T)[1](dA.T)[0]
        np.testing.assert_allclose(inputs.T, FORMS[2][1](W, b, X, dA, name)[2], rtol=1e-11)


@pytest.mark.parametrize("name", NAMES)
def test_one_neuron_and_its_gradients(name):
    random = np.random.default_rng(7)
    w, b, x, da = random.standard_normal(3), 0.3, random.standard_normal(3), -1.7
    neuron = Neuron(3, activation=name)
    for weight, number in zip(neuron.w, w, strict=True):
        weight.data = number
    neuron.b.data = b
    xs = [Value(number) for number in x]
    a = neuron(xs)
    a.backward(seed=da)
    dw, db, dx = eq.neuron_gradients(w, b, x, name, da)
    assert a.data == pytest.approx(eq.neuron(w, b, x, name)[1], rel=1e-14)
    np.testing.assert_allclose([p.grad for p in neuron.w], dw, rtol=1e-13)
    np.testing.assert_allclose([i.grad for i in xs], dx, rtol=1e-13)
    assert neuron.b.grad == pytest.approx(db, rel=1e-13)


# -------------------------------------------------------------------- S2: the two-layer network


def two_layer_case(m, seed=3):
    random = np.random.default_rng(seed)
    parameters = {
        "W1": random.standard_normal((4, 2)),
        "b1": random.standard_normal((4, 1)),
        "W2": random.standard_normal((1, 4)),
        "b2": random.standard_normal((1, 1)),
    }
    X = random.standard_normal((2, m))
    Y = (X[:1] * X[1:] > 0).astype(float)
    return Case(parameters, ["tanh", "sigmoid"], X, Y, "binary_cross_entropy")


@pytest.mark.parametrize("m", [1, 7, 40])
def test_two_layer_network_by_its_six_lines(m):
    case = two_layer_case(m)
    cache = eq.two_layer_forward(case.parameters, case.X)
    lines = eq.two_layer_gradients(case.parameters, cache, case.Y)
    expected = Result(cache["A2"], eq.cost(cache, case.Y), {**cache, **lines})
    slack = 1e-15 * np.exp(np.abs(cache["Z2"]).max())
    for way in WAYS:
        result = way(case)
        grads = {name: result.grads[name] for name in ("dW1", "db1", "dW2", "db2")}
        agree(result._replace(grads=grads), expected, case, slack)


@pytest.mark.parametrize("kind", ["scalar", "tensor"])
def test_two_layer_updates_lower_the_loss_and_follow_the_equations(kind):
    case = two_layer_case(40)
    model = scalar_network(case)
    model = model if kind == "scalar" else nn.to_tensors(model)
    optimizer = SGD(model.parameters(), lr=0.2)
    parameters, costs = case.parameters, []
    for _ in range(30):
        cache = eq.two_layer_forward(parameters, case.X)
        A = model(case.X.T)
        np.testing.assert_array_equal(
            (A.data.T > 0.5).astype(int), eq.two_layer_predict(parameters, case.X)
        )
        J = F.binary_cross_entropy(A, case.Y.T)
        model.zero_grad()
        J.backward()
        costs.append(J.item())
        assert costs[-1] == pytest.approx(eq.cost(cache, case.Y), rel=1e-11)
        grads = eq.two_layer_gradients(parameters, cache, case.Y)
        optimizer.step()
        parameters = eq.update(parameters, grads, 0.2)
        if kind == "tensor":
            np.testing.assert_allclose(model[0].W.data, parameters["W1"], rtol=1e-10)
    assert all(later < earlier for earlier, later in pairwise(costs))


# -------------------------------------------------------------------------- S3: zeros, training


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu", "gelu"])
@pytest.mark.parametrize("kind", ["list", "batch", "tensor"])
def test_weights_that_start_at_zero_stay_equal_for_ever(kind, name):
    random = np.random.default_rng(0)
    X, y = random.standard_normal((6, 2)), np.array([0, 1, 1, 0, 1, 1])
    model = MLP(2, [3, 3, 1], activation=name, output_activation="sigmoid", init="zeros")
    if kind == "tensor":
        model = nn.to_tensors(model)
    for _ in range(5):
        out = [model(x) for x in X.tolist()] if kind == "list" else model(X)
        model.zero_grad()
        F.binary_cross_entropy(out, y).backward()
        SGD(model.parameters(), lr=0.5).step()
        scalars = nn.to_scalars(model) if kind == "tensor" else model
        for layer in scalars.layers[:-1]:
            rows = {tuple(p.data for p in neuron.parameters()) for neuron in layer.neurons}
            assert len(rows) == 1
    assert scalars.layers[-1].neurons[0].b.data != 0  # it has learnt, but not much


@pytest.mark.parametrize("loss", eq.LOSSES)
def test_training_follows_the_equations(loss):
    random = np.random.default_rng(5)
    names = ["relu", "tanh", "sigmoid"]
    parameters = eq.initialise([2, 4, 3, 1], seed=2)
    X = random.standard_normal((2, 25))
    Y = (np.hypot(*X) < 1).astype(float)[None]
    trained, costs = eq.train(parameters, X, Y, names, loss=loss, learning_rate=0.3, iterations=25)
    case = Case(parameters, names, X, Y, loss)
    model = nn.to_tensors(scalar_network(case))
    optimizer = SGD(model.parameters(), lr=0.3)
    for known in costs:
        J = cost_of(case, model(X.T), Y.T, logits=False)
        assert J.item() == pytest.approx(known, rel=1e-10)
        optimizer.zero_grad()
        J.backward()
        optimizer.step()
    for name, array in trained.items():
        got = dict(zip(trained, model.parameters(), strict=True))[name].data
        np.testing.assert_allclose(got.reshape(array.shape), array, rtol=1e-9, atol=1e-12)


# ------------------------------------------------------------ S5: deltas, optimisers; S6: the IoU


@pytest.mark.parametrize("name", NAMES)
def test_deltas_of_the_mean_squared_error(name):
    random = np.random.default_rng(1)
    Z, Y = Tensor(random.standard_normal((3, 7))), random.standard_normal((3, 7))
    A = ACTIVATIONS[name](Z)
    J = F.mse(A, Y, reduction="sum") / 7
    J.backward()
    assert J.item() == pytest.approx(eq.mse(A.data, Y), rel=1e-13)
    np.testing.assert_allclose(Z.grad, eq.mse_delta(Z.data, Y, name), rtol=1e-12)


@pytest.mark.parametrize("form", ["one-hot", "labels"])
def test_deltas_of_the_cross_entropy_on_softmax(form):
    random = np.random.default_rng(2)
    W, X = random.standard_normal((4, 3)), random.standard_normal((3, 9))
    labels = random.integers(0, 4, 9)
    Y = np.eye(4)[labels].T
    target = labels if form == "labels" else Y.T
    logits, weights = {}, {}
    for loss in (F.cross_entropy, F.categorical_cross_entropy):
        linear = Linear(3, 4, bias=False)
        linear.W.data = W
        Z = linear(X.T)
        J = loss(Z if loss is F.cross_entropy else F.softmax(Z), target)
        J.backward()
        assert J.item() == pytest.approx(eq.cross_entropy_from_logits(W @ X, Y), rel=1e-13)
        assert J.item() == pytest.approx(eq.cross_entropy(eq.softmax(W @ X), Y), rel=1e-13)
        logits[loss], weights[loss] = Z.grad.T, linear.W.grad
    delta = eq.cross_entropy_delta(W @ X, Y)
    for loss in logits:
        assert np.linalg.norm(logits[loss] - delta) <= TOLERANCE * np.linalg.norm(delta)
        np.testing.assert_allclose(weights[loss], eq.weight_gradient(delta, X), rtol=1e-11)


def stepper(step, *settings, state=1, counts=False):
    """Return a function that makes one step of the equations, and keeps its state."""
    kept = {}

    def one_step(theta, gradient, t):
        moments = kept.get("state", (np.zeros_like(theta),) * state)
        result = step(theta, gradient, *moments, *((t,) if counts else ()), *settings)
        if not state:
            return result
        kept["state"] = result[1:]
        return result[0]

    return one_step


OPTIMISERS = {
    "sgd": (lambda p: SGD(p, lr=0.1), lambda: stepper(eq.gradient_descent_step, 0.1, state=0)),
    "momentum": (
        lambda p: SGD(p, lr=0.1, momentum=0.8),
        lambda: stepper(eq.momentum_step, 0.1, 0.8),
    ),
    "nesterov": (
        lambda p: SGD(p, lr=0.1, momentum=0.8, nesterov=True),
        lambda: stepper(eq.nesterov_step, 0.1, 0.8),
    ),
    "rmsprop": (
        lambda p: RMSProp(p, lr=0.05, rho=0.7, eps=1e-6),
        lambda: stepper(eq.rmsprop_step, 0.05, 0.7, 1e-6),
    ),
    "adam": (
        lambda p: Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-7),
        lambda: stepper(eq.adam_step, 0.05, 0.8, 0.95, 1e-7, state=2, counts=True),
    ),
    "adamw": (
        lambda p: AdamW(p, lr=0.05, betas=(0.8, 0.95), eps=1e-7, weight_decay=0.1),
        lambda: stepper(eq.adamw_step, 0.05, 0.8, 0.95, 1e-7, 0.1, state=2, counts=True),
    ),
}


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("kind", ["values", "tensors", "both"])
def test_optimisers_step_by_step(name, kind):
    optimiser, equations = OPTIMISERS[name]
    random = np.random.default_rng(4)
    nodes = []
    if kind != "tensors":
        nodes += [Value(number) for number in random.standard_normal(3)]
    if kind != "values":
        nodes += [Tensor(random.standard_normal((2, 3))), Tensor(random.standard_normal(4))]
    theta = [np.array(node.data) for node in nodes]
    steps = [equations() for _ in nodes]
    optimizer = optimiser(nodes)
    for t in range(1, 13):
        gradients = [random.standard_normal(array.shape) for array in theta]
        optimizer.zero_grad()
        for node, gradient in zip(nodes, gradients, strict=True):
            (node * gradient).backward(seed=np.ones(gradient.shape))
        optimizer.step()
        theta = [s(a, g, t) for s, a, g in zip(steps, theta, gradients, strict=True)]
        for node, array in zip(nodes, theta, strict=True):
            np.testing.assert_allclose(node.data, array, rtol=1e-13, atol=1e-14)


@given(st.integers(1, 8), st.integers(0, 2**32 - 1), st.sampled_from([1.0, 1e-2, 1e-5]))
def test_soft_iou_and_its_gradient(n, seed, scale):
    random = np.random.default_rng(seed)
    a, y = scale * random.random(n), np.round(random.random(n)) * scale
    expected, slope = eq.soft_iou(a, y), eq.soft_iou_gradient(a, y)
    values = [Value(number) for number in a]
    tensor, rows = Tensor(a), Tensor(a[None])
    for prediction, target in [(values, y.tolist()), (tensor, y), (rows, y[None])]:
        J = F.soft_iou(prediction, target)
        assert np.asarray(J.data).item() == pytest.approx(expected, rel=1e-12, abs=1e-14)
        J.backward()
    for got in ([v.grad for v in values], tensor.grad, rows.grad[0]):
        assert np.linalg.norm(got - slope) <= TOLERANCE * np.linalg.norm(slope)


def test_soft_iou_of_two_empty_masks_has_no_gradient():
    empty = Tensor(np.zeros(3))
    J = F.soft_iou(empty, np.zeros(3))
    J.backward()
    assert J.item() == eq.soft_iou(np.zeros(3), np.zeros(3)) == 0.0
    np.testing.assert_array_equal(empty.grad, eq.soft_iou_gradient(np.zeros(3), np.zeros(3)))


def test_identity_activations_learn_a_linear_function_only():
    model = MLP(2, [5, 4, 1], activation="identity", seed=3)
    X = np.random.default_rng(0).standard_normal((20, 2))
    out = model(X).data
    design = np.column_stack([X, np.ones(20)])
    solution = np.linalg.lstsq(design, out, rcond=None)[0]
    np.testing.assert_allclose(design @ solution, out, atol=1e-12)


def test_sequential_agrees_with_the_default_network_of_the_articles():
    parameters = eq.initialise([3, 5, 4, 2], seed=8)
    X = np.random.default_rng(1).standard_normal((3, 6))
    model = Sequential(Linear(3, 5), "relu", Linear(5, 4), "relu", Linear(4, 2), "sigmoid")
    assert [p.name for p in model.parameters()] == list(parameters)
    for node, array in zip(model.parameters(), parameters.values(), strict=True):
        node.data = array.reshape(node.shape)
    np.testing.assert_allclose(model(X.T).data.T, eq.forward(parameters, X)["A3"], rtol=1e-13)
