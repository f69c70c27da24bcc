from types import SimpleNamespace

import numpy as np
import pytest

from micrograd_nn import MLP, Tensor
from micrograd_nn.data import blobs, circles

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from micrograd_nn.readers import plot_activation, plot_data, plot_history, plot_regions


def rendered(ax):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def test_data():
    X, y = blobs(90, seed=0, classes=3)
    ax = plot_data(X, y.reshape(-1, 1))
    assert len(ax.collections) == len(np.unique(y))
    assert rendered(ax).std() > 1


def test_regions_show_where_the_classes_are():
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


def test_regions_of_three_classes():
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


def test_history_with_validation_and_metrics():
    history = SimpleNamespace(
        loss=[0.7, 0.4, 0.2],
        val_loss=[0.8, 0.5, 0.4],
        metrics={"accuracy": [0.5, 0.8, 1.0], "val_accuracy": [0.5, 0.7, 0.9]},
    )
    ax = plot_history(history)
    assert [line.get_label() for line in ax.lines] == ["loss", "validation loss"]
    _, right = ax.figure.axes
    assert right.get_ylabel() == "accuracy"
    assert rendered(ax).std() > 1


@pytest.mark.parametrize("loss", [[], [0.5], [1e3, 1.0, 1e-3], [float("nan"), 1.0], [-1.0, -2.0]])
def test_history_of_any_losses(loss):
    rendered(plot_history(SimpleNamespace(loss=loss, metrics={})))


def test_activation_and_its_derivative():
    ax = plot_activation("tanh")
    curve, slope = ax.lines
    x = curve.get_xdata()
    np.testing.assert_allclose(curve.get_ydata(), np.tanh(x))
    np.testing.assert_allclose(slope.get_ydata(), 1 - np.tanh(x) ** 2, atol=1e-12)
    assert plot_activation(lambda x: x * x).lines[1].get_ydata()[-1] == pytest.approx(8.0)


def test_figures_draw_on_the_axes_they_are_given():
    ax = Figure().add_subplot()
    assert plot_activation("relu", ax=ax) is ax


def test_mistakes_are_explained():
    with pytest.raises(ValueError, match="two features"):
        plot_data(np.ones((5, 3)), np.ones(5))
    with pytest.raises(ValueError, match="5 points in X and 4 classes"):
        plot_data(np.ones((5, 2)), np.ones(4))
    with pytest.raises(ValueError, match="no function 'tan2h'"):
        plot_activation("tan2h")
    with pytest.raises(ValueError, match="resolution"):
        plot_regions(lambda p: p, np.ones((5, 2)), np.ones(5), resolution=1)
