import sys

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from micrograd_nn.readers import plot_activation, plot_activations


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


EXPECTED = {
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "relu": (lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0)),
    "leaky_relu": (lambda x: np.where(x > 0, x, 0.01 * x), lambda x: np.where(x > 0, 1, 0.01)),
}


def test_the_articles_four_with_their_derivatives(rendered):
    figure = plot_activations()
    assert len(figure.axes) == 4
    for ax, (name, (value, slope)) in zip(figure.axes, EXPECTED.items(), strict=True):
        assert ax.get_title(loc="left") == name.replace("_", " ")
        curve, derivative = ax.lines
        x = curve.get_xdata()
        np.testing.assert_allclose(curve.get_ydata(), value(x))
        np.testing.assert_allclose(derivative.get_ydata(), slope(x), atol=1e-12)
    assert rendered(figure).std() > 1


def test_functions_of_ones_own():
    ax = plot_activation(lambda x: x * x, low=-2, high=4)
    assert ax.lines[1].get_ydata()[-1] == pytest.approx(8.0)
    assert ax.get_xlim() == (-2, 4)
    assert [line.get_label() for line in ax.lines] == ["f(x)", "derivative"]


def test_they_draw_on_the_axes_that_they_are_given():
    ax = Figure().add_subplot()
    assert plot_activation("relu", ax=ax) is ax
    figure = Figure()
    assert plot_activations(["elu", "gelu"], ax=figure.subplots(2, 1)) is figure
    assert [len(ax.lines) for ax in figure.axes] == [2, 2]


def test_mistakes_are_explained():
    with pytest.raises(ValueError, match="no function 'tan2h'"):
        plot_activation("tan2h")
    with pytest.raises(ValueError, match="low must be below high"):
        plot_activation("tanh", low=1, high=1)
    with pytest.raises(ValueError, match="no functions"):
        plot_activations([])


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "micrograd-nn\[plot\]"'):
        plot_activation("relu")
