"""Sizes: how many pyramid levels, cells, windows and strips an image gives, and how much memory they take.

Words used throughout the package. A *cell* is 8 × 8 pixels; a *plane* is one of 31 feature maps with one number a
cell; a *window* is 10 × 10 cells and belongs to one cell of the planes; a *strip* is as many rows of windows as are
scored at once. The functions here run in Python and in compiled code alike.
"""

from __future__ import annotations

import math

from numba.extending import register_jitable

#: Pixels along a cell, cells along a window, feature planes, orientations with sign.
CELL = 8
WINDOW = 10
N_PLANES = 31
N_BINS = 18
#: Cells of zeros that dlib puts around the features, before and after, so that faces at the border are found.
ZEROS_BEFORE = 4
ZEROS_AFTER = 5
#: One pyramid step makes an image 5/6 as large; a level smaller than this many pixels ends the pyramid.
SHRINK = 5.0 / 6.0
SHIFT = 0.3
SMALLEST_LEVEL = 64
#: Numbers before the beginning and past the end of an image, and past the end of other arrays, that vectors may touch.
SLACK = 128
#: Columns of cells whose votes are collected at once.
BLOCK = 64
#: Floats that collect the votes for one orientation: four a column of cells, some beyond the block that stay zero, and
#: not a power of two, so that orientations use different cache sets.
BIN_STRIDE = 4 * (BLOCK + 17)
#: Floats that the filtered planes of one strip may take, so that they stay in the second-level cache.
STRIP_FLOATS = 128 * 1024
#: Rows of windows of a strip: at least so many, and a multiple of so many (the tiles of the column filters).
SHORTEST_STRIP = 24
ROW_STEP = 8


@register_jitable
def rounded(value: float) -> float:
    """To the nearest whole number, halves away from zero, as C's ``lround``."""
    return math.floor(value + 0.5) if value >= 0 else -math.floor(-value + 0.5)


@register_jitable
def upsampled_size(size_y: int, size_x: int) -> tuple[int, int]:
    """Size after one step of dlib's ``pyramid_up`` with ``pyramid_down<2>``."""
    return 2 * size_y + 1, 2 * size_x + 2


@register_jitable
def shrunk_size(size_y: int, size_x: int) -> tuple[int, int]:
    """Size of the next pyramid level."""
    return 5 * size_y // 6, 5 * size_x // 6


@register_jitable
def count_levels(size_y: int, size_x: int) -> int:
    """Pyramid levels of an image; at least one. dlib shrinks a rectangle, not the size, and so do we."""
    left, top, right, bottom = 0.0, 0.0, size_x - 1.0, size_y - 1.0
    n_levels = 0
    while True:
        left, top = rounded((left - SHIFT) * SHRINK), rounded((top - SHIFT) * SHRINK)
        right, bottom = rounded((right - SHIFT) * SHRINK), rounded((bottom - SHIFT) * SHRINK)
        n_levels += 1
        if right - left + 1 < SMALLEST_LEVEL or bottom - top + 1 < SMALLEST_LEVEL:
            return n_levels


@register_jitable
def count_cells(size: int) -> int:
    """Cells along ``size`` pixels; half a cell counts as one."""
    return (size + CELL // 2) // CELL


@register_jitable
def count_visible(size: int) -> int:
    """Pixels along ``size``, less the last, that lie in a cell: those from 1 up to this have a gradient."""
    return min(count_cells(size) * CELL, size) - 1


@register_jitable
def count_windows(n_cells: int) -> int:
    """Windows, and cells with features, along ``n_cells`` cells: the outermost cells have no neighbours to compare with."""
    return max(n_cells - 2, 0)


@register_jitable
def plane_pitch(n_windows_x: int) -> int:
    """Numbers from one row of a plane to the next: the zeros after a row are those before the next one."""
    return n_windows_x + ZEROS_AFTER


@register_jitable
def histogram_pitch(n_cells_x: int) -> int:
    """Numbers from one orientation of a row of the histogram to the next: a border cell on either side, and slack."""
    return n_cells_x + 2 + 2 * 16


@register_jitable
def strip_layout(n_windows_y: int, n_windows_x: int, most_filters: int) -> tuple[int, int, int, int]:
    """How a level is cut into strips.

    Returns
    -------
    n_rows : int
        Rows of windows in a strip: few enough for the cache, enough to make the nine rows that strips share cheap.
    plane_stride, response_stride : int
        Numbers from one plane of a strip to the next, and from one filtered plane to the next.
    score_pitch : int
        Numbers from one row of scores to the next; ``n_rows * score_pitch`` from one detector to the next.
    """
    pitch = plane_pitch(n_windows_x)
    most = max(STRIP_FLOATS // (pitch * most_filters) - (WINDOW - 1), SHORTEST_STRIP)
    n_strips = max(-(-n_windows_y // most), 1)
    n_rows = -(-n_windows_y // (n_strips * ROW_STEP)) * ROW_STEP
    length = (n_rows + WINDOW - 1) * pitch + SLACK
    odd_lines = length // 16 | 1
    return n_rows, 16 * (odd_lines + 2), 16 * (odd_lines + 4), (n_windows_x + 15) // 16 * 16
