"""How a notebook shows figures."""

import pickle
import sys

import pytest

from micrograd_nn.readers import figures
from micrograd_nn.training import History

display = pytest.importorskip("IPython.display", reason="ipython is not installed: .[test]")


@pytest.fixture
def shown(monkeypatch):
    """What was displayed."""
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    images = []
    monkeypatch.setattr(display, "display", images.append)
    return images


def history():
    made = History()
    made.append({"loss": 0.5, "accuracy": 1.0})
    return made


MAKERS = [
    lambda: figures.plot_data([[0.0, 1.0], [1.0, 0.0]], [0, 1]),
    lambda: figures.plot_descent(
        lambda a, b: a**2 + b**2, [[1.0, 1.0], [0.5, 0.5]], view="surface"
    ),
    lambda: history().plot(),
]


@pytest.mark.parametrize("make", MAKERS)
def test_a_picture_of_what_was_drawn(make, shown):
    drawn = make()
    drawn._ipython_display_()
    (image,) = shown
    assert image.data.startswith(b"\x89PNG")
    assert 300 < image.width < 1200


def test_pyplot_shows_its_own_figures(shown):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    sys.modules["matplotlib.pyplot"] = pyplot
    pyplot.switch_backend("agg")
    history().plot()._ipython_display_()
    assert shown == []
    assert len(pyplot.get_fignums()) == 1


def test_figures_are_pickled(shown):
    figure = pickle.loads(pickle.dumps(history().plot()))  # noqa: S301, it is our own
    figure._ipython_display_()
    assert len(shown) == 1


def test_axes_that_were_given_are_left_as_they_are(shown):
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert not hasattr(
        figures.plot_data([[0.0, 1.0], [1.0, 0.0]], [0, 1], ax=ax), "_ipython_display_"
    )
