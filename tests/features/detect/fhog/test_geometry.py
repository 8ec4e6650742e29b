"""Sizes of levels and strips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.detect.fhog import geometry

sizes = st.integers(1, 6000)


@pytest.mark.parametrize("size, n_cells", [(1, 0), (3, 0), (4, 1), (11, 1), (12, 2), (80, 10), (84, 11)])
def test_half_a_cell_counts_as_one(size, n_cells):
    assert geometry.count_cells(size) == n_cells == int(np.float32(size) / np.float32(8) + 0.5)


@given(sizes, sizes)
def test_a_level_is_five_sixths_of_the_one_before_and_levels_end_near_64_pixels(height, width):
    n_levels = geometry.count_levels(height, width)
    assert n_levels >= 1
    for _ in range(n_levels - 1):
        height, width = geometry.shrunk_size(height, width)
    assert n_levels == 1 or min(height, width) >= 62
    assert min(geometry.shrunk_size(height, width)) <= 66


@given(st.integers(1, 800), st.integers(1, 1500))
def test_strips_cover_a_level_in_whole_tiles(n_windows_y, n_windows_x):
    n_rows, plane_stride, response_stride, score_pitch = geometry.strip_layout(n_windows_y, n_windows_x, 12)
    assert n_rows > 0
    assert n_rows % geometry.ROW_STEP == 0
    needed = (n_rows + geometry.WINDOW - 1) * geometry.plane_pitch(n_windows_x) + geometry.SLACK
    assert min(plane_stride, response_stride) >= needed
    assert score_pitch >= n_windows_x
    assert score_pitch % 16 == 0
