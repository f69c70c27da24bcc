from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from micrograd_nn.readers import plot_history


def test_each_column_has_a_panel_with_training_and_validation(rendered):
    history = SimpleNamespace(
        loss=[0.7, 0.4, 0.2],
        val_loss=[0.8, 0.5, 0.4],
        metrics={"accuracy": [0.5, 0.8, 1.0], "val_accuracy": [0.5, 0.7, 0.9]},
    )
    figure = plot_history(history)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["loss", "accuracy"]
    for ax, columns in zip(
        figure.axes,
        [(history.loss, history.val_loss), history.metrics.values()],
        strict=True,
    ):
        for line, column in zip(ax.lines, columns, strict=True):
            np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
            np.testing.assert_array_equal(line.get_ydata(), column)
    assert [t.get_text() for t in figure.axes[1].get_legend().get_texts()] == [
        "training  1",
        "validation  0.9",
    ]
    assert figure.axes[1].get_ylim()[1] < 1.1
    assert rendered(figure).std() > 1


@pytest.mark.parametrize("loss", [[], [0.5], [1e3, 1.0, 1e-3], [float("nan"), 1.0], [-1.0, -2.0]])
def test_any_losses(loss, rendered):
    figure = plot_history(SimpleNamespace(loss=loss, metrics={}))
    assert rendered(figure).std() > 1
    assert figure.axes[0].get_yscale() == ("log" if len(loss) == 3 else "linear")


def test_it_draws_on_the_axes_that_it_is_given():
    history = SimpleNamespace(loss=[2.0, 1.0], metrics={"accuracy": [0.5, 0.6], "r2": [0.1, 0.2]})
    figure = Figure()
    one, other = figure.subplots(1, 2)
    assert plot_history(history, ax=[one, other]) is figure
    assert list(other.lines[0].get_ydata()) == [0.5, 0.6]
    alone = Figure().add_subplot()
    plot_history(history, ax=alone)
    assert len(alone.figure.axes) == 1


def test_axes_that_are_logarithmic_already():
    ax = Figure().add_subplot()
    ax.set_yscale("log")
    plot_history(SimpleNamespace(loss=[0.7, 0.4], metrics={}), ax)
    assert ax.get_yscale() == "log"
