"""From windows to rectangles, and which of them to keep."""

from __future__ import annotations

import numpy as np
from numba import njit

from .geometry import CELL, SHIFT, WINDOW, ZEROS_BEFORE, rounded

#: dlib maps the corner of a cell of the planes to this many pixels off its own corner, away from zero.
_HALF_CELL = CELL // 2
#: One upsampling step: rectangles come back through ``x / 2 - 1.25``, ``y / 2 - 0.75``.
_UPSAMPLE_SHIFT = (1.25, 0.75)


@njit
def to_pixels(cell):
    """Where a cell of the planes (zeros included) begins in its level, as dlib's ``hog_to_image`` says."""
    corner = (cell - ZEROS_BEFORE + 1) * CELL + 1
    return np.float64(corner + _HALF_CELL if corner >= 0 else corner - _HALF_CELL)


@njit
def window_rectangle(row, column, level, rectangle):
    """Left, top, right, bottom (inclusive) of a window in the largest level, rounded once."""
    last = WINDOW - 1
    for side, cell in enumerate((column, row, column + last, row + last)):
        value = to_pixels(cell)
        for _ in range(level):
            value = value * (6 / 5.0) + SHIFT
        rectangle[side] = rounded(value)


@njit
def area(rectangle):
    """Pixels of an inclusive rectangle."""
    return (rectangle[2] - rectangle[0] + 1) * (rectangle[3] - rectangle[1] + 1)


@njit
def overlap(first, second, iou_threshold, covered_threshold):
    """Whether two rectangles are too much alike; the union is that of the rectangle around both, as in dlib."""
    width = min(first[2], second[2]) - max(first[0], second[0]) + 1
    height = min(first[3], second[3]) - max(first[1], second[1]) + 1
    if width <= 0 or height <= 0:
        return False
    inner = width * height
    outer_width = max(first[2], second[2]) - min(first[0], second[0]) + 1
    outer_height = max(first[3], second[3]) - min(first[1], second[1]) + 1
    if inner / (outer_width * outer_height) > iou_threshold:
        return True
    return inner / area(first) > covered_threshold or inner / area(second) > covered_threshold


@njit
def suppress(hits, n_hits, iou_threshold, covered_threshold):
    """Indices of the hits to keep, surest first, and the rectangles of all hits (float64, whole numbers)."""
    rectangles = np.empty((n_hits, 4))
    for hit in range(n_hits):
        window_rectangle(int(hits[hit, 2]), int(hits[hit, 3]), int(hits[hit, 1]), rectangles[hit])
    order = np.argsort(-hits[:n_hits, 4], kind="mergesort")
    kept = np.empty(n_hits, np.int64)
    n_kept = 0
    for hit in order:
        is_new = True
        for one in range(n_kept):
            if overlap(rectangles[kept[one]], rectangles[hit], iou_threshold, covered_threshold):
                is_new = False
                break
        if is_new:
            kept[n_kept] = hit
            n_kept += 1
    return kept[:n_kept], rectangles


@njit
def to_original(rectangle, upsample, result):
    """A rectangle of the upsampled image in the original one, rounded once."""
    for side in range(4):
        value = rectangle[side]
        for _ in range(upsample):
            value = value / 2 - _UPSAMPLE_SHIFT[side % 2]
        result[side] = int(rounded(value))
