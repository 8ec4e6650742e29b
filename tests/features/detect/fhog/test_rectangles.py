"""From windows to rectangles, and the surest of those that overlap."""

import numpy as np
import pytest

from faceheads.networks.dlib_network import OverlapTest
from features.detect.fhog.rectangles import surest, window_rectangles
from features.detect.upsampling import downsample

TEST = OverlapTest(0.33008212188056446, 0.7885714285714286)


def test_a_window_of_ten_cells_is_a_rectangle_of_about_eighty_pixels():
    rectangles = window_rectangles(np.array([0, 4]), np.array([0, 7]), np.array([0, 0]))
    # hog_to_image of dlib's fhog.h with cell size 8 and a filter of 10 × 10: (c - 3) * 8 + 1, then 4 away from zero.
    assert rectangles.tolist() == [[-27, -27, 53, 53], [37, 13, 109, 85]]


def test_a_level_down_is_six_fifths_of_the_size_and_rounded_once():
    rectangle = window_rectangles(np.array([4]), np.array([7]), np.array([2]))
    wanted = [((c * 1.2 + 0.3) * 1.2 + 0.3) for c in (37, 13, 109, 85)]
    assert rectangle[0] == pytest.approx(np.round(wanted))


def test_the_surest_of_overlapping_rectangles_stays_and_the_order_is_by_score():
    rectangles = np.array([[0, 0, 79, 79], [200, 0, 279, 79], [4, 4, 83, 83], [205, 3, 284, 82]], float)
    kept = surest(rectangles, np.array([0.3, 0.9, 0.7, 0.1]), np.zeros(4, int), TEST)
    assert kept.tolist() == [1, 2]


def test_equal_scores_go_by_detector_then_by_place():
    rectangles = np.array([[0, 0, 9, 9], [100, 0, 109, 9], [200, 0, 209, 9]], float)
    kept = surest(rectangles, np.array([0.5, 0.5, 0.5]), np.array([2, 1, 1]), TEST)
    assert kept.tolist() == [1, 2, 0]


def test_nothing_found_is_nothing_kept():
    rectangles = window_rectangles(*np.zeros((3, 0), int))
    kept = surest(rectangles, np.zeros(0), np.zeros(0, int), TEST)
    assert rectangles.shape == (0, 4)
    assert downsample(rectangles[kept], 2).shape == (0, 4)
