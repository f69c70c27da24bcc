import sys

import numpy as np
import pytest

from micrograd_nn.training import History


def filled(epochs, **more):
    history = History()
    for k in range(epochs):
        history.append({"loss": 1.0 / (k + 1), "lr": 0.1, "time": 0.25, **more})
    return history


def test_it_counts_epochs_from_one():
    history = filled(3)
    assert history.epochs == [1, 2, 3]
    assert len(history) == 3
    assert history.lr == [0.1] * 3
    assert history.times == [0.25] * 3


def test_columns_by_name():
    history = filled(2, val_loss=0.5, accuracy=0.9, val_accuracy=0.8)
    assert history.val_loss == [0.5, 0.5]
    assert history.metrics == {"accuracy": [0.9, 0.9], "val_accuracy": [0.8, 0.8]}
    assert history["val_accuracy"] == [0.8, 0.8]
    assert list(history.columns()) == ["loss", "val_loss", "accuracy", "val_accuracy", "lr", "time"]
    with pytest.raises(KeyError, match="no column 'auc' in the history: there are loss"):
        history["auc"]


def test_the_table_is_aligned():
    history = filled(12, accuracy=0.5)
    history.stopped = "it had enough"
    history.note("all is well")
    lines = str(history).splitlines()
    assert len({len(line) for line in lines[:13]}) == 1
    assert lines[0].split() == ["epoch", "loss", "accuracy", "lr", "seconds"]
    assert lines[-2:] == ["stopped: it had enough", "note: all is well"]


def test_a_long_table_is_shortened_in_the_middle():
    lines = str(filled(1000)).splitlines()
    assert len(lines) == 22
    assert [line.split()[0] for line in lines[1:4]] == ["1", "2", "3"]
    assert lines[11].split() == ["...", "980", "more"]
    assert lines[-1].split()[0] == "1000"


def test_a_table_of_nothing():
    assert str(History()) == "epoch"
    assert repr(History()) == "History(0 epochs)"


def test_repr_is_one_line():
    assert repr(filled(2)) == "History(2 epochs, loss=0.5)"


def test_it_survives_a_dict():
    history = filled(3, val_loss=0.1, mae=2.0)
    history.stopped, history.seed = "enough", 7
    history.note("a note")
    again = History.from_dict(history.to_dict())
    assert vars(again) == vars(history)
    again.append({"loss": 0.0, "mae": 1.0, "lr": 0.1, "time": 0.0})
    assert len(history.metrics["mae"]) == 3


def test_a_value_that_comes_later_leaves_gaps():
    history = filled(2)
    history.append({"loss": 0.1, "mae": 3.0, "lr": 0.1, "time": 0.0})
    assert str(history["mae"]) == "[nan, nan, 3.0]"


def test_plot_draws_each_curve():
    pytest.importorskip("matplotlib")
    figure = filled(4, val_loss=0.5, accuracy=0.9, mae=2.0).plot()
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["loss", "accuracy", "mae"]
    training, validation = figure.axes[0].get_lines()
    assert training.get_label().startswith("training")
    assert validation.get_label() == "validation  0.5"
    np.testing.assert_array_equal(training.get_xdata(), [1, 2, 3, 4])
    np.testing.assert_array_equal(training.get_ydata(), [1, 1 / 2, 1 / 3, 1 / 4])
    assert list(figure.axes[1].get_lines()[0].get_ydata()) == [0.9] * 4


def test_plot_draws_into_axes_that_are_given():
    figure_module = pytest.importorskip("matplotlib.figure")
    axis = figure_module.Figure().add_subplot()
    figure = filled(2, accuracy=0.9).plot(ax=axis)
    assert figure is axis.figure
    assert len(axis.get_lines()) == 1


def test_plot_without_matplotlib_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "micrograd-nn\[plot\]"'):
        filled(1).plot()
