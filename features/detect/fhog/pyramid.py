"""The scan of an image at every scale: one compiled function from pixels to windows above the threshold."""

from __future__ import annotations

from numba import njit

from .features import block_row, energy_row, feature_row
from .filters import Strip, collect_hits, filter_strip
from .geometry import (
    CELL,
    N_BINS,
    N_PLANES,
    SLACK,
    WINDOW,
    ZEROS_AFTER,
    ZEROS_BEFORE,
    count_cells,
    count_levels,
    count_visible,
    count_windows,
    histogram_pitch,
    plane_pitch,
    shrunk_size,
    strip_layout,
    upsampled_size,
)
from .histogram import add_rows
from .resize import pack, resize
from .simd import at, clear
from .workspace import RING


@njit
def add_cell_row(pixels, size, row, work):
    """Finish row ``row`` of the histogram, whose border is row 0, and what depends on it: energies, blocks.

    Rows of the histogram, of energies and of blocks take turns in their memory.
    """
    n_cells = count_cells(size[1])
    pitch = histogram_pitch(n_cells)
    length = N_BINS * pitch
    top, bottom = at(work.histogram, row % RING * length), at(work.histogram, (row + 1) % RING * length)
    clear(bottom, 0, length)
    rows = max(row * CELL - CELL // 2, 1), min(row * CELL + CELL // 2, count_visible(size[0]))
    add_rows(pixels, size[1], rows, top, bottom, work)
    if row == 0:
        return
    this, before = row % 2 * pitch, (row + 1) % 2 * pitch
    energy_row(top, pitch, n_cells, at(work.energies, this))
    block_row(
        at(work.energies, before), at(work.energies, this), n_cells - 1, at(work.limits, this), at(work.scales, this)
    )


@njit
def add_feature_row(pixels, size, row, strip, line, work):
    """Features of row ``row`` of the cells that have any, written as line ``line`` of the strip's planes."""
    pitch = histogram_pitch(count_cells(size[1]))
    if row == 0:
        clear(work.histogram, 0, N_BINS * pitch)
    for needed in range(0 if row == 0 else row + 3, row + 4):
        add_cell_row(pixels, size, needed, work)
    below, above = (row + 3) % 2 * pitch, (row + 2) % 2 * pitch
    histogram, planes = at(work.histogram, (row + 2) % RING * N_BINS * pitch), at(work.planes, line * strip.pitch)
    limits = at(work.limits, below), at(work.limits, above)
    scales = at(work.scales, below), at(work.scales, above)
    feature_row(histogram, pitch, limits, scales, strip.n_columns, planes, strip.plane_stride)


@njit
def clear_planes(strip, first, n, work):
    """Zeros in all planes from number ``first`` on."""
    for plane in range(N_PLANES):
        clear(work.planes, plane * strip.plane_stride + first, n)


@njit
def shift_planes(strip, n_rows, work):
    """Move the last rows of the strip before, which this strip needs again, to the front."""
    n_shared = (WINDOW - 1) * strip.pitch + ZEROS_BEFORE
    for plane in range(N_PLANES):
        start = plane * strip.plane_stride
        source = start + n_rows * strip.pitch
        for number in range(n_shared):
            work.planes[start + number] = work.planes[source + number]


@njit
def fill_planes(pixels, size, strip, layout_rows, work):
    """The planes of a strip: what it shares with the one before, then features or zeros line by line."""
    n_feature_rows = count_windows(count_cells(size[0]))
    if strip.first_row == 0:
        clear_planes(strip, 0, ZEROS_BEFORE, work)
    else:
        shift_planes(strip, layout_rows, work)
    for line in range(0 if strip.first_row == 0 else WINDOW - 1, strip.n_rows + WINDOW - 1):
        row = strip.first_row + line - ZEROS_BEFORE
        n_features = strip.n_columns if 0 <= row < n_feature_rows else 0
        if n_features > 0:
            add_feature_row(pixels, size, row, strip, line, work)
        rest = line * strip.pitch + ZEROS_BEFORE + n_features
        clear_planes(strip, rest, strip.n_columns + ZEROS_AFTER - n_features, work)


@njit
def scan_level(pixels, size, level, threshold, model, work):
    """Keep the windows of a level that reach the threshold."""
    windows_y, windows_x = count_windows(count_cells(size[0])), count_windows(count_cells(size[1]))
    if windows_y < 1 or windows_x < 1:
        return
    layout_rows, plane_stride, response_stride, score_pitch = strip_layout(windows_y, windows_x, model.most_filters)
    pitch, score_stride = plane_pitch(windows_x), layout_rows * score_pitch
    for first in range(0, windows_y, layout_rows):
        n_rows = min(layout_rows, windows_y - first)
        strip = Strip(first, n_rows, windows_x, pitch, plane_stride, response_stride, score_pitch, score_stride)
        fill_planes(pixels, size, strip, layout_rows, work)
        filter_strip(strip, model, work)
        collect_hits(strip, level, threshold, model, work)


@njit
def scan_pyramid(image, upsample, threshold, model, work):
    """All windows that reach the threshold, at every scale, into ``work.hits``, and their number into ``work.n_hits``.

    The number may exceed the room that ``work.hits`` has: then scan again with more.
    """
    size = image.shape[0], image.shape[1]
    this, other = work.image[SLACK:], work.other_image[SLACK:]
    if upsample % 2:
        this, other = other, this
    pack(image, this)
    level = -upsample
    n_levels = 1
    work.n_hits[0] = 0
    while level < n_levels:
        if level == 0:
            n_levels = count_levels(size[0], size[1])
        if level >= 0:
            scan_level(this, size, level, threshold, model, work)
        level += 1
        if level < n_levels:
            next_size = upsampled_size(size[0], size[1]) if level <= 0 else shrunk_size(size[0], size[1])
            resize(this, size, other, next_size, work)
            size, this, other = next_size, other, this
