"""From windows to rectangles, and which of them to keep; a few dozen a photo, so plain numpy."""

from __future__ import annotations

import numpy as np

from .geometry import CELL, SHIFT, WINDOW, ZEROS_BEFORE

#: dlib maps a cell of the planes to this many pixels off the corner it begins at, away from zero.
_HALF_CELL = CELL // 2
#: A pyramid level up makes coordinates so many times larger.
_GROW = 6 / 5.0
#: One upsampling step: rectangles come back through ``x / 2 - 1.25``, ``y / 2 - 0.75``.
_UPSAMPLE_SHIFT = np.array([1.25, 0.75, 1.25, 0.75])


def rounded(values: np.ndarray) -> np.ndarray:
    """To the nearest whole number, halves away from zero, as C's ``lround``."""
    return np.copysign(np.floor(np.abs(values) + 0.5), values)


def window_rectangles(rows: np.ndarray, columns: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Left, top, right, bottom (inclusive) of windows in the largest level: (n_windows, 4) float64, whole numbers."""
    first = np.stack([columns, rows], axis=1)
    cells = np.concatenate([first, first + WINDOW - 1], axis=1)
    corners = (cells - ZEROS_BEFORE + 1) * CELL + 1.0
    pixels = np.where(corners >= 0, corners + _HALF_CELL, corners - _HALF_CELL)
    for level in range(int(levels.max(initial=0))):
        pixels = np.where(levels[:, np.newaxis] > level, pixels * _GROW + SHIFT, pixels)
    return rounded(pixels)


def _areas(rectangles: np.ndarray) -> np.ndarray:
    """Pixels of inclusive rectangles (..., 4); negative sides count as none."""
    sides = np.maximum(rectangles[..., 2:] - rectangles[..., :2] + 1, 0)
    return sides[..., 0] * sides[..., 1]


def overlap(one: np.ndarray, others: np.ndarray, iou_threshold: float, covered_threshold: float) -> np.ndarray:
    """Whether a rectangle is too much like each of the others: (n_others,) bool.

    What dlib compares with ``iou_threshold`` is the area in common over that of the rectangle around both.
    """
    inner = _areas(np.hstack([np.maximum(one[:2], others[:, :2]), np.minimum(one[2:], others[:, 2:])]))
    outer = _areas(np.hstack([np.minimum(one[:2], others[:, :2]), np.maximum(one[2:], others[:, 2:])]))
    covered = inner / np.minimum(_areas(one), _areas(others))
    return (inner / outer > iou_threshold) | (covered > covered_threshold)


def suppress(
    rectangles: np.ndarray, scores: np.ndarray, detectors: np.ndarray, iou_threshold: float, covered_threshold: float
) -> np.ndarray:
    """Indices of the rectangles to keep, surest first; equal scores in order of detector, then as given."""
    remaining = np.lexsort((detectors, -scores))
    kept = []
    while remaining.size:
        kept.append(remaining[0])
        one, others = rectangles[remaining[0]], rectangles[remaining[1:]]
        remaining = remaining[1:][~overlap(one, others, iou_threshold, covered_threshold)]
    return np.array(kept, np.int64)


def in_original(rectangles: np.ndarray, upsample: int) -> np.ndarray:
    """Rectangles of the upsampled image (n, 4) in the original one, rounded once: int32."""
    for _ in range(upsample):
        rectangles = rectangles / 2 - _UPSAMPLE_SHIFT
    return rounded(rectangles).astype(np.int32)
