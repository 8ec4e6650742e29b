"""Doubling as dlib does it, and the way back."""

import dlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.detect.upsampling import downsample, round_half_away, upsample


@given(st.floats(-1e6, 1e6))
def test_rounding_is_dlibs(value):
    assert round_half_away(np.array(value)) == dlib.rectangle(dlib.drectangle(value, value, value, value)).left()


@pytest.mark.parametrize("value", [-13.5, -12.5, -1.5, -0.5, 0.5, 1.5, 2.4999, -2.4999, 0.0])
def test_halves_are_rounded_as_dlib_rounds_them(value):
    assert round_half_away(np.array(value)) == dlib.rectangle(dlib.drectangle(value, value, value, value)).left()


def test_boxes_shrink_by_half_and_an_offset_and_are_rounded_once():
    # By hand: 101 / 2 − 1.25 = 49.25 and 49.25 / 2 − 1.25 = 23.375; vertically 101 / 2 − 0.75 = 49.75, then 24.125.
    box = np.array([[101.0, 101.0, 103.0, 103.0]])
    np.testing.assert_array_equal(downsample(box, 0), box)
    np.testing.assert_array_equal(downsample(box, 1), [[49, 50, 50, 51]])
    np.testing.assert_array_equal(downsample(box, 2), [[23, 24, 24, 25]])


def test_upsampling_once_adds_a_row_and_two_columns():
    assert upsample(np.zeros((10, 20, 3), np.uint8), 1).shape == (21, 42, 3)


def test_an_upsampled_rectangle_comes_back_shifted():
    assert downsample(np.array([[20.0, 30.0, 100.0, 111.0]]), 0).tolist() == [[20, 30, 100, 111]]
    assert downsample(np.array([[20.0, 30.0, 100.0, 111.0]]), 1).tolist() == [[9, 14, 49, 55]]
