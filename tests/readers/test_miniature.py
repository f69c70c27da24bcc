import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from micrograd_nn.readers.miniature import SHADES, heat_map, histogram, joined, of_array


def cells(miniature, style):
    return [p for mark in miniature.marks if mark.style == style for p in mark.points]


def test_a_heat_map_has_a_cell_for_each_element_that_is_not_zero():
    drawing = heat_map(np.array([[4.0, -2.0, 0.0], [1.0, 0.1, -4.0]]))
    assert cells(drawing, "plus shade4") == [(0.0, 0.0, 1 / 3, 0.5)]
    assert cells(drawing, "minus shade2") == [(1 / 3, 0.0, 1 / 3, 0.5)]
    assert cells(drawing, "plus shade1") == [(0.0, 0.5, 1 / 3, 0.5), (1 / 3, 0.5, 1 / 3, 0.5)]
    assert cells(drawing, "minus shade4") == [(2 / 3, 0.5, 1 / 3, 0.5)]
    assert len(cells(drawing, "cell")) == 1


def test_what_is_not_finite_has_a_colour_of_its_own():
    drawing = heat_map(np.array([[math.nan, math.inf, 1.0]]))
    assert len(cells(drawing, "bad")) == 2
    assert len(cells(drawing, "plus shade4")) == 1


def test_a_histogram_has_the_colours_of_the_signs_and_the_heights_of_the_counts():
    drawing = histogram(np.array([-1.0] * 3 + [1.0] * 6))
    (left,), (right,) = cells(drawing, "minus shade3"), cells(drawing, "plus shade3")
    assert left[0] < right[0]
    assert left[3] == pytest.approx(0.5)
    assert right[3] == 1.0


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.zeros((3, 4)), None),
        (np.array(2.0), None),
        (np.zeros((0, 3)), None),
        (np.eye(16), "cell"),
        (np.arange(32.0), "cell"),
        (np.arange(33.0), "plus shade3"),
        (np.eye(17), "plus shade3"),
        (np.arange(24.0).reshape(2, 3, 4), "cell"),
        (np.full(100, math.nan), None),
        (np.full(5, math.nan), "cell"),
    ],
)
def test_small_arrays_are_heat_maps_large_ones_histograms(array, kind):
    drawing = of_array(array)
    assert (drawing and drawing.marks[0].style) == kind


def test_alike_arrays_are_stacked_and_others_strung_together():
    assert joined([np.ones(3)]).shape == (3,)
    assert joined([1.0, 2.0]).shape == (2,)
    assert joined([np.ones((2, 3))] * 4).shape == (4, 2, 3)
    assert joined([np.ones((2, 3)), 1.0]).shape == (7,)


@settings(deadline=None)
@given(
    arrays(
        np.float64,
        st.lists(st.integers(0, 9), max_size=3).map(tuple),
        elements=st.floats(allow_nan=True, width=64),
    )
)
def test_any_array_is_drawn_inside_its_frame(array):
    with np.errstate(all="raise"):
        drawing = of_array(array)
    for mark in drawing.marks if drawing else ():
        assert mark.style in {"cell", "bad"} | {
            f"{sign} shade{k}" for sign in ("plus", "minus") for k in range(1, SHADES + 1)
        }
        for x, y, width, height in mark.points:
            assert min(x, y) >= 0
            assert x + width <= 1 + 1e-9
            assert y + height <= 1 + 1e-9
