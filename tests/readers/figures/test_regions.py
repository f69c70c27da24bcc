from itertools import pairwise

import numpy as np
import pytest

from micrograd_nn import MLP, Tensor
from micrograd_nn.data import blobs, circles

pytest.importorskip("matplotlib")


from micrograd_nn.readers import animate_regions, plot_data, plot_regions, region_points


def test_data(rendered):
    X, y = blobs(90, seed=0, classes=3)
    ax = plot_data(X, y.reshape(-1, 1))
    assert len(ax.collections) == len(np.unique(y))
    for label, drawn in zip(np.unique(y), ax.collections, strict=True):
        np.testing.assert_array_equal(drawn.get_offsets(), X[y == label])
    assert rendered(ax).std() > 1


def test_regions_show_where_the_classes_are(rendered):
    X, y = circles(100, noise=0.05, seed=0)
    ax = plot_regions(lambda p: 1.0 * (p[:, 0] > 0), X, y, resolution=40)
    image = ax.images[0].get_array()
    assert image.shape == (40, 40, 3)
    assert not np.allclose(image[:, 0], image[:, -1])
    assert rendered(ax).std() > 1


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_regions_take_a_network(shape):
    X, y = circles(40, seed=0)
    model = MLP(2, [4, 1], output_activation="sigmoid", seed=0)
    plot_regions(lambda p: model(Tensor(p)).reshape(shape), X, y, resolution=10)


def test_regions_of_three_classes(rendered):
    X, y = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.array([0, 1, 2])

    def predict(p):
        near = np.exp(-((p[:, None] - X) ** 2).sum(-1))
        return near / near.sum(1, keepdims=True)

    assert rendered(plot_regions(predict, X, y, resolution=30)).std() > 1


def test_regions_of_signed_scores():
    X, y = np.array([[-1.0, 0.0], [1.0, 1.0]]), np.array([-1, 1])
    image = plot_regions(lambda p: p[:, 0], X, y, resolution=11).images[0].get_array()
    left, middle, right = image[5, 0], image[5, 5], image[5, -1]
    assert left[2] > left[0]  # blue
    assert right[0] > right[2]  # orange
    assert middle.min() > 0.9  # undecided


def test_mistakes_are_explained():
    with pytest.raises(ValueError, match="two features"):
        plot_data(np.ones((5, 3)), np.ones(5))
    with pytest.raises(ValueError, match="5 points in X and 4 classes"):
        plot_data(np.ones((5, 2)), np.ones(4))
    with pytest.raises(ValueError, match="resolution"):
        plot_regions(lambda p: p, np.ones((5, 2)), np.ones(5), resolution=1)


def test_the_grid_covers_the_data_row_by_row():
    X = np.array([[-1.0, 0.0], [1.0, 4.0]])
    points = region_points(X, 5).reshape(5, 5, 2)
    assert (np.diff(points[0, :, 0]) > 0).all()
    assert (np.diff(points[:, 0, 1]) > 0).all()
    assert (points.min((0, 1)) < X.min(0)).all()
    assert (points.max((0, 1)) > X.max(0)).all()


def test_the_border_is_where_the_classes_are_equally_likely():
    X, y = np.array([[-1.0, -1.0], [1.0, 1.0]]), np.array([0, 1])
    ax = plot_regions(lambda p: 1 / (1 + np.exp(-4 * (p[:, 0] - 0.25))), X, y, resolution=81)
    border = ax.collections[-1]
    np.testing.assert_allclose(border.get_paths()[0].vertices[:, 0], 0.25, atol=1e-3)


def test_regions_move_from_frame_to_frame(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    X, y = np.array([[-1.0, 0.0], [1.0, 0.5]]), np.array([0, 1])
    grid = region_points(X, 24)
    turning = [(np.cos(t) * grid[:, 0] + np.sin(t) * grid[:, 1] > 0) * 1.0 for t in (0, 2, 4, 6)]
    movie = animate_regions(turning, X, y, captions=["a", "b", "c", "d"], fps=5)
    frames = list(movie.images())
    assert len(frames) == movie.frames == 4
    assert frames[0].shape[2] == 3
    assert all(np.any(a != b) for a, b in pairwise(frames))
    with Image.open(movie.save(tmp_path / "regions.gif")) as gif:
        assert gif.n_frames == 4
        assert gif.info["loop"] == 0
        assert gif.size == (frames[0].shape[1], frames[0].shape[0])
        for k, expected in enumerate((200, 200, 200, 1500)):
            gif.seek(k)
            assert gif.info["duration"] == expected
            shown = np.asarray(gif.convert("RGB"), dtype=int)
            assert np.abs(shown - frames[k]).mean() < 2
            assert (shown[0, 0] == 255).all()


def test_an_animation_shows_what_the_figure_shows():
    X, y = circles(60, noise=0.1, seed=0)
    P = [1.0 * (np.hypot(*region_points(X, 20).T) < r) for r in (0.3, 0.6)]
    movie = animate_regions(P, X, y, captions=["one", "two"])
    for k, frame in enumerate(movie.images()):
        alone = animate_regions([P[k]], X, y, captions=[["one", "two"][k]])
        alone.figure.canvas.draw()
        expected = np.asarray(alone.figure.canvas.buffer_rgba())[..., :3]
        assert np.abs(frame.astype(int) - expected).mean() < 0.5


def test_mistakes_in_animations_are_explained():
    X, y = circles(20, seed=0)
    with pytest.raises(ValueError, match="no predictions"):
        animate_regions([], X, y)
    with pytest.raises(ValueError, match=r"resolution² rows; got \[10\]"):
        animate_regions([np.zeros(10)], X, y)
    with pytest.raises(ValueError, match="1 predictions and 2 captions"):
        animate_regions([np.zeros(16)], X, y, captions=["a", "b"])
