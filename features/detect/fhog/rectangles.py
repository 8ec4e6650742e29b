"""From windows to rectangles, and which of them to keep; a few dozen a photo, so plain numpy."""

from __future__ import annotations

import numpy as np

from faceheads.networks.dlib_network import OverlapTest

from ..suppression import suppress
from ..upsampling import round_half_away
from .geometry import CELL, SHIFT, WINDOW, ZEROS_BEFORE

#: dlib maps a cell of the planes to this many pixels off the corner it begins at, away from zero.
_HALF_CELL = CELL // 2
#: A pyramid level up makes coordinates so many times larger.
_GROW = 6 / 5.0


def window_rectangles(rows: np.ndarray, columns: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Left, top, right, bottom (inclusive) of windows in the largest level: (n_windows, 4) float64, whole numbers."""
    first = np.stack([columns, rows], axis=1)
    cells = np.concatenate([first, first + WINDOW - 1], axis=1)
    corners = (cells - ZEROS_BEFORE + 1) * CELL + 1.0
    pixels = np.where(corners >= 0, corners + _HALF_CELL, corners - _HALF_CELL)
    for level in range(int(levels.max(initial=0))):
        pixels = np.where(levels[:, np.newaxis] > level, pixels * _GROW + SHIFT, pixels)
    return round_half_away(pixels)


def surest(rectangles: np.ndarray, scores: np.ndarray, detectors: np.ndarray, test: OverlapTest) -> np.ndarray:
    """Indices of the rectangles to keep, surest first; equal scores in order of detector, then as given."""
    order = np.lexsort((detectors, -scores))
    return order[suppress(rectangles[order], test)]
