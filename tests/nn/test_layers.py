"""The layers on tensors against plain NumPy formulas; gradients by the complex step."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import (
    Activation,
    BatchNorm,
    Dropout,
    Flatten,
    LayerNorm,
    Linear,
    Module,
    Sequential,
    Tensor,
    no_grad,
)

STEP = 1e-30


def random(seed=0):
    return np.random.default_rng(seed)


def complex_step(f, arrays, g):
    """Return Σ g ∂f/∂x for each array, exactly, for an f of plain NumPy that is analytic."""
    grads = []
    for i, array in enumerate(arrays):
        grad = np.zeros_like(array)
        for index in np.ndindex(array.shape):
            moved = [a.astype(complex) for a in arrays]
            moved[i][index] += 1j * STEP
            grad[index] = np.sum(g * f(*moved).imag) / STEP
        grads.append(grad)
    return grads


def hold(layer, formula, x, parameters, rel=1e-11):
    """Hold a layer's result and all of its gradients against a formula of (x, *parameters)."""
    node = Tensor(x)
    out = layer(node)
    arrays = [x, *(p.data.copy() for p in parameters)]
    known = formula(*arrays)
    assert out.shape == known.shape
    np.testing.assert_allclose(out.data, known, rtol=1e-12, atol=1e-14)
    g = random(9).standard_normal(out.shape)
    layer.zero_grad()
    out.backward(seed=g)
    for got, slope in zip(
        [node.grad, *(p.grad for p in parameters)], complex_step(formula, arrays, g), strict=True
    ):
        scale = np.abs(slope).max(initial=0)
        np.testing.assert_allclose(got, slope, rtol=rel, atol=rel * scale)


# ------------------------------------------------------------------------------------- linear

SHAPES = [(3,), (5, 3), (1, 3), (0, 3), (2, 4, 3), (2, 1, 4, 3)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bias", [True, False])
def test_linear(shape, bias):
    layer = Linear(3, 4, bias=bias, seed=1)
    if bias:
        layer.b.data = random(2).standard_normal(4)
    formula = lambda x, W, b=0.0: x @ W.T + b  # noqa: E731
    parameters = [layer.W, layer.b] if bias else [layer.W]
    assert layer.parameters() == parameters
    hold(layer, formula, random(3).standard_normal(shape), parameters)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_keeps_its_dtype(dtype, bias):
    layer = Linear(3, 2, bias=bias, seed=0, dtype=dtype)
    out = layer(np.ones((4, 3), dtype))
    assert out.dtype == dtype
    out.backward(seed=random().standard_normal((4, 2)))
    assert {p.grad.dtype for p in layer.parameters()} == {np.dtype(dtype)}
    layer.W.data = random().standard_normal((2, 3))
    assert layer.W.dtype == dtype
    np.testing.assert_allclose(
        Linear(3, 2, seed=0, dtype=dtype).W.data, Linear(3, 2, seed=0).W.data, rtol=1e-6
    )


@pytest.mark.parametrize(
    "x", [[[1, 2, 3]], np.array([[1, 2, 3]]), np.array([[True, False, True]]), ((1.0, 2.0, 3.0),)]
)
def test_linear_takes_integers_and_lists(x):
    layer = Linear(3, 2, seed=0)
    out = layer(x)
    np.testing.assert_allclose(out.data, np.array(x, float) @ layer.W.data.T)
    assert out.dtype == np.float64


@pytest.mark.parametrize("shape", [(), (2,), (5, 4), (3, 5), (2, 3, 1)])
@pytest.mark.parametrize(
    "make",
    [lambda: Linear(3, 2), lambda: LayerNorm(3), lambda: BatchNorm(3)],
    ids=["Linear", "LayerNorm", "BatchNorm"],
)
def test_rows_of_another_width_are_refused_by_name(make, shape):
    layer, inner = make(), make()
    for model, name in [(layer, type(layer).__name__), (Sequential("tanh", inner), r"layers\.1")]:
        for mode in (True, False):
            model.train(mode)
            with pytest.raises(ValueError, match=rf"{name} .*3.*{str(shape)[1:-1]}"):
                model(Tensor(np.ones(shape)))
    if isinstance(layer, BatchNorm):
        np.testing.assert_array_equal(layer.running_mean, np.zeros(3))


@pytest.mark.parametrize("make", [lambda: BatchNorm(1), lambda: LayerNorm(1)])
def test_a_width_of_one_is_not_broadcast(make):
    with pytest.raises(ValueError, match="1"):
        make()(np.ones((5, 6)))


@pytest.mark.parametrize("size", [0, -3, 1.5, "2", True, None])
@pytest.mark.parametrize(
    "make", [lambda n: Linear(n, 2), lambda n: Linear(2, n), LayerNorm, BatchNorm]
)
def test_sizes(make, size):
    with pytest.raises(ValueError, match="positive integer"):
        make(size)


@pytest.mark.parametrize("size", [np.int64(3), np.uint8(3)])
def test_numpy_integers_are_sizes(size):
    assert Linear(size, size)(np.ones((1, 3))).shape == (1, 3)


# ----------------------------------------------------------------------------------- dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_statistics(p):
    x = random().random((200, 200)) + 1
    out = Dropout(p, seed=3)(x)
    kept = out != 0
    assert abs(kept.mean() - (1 - p)) < 4 * np.sqrt(p * (1 - p) / x.size)
    np.testing.assert_allclose(out[kept], x[kept] / (1 - p), rtol=1e-15)
    assert abs(out.mean() / x.mean() - 1) < 0.05


def test_dropout_masks_the_gradient_as_the_data():
    x = Tensor(random().random((6, 5)) + 1)
    g = random(1).standard_normal((6, 5))
    out = Dropout(0.4, seed=2)(x)
    out.backward(seed=g)
    np.testing.assert_allclose(x.grad, g * (out.data / x.data), rtol=1e-15)
    assert set(np.round(out.data / x.data, 9).ravel()) == {0.0, round(1 / 0.6, 9)}


def test_dropout_draws_anew_and_by_its_seed():
    x = np.ones(100)
    layer, same = Dropout(0.5, seed=5), Dropout(0.5, seed=5)
    first, second = layer(x), layer(x)
    assert np.any(first != second)
    np.testing.assert_array_equal(first, same(x))
    assert np.any(Dropout(0.5, seed=6)(x) != first)
    for copied in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):  # noqa: S301
        np.testing.assert_array_equal(copied(x), Dropout.forward(copy.deepcopy(layer), x))


@pytest.mark.parametrize("p", [0.0, 0.5])
def test_dropout_in_use_is_the_identity(p):
    x = Tensor(random().standard_normal(7))
    layer = Dropout(p, seed=0)
    state = str(layer.generator.bit_generator.state)
    assert layer.eval()(x) is x
    assert str(layer.generator.bit_generator.state) == state
    assert (layer.train()(x) is x) == (p == 0)


@pytest.mark.parametrize(
    "x",
    [np.ones(64, int), [1.0] * 64, [1] * 64, np.ones(64, np.float32), np.ones(64, bool)],
    ids=lambda x: str(getattr(x, "dtype", type(x[0]))),
)
def test_dropout_of_other_data(x):
    out = np.asarray(Dropout(0.5, seed=0)(x))
    assert set(out.tolist()) == {0.0, 2.0}
    assert out.dtype == (np.float32 if getattr(x, "dtype", None) == np.float32 else np.float64)


@pytest.mark.parametrize("p", [1.0, -0.1, 2.0, np.nan])
def test_dropout_needs_a_probability_below_one(p):
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        Dropout(p)


# ------------------------------------------------------------------------------- normalisation


def standardised(x, axes, eps):
    centred = x - x.mean(axes, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(axes, keepdims=True) + eps)


@pytest.mark.parametrize("eps", [1e-5, 0.1])
@pytest.mark.parametrize("shape", [(4,), (5, 4), (1, 4), (2, 3, 4)])
def test_layer_norm(shape, eps):
    layer = LayerNorm(4, eps=eps)
    layer.w.data, layer.b.data = random(1).standard_normal((2, 4))
    x = 3 * random(2).standard_normal(shape) + 1
    hold(layer, lambda x, w, b: w * standardised(x, -1, eps) + b, x, [layer.w, layer.b])


@pytest.mark.parametrize("eps", [1e-5, 0.1])
@pytest.mark.parametrize("shape", [(5, 4), (2, 4), (2, 3, 4), (1, 3, 4)])
def test_batch_norm_in_training(shape, eps):
    layer = BatchNorm(4, eps=eps)
    layer.w.data, layer.b.data = random(1).standard_normal((2, 4))
    x = 3 * random(2).standard_normal(shape) + 1
    axes = tuple(range(len(shape) - 1))
    hold(layer, lambda x, w, b: w * standardised(x, axes, eps) + b, x, [layer.w, layer.b])


@pytest.mark.parametrize("shape", [(5, 4), (1, 4), (4,), (2, 3, 4)])
def test_batch_norm_in_use(shape):
    layer = BatchNorm(4, eps=0.01).eval()
    layer.w.data, layer.b.data = random(1).standard_normal((2, 4))
    layer.running_mean, layer.running_var = random(3).random(4), random(4).random(4) + 0.5
    mean, variance = layer.running_mean.copy(), layer.running_var.copy()
    x = random(2).standard_normal(shape)
    hold(
        layer,
        lambda x, w, b: w * (x - mean) / np.sqrt(variance + 0.01) + b,
        x,
        [layer.w, layer.b],
    )
    np.testing.assert_array_equal(layer.running_mean, mean)


@pytest.mark.parametrize("momentum", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("without_grad", [False, True])
def test_running_statistics(momentum, without_grad):
    layer = BatchNorm(3, momentum=momentum)
    mean, variance = np.zeros(3), np.ones(3)
    for seed in range(4):
        x = 2 * random(seed).standard_normal((6, 3)) + seed
        if without_grad:
            with no_grad():
                layer(x)
        else:
            layer(Tensor(x))
        mean = (1 - momentum) * mean + momentum * x.mean(0)
        variance = (1 - momentum) * variance + momentum * x.var(0, ddof=1)
        np.testing.assert_allclose(layer.running_mean, mean, rtol=1e-13)
        np.testing.assert_allclose(layer.running_var, variance, rtol=1e-13)
    assert isinstance(layer.running_mean, np.ndarray)
    state = layer.state_dict()
    assert set(state) == {"w", "b", "running_mean", "running_var"}
    fresh = BatchNorm(3)
    fresh.load_state_dict(state)
    x = random(8).standard_normal((1, 3))
    np.testing.assert_array_equal(fresh.eval()(x).data, layer.eval()(x).data)


@pytest.mark.parametrize("shape", [(1, 4), (4,), (1, 1, 4), (0, 4)])
def test_batch_norm_needs_two_examples_in_training(shape):
    model = Sequential(BatchNorm(4))
    before = model.state_dict()
    with pytest.raises(ValueError, match=r"layers\.0 .*two examples.*eval\(\)"):
        model(np.ones(shape))
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("make", [LayerNorm, BatchNorm])
def test_float32_normalisation(make):
    layer = make(3, dtype=np.float32)
    x = Tensor(random().standard_normal((4, 3)), dtype=np.float32)
    for _ in range(2):
        out = layer(x)
        assert out.dtype == np.float32
        out.backward(seed=random().standard_normal((4, 3)))
        assert {n.grad.dtype for n in (x, layer.w, layer.b)} == {np.dtype(np.float32)}
        assert {np.dtype(a.dtype) for a in layer.state_dict().values()} == {np.dtype(np.float32)}
        layer.eval()


@pytest.mark.parametrize("make", [LayerNorm, BatchNorm])
@pytest.mark.parametrize("mode", [True, False])
def test_normalisation_of_lists_and_integers(make, mode):
    x = [[1, 2, 4], [3, 1, 1]]
    known = make(3).train(mode)(np.array(x, float)).data
    for form in (x, np.array(x), [[float(v) for v in row] for row in x]):
        np.testing.assert_allclose(make(3).train(mode)(form).data, known, rtol=1e-13)


@pytest.mark.parametrize("make", [LayerNorm, BatchNorm])
def test_constant_rows_and_columns_stay_finite(make):
    layer, x = make(3), Tensor(np.full((4, 3), 7.0))
    out = layer(x)
    np.testing.assert_array_equal(out.data, np.zeros((4, 3)))
    out.backward(seed=random().standard_normal((4, 3)))
    assert np.all(np.isfinite(x.grad))


# ---------------------------------------------------------------------- flatten, activation


@pytest.mark.parametrize("shape", [(5, 2, 3), (5, 6), (5,), (0, 2, 3), (1, 1, 1, 4), (3, 0)])
def test_flatten(shape):
    x = Tensor(random().standard_normal(shape))
    out = Flatten()(x)
    width = int(np.prod(shape[1:]))
    np.testing.assert_array_equal(out.data, x.data.reshape(shape[0], width))
    g = random(1).standard_normal(out.shape)
    out.backward(seed=g)
    np.testing.assert_array_equal(x.grad, g.reshape(shape))
    assert Flatten()(x.data).shape == out.shape


def test_flatten_of_a_number_says_what_it_takes():
    with pytest.raises(ValueError, match="Flatten"):
        Flatten()(Tensor(1.0))


def test_activation_layers():
    x = random().standard_normal((3, 4))
    np.testing.assert_array_equal(Activation("relu")(x), np.maximum(x, 0))
    np.testing.assert_array_equal(Activation(F.tanh)(x), np.tanh(x))
    np.testing.assert_allclose(Activation("softmax")(Tensor(x)).data.sum(-1), np.ones(3))
    assert Activation(F.tanh).name == "tanh"
    assert Activation("linear")(x) is x
    with pytest.raises(ValueError, match="Did you mean 'tanh'"):
        Activation("tahn")


# --------------------------------------------------------------------------------- sequential


def names(model):
    return [p.name for p in model.parameters()]


def test_sequential_names_its_parameters_as_formulas_do():
    model = Sequential(Linear(2, 3), "tanh", Dropout(0.1), Linear(3, 3, bias=False), Linear(3, 1))
    assert names(model) == ["W1", "b1", "W2", "W3", "b3"]
    assert list(dict(model.named_parameters())) == [
        "layers.0.W", "layers.0.b", "layers.3.W", "layers.4.W", "layers.4.b"
    ]  # fmt: skip
    model = Sequential(Linear(2, 3), BatchNorm(3), "relu", LayerNorm(3), Linear(3, 1))
    assert names(model) == ["W1", "b1", "w2", "b2", "w3", "b3", "W4", "b4"]


def test_nested_sequentials_name_each_layer_once():
    inner = Sequential(Linear(2, 3), "tanh", Linear(3, 3))
    assert names(inner) == ["W1", "b1", "W2", "b2"]
    outer = Sequential(Linear(2, 2), inner, Linear(3, 1))
    assert names(outer) == ["W1", "b1", "W2", "b2", "W3", "b3", "W4", "b4"]
    assert len(set(names(outer))) == 8


def test_a_layer_used_twice():
    shared = Linear(2, 2, seed=0)
    model = Sequential(shared, "tanh", shared, Linear(2, 1, seed=1))
    assert names(model) == ["W1", "b1", "W2", "b2"]
    x = random().standard_normal((3, 2))

    def formula(x, W, b, V, c):
        return np.tanh(x @ W.T + b) @ W.T @ V.T + (b @ V.T) + c

    hold(model, formula, x, model.parameters())
    state = model.state_dict()
    assert len(state) == 4
    model.load_state_dict(state)


def test_sequential_as_a_sequence():
    model = Sequential(Linear(2, 3, seed=0), "relu", F.tanh, Linear(3, 1, seed=1))
    assert len(model) == 4
    assert model[-1] is model.layers[3]
    assert [type(layer).__name__ for layer in model[1:3]] == ["Activation", "Activation"]
    assert all(isinstance(layer, Module) for layer in model)
    x = random().standard_normal((5, 2))
    out = model(x)
    known = np.tanh(np.maximum(x @ model[0].W.data.T, 0)) @ model[3].W.data.T
    np.testing.assert_allclose(out.data, known, rtol=1e-13)
    assert out.scope == "Sequential.layers.3"
    assert Sequential()(x) is x


def test_modes_reach_the_layers():
    model = Sequential(Linear(2, 3), Sequential(Dropout(0.5), BatchNorm(3)), Linear(3, 1))
    assert model.eval() is model
    assert [m.training for _, m in model.named_modules()] == [False] * 6
    model(np.ones((1, 2)))
    assert model.train() is model
    assert all(m.training for _, m in model.named_modules())
    assert list(model.generators()) == ["layers.1.layers.0.generator"]


def test_a_network_of_all_layers_by_finite_differences():
    model = Sequential(
        Flatten(), Linear(4, 5, seed=0), BatchNorm(5), "gelu", Dropout(0.3, seed=1), LayerNorm(5),
        Linear(5, 3, seed=2), "log_softmax",
    )  # fmt: skip
    x, g = random(1).standard_normal((6, 2, 2)), random(2).standard_normal((6, 3))

    def value():
        model[4].generator = np.random.default_rng(1)
        with no_grad():
            return np.sum(g * model(x).data)

    model[4].generator = np.random.default_rng(1)
    model(x).backward(seed=g)
    h = 1e-6
    for p in model.parameters():
        got = p.grad.copy()
        for index in np.ndindex(p.shape):
            ends = []
            for step in (h, -h):
                moved = p.data.copy()
                moved[index] += step
                here, p.data = p.data.copy(), moved
                ends.append(value())
                p.data = here
            assert got[index] == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-5, abs=1e-7)


def test_errors_of_layers_say_where_they_stand():
    model = Sequential(Linear(2, 2, seed=0), BatchNorm(2))
    with pytest.raises(ValueError, match=r"^Sequential\.layers\.1 needs at least two examples"):
        model(np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"^Sequential\.layers\.0 takes examples as rows"):
        Sequential(Flatten())(3.0)
