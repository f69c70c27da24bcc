import io
import json
import math
import os
import stat
import threading

import numpy as np
import pytest

from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.nn import MLP, BatchNorm, Dropout, LayerNorm, Linear, Module, Sequential
from micrograd_nn.training import (
    SGD,
    Adam,
    AdamW,
    CheckpointError,
    History,
    RMSProp,
    archive,
    fit,
    load,
    save,
)

X = np.random.default_rng(0).normal(size=(20, 2))
y = (X[:, 0] > 0).astype(float)


def tensor_network(hidden=5, seed=0, dtype="float32"):
    return Sequential(
        Linear(2, hidden, seed=seed, dtype=dtype),
        "relu",
        Dropout(0.25, seed=seed),
        LayerNorm(hidden),
        BatchNorm(hidden),
        Linear(hidden, 1, seed=seed + 1, dtype=dtype),
        "sigmoid",
    )


def scalar_network(seed=0):
    return MLP(2, [3, 1], activation="tanh", output_activation="sigmoid", seed=seed)


NETWORKS = {"tensor": tensor_network, "scalar": scalar_network}


def trained(make, optimiser=Adam, epochs=3):
    model = make()
    optimizer = optimiser(model.parameters(), lr=0.05)
    history = fit(model, X, y, "mse", optimizer, epochs, batch_size=8, seed=1)
    return model, optimizer, history


def assert_same(one, other):
    assert list(one) == list(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])
        assert np.asarray(one[name]).dtype == np.asarray(other[name]).dtype


# --------------------------------------------------------------------------------- there and back


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("optimiser", [SGD, RMSProp, Adam, AdamW])
def test_load_alone_rebuilds_all(tmp_path, kind, optimiser):
    model, optimizer, history = trained(NETWORKS[kind], optimiser)
    path = tmp_path / "run.npz"
    save(path, model, optimizer, epoch=3, history=history, extra={"note": [1, "two"], "a": X})
    found = load(path)
    assert repr(found.model) == repr(model)
    assert found.model is not model
    assert_same(found.model.state_dict(), model.state_dict())
    assert repr(found.optimizer) == repr(optimizer)
    assert_same(found.optimizer.state_dict(), optimizer.state_dict())
    assert found.epoch == 3
    assert vars(found.history) == vars(history)
    assert found.extra["note"] == [1, "two"]
    np.testing.assert_array_equal(found.extra["a"], X)


@pytest.mark.parametrize("kind", NETWORKS)
def test_load_into_what_is_there(tmp_path, kind):
    model, optimizer, _ = trained(NETWORKS[kind])
    save(tmp_path / "run.npz", model, optimizer)
    other = NETWORKS[kind](seed=9)
    moved = Adam(other.parameters(), lr=3.0)
    found = load(tmp_path / "run.npz", other, moved)
    assert found.model is other
    assert found.optimizer is moved
    assert_same(other.state_dict(), model.state_dict())
    assert_same(moved.state_dict(), optimizer.state_dict())
    assert found.epoch is found.history is None


def test_a_model_alone(tmp_path):
    save(tmp_path / "model", tensor_network())
    assert os.listdir(tmp_path) == ["model"]  # the very name
    found = load(str(tmp_path / "model"))
    assert found.optimizer is None
    assert found.extra == {}


def test_an_optimiser_of_some_parameters_is_made_for_the_same(tmp_path):
    model = tensor_network()
    save(tmp_path / "run.npz", model, SGD(model[5].parameters(), lr=0.1, momentum=0.9))
    found = load(tmp_path / "run.npz")
    assert found.optimizer.parameters == found.model[5].parameters()


def test_numbers_that_json_has_not_survive(tmp_path):
    history = History()
    history.append({"loss": math.inf, "mae": math.nan, "lr": 0.1, "time": 0.1 + 0.2})
    save(tmp_path / "run.npz", scalar_network(), history=history, extra={"x": np.float64(0.1)})
    found = load(tmp_path / "run.npz")
    assert found.history.loss == [math.inf]
    assert math.isnan(found.history.metrics["mae"][0])
    assert found.history.times == [0.1 + 0.2]
    assert found.extra == {"x": 0.1}


def test_sizes_that_are_numpy_integers_are_saved(tmp_path):
    model = Sequential(Linear(np.int64(2), np.int64(1)))
    save(tmp_path / "m.npz", model)
    assert_same(load(tmp_path / "m.npz").model.state_dict(), model.state_dict())


def test_the_file_is_a_plain_archive_without_pickle(tmp_path):
    model = tensor_network()
    save(tmp_path / "run.npz", model, Adam(model.parameters()))
    with np.load(tmp_path / "run.npz", allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    np.testing.assert_array_equal(arrays["model/layers.0.W"], model[0].W.data)
    assert json.loads(str(arrays["header"]))["format"] == "micrograd_nn checkpoint"


def test_a_scalar_network_of_many_parameters_is_a_small_file(tmp_path):
    model = MLP(2, [16, 16, 1], seed=0)
    save(tmp_path / "run.npz", model)
    assert (tmp_path / "run.npz").stat().st_size < 120_000
    with np.load(tmp_path / "run.npz") as found:
        assert len(found.files) == 2


def test_equal_content_makes_equal_files(tmp_path):
    for name in "ab":
        save(tmp_path / name, scalar_network())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


class Own(Module):
    def __init__(self):
        self.w = Tensor([[1.0, 2.0]])

    def forward(self, x):
        return (x * self.w).sum(axis=1, keepdims=True)


def test_a_model_of_ones_own_is_loaded_into_one(tmp_path):
    model = Own()
    model.w.data = [[3.0, 4.0]]
    for path, saved in ((tmp_path / "a", model), (tmp_path / "b", Sequential(model))):
        save(path, saved)
        with pytest.raises(CheckpointError, match=r"pass it, load\(path, model=...\)"):
            load(path)
    other = Own()
    load(tmp_path / "a", other)
    assert other.w.data.tolist() == [[3.0, 4.0]]


def test_an_optimiser_of_ones_own_is_loaded_into_one(tmp_path):
    class Mine(SGD):
        pass

    model = scalar_network()
    save(tmp_path / "run.npz", model, Mine(model.parameters(), lr=0.5))
    assert load(tmp_path / "run.npz").optimizer is None
    assert load(tmp_path / "run.npz", model, Mine(model.parameters(), lr=0.1)).optimizer.lr == 0.5


# ------------------------------------------------------------------------------ what doesn't fit


@pytest.mark.parametrize(
    ("make_model", "make_optimiser", "message"),
    [
        (lambda: tensor_network(hidden=6), None, "it doesn't fit: .*shape"),
        (scalar_network, None, "it doesn't fit: .*missing"),
        (tensor_network, lambda p: SGD(p, lr=0.1), "that of Adam, not of SGD"),
        (tensor_network, lambda p: Adam(p[:2]), "with the same parameters"),
        (tensor_network, lambda p: Adam(p[::-1]), "with the same parameters in the same order"),
    ],
)
def test_what_does_not_fit_changes_nothing(tmp_path, make_model, make_optimiser, message):
    model, optimizer, _ = trained(tensor_network)
    path = tmp_path / "run.npz"
    save(path, model, optimizer)
    other = make_model()
    moved = None if make_optimiser is None else make_optimiser(other.parameters())
    before = other.state_dict(), moved and moved.state_dict()
    with pytest.raises(CheckpointError, match=message) as caught:
        load(path, other, moved)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert_same(other.state_dict(), before[0])
    if moved is not None:
        assert_same(moved.state_dict(), before[1])


def test_plain_descent_of_other_parameters_is_refused(tmp_path):
    """Without momentum its state has no arrays that could differ."""
    model = tensor_network()
    save(tmp_path / "run.npz", model, SGD(model.parameters(), lr=0.1))
    fewer = SGD(model.parameters()[:2], lr=0.1)
    with pytest.raises(CheckpointError, match="with the same parameters in the same order"):
        load(tmp_path / "run.npz", model, fewer)
    load(tmp_path / "run.npz", model, SGD(model.parameters(), lr=0.2))


def test_a_model_that_does_not_fit_leaves_the_optimiser_alone(tmp_path):
    model = Sequential(Linear(2, 3, seed=0), Linear(3, 1, seed=0))
    save(tmp_path / "run.npz", model, SGD(model[1].parameters(), lr=0.1, momentum=0.5))
    other = Sequential(Linear(4, 3, seed=0), Linear(3, 1, seed=0))
    moved = SGD(other[1].parameters(), lr=0.7)
    with pytest.raises(CheckpointError, match="it doesn't fit"):
        load(tmp_path / "run.npz", other, moved)
    assert moved.lr == 0.7
    assert moved.momentum == 0.0


def test_an_optimiser_for_a_file_without_one_is_refused(tmp_path):
    model = scalar_network()
    save(tmp_path / "run.npz", model)
    with pytest.raises(CheckpointError, match="saved without an optimiser"):
        load(tmp_path / "run.npz", model, Adam(model.parameters()))


# ----------------------------------------------------------------------------------- bad files


def written(write, *args, **kwargs):
    buffer = io.BytesIO()
    write(buffer, *args, **kwargs)
    return buffer.getvalue()


def foreign(path, kind):
    if kind == "missing":
        return
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("epoch,loss\n1,0.5\n")
    elif kind == "npy":
        path.write_bytes(written(np.save, X))
    elif kind == "npz":
        path.write_bytes(written(np.savez, X=X))
    elif kind == "pickle":
        path.write_bytes(written(np.savez, header=np.array([{"a": 1}], dtype=object)))
    elif kind == "json":
        path.write_bytes(written(np.savez, header=np.array('{"format": "other", "version": 1}')))
    elif kind == "array":
        path.write_bytes(written(np.savez, header=np.array("[1, 2]")))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "there is no such file"),
        ("folder", "this is a folder"),
        ("empty", "no .npz archive, or was cut off"),
        ("text", "no .npz archive"),
        ("npy", "no .npz archive"),
        ("npz", "isn't a checkpoint of micrograd_nn"),
        ("pickle", "damaged, or no archive of plain arrays"),
        ("json", "isn't a checkpoint of micrograd_nn"),
        ("array", "isn't a checkpoint of micrograd_nn"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path, kind, message):
    path = tmp_path / "run.npz"
    foreign(path, kind)
    with pytest.raises(CheckpointError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def changed_header(path, change):
    with np.load(path) as found:
        arrays = {name: found[name] for name in found.files}
    header = json.loads(str(arrays["header"]))
    change(header)
    archive.write_archive(path, {**arrays, "header": np.array(json.dumps(header))})


def test_a_later_version_is_refused(tmp_path):
    save(tmp_path / "run.npz", scalar_network())
    changed_header(tmp_path / "run.npz", lambda header: header.update(version=2))
    with pytest.raises(
        CheckpointError, match=r"format version 2, and this release .* reads 1: inst"
    ):
        load(tmp_path / "run.npz")


@pytest.mark.parametrize("name", ["epoch", "history", "model", "scalars", "extra", "moved"])
def test_an_incomplete_header_is_refused(tmp_path, name):
    save(tmp_path / "run.npz", scalar_network())
    changed_header(tmp_path / "run.npz", lambda header: header.pop(name))
    with pytest.raises(CheckpointError, match="it is incomplete"):
        load(tmp_path / "run.npz")


def test_damaged_files_are_refused_or_read_as_they_were(tmp_path):
    model, optimizer, history = trained(tensor_network)
    path = tmp_path / "run.npz"
    save(path, model, optimizer, 3, history)
    whole = path.read_bytes()
    wanted = model.state_dict()
    rng = np.random.default_rng(5)
    damaged = [whole[: len(whole) * k // 40] for k in range(40)]
    for position in rng.integers(0, len(whole), 150):
        changed = bytearray(whole)
        changed[position] ^= 1 << rng.integers(0, 8)
        damaged.append(bytes(changed))
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        other = tensor_network(seed=4)
        before = other.state_dict()
        try:
            load(path, other)
        except CheckpointError:
            refused += 1
            assert_same(other.state_dict(), before)
        else:  # a bit that means nothing, such as of a date
            assert_same(other.state_dict(), wanted)
    assert refused > 140


# ------------------------------------------------------------------------------ whole or not at all


class BrokenError(Exception):
    pass


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), BrokenError(), KeyboardInterrupt()]
)
@pytest.mark.parametrize("moment", ["write", "fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, moment, error):
    path = tmp_path / "run.npz"
    save(path, scalar_network(seed=1))
    before = path.read_bytes()

    def fail(*args):
        if moment == "write":
            args[0].write(b"half of it")
            args[0].flush()
            assert len(os.listdir(tmp_path)) == 2
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(*{
            "write": (archive, "_write"), "fsync": (os, "fsync"), "replace": (os, "replace")
        }[moment], fail)  # fmt: skip
        expected = CheckpointError if isinstance(error, OSError) else type(error)
        with pytest.raises(
            expected, match="No space left" if expected is CheckpointError else None
        ):
            save(path, scalar_network(seed=2))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["run.npz"]
    save(path, scalar_network(seed=2))
    assert path.read_bytes() != before


def test_the_folder_is_synced_after_the_file(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda fd: (calls.append(stat.S_ISDIR(os.fstat(fd).st_mode)), fsync(fd))
    )
    monkeypatch.setattr(os, "replace", lambda *names: (calls.append("replace"), replace(*names)))
    save(tmp_path / "run.npz", scalar_network())
    assert calls == ([False, "replace", True] if os.name == "posix" else [False, "replace"])


def test_readers_see_only_whole_files(tmp_path):
    path = tmp_path / "run.npz"
    models = [scalar_network(seed=k) for k in range(2)]
    wanted = [model.state_dict()["layers.0.neurons.0.w.0"] for model in models]
    save(path, models[0])
    done = threading.Event()

    def write():
        for k in range(40):
            save(path, models[k % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        found = load(path).model.state_dict()["layers.0.neurons.0.w.0"]
        assert found in wanted
    writer.join()


def test_what_cannot_be_saved_is_refused_before_writing(tmp_path):
    path = tmp_path / "run.npz"
    with pytest.raises(CheckpointError, match=r"extra can't be saved: .* is a set"):
        save(path, scalar_network(), extra={"x": {1, 2}})
    with pytest.raises(CheckpointError, match="extra/x is an array of objects"):
        save(path, scalar_network(), extra={"x": np.array([None])})
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no folder .*nowhere.*: make it first"):
        save(tmp_path / "nowhere" / "run.npz", scalar_network())
    with pytest.raises(CheckpointError, match="this is a folder: give the name of a file"):
        save(tmp_path, scalar_network())


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_mode_and_links_are_kept(tmp_path):
    path, link = tmp_path / "run.npz", tmp_path / "link.npz"
    save(path, scalar_network())
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600
    path.chmod(0o640)
    link.symlink_to(path)
    save(link, scalar_network(seed=3))
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert_same(load(path).model.state_dict(), scalar_network(seed=3).state_dict())
