"""From windows to rectangles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.detect.fhog import suppression

IOU, COVERED = 0.33008212188056446, 0.7885714285714286

corners = st.tuples(st.integers(-50, 100), st.integers(-50, 100), st.integers(1, 90), st.integers(1, 90))


def pixels_of(rectangle):
    left, top, right, bottom = rectangle
    return {(x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)}


def overlap_of_pixels(one, other):
    """dlib's test_box_overlap, counted in pixels; the union is the rectangle around both."""
    common = len(pixels_of(one) & pixels_of(other))
    around = (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))
    outer = (around[2] - around[0] + 1) * (around[3] - around[1] + 1)
    smaller = min(len(pixels_of(one)), len(pixels_of(other)))
    return common / outer > IOU or common / smaller > COVERED


@given(corners, corners)
def test_overlap_is_counted_in_pixels(one, other):
    one, other = ((x, y, x + width - 1, y + height - 1) for x, y, width, height in (one, other))
    found = suppression.overlap(np.array(one, float), np.array([other], float), IOU, COVERED)
    assert found.tolist() == [overlap_of_pixels(one, other)]


def test_halves_are_rounded_away_from_zero_as_lround_does():
    values = np.array([0.5, -0.5, 1.5, -1.5, 2.4999, -2.4999, 0.0])
    assert suppression.rounded(values).tolist() == [1, -1, 2, -2, 2, -2, 0]


def test_a_window_of_ten_cells_is_a_rectangle_of_about_eighty_pixels():
    rectangles = suppression.window_rectangles(np.array([0, 4]), np.array([0, 7]), np.array([0, 0]))
    # hog_to_image of dlib's fhog.h with cell size 8 and a filter of 10 × 10: (c - 3) * 8 + 1, then 4 away from zero.
    assert rectangles.tolist() == [[-27, -27, 53, 53], [37, 13, 109, 85]]


def test_a_level_down_is_six_fifths_of_the_size_and_rounded_once():
    rectangle = suppression.window_rectangles(np.array([4]), np.array([7]), np.array([2]))
    wanted = [((c * 1.2 + 0.3) * 1.2 + 0.3) for c in (37, 13, 109, 85)]
    assert rectangle[0] == pytest.approx(np.round(wanted))


def test_an_upsampled_rectangle_comes_back_shifted():
    assert suppression.in_original(np.array([[20.0, 30.0, 100.0, 111.0]]), 0).tolist() == [[20, 30, 100, 111]]
    assert suppression.in_original(np.array([[20.0, 30.0, 100.0, 111.0]]), 1).tolist() == [[9, 14, 49, 55]]


def test_the_surest_of_overlapping_rectangles_stays_and_the_order_is_by_score():
    rectangles = np.array([[0, 0, 79, 79], [200, 0, 279, 79], [4, 4, 83, 83], [205, 3, 284, 82]], float)
    kept = suppression.suppress(rectangles, np.array([0.3, 0.9, 0.7, 0.1]), np.zeros(4, int), IOU, COVERED)
    assert kept.tolist() == [1, 2]


def test_equal_scores_go_by_detector_then_by_place():
    rectangles = np.array([[0, 0, 9, 9], [100, 0, 109, 9], [200, 0, 209, 9]], float)
    kept = suppression.suppress(rectangles, np.array([0.5, 0.5, 0.5]), np.array([2, 1, 1]), IOU, COVERED)
    assert kept.tolist() == [1, 2, 0]


def test_nothing_found_is_nothing_kept():
    rectangles = suppression.window_rectangles(*np.zeros((3, 0), int))
    kept = suppression.suppress(rectangles, np.zeros(0), np.zeros(0, int), IOU, COVERED)
    assert rectangles.shape == (0, 4)
    assert suppression.in_original(rectangles[kept], 2).shape == (0, 4)
