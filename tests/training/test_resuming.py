"""A training that is killed and run again ends as one that wasn't, bit for bit."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import micrograd_nn
from micrograd_nn.data import moons
from micrograd_nn.nn import MLP, BatchNorm, Dropout, Linear, Sequential
from micrograd_nn.training import (
    SGD,
    Adam,
    Callback,
    CheckpointError,
    EarlyStopping,
    ReduceOnPlateau,
    fit,
    load,
    save,
)

X, y = moons(60, noise=0.1, seed=0)


def network(seed=0):
    return Sequential(
        Linear(2, 6, seed=seed), "tanh", Dropout(0.2), BatchNorm(6), Linear(6, 1, seed=1)
    )


def train(path, epochs=8, model=None, **options):
    model = network() if model is None else model
    optimizer = options.pop("optimizer", None) or Adam(model.parameters(), lr=0.05)
    options = {"batch_size": 16, "seed": 3, "resume": True, "checkpoint": path} | options
    loss = "binary_cross_entropy_with_logits"
    history = fit(model, X, y, loss, optimizer, epochs, **options)
    return model, optimizer, history


def numbers(result):
    """All that must be the same: weights, optimiser, history but for the times."""
    model, optimizer, history = result
    columns = {name: column for name, column in history.columns().items() if name != "time"}
    return model.state_dict(), optimizer.state_dict(), columns


def assert_same(one, other):
    for first, second in zip(numbers(one), numbers(other), strict=True):
        assert list(first) == list(second)
        for name in first:
            np.testing.assert_array_equal(first[name], second[name])


class Die(Callback):
    """Ends the training as a kill would: nothing that fit could do about it."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs):
        if epoch == self.epoch:
            raise SystemExit


def killed(path, at, model=None, callbacks=(), **options):
    with pytest.raises(SystemExit):
        train(path, model=model, callbacks=[*callbacks, Die(at)], **options)


# -------------------------------------------------------------------------------- in this process


@pytest.mark.parametrize("at", [1, 2, 5, 8])
def test_resumed_is_as_if_uninterrupted(tmp_path, at):
    straight = train(tmp_path / "straight.npz")
    killed(tmp_path / "run.npz", at)
    resumed = train(tmp_path / "run.npz", model=network(seed=99))
    assert_same(straight, resumed)
    assert resumed[2].epochs == list(range(1, 9))


def test_every_so_many_epochs(tmp_path):
    straight = train(tmp_path / "straight.npz", checkpoint_every=3)
    assert load(tmp_path / "straight.npz").epoch == 8
    killed(tmp_path / "run.npz", 6, checkpoint_every=3)
    assert load(tmp_path / "run.npz").epoch == 3
    assert_same(straight, train(tmp_path / "run.npz", checkpoint_every=3))


def test_a_training_may_be_made_longer(tmp_path):
    straight = train(tmp_path / "straight.npz", epochs=9)
    train(tmp_path / "run.npz", epochs=4)
    assert_same(straight, train(tmp_path / "run.npz", epochs=9, model=network(seed=5)))


def test_a_finished_training_is_only_loaded(tmp_path):
    first = train(tmp_path / "run.npz")
    content = (tmp_path / "run.npz").read_bytes()
    assert_same(first, train(tmp_path / "run.npz", model=network(seed=5)))
    assert (tmp_path / "run.npz").read_bytes() == content


def test_the_first_weights_and_the_seed_are_written_too(tmp_path):
    killed(tmp_path / "run.npz", 1, seed=None)
    assert load(tmp_path / "run.npz").epoch == 0
    shutil.copy(tmp_path / "run.npz", tmp_path / "copy.npz")
    one = train(tmp_path / "run.npz", model=network(seed=5), seed=None, epochs=3)
    other = train(tmp_path / "copy.npz", model=network(seed=6), seed=None, epochs=3)
    assert one[2].seed == other[2].seed
    assert_same(one, other)


def test_without_resume_it_starts_anew(tmp_path):
    train(tmp_path / "run.npz", epochs=2)
    again = train(tmp_path / "run.npz", epochs=2, resume=False)
    assert len(again[2]) == 2
    assert_same(again, train(tmp_path / "straight.npz", epochs=2))


@pytest.mark.parametrize("at", [4, 7, 9])
def test_early_stopping_and_plateaus_go_on_where_they_were(tmp_path, at):
    def options():
        stopping = EarlyStopping(monitor="score", patience=4)
        scores = {4: 1.0}

        def score(prediction, target):
            return scores.get(len(stopping.history) + 1, 2.0)

        schedule = ReduceOnPlateau(0.1, 0.5, patience=2, monitor="score")
        return {"callbacks": [stopping], "metrics": [score], "schedule": schedule, "epochs": 20}

    straight = train(tmp_path / "straight.npz", **options())
    assert straight[2].stopped.startswith("score has not become better than 1 (epoch 4)")
    assert len(straight[2]) == 8
    if at < 9:
        killed(tmp_path / "run.npz", at, **options())
    else:
        train(tmp_path / "run.npz", **options())
    resumed_options = options()
    if at < 9:
        resumed_options["callbacks"].append(Die(99))
    resumed = train(tmp_path / "run.npz", model=network(seed=5), **resumed_options)
    assert_same(straight, resumed)
    assert resumed[2].stopped == straight[2].stopped
    assert_same(straight, (load(tmp_path / "run.npz").model, *resumed[1:]))


def test_a_longer_training_goes_on_from_the_last_weights_not_the_best(tmp_path):
    def options(epochs):
        stopping = EarlyStopping(monitor="score", patience=50)

        def score(prediction, target):
            return abs(len(stopping.history) - 2.0)  # the third epoch is best

        return {"callbacks": [stopping], "metrics": [score], "epochs": epochs}

    straight = train(tmp_path / "straight.npz", **options(10))
    shorter = train(tmp_path / "run.npz", **options(6))
    assert_same(shorter[:1] + straight[1:], straight)  # both end with the third epoch's weights
    resumed = train(tmp_path / "run.npz", **options(10))
    assert_same(straight, resumed)
    assert resumed[2].notes == ["the weights are those of the best epoch, 3"]


def test_after_ctrl_c_it_goes_on_from_the_last_whole_epoch(tmp_path):
    class Press(Callback):
        def on_epoch_begin(self, epoch):
            if epoch == 4:
                raise KeyboardInterrupt

    stopped = train(tmp_path / "run.npz", callbacks=[Press()])
    assert stopped[2].stopped == "interrupted by the user at epoch 4"
    resumed = train(tmp_path / "run.npz")
    assert resumed[2].stopped is None
    assert_same(train(tmp_path / "straight.npz"), resumed)


# ---------------------------------------------------------------------------- what doesn't fit


def test_another_training_is_refused_and_nothing_is_changed(tmp_path):
    path = tmp_path / "run.npz"
    train(path, epochs=2)
    content = path.read_bytes()
    other = Sequential(Linear(2, 3, seed=0), Dropout(0.1), Linear(3, 1, seed=0))
    plain = MLP(2, [3, 1], seed=0)
    model = network(seed=7)
    for made, options, message in [
        (other, {}, "has other (random generators|layers or settings)|doesn't fit"),
        (plain, {}, "other random generators"),
        (model, {"optimizer": SGD(model.parameters(), 0.1)}, "that of Adam, not of SGD"),
        (model, {"callbacks": [EarlyStopping("loss")]}, "callbacks none, here are EarlyStopping"),
    ]:
        before = made.state_dict()
        with pytest.raises(CheckpointError, match=message):
            train(path, model=made, **options)
        for name, array in made.state_dict().items():
            np.testing.assert_array_equal(array, before[name])
        assert path.read_bytes() == content


def test_a_file_by_save_is_refused(tmp_path):
    model = network()
    save(tmp_path / "run.npz", model, Adam(model.parameters()))
    with pytest.raises(CheckpointError, match=r"written by save\(\), not by fit"):
        train(tmp_path / "run.npz", model=model)


def test_other_settings_are_noted(tmp_path):
    train(tmp_path / "run.npz", epochs=2)
    history = train(tmp_path / "run.npz", epochs=3, batch_size=20, seed=4)[2]
    assert history.notes == [
        "batch_size is 20, and was 16 in the training that is resumed",
        "seed is 4, and was 3 in the training that is resumed",
    ]


def test_a_missing_folder_is_noticed_before_the_training(tmp_path):
    epochs = []
    with pytest.raises(CheckpointError, match="there is no folder"):
        train(tmp_path / "no" / "run.npz", callbacks=[lambda epoch, logs: epochs.append(epoch)])
    assert epochs == []


# ------------------------------------------------------------------- real processes, really killed


PROGRAM = """
    import os, signal, sys
    import numpy as np
    from micrograd_nn.data import moons
    from micrograd_nn.nn import MLP, BatchNorm, Dropout, Linear, Sequential
    from micrograd_nn.training import SGD, Adam, CosineDecay, EarlyStopping, archive, fit

    kind, path, result, seed, moment, count = sys.argv[1:]
    seed, left = int(seed), int(count)

    def die(where):
        global left
        if where == moment:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    class Half:
        def __init__(self, file):
            self.file = file

        def write(self, data):
            half = len(data) // 2
            self.file.write(data[:half])
            self.file.flush()
            die("writing")
            return half + self.file.write(data[half:])

        def __getattr__(self, name):
            return getattr(self.file, name)

    def watched_replace(*names):
        die("before replacing")
        replace(*names)
        die("after replacing")

    write, replace = archive._write, os.replace
    archive._write = lambda file, arrays: write(Half(file), arrays)
    os.replace = watched_replace

    X, y = moons(40, noise=0.1, seed=0)
    if kind == "tensor":
        model = Sequential(
            Linear(2, 5, seed=seed, dtype="float32"), "tanh", Dropout(0.2, seed=seed),
            BatchNorm(5, dtype="float32"), Linear(5, 1, seed=seed, dtype="float32"),
        )
        optimizer = Adam(model.parameters(), lr=0.05)
    else:
        model = MLP(2, [4, 1], activation="tanh", seed=seed)
        optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)

    def loss(prediction, target):
        die("in an epoch")
        return ((prediction - target) ** 2).mean()

    history = fit(
        model, X, y, loss, optimizer, epochs=6, batch_size=10, validation_data=(X, y), seed=2,
        schedule=CosineDecay(0.05, 6, warmup=2), callbacks=[EarlyStopping(patience=6)],
        metrics=["mae"], checkpoint=path, resume=True,
    )
    columns = {name: c for name, c in history.columns().items() if name != "time"}
    state = {f"optimizer.{name}": array for name, array in optimizer.state_dict().items()}
    np.savez(result, **model.state_dict(), **columns, **state)
"""

#: The seed of the model's own weights, and when it is killed: at the n-th of such moments. Once
#: there is a checkpoint, the weights that a process makes for itself must not matter.
KILLS = {
    "tensor": [
        (0, "writing", 3),  # the first checkpoint, before there is any
        (0, "before replacing", 2),
        (9, "in an epoch", 13),
        (8, "writing", 31),
        (9, "after replacing", 1),
    ],
    "scalar": [(0, "in an epoch", 2), (9, "in an epoch", 13)],
}


def run(folder, kind, name, seed=0, moment="never", count=0):
    program = folder / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    root = Path(micrograd_nn.__file__).parent.parent
    return subprocess.run(
        [sys.executable, program, kind, folder / f"{name}.npz", folder / f"{name}-result.npz",
         str(seed), moment, str(count)],
        env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("kind", KILLS)
def test_killed_again_and_again_it_ends_with_the_same_bits(tmp_path, kind):
    straight = run(tmp_path, kind, "straight")
    assert straight.returncode == 0, straight.stderr
    epochs = []
    for seed, moment, count in KILLS[kind]:
        process = run(tmp_path, kind, "run", seed, moment, count)
        assert process.returncode == -signal.SIGKILL, (moment, process.stderr)
        assert not (tmp_path / "run-result.npz").exists()
        if (tmp_path / "run.npz").exists():
            epochs.append(load(tmp_path / "run.npz").epoch)
    assert epochs == sorted(epochs)
    assert epochs[0] == 0
    assert 1 <= epochs[-1] < 6
    resumed = run(tmp_path, kind, "run", seed=7)
    assert resumed.returncode == 0, resumed.stderr
    with (
        np.load(tmp_path / "straight-result.npz") as one,
        np.load(tmp_path / "run-result.npz") as other,
    ):
        assert one.files == other.files
        for name in one.files:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)
            assert one[name].dtype == other[name].dtype
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]
