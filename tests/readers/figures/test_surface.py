from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

import micrograd_nn.functional as F
from micrograd_nn import SGD, Adam, RMSProp
from micrograd_nn.readers import animate_descent, descend, plot_descent


def bowl(x, y):
    return x**2 + 3 * y**2


def waves(a, b):
    return F.sin(b * F.cos(a))


def test_descent_is_by_the_gradient():
    a, b = 0.35, 1.0
    expected = [(a, b)]
    for _ in range(20):
        slope = np.cos(b * np.cos(a))
        a, b = a + 0.2 * slope * b * np.sin(a), b - 0.2 * slope * np.cos(a)
        expected.append((a, b))
    np.testing.assert_allclose(descend(waves, (0.35, 1.0), steps=20, lr=0.2), expected)
    by_sgd = descend(waves, (0.35, 1.0), lambda p: SGD(p, lr=0.2), steps=20)
    np.testing.assert_allclose(by_sgd, expected)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: SGD(p, lr=0.05, momentum=0.8, nesterov=True),
        lambda p: Adam(p, lr=0.1),
        lambda p: RMSProp(p, lr=0.05),
    ],
)
def test_any_optimiser_reaches_the_bottom(optimizer):
    path = descend(bowl, (1.0, -1.0), optimizer, steps=200)
    assert path.shape == (201, 2)
    assert np.abs(path[-1]).max() < 0.1


def test_a_descent_that_diverges_ends_where_it_is_finite():
    path = descend(lambda x, y: F.exp(x * x) + y, (3.0, 0.0), steps=50, lr=1.0)
    assert np.isfinite(path).all()
    assert len(path) < 51


def test_the_way_lies_on_the_map():
    path = descend(waves, (0.35, 1.0), steps=15)
    ax = plot_descent(waves, path, extent=((-1, 1), (-2, 2)))
    line, mark = ax.lines
    np.testing.assert_array_equal(np.transpose(line.get_data()), path)
    np.testing.assert_array_equal(np.ravel(mark.get_data()), path[-1])
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 1), (-2, 2))
    a, b = path[-1]
    assert ax.get_title(loc="left") == f"step 15,  f = {np.sin(b * np.cos(a)):.3g}".replace(
        "-", "−"
    )
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")


def test_without_an_extent_the_whole_way_is_seen():
    path = descend(bowl, (5.0, -2.0), steps=30)
    ax = plot_descent(bowl, path)
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    assert x0 < path[:, 0].min() < path[:, 0].max() < x1
    assert y0 < path[:, 1].min() < path[:, 1].max() < y1


def test_several_ways_are_told_apart():
    paths = {"slow": descend(bowl, (1, 1), lr=0.01), "fast": descend(bowl, (1, 1), lr=0.2)}
    ax = plot_descent(bowl, paths)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["slow", "fast"]
    assert len({line.get_color() for line in ax.lines}) == 2


def test_a_surface_in_three_dimensions(rendered):
    path = descend(bowl, (1.0, 1.0), steps=5)
    ax = plot_descent(bowl, path, view="surface")
    x, y, z = ax.lines[0].get_data_3d()
    np.testing.assert_allclose(z, x**2 + 3 * y**2)
    np.testing.assert_array_equal(x, path[:, 0])
    assert rendered(ax).std() > 1


@pytest.mark.parametrize("view", ["contour", "surface"])
def test_each_step_is_a_frame(view, tmp_path):
    Image = pytest.importorskip("PIL.Image")
    movie = animate_descent(bowl, descend(bowl, (1.0, 1.0), steps=6, lr=0.05), view=view)
    with Image.open(movie.save(tmp_path / "descent.gif")) as gif:
        assert gif.n_frames == movie.frames == 7
    frames = list(movie.images())
    assert all(np.any(a != b) for a, b in pairwise(frames))


def test_it_draws_on_the_axes_that_it_is_given():
    ax = Figure().add_subplot()
    path = descend(bowl, (1.0, 1.0), steps=2)
    assert plot_descent(bowl, path, ax=ax) is ax
    assert animate_descent(bowl, path, ax=ax).figure is ax.figure


def test_a_flat_surface_and_a_surface_that_ends():
    plot_descent(lambda x, y: 0 * x + 1.0, descend(lambda x, y: 0 * x + 1.0, (0, 0), steps=2))
    ax = plot_descent(lambda x, y: F.log(x) + y, [[0.5, 0.0]], extent=((-1, 1), (-1, 1)))
    assert len(ax.lines) == 2


def test_mistakes_are_explained():
    with pytest.raises(ValueError, match="the start 3"):
        descend(bowl, (1, 2, 3))
    with pytest.raises(ValueError, match="view must be one of 'contour', 'surface', got '3d'"):
        plot_descent(bowl, [[0.0, 0.0]], view="3d")
    with pytest.raises(ValueError, match=r"\(steps \+ 1, 2\)"):
        plot_descent(bowl, [1.0, 2.0])
    with pytest.raises(ValueError, match="finite nowhere"):
        plot_descent(lambda x, y: F.log(-x * x - 1) + y, [[0.0, 0.0]])
