import math
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from micrograd_nn.data import Batches, blobs, circles
from micrograd_nn.graph.node import modes
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Value
from micrograd_nn.nn import MLP, BatchNorm, Dropout, Linear, Module, Sequential
from micrograd_nn.training import SGD, Adam, Callback, EarlyStopping, StepDecay, fit

X, y = circles(80, noise=0.1, seed=0)


def network(seed=0, dtype="float64"):
    first = Linear(2, 8, seed=seed, dtype=dtype)
    return Sequential(first, "tanh", Linear(8, 1, seed=seed + 1, dtype=dtype), "sigmoid")


def train(model, **options):
    options = {"loss": "binary_cross_entropy", "epochs": 3, "batch_size": 16, "seed": 5} | options
    options.setdefault("optimizer", Adam(model.parameters(), lr=0.05))
    return fit(model, X, y, **options)


def weights(model):
    return model.state_dict()


def same(one, other):
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name]) for name in one
    )


# ------------------------------------------------------------------------------- what it does


def test_it_is_the_loop_that_one_would_write():
    by_fit, by_hand = network(), network()
    history = train(by_fit, optimizer=SGD(by_fit.parameters(), lr=0.3), loss="mse")
    batches = Batches(X, y, 16, seed=5)
    losses = []
    for epoch in range(3):
        total = 0.0
        for batch_X, batch_y in batches.epoch(epoch):
            by_hand.zero_grad()
            error = by_hand(batch_X) - batch_y[:, None]
            loss = (error * error).mean()
            loss.backward()
            total += loss.item() * len(batch_X)
            for p in by_hand.parameters():
                p.data = p.data - 0.3 * p.grad
        losses.append(total / len(X))
    np.testing.assert_allclose(history.loss, losses, rtol=1e-12)
    for name, array in weights(by_fit).items():
        np.testing.assert_allclose(array, weights(by_hand)[name], rtol=1e-10)


def test_it_learns_the_circles():
    model = network()
    history = train(model, epochs=60, metrics=["accuracy"], validation_data=(X, y))
    assert history.metrics["accuracy"][-1] == 1.0
    assert history.metrics["val_accuracy"][-1] == 1.0
    assert history.val_loss[-1] < history.val_loss[0]
    assert history.stopped is None
    assert history.epochs == list(range(1, 61))


def test_a_scalar_network_learns_the_same_as_a_tensor_network():
    from micrograd_nn.nn import to_tensors

    scalar = MLP(2, [6, 1], activation="tanh", output_activation="sigmoid", seed=3)
    tensor = to_tensors(scalar)
    one, other = train(scalar), train(tensor)
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-9)
    assert all(isinstance(p, Value) for p in scalar.parameters())


def test_several_classes_with_labels_and_one_hot_rows():
    points, labels = blobs(90, seed=1)
    labels = labels.astype(int)
    count = int(labels.max()) + 1
    histories = []
    for target in (labels, np.eye(count)[labels]):
        model = Sequential(Linear(2, 8, seed=0), "relu", Linear(8, count, seed=1))
        optimizer = Adam(model.parameters(), lr=0.05)
        histories.append(
            fit(model, points, target, "cross_entropy", optimizer, 30, metrics=["accuracy"])
        )
    assert histories[0].metrics["accuracy"][-1] > 0.9
    np.testing.assert_allclose(histories[0].loss, histories[1].loss, rtol=1e-10)


def test_the_default_optimiser_is_adam():
    one, other = network(), network()
    fit(one, X, y, "binary_cross_entropy", epochs=2)
    fit(other, X, y, "binary_cross_entropy", Adam(other.parameters(), lr=1e-3), epochs=2)
    assert same(weights(one), weights(other))


def test_float32_stays_float32():
    model = network(dtype="float32")
    seen = []

    def loss(prediction, target):
        seen.append((prediction.dtype, target.dtype))
        return ((prediction - target) ** 2).mean()

    train(model, loss=loss)
    assert {dtype for dtype, _ in seen} == {np.dtype("float32")}
    assert {p.dtype for p in model.parameters()} == {np.dtype("float32")}


def test_a_model_needs_no_more_than_parameters_and_a_call():
    class Line:
        def __init__(self):
            self.w = Tensor([[0.0], [0.0]])

        def parameters(self):
            return [self.w]

        def __call__(self, x):
            return x @ self.w

    line = Line()
    history = fit(line, X, X @ [2.0, -1.0], "mse", SGD(line.parameters(), 0.5), epochs=200)
    np.testing.assert_allclose(line.w.data, [[2.0], [-1.0]], atol=1e-6)
    assert history.loss[-1] < 1e-10
    with pytest.raises(TypeError, match=r"checkpoint= needs a model with state_dict\(\)"):
        fit(line, X, y, checkpoint="never-written.npz")


def test_other_containers_of_numbers_are_taken():
    expected = train(network()).loss
    for inputs, target in [
        (X.tolist(), y.tolist()),
        (X.astype(object), y.astype(object)),
        (Tensor(X), Tensor(y)),
        (X, y.astype(bool)),
        (X, y.astype(np.uint8)),
        (X, y[:, None]),
    ]:
        model = network()
        options = {"epochs": 3, "batch_size": 16, "seed": 5}
        optimizer = Adam(model.parameters(), lr=0.05)
        history = fit(model, inputs, target, "binary_cross_entropy", optimizer, **options)
        assert history.loss == expected


def test_integer_targets_stay_integers():
    seen = []

    def loss(prediction, target):
        seen.append(target.dtype)
        return ((prediction - target) ** 2).mean()

    fit(network(), X, (y > 0.5).astype(np.uint8), loss, epochs=1)
    assert seen == [np.int64]


def test_a_loss_of_ones_own_gets_the_target_in_the_shape_of_the_prediction():
    shapes = []

    def loss(prediction, target):
        shapes.append((prediction.shape, target.shape))
        return ((prediction - target) ** 2).mean()

    train(network(), loss=loss, batch_size=None, epochs=1)
    assert shapes == [((80, 1), (80, 1))]


def test_the_loss_of_an_epoch_is_the_mean_over_examples():
    model = Sequential(Linear(1, 1, init="zeros"))
    tiny = SGD(model.parameters(), lr=1e-300)
    history = fit(model, np.ones((5, 1)), [1.0, 2.0, 3.0, 4.0, 5.0], "mse", tiny, 1, batch_size=2)
    assert history.loss == [11.0]


# ---------------------------------------------------------------------------- the same numbers


def with_dropout():
    return Sequential(
        Linear(2, 8, seed=0), "relu", Dropout(0.3), BatchNorm(8), Linear(8, 1, seed=1)
    )


def test_the_same_seed_gives_the_same_numbers():
    runs = []
    for _ in range(2):
        model = with_dropout()
        history = train(model, loss="binary_cross_entropy_with_logits", metrics=["accuracy"])
        runs.append((weights(model), history.loss, history.metrics))
    assert same(runs[0][0], runs[1][0])
    assert runs[0][1:] == runs[1][1:]


def test_another_seed_gives_others():
    losses = {train(network(), seed=seed).loss[-1] for seed in (1, 2, 3)}
    assert len(losses) == 3


def test_a_seed_that_was_drawn_is_kept():
    first = network()
    history = train(first, seed=None)
    second = network()
    train(second, seed=history.seed)
    assert same(weights(first), weights(second))


def test_with_all_examples_in_a_batch_they_keep_their_order():
    seen = []

    class Watch(Module):
        def __init__(self):
            self.w = Tensor([[1.0, 1.0]])

        def forward(self, x):
            seen.append(np.array(x.data))
            return (x * self.w).sum(axis=1, keepdims=True)

    fit(Watch(), X, y, epochs=1)
    np.testing.assert_array_equal(seen[0], X)


# ------------------------------------------------------------------------------------- modes


def test_the_model_is_in_training_mode_in_it_and_as_before_after_it():
    class Watch(Module):
        def __init__(self):
            self.w = Tensor([[1.0, 1.0]])
            self.seen = []

        def forward(self, x):
            self.seen.append((self.training, modes.recording))
            return (x * self.w).sum(axis=1, keepdims=True)

    model = Sequential(Watch(), Dropout(0.5))
    model[0].eval()
    model[1].train()
    train(model, loss="mse", epochs=2, batch_size=None, validation_data=(X, y))
    assert model[0].seen == [(True, True), (False, False)] * 2
    assert (model[0].training, model[1].training) == (False, True)


def test_validation_changes_nothing():
    one, other = with_dropout(), with_dropout()
    loss = "binary_cross_entropy_with_logits"
    train(one, loss=loss, validation_data=(X[:10], y[:10]), metrics=["accuracy"])
    train(other, loss=loss)
    assert same(weights(one), weights(other))


# --------------------------------------------------------------------------- how it is stopped


class StopAt(Callback):
    def __init__(self, epoch, act):
        self.epoch, self.act = epoch, act

    def on_epoch_end(self, epoch, logs):
        if epoch == self.epoch:
            self.act(self)


@pytest.mark.parametrize("kind", ["tensor", "scalar"])
def test_a_nan_loss_stops_before_the_step(kind):
    model = network() if kind == "tensor" else MLP(2, [4, 1], seed=0)
    optimizer = SGD(model.parameters(), lr=0.1)
    calls, before = [], []

    def loss(prediction, target):
        calls.append(None)
        before.append(weights(model))
        value = ((prediction - target) ** 2).mean()
        return value * math.nan if len(calls) == 8 else value

    history = train(model, loss=loss, optimizer=optimizer)
    assert len(calls) == 8
    assert same(weights(model), before[-1])
    assert not same(weights(model), before[-2])
    assert history.stopped.startswith("the loss became nan at epoch 2, batch 3 of 5;")
    assert "Lower the learning rate (now 0.1), pass clip_norm=1.0" in history.stopped
    assert len(history) == 1


def test_divergence_ends_in_a_clear_stop_with_finite_weights():
    model = Sequential(Linear(1, 1, seed=0))
    optimizer = SGD(model.parameters(), lr=1e6)
    history = fit(model, np.ones((4, 1)), np.zeros(4), "mse", optimizer, epochs=1000)
    assert "the loss became inf at epoch" in history.stopped
    assert all(np.isfinite(array).all() for array in weights(model).values())


@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_a_gradient_that_is_not_finite_stops_before_the_step(clip_norm):
    model = Sequential(Linear(1, 1, init="zeros"))
    before = weights(model)

    def loss(prediction, target):
        return (prediction * 0.0).sqrt().mean()  # sqrt' (0) is infinite

    history = fit(model, np.ones((4, 1)), np.zeros(4), loss, epochs=3, clip_norm=clip_norm)
    assert history.stopped.startswith("a gradient became nan or infinite at epoch 1, batch 1 of 1")
    assert same(weights(model), before)


def test_a_nan_loss_leaves_the_buffers_of_before():
    model = Sequential(BatchNorm(2), Linear(2, 1, seed=0))
    before = weights(model)
    history = train(model, loss=lambda p, t: (p - t).sum() * math.inf)
    assert history.stopped.startswith("the loss became")
    assert same(weights(model), before)


def test_ctrl_c_keeps_the_weights_and_returns_the_history():
    def interrupt(callback):
        raise KeyboardInterrupt

    model = network()
    history = train(model, epochs=10, callbacks=[StopAt(4, interrupt)])
    assert history.stopped == "interrupted by the user at epoch 4"
    reference = network()
    train(reference, epochs=4)
    assert same(weights(model), weights(reference))


@pytest.mark.usefixtures("ctrl_c_raises")
@pytest.mark.skipif(os.name != "posix", reason="sends a signal to itself")
def test_a_real_ctrl_c_never_cuts_a_step_in_two():
    model = Sequential(Linear(2, 8, seed=0), Linear(8, 1, seed=0, dtype="float32"), "sigmoid")

    class Interrupted(SGD):
        def _update(self, theta, grad, out, *state):
            if self.steps == 7 and theta.dtype == np.float64:  # before the block of float32
                os.kill(os.getpid(), signal.SIGINT)
            super()._update(theta, grad, out, *state)

    before = signal.getsignal(signal.SIGINT)
    optimizer = Interrupted(model.parameters(), lr=0.1, momentum=0.5)
    history = train(model, optimizer=optimizer)
    assert history.stopped == "interrupted by the user at epoch 2"
    assert signal.getsignal(signal.SIGINT) is before
    assert optimizer.steps == 7
    reference = Sequential(Linear(2, 8, seed=0), Linear(8, 1, seed=0, dtype="float32"), "sigmoid")
    steps = SGD(reference.parameters(), lr=0.1, momentum=0.5)

    def loss(prediction, target):
        if steps.steps == 7:
            raise KeyboardInterrupt
        return -(target * prediction.log() + (1 - target) * (1 - prediction).log()).mean()

    train(reference, optimizer=steps, loss=loss)
    for name, array in weights(model).items():
        np.testing.assert_allclose(array, weights(reference)[name], rtol=1e-5)


@pytest.mark.usefixtures("ctrl_c_raises")
@pytest.mark.skipif(os.name != "posix", reason="sends a signal to itself")
def test_a_real_ctrl_c_between_the_steps_stops_at_once():
    model = network()
    steps = SGD(model.parameters(), lr=0.1)

    def loss(prediction, target):
        if steps.steps == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return ((prediction - target) ** 2).mean()

    history = train(model, optimizer=steps, loss=loss)
    assert history.stopped == "interrupted by the user at epoch 1"
    assert steps.steps == 3


def test_it_runs_in_another_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(train(network())))
    thread.start()
    thread.join()
    assert found[0].loss == train(network()).loss


def test_an_error_in_the_model_goes_through_and_restores_the_mode():
    model = network()
    model.eval()

    def loss(prediction, target):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train(model, loss=loss)
    assert not any(module.training for _, module in model.named_modules())


# --------------------------------------------------------------------------------- the extras


def test_callbacks_are_called_in_order():
    calls = []

    class Watch(Callback):
        def on_train_begin(self):
            calls.append(("begin", self.epochs, self.model is model))

        def on_epoch_begin(self, epoch):
            calls.append(epoch)

        def on_epoch_end(self, epoch, logs):
            calls.append((epoch, sorted(logs)))

        def on_train_end(self):
            calls.append("end")

    model = network()
    train(model, epochs=2, callbacks=[Watch()])
    row = ["loss", "lr", "time"]
    assert calls == [("begin", 2, True), 1, (1, row), 2, (2, row), "end"]


def test_a_function_and_an_object_of_ones_own_are_callbacks():
    class Own:
        __slots__ = ("last",)

        def on_epoch_end(self, epoch, logs):
            self.last = epoch

    own, seen = Own(), []
    train(network(), callbacks=[lambda epoch, logs: seen.append(epoch), own])
    assert seen == [1, 2, 3]
    assert own.last == 3


def test_a_callback_stops_the_training_with_its_reason():
    def stop(callback):
        callback.stop = "enough"

    history = train(network(), epochs=9, callbacks=[StopAt(2, stop)])
    assert history.stopped == "enough"
    assert len(history) == 2


def test_a_schedule_sets_the_rate_of_each_epoch():
    model = network()
    history = train(model, epochs=5, schedule=StepDecay(0.8, 0.5, every=2))
    assert history.lr == [0.8, 0.8, 0.4, 0.4, 0.2]
    history = train(model, epochs=3, callbacks=[StepDecay(0.8, 0.5, every=1)])
    assert history.lr == [0.8, 0.4, 0.2]
    assert train(model, epochs=3, schedule=lambda t: 1.0 / (t + 1)).lr == [1.0, 0.5, 1 / 3]


def test_clip_norm_limits_the_step():
    model = Sequential(Linear(1, 1, init="zeros"))
    fit(model, [[1000.0]], [1000.0], "mse", SGD(model.parameters(), 1.0), 1, clip_norm=0.5)
    moved = np.concatenate([array.ravel() for array in weights(model).values()])
    assert np.linalg.norm(moved) == pytest.approx(0.5)


def test_compile_says_what_it_did_and_changes_no_number():
    history = train(network())
    assert history.compiled.startswith("compiled: ")
    assert history.compiled in str(history)
    eager = train(network(), compile=False)
    assert eager.compiled == ""
    assert history.loss == eager.loss


def test_only_the_optimisers_parameters_move():
    model = network()
    before = weights(model)
    train(model, optimizer=SGD(model[2].parameters(), lr=0.1))
    after = weights(model)
    moved = [name for name in before if not np.array_equal(before[name], after[name])]
    assert moved == ["layers.2.W", "layers.2.b"]


def test_early_stopping_gives_back_the_best_weights():
    model = network()
    losses = iter([5.0, 3.0, 4.0, 3.5, 3.0, 1.0])
    kept = []

    def keep(epoch, logs):
        kept.append(weights(model))

    def metric(prediction, target):
        return next(losses)

    stopping = EarlyStopping(monitor="metric", patience=3)
    history = train(model, epochs=9, callbacks=[keep, stopping], metrics=[metric])
    assert len(history) == 5
    assert history.stopped == (
        "metric has not become better than 3 (epoch 2) for 3 epochs, at epoch 5"
    )
    assert (stopping.best, stopping.best_epoch) == (3.0, 2)
    assert same(weights(model), kept[1])
    assert history.notes == ["the weights are those of the best epoch, 2"]


def test_a_progress_line_is_shown_on_a_terminal_only(capsys, monkeypatch):
    train(network())
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    train(network(), progress=False)
    assert capsys.readouterr().err == ""
    train(network())
    assert "\repoch 3/3 [====================]" in capsys.readouterr().err


def test_no_epochs_are_no_training():
    model = network()
    before = weights(model)
    assert len(train(model, epochs=0)) == 0
    assert same(weights(model), before)


# ------------------------------------------------------------------------------ what it refuses


def with_nan(array, *at):
    array = np.array(array, dtype=float)
    array[at] = math.nan
    return array


@pytest.mark.parametrize(
    ("inputs", "target", "error", "message"),
    [
        (X[:5], y, ValueError, "X has 5 examples .rows., y has 80"),
        (X.T, y, ValueError, "X has 2 examples .* pass X.T if they are your columns"),
        (X[:, 0], y, ValueError, r"X has shape \(80,\), but examples are rows.*reshape\(-1, 1\)"),
        (X[:0], y[:0], ValueError, r"X has shape \(0, 2\): there is nothing in it"),
        (with_nan(X, 7, 1), y, ValueError, "X holds nan at row 7, column 1 "),
        (X, with_nan(y, 3), ValueError, "y holds nan at row 3 "),
        (
            np.full((80, 2), math.inf),
            y,
            ValueError,
            "X holds inf at row 0, column 0 .*, and 159 more",
        ),
        ([["a", "b"]] * 80, y, TypeError, "X must hold numbers, and row 0, column 0 .*'a'"),
        (X, ["red"] * 80, TypeError, "y must hold numbers.*'red'.*numpy.unique"),
        ([[1.0, 2.0], [1.0]], [1, 2], ValueError, "X is no array"),
        (X.astype(complex), y, TypeError, "X must hold numbers, and is an array of complex128"),
        (X, 1.0, ValueError, "y is a single number"),
        (X.astype(str), y, TypeError, "X is an array of text|X must hold numbers, and is an arr"),
        ([[1.0, None]] * 80, y, ValueError, "X holds nan at row 0, column 1 .*, and 79 more"),
        (np.full((2, 2, 2), math.nan), [1, 2], ValueError, r"column \(0, 0\) .* and 7 more"),
    ],
)
def test_data_that_cannot_be_used_are_refused(inputs, target, error, message):
    with pytest.raises(error, match=message):
        fit(network(), inputs, target)


def test_validation_data_are_checked_too():
    with pytest.raises(ValueError, match="validation X holds nan at row 0, column 0"):
        train(network(), validation_data=(with_nan(X, 0, 0), y))
    with pytest.raises(ValueError, match="validation_data must be a pair"):
        train(network(), validation_data=0.2)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"epochs": -1}, ValueError, "epochs must be at least 0"),
        ({"epochs": 2.5}, TypeError, "epochs must be a whole number"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"clip_norm": 0}, ValueError, "clip_norm must be finite and above 0"),
        ({"loss": "msee"}, ValueError, "no loss 'msee'"),
        ({"metrics": ["auc"]}, ValueError, "no metric 'auc'"),
        ({"resume": True}, ValueError, "resume=True needs checkpoint="),
        ({"callbacks": [EarlyStopping]}, TypeError, "got the class EarlyStopping: call it"),
        ({"callbacks": [3]}, TypeError, "a callback has methods"),
        ({"schedule": 0.1}, TypeError, "a schedule is a function"),
        ({"optimizer": "adam"}, TypeError, "must be such as Adam"),
        ({"optimizer": Adam}, TypeError, "got the class Adam"),
        ({"optimizer": SGD([Value(1.0)], 0.1)}, ValueError, "holds no parameter of this model"),
        ({"loss": lambda p, t: 1.0}, TypeError, "returned a float, which has no gradient"),
        ({"loss": lambda p, t: (p - t) ** 2}, ValueError, r"has shape \(16, 1\).* take its mean"),
        ({"loss": lambda p, t: Value(1.0) * 2}, ValueError, "doesn't depend on any parameter"),
        (
            {"callbacks": [EarlyStopping()]},
            ValueError,
            "monitors 'val_loss', which this training has not: pass validation_data= to fit",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        train(network(), **options)


def test_a_class_instead_of_a_model_is_refused():
    with pytest.raises(TypeError, match=r"an instance.*the class MLP"):
        fit(MLP, X, y)


def test_ctrl_c_within_an_exec_does_not_end_the_process():
    """CPython remembers such a KeyboardInterrupt, though it was caught, until its last line."""
    program = """if True:
        from micrograd_nn import Linear, fit

        def interrupt(epoch, logs):
            exec("raise KeyboardInterrupt")

        history = fit(Linear(1, 1), [[1.0]], [[1.0]], epochs=3, callbacks=[interrupt])
        assert history.stopped.startswith("interrupted"), history.stopped
        print("on we go")
    """
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "on we go\n"), ran.stderr
