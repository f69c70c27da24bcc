import numpy as np
import pytest

from micrograd_nn import MLP, Adam, Dropout, Linear, Sequential
from micrograd_nn.data import blobs, circles
from micrograd_nn.readers import region_points
from micrograd_nn.training import EarlyStopping, Snapshots, fit, predict_proba

X, y = circles(60, noise=0.05, seed=0)


def trained(snapshots, epochs, **options):
    model = MLP(2, [8, 1], seed=0)
    optimizer = Adam(model.parameters(), lr=0.1)
    callbacks = [*options.pop("callbacks", []), snapshots]
    fit(model, X, y, "binary_cross_entropy_with_logits", optimizer, epochs, seed=0,
        callbacks=callbacks, **options)  # fmt: skip
    return model


def test_the_first_each_nth_and_the_last_epoch_are_taken():
    snapshots = Snapshots(X, y, every=4, resolution=10)
    model = trained(snapshots, 10)
    assert snapshots.taken == [0, 4, 8, 10]
    points = region_points(X, 10)
    np.testing.assert_allclose(snapshots.predictions[-1], predict_proba(model, points), rtol=1e-6)
    untrained = predict_proba(MLP(2, [8, 1], seed=0), points)
    np.testing.assert_allclose(snapshots.predictions[0], untrained, rtol=1e-6)
    assert all(p.shape == (100, 1) for p in snapshots.predictions)


def test_each_snapshot_is_a_frame(tmp_path):
    pytest.importorskip("matplotlib")
    Image = pytest.importorskip("PIL.Image")
    snapshots = Snapshots(X, y, resolution=20)
    trained(snapshots, 5)
    with Image.open(snapshots.save(tmp_path / "regions.gif", fps=4)) as gif:
        assert gif.n_frames == 6
        assert gif.info["duration"] == 250
    assert snapshots.animate()._repr_html_().count("data:image/png") == 6


def test_it_does_not_disturb_the_training():
    alone = trained(Snapshots(X, y, every=100, resolution=2), 5)
    watched = trained(Snapshots(X, y, resolution=10), 5)
    for p, q in zip(alone.parameters(), watched.parameters(), strict=True):
        assert p.data == q.data


def test_dropout_is_off_in_a_snapshot_and_on_after_it():
    model = Sequential(Linear(2, 8, seed=0), "tanh", Dropout(0.5, seed=0), Linear(8, 1, seed=1))
    snapshots = Snapshots(X, y, resolution=10)
    modes = []
    fit(model, X, y, "binary_cross_entropy_with_logits", epochs=2,
        callbacks=[snapshots, lambda epoch, logs: modes.append(model.training)])  # fmt: skip
    expected = predict_proba(model, region_points(X, 10))
    np.testing.assert_allclose(snapshots.predictions[-1], expected, rtol=1e-6)
    assert modes == [True, True]


def test_several_classes_and_a_prediction_of_ones_own():
    points, labels = blobs(60, seed=0, classes=3)
    snapshots = Snapshots(points, labels, resolution=8)
    fit(MLP(2, [8, 3], seed=0), points, labels, "cross_entropy", epochs=1, callbacks=[snapshots])
    assert snapshots.predictions[0].shape == (64, 3)
    own = Snapshots(X, y, resolution=8, predict=lambda model, p: p[:, 0] > 0)
    trained(own, 1)
    np.testing.assert_array_equal(own.predictions[0], region_points(X, 8)[:, 0] > 0)


def test_a_training_that_ends_early_has_its_last_epoch_taken():
    snapshots = Snapshots(X, y, every=1000, resolution=8)
    stopping = EarlyStopping("loss", patience=1, min_delta=10.0)
    trained(snapshots, 50, callbacks=[stopping])
    assert snapshots.taken == [0, 2]


def test_a_resumed_training_has_all_its_snapshots(tmp_path):
    whole, first, rest = (Snapshots(X, y, every=2, resolution=8) for _ in range(3))
    trained(whole, 8)
    trained(first, 4, checkpoint=tmp_path / "run.npz")
    trained(rest, 8, checkpoint=tmp_path / "run.npz", resume=True)
    assert rest.taken == whole.taken == [0, 2, 4, 6, 8]
    for mine, theirs in zip(rest.predictions, whole.predictions, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_mistakes_are_explained():
    with pytest.raises(ValueError, match="two features"):
        Snapshots(np.ones((5, 3)), np.ones(5))
    with pytest.raises(ValueError, match="every"):
        Snapshots(X, y, every=0)
    with pytest.raises(ValueError, match="no snapshots"):
        Snapshots(X, y).animate()
