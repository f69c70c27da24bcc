"""Bad input gives no wrong number and loses no data: what was taken for something else once."""

import copy

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import (
    MLP,
    SGD,
    Adam,
    BatchNorm,
    Dropout,
    LayerNorm,
    Linear,
    Neuron,
    Sequential,
    Tensor,
    Value,
    fit,
    load,
    save,
)
from micrograd_nn.data import train_test_split
from micrograd_nn.nn import Layer, to_config, to_scalars
from micrograd_nn.testing import check_backprop, check_op
from micrograd_nn.testing.errors import GradientError
from micrograd_nn.training import clip_gradients, evaluate, gradient_norm
from micrograd_nn.training.checkpoints import CheckpointError

X = np.random.default_rng(0).normal(size=(20, 2))
Y = X[:, 0]
MASKED = np.ma.array([1.0, 5.0], mask=[False, True])


@pytest.mark.parametrize(
    "value", [lambda W: np.ones((1, 2)), lambda W: W - 0.1, lambda W: [[1.0, 2.0]], lambda W: 0.5]
)
def test_a_parameter_does_not_give_way_to_what_is_none(value):
    layer = Linear(2, 1, seed=0)
    with pytest.raises(TypeError, match=r"W of Linear is a parameter.*W\.data = "):
        layer.W = value(layer.W)
    assert len(layer.parameters()) == 2


def test_weights_of_a_neuron_do_not_give_way_to_an_array():
    neuron = Neuron(2, seed=0)
    with pytest.raises(TypeError, match="w of Neuron is a parameter"):
        neuron.w = np.ones(2)


def test_a_parameter_gives_way_to_another_to_a_frozen_one_and_to_none():
    layer = Linear(2, 1, seed=0)
    layer.W = Tensor(np.zeros((1, 2)))
    layer.W = layer.W.detach()
    layer.b = None
    assert layer.parameters() == []


def test_an_optimiser_of_replaced_parameters_is_refused():
    layer = Linear(2, 1, seed=0)
    optimizer = SGD(layer.parameters(), lr=0.1)
    layer.W = Tensor(np.zeros((1, 2)))
    with pytest.raises(
        ValueError, match="1 parameters that aren't this model's, and not 1 that are"
    ):
        fit(layer, X, Y, optimizer=optimizer, progress=False)
    extra = Tensor(1.0)
    fit(layer, X, Y, optimizer=SGD([*layer.parameters(), extra], lr=0.1), epochs=1, progress=False)


def test_labels_beyond_int64_are_refused():
    labels = np.array([2**64 - 1] * 2, dtype=np.uint64)
    with pytest.raises(ValueError, match="more than int64 can hold"):
        evaluate(Linear(2, 1, seed=0), np.ones((2, 2)), labels)


@pytest.mark.parametrize("metrics", [{"loss": "r2"}, {"lr": "r2"}, {"val_mae": "r2", "mae": "mae"}])
def test_a_metric_has_no_name_that_a_history_has(metrics):
    with pytest.raises(ValueError, match="a metric can't be named"):
        fit(Linear(2, 1, seed=0), X, Y, epochs=1, metrics=metrics, progress=False)


def test_a_loss_among_the_metrics_does_not_take_the_place_of_the_loss():
    def loss(prediction, target):
        return 123.0

    with pytest.raises(ValueError, match="a metric can't be named 'loss'"):
        evaluate(Linear(2, 1, seed=0), X, Y, metrics=[loss])


@pytest.mark.parametrize("dtype", [float, int, bool])
def test_one_logit_has_no_classes(dtype):
    labels = np.array([[0], [1]], dtype)
    with pytest.raises(ValueError, match=r"labels must be 0 \.\.\. 0, got 0 \.\.\. 1"):
        F.cross_entropy(Tensor([[1.0], [3.0]]), labels)


def test_a_derivative_that_is_not_returned_is_wrong():
    def vjp(g, x):
        g * (1 - np.tanh(x) ** 2)

    with pytest.raises(GradientError, match="is a return missing"):
        check_op(np.tanh, vjp, samples=[0.5])


@pytest.mark.parametrize(
    "use",
    [
        lambda: F.mse(Tensor([1.0, 2.0]), MASKED),
        lambda: F.mse(MASKED, np.ones(2)),
        lambda: F.cross_entropy(Tensor(np.ones((2, 2))), np.ma.array([0, 1], mask=[0, 1])),
        lambda: F.sum(MASKED),
        lambda: F.exp(MASKED),
        lambda: setattr(Tensor([1.0, 2.0]), "data", MASKED),
        lambda: setattr(Tensor([1.0, 2.0]), "grad", MASKED),
    ],
)
def test_masked_elements_are_refused(use):
    with pytest.raises(TypeError, match="1 of 2 elements are masked"):
        use()


def test_a_mask_that_hides_nothing_is_none():
    assert F.sum(np.ma.array([1.0, 5.0])) == 6.0
    assert type(F.exp(np.ma.array([0.0]))) is np.ndarray


@pytest.mark.parametrize("data", [[1 + 2j, 3], [None, 1], ["5", "6"]])
def test_data_and_gradients_are_real_numbers(data):
    t = Tensor([1.0, 2.0])
    for name in ("data", "grad"):
        with pytest.raises(TypeError, match="a Tensor holds real numbers"):
            setattr(t, name, np.array(data))
    assert t.data.tolist() == [1.0, 2.0]


def test_a_gradient_has_the_shape_of_its_tensor():
    t = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match=r"a gradient of that shape, got \(3,\)"):
        t.grad = np.ones(3)
    t.grad = 2.0
    assert t.grad.tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Neuron(2, "tanh"),
        lambda: Layer(2, 2, "tanh"),
        lambda: Neuron(2, nonlin="identity"),
        lambda: Linear(2, 1, "tanh"),
    ],
)
def test_a_flag_is_true_or_false(make):
    with pytest.raises(TypeError, match=r"is True or False, got '(tanh|identity)'"):
        make()


def test_flags_may_be_numbers():
    assert Neuron(2, 0).nonlin is False
    assert Linear(2, 1, np.False_).b is None


@pytest.mark.parametrize(
    "extra", [{1: 2}, {"names": {1: "a", "1": "b"}}, {"list": [{"deep": {None: 3}}]}]
)
def test_keys_that_would_come_back_as_text_are_refused(extra, tmp_path):
    with pytest.raises(CheckpointError, match="would come back as text"):
        save(tmp_path / "m.npz", Linear(2, 1), extra=extra)


def test_an_optimiser_of_another_model_is_not_saved_with_this_one(tmp_path):
    with pytest.raises(CheckpointError, match="holds no parameter of the model"):
        save(tmp_path / "m.npz", Linear(2, 1), Adam(Linear(2, 1).parameters(), lr=0.1))
    model = Linear(2, 1)
    save(tmp_path / "m.npz", model, Adam(model.parameters(), lr=0.1), extra={"a": [1, {"b": 2}]})
    assert load(tmp_path / "m.npz").extra == {"a": [1, {"b": 2}]}


@pytest.mark.parametrize(
    "make",
    [
        lambda: BatchNorm(1, momentum=5.0),
        lambda: BatchNorm(1, momentum=float("nan")),
        lambda: BatchNorm(2, eps=-0.5),
        lambda: LayerNorm(2, eps=-0.5),
        lambda: LayerNorm(2, eps=float("nan")),
    ],
)
def test_numbers_of_a_norm_are_in_their_range(make):
    with pytest.raises(ValueError, match=r"(momentum|eps) must be"):
        make()


def test_a_shared_parameter_is_clipped_once():
    layer = Linear(2, 1, seed=0)
    F.sum(layer(np.full((1, 2), 10.0))).backward()
    norm = gradient_norm(layer.parameters())
    assert gradient_norm(layer.parameters() * 2) == norm
    clip_gradients(layer.parameters() * 2, 1.0)
    assert gradient_norm(layer.parameters()) == pytest.approx(1.0, rel=1e-15)


def test_a_copy_of_a_tensor_has_an_array_of_its_own():
    for look in (False, True):
        x = Tensor([2.0])
        if look:
            assert x.data[0] == 2.0
        c = copy.copy(x)
        c.data[0] = 9.0
        assert (x.data[0], c.data[0]) == (2.0, 9.0)


def test_a_bias_is_not_added_to_examples():
    W, b = Tensor(np.ones((3, 2))), Tensor([[1.0], [20.0], [300.0]])
    with pytest.raises(ValueError, match=r"a bias has shape \(n_out,\), here \(3,\), got \(3, 1\)"):
        F.linear(Tensor(np.ones((3, 2))), W, b)


@pytest.mark.parametrize("test_size", [1.0, 2.0, True, 0, 20, -0.5])
def test_a_share_of_test_examples_is_below_one(test_size):
    with pytest.raises(ValueError, match="test_size is a fraction between 0 and 1 or a count"):
        train_test_split(X, Y, test_size)


def test_an_error_of_numpy_with_a_constructor_of_its_own_is_told():
    with pytest.raises(TypeError, match="can't take arguments"):
        F.var(Tensor([1.0, 2.0]), ddof="a")


@pytest.mark.parametrize("make", [lambda: Value(1.0, name=5), lambda: Tensor([1.0]).named(7)])
def test_a_name_is_text(make):
    with pytest.raises(TypeError, match="a name is text"):
        make()


def test_an_iterator_is_no_array():
    with pytest.raises(TypeError, match="X is no array, but list_iterator: pass a list or array"):
        fit(Sequential(Linear(2, 1)), iter(X.tolist()), Y, progress=False)


def test_layers_of_the_same_settings_still_train():
    assert fit(MLP(2, [3, 1], seed=0), X, Y, epochs=2, progress=False).loss[1] > 0


def test_another_model_of_the_same_shapes_does_not_go_on_with_a_training(tmp_path):
    def train(activation, p, epochs):
        model = Sequential(Dropout(p, seed=1), Linear(2, 1, seed=0), activation)
        return fit(
            model, X, Y, epochs=epochs, checkpoint=tmp_path / "c.npz", resume=epochs > 2,
            progress=False, seed=0,
        )  # fmt: skip

    train("relu", 0.1, 2)
    for activation, p in [("tanh", 0.1), ("relu", 0.9)]:
        with pytest.raises(CheckpointError, match="other layers or settings"):
            train(activation, p, 4)
    assert len(train("relu", 0.1, 4)) == 4


def test_a_layer_that_is_used_twice_is_not_built_as_two(tmp_path):
    layer = Linear(2, 2, seed=0)
    model = Sequential(layer, "tanh", layer)
    with pytest.raises(ValueError, match="used twice"):
        to_scalars(model)
    assert to_config(model) is None
    save(tmp_path / "m.npz", model)
    with pytest.raises(CheckpointError, match="used twice: build the model and pass it"):
        load(tmp_path / "m.npz")
    other = Linear(2, 2, seed=1)
    load(tmp_path / "m.npz", Sequential(other, "tanh", other))
    assert np.array_equal(other.W.data, layer.W.data)
    tied = Sequential(Linear(2, 2), Linear(2, 2))
    tied.layers[1].W = tied.layers[0].W
    assert to_config(tied) is None


def test_no_gradients_are_nothing_to_check():
    with pytest.raises(ValueError, match="nothing to check"):
        check_backprop(lambda x: x * x, {}, inputs={"x": 1.0})


def test_the_sizes_of_a_network_are_listed_and_its_layers_are_not():
    with pytest.raises(TypeError, match=r"nouts lists the units of each layer.*got 3"):
        MLP(2, 3)
    assert len(MLP(2, np.array([3, 1])).layers) == 2
    with pytest.raises(TypeError, match=r"Sequential\(\*layers\)"):
        Sequential([Linear(2, 2)])
