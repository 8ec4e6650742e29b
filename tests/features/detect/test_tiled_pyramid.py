"""The tiled pyramid: levels that fit, resized as dlib resizes, and coordinates that find their way back."""

import itertools

import dlib
import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from features.detect.tiled_pyramid import (
    Layout,
    Region,
    build_tiled_pyramid,
    column_table,
    make_layout,
    resize_bilinear,
    to_image,
)

GAP, BORDER = 10, 11
SIZES = st.integers(10, 3000)


def occupancy(layout):
    """How many levels cover each pixel of the plane."""
    counts = np.zeros((layout.height, layout.width), int)
    for level in layout.levels:
        counts[level.top : level.top + level.height, level.left : level.left + level.width] += 1
    return counts


# From 60 columns on: in narrower planes dlib lets levels overlap, and no face of 80 pixels is there to be missed.
@given(st.integers(1, 400), st.integers(60, 400))
def test_levels_lie_inside_the_plane_and_apart(height, width):
    layout = make_layout(height, width, GAP, BORDER)
    counts = occupancy(layout)
    assert counts.max() == 1
    assert counts.sum() == sum(level.width * level.height for level in layout.levels)
    assert not counts[:BORDER].any() and not counts[:, :BORDER].any() and not counts[:, -BORDER:].any()


@given(SIZES, SIZES)
def test_each_level_has_five_sixths_of_the_one_before(height, width):
    levels = make_layout(height, width, GAP, BORDER).levels
    assert (levels[0].height, levels[0].width) == (height, width)
    for larger, smaller in itertools.pairwise(levels):
        assert (smaller.height, smaller.width) == (larger.height * 5 // 6, larger.width * 5 // 6)


def test_the_layout_of_a_small_image_worked_out_by_hand():
    # Levels of 60 x 48: 50 x 40, 41 x 33, 34 x 27, 28 x 22, 23 x 18, 19 x 15, 15 x 12, 12 x 10, 10 x 8, 8 x 6, 6 x 5
    # and 5 x 4 rows x columns. Below the image 251 + 12 gaps − 10 = 361 rows are left to place. After 50, 41, 34 and 28
    # rows with their gaps the column is 203 rows longer than the image, more than half, and the next level, 18 wide,
    # fits beside the 22 before it with a gap of 10 (48 − 22 − 10 = 16 < 18: no), so it is 23 more rows, then
    # 15 fits beside 18 (48 − 18 − 10 = 20): the column ends there.
    layout = make_layout(60, 48, GAP, BORDER)
    column = 60 + 10 + 50 + 10 + 41 + 10 + 34 + 10 + 28 + 10 + 23
    assert (layout.height, layout.width) == (column + 2 * BORDER, 48 + 2 * BORDER)
    assert layout.levels[6] == Region(BORDER + 48 - 15, BORDER + column - 19, 15, 19)
    assert layout.levels[7] == Region(BORDER + 48 - 12, BORDER + column - 19 - 10 - 15, 12, 15)
    assert len(layout.levels) == 13


def test_room_below_zero_counts_as_plenty_as_in_dlibs_unsigned_arithmetic():
    # Levels of 8 x 50: 6 x 41 and 5 x 34. The last has −1 columns of room beside the 41, and 26 rows are over half of 21.
    layout = make_layout(8, 50, GAP, BORDER)
    assert layout.height == 8 + GAP + 6 + 2 * BORDER
    assert layout.levels[2] == Region(BORDER + 50 - 34, BORDER + 24 - 5, 34, 5)


def test_an_image_too_narrow_for_dlib_has_no_layout():
    assert make_layout(300, 9, GAP, BORDER) is None
    assert make_layout(300, 10, GAP, BORDER) is not None


@given(st.integers(1, 40), st.integers(1, 900), st.integers(1, 40), st.integers(1, 900), st.randoms())
@example(1, 1, 3, 4, None)
@example(2, 3186, 4, 6374, None)
def test_resizing_equals_dlibs_to_the_last_bit(rows, columns, to_rows, to_columns, random):
    x = np.random.default_rng(rows + columns).random((rows, columns), np.float32) - np.float32(0.5)
    resized = torch.empty(to_rows, to_columns)
    resize_bilinear(torch.from_numpy(x)[None, None], out=resized[None, None])
    np.testing.assert_array_equal(resized, dlib.resize_image(x, to_rows, to_columns))


def test_positions_drift_as_in_dlib_and_not_as_in_exact_arithmetic():
    table = column_table(3186, 2655)
    exact = np.arange(2655) * (3185 / 2654)
    assert 1e-3 < np.abs(table.before + table.weight - exact).max() < 0.1


def test_the_plane_holds_the_normalised_image_and_zeros():
    layout = make_layout(40, 30, GAP, BORDER)
    images = torch.randint(0, 256, (2, 40, 30, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    average = torch.tensor([120.0, 110.0, 100.0])
    plane = build_tiled_pyramid(images, layout, average, 256.0)
    assert plane.shape == (2, 3, layout.height, layout.width)
    expected = (images.double() - average) / 256
    torch.testing.assert_close(plane[:, :, 11:51, 11:41].permute(0, 2, 3, 1).double(), expected, rtol=0, atol=1e-7)
    assert not plane[:, :, torch.from_numpy(occupancy(layout)) == 0].any()


def test_coordinates_go_back_level_by_level():
    layout = Layout(500, 400, (Region(11, 11, 300, 200), Region(11, 221, 250, 166), Region(11, 397, 208, 138)))
    boxes = np.array([[100.5, 50.5, 180.5, 130.5], [20.0, 250.0, 100.0, 330.0], [20.0, 400.0, 100.0, 480.0]])
    first, second, third = to_image(boxes, layout)
    np.testing.assert_array_equal(first, [89.5, 39.5, 169.5, 119.5])
    np.testing.assert_array_equal(second, np.array([9.0, 29.0, 89.0, 109.0]) * 1.2 + 0.3)
    np.testing.assert_array_equal(third, (np.array([9.0, 3.0, 89.0, 83.0]) * 1.2 + 0.3) * 1.2 + 0.3)


@pytest.mark.parametrize(("centre", "level"), [((160, 215), 0), ((160, 216), 1), ((5, 5), 0), ((350, 390), 2)])
def test_a_box_between_levels_belongs_to_the_nearest(centre, level):
    layout = Layout(500, 400, (Region(11, 11, 300, 200), Region(11, 221, 250, 166), Region(250, 300, 108, 138)))
    x, y = centre
    box = to_image(np.array([[x - 1.0, y - 1.0, x + 1.0, y + 1.0]]), layout)[0]
    assert box[2] - box[0] == pytest.approx(2 * 1.2**level)
