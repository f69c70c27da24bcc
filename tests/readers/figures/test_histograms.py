import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from micrograd_nn import MLP, LayerNorm, Linear, Module, Sequential
from micrograd_nn.readers import plot_gradients, plot_weights


def deep(layers, activation="sigmoid"):
    parts = [(Linear(16, 16, init="xavier", seed=k), activation) for k in range(layers)]
    return Sequential(*[part for pair in parts for part in pair])


def labels(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def outlines(ax):
    """The outline of each layer's histogram, from the first layer down."""
    return [p.get_data() for p in ax.patches if not p.get_fill()]


@pytest.mark.parametrize("layers", [1, 2, 12])
def test_each_layer_has_a_row(layers, rendered):
    model = deep(layers)
    ax = plot_weights(model)
    assert labels(ax) == [f"layers.{2 * k}" for k in range(layers)]
    assert len(outlines(ax)) == layers
    assert [text.get_text().split("\n")[0] for text in ax.texts] == ["256"] * layers
    heights = ax.figure.get_size_inches()[1]
    assert heights / (layers + 2) > 0.5
    assert rendered(ax).std() > 1


def test_the_bars_are_the_counts():
    model = Sequential(Linear(40, 50, seed=0))
    (values, edges, base) = outlines(plot_weights(model))[0]
    counts, _ = np.histogram(model[0].W.data, edges)
    assert counts.sum() == 2000
    np.testing.assert_allclose((values - base) / np.max(values - base), counts / counts.max())


def test_biases_are_ticks():
    model = MLP(2, [5, 1], seed=0)
    for k, neuron in enumerate(model.layers[0].neurons):
        neuron.b.data = k / 10
    ax = plot_weights(model)
    ticks = [c.get_segments() for c in ax.collections if len(c.get_segments()) == 5]
    (ticks,) = ticks
    np.testing.assert_allclose([tick[0][0] for tick in ticks], [0, 0.1, 0.2, 0.3, 0.4])


def test_gradients_that_vanish_are_seen():
    model = deep(12)
    model(np.ones((4, 16))).mean().backward()
    ax = plot_gradients(model)
    assert ax.get_xscale() == "asinh"
    spread = [float(np.sqrt(np.mean(model[2 * k].W.grad ** 2))) for k in range(12)]
    assert spread[0] < 1e-3 * spread[-1]
    told = [float(text.get_text().split("±")[1].replace("−", "-")) for text in ax.texts]
    np.testing.assert_allclose(told, spread, rtol=0.06)
    for k, (values, edges, base) in enumerate(outlines(ax)):
        counts, _ = np.histogram(model[2 * k].W.grad, edges)
        np.testing.assert_allclose((values - base) / 0.82, counts / counts.max(), atol=1e-9)


def test_layers_without_a_matrix_have_rows_too():
    ax = plot_weights(Sequential(Linear(2, 3, seed=0), LayerNorm(3)))
    assert labels(ax) == ["layers.0", "layers.1"]
    assert ax.texts[1].get_text() == "3\n±1"


def test_weights_that_are_all_alike_or_not_finite():
    model = Sequential(Linear(2, 3, init="zeros"))
    assert ax_is_finite(plot_weights(model))
    model[0].W.data = [[np.nan, 1.0], [np.inf, 2.0], [3.0, 4.0]]
    assert plot_weights(model).texts[0].get_text().startswith("4\n")


def ax_is_finite(ax):
    return np.isfinite(ax.get_xlim()).all()


def test_it_draws_on_the_axes_that_it_is_given():
    ax = Figure().add_subplot()
    assert plot_weights(MLP(2, [1], seed=0), ax=ax) is ax


def test_mistakes_are_explained():
    with pytest.raises(TypeError, match=r"plot_weights\(\) takes a network"):
        plot_weights(3)
    with pytest.raises(ValueError, match="call backward"):
        plot_gradients(MLP(2, [1], seed=0))

    class Empty(Module):
        pass

    with pytest.raises(ValueError, match="no parameters"):
        plot_weights(Empty())
