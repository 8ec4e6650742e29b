"""Memory that the compiled functions work in, and the weights in the form they take them."""

from __future__ import annotations

import functools
import threading
from typing import NamedTuple

import numpy as np

from . import geometry
from .filters import HIT_FLOATS, ROW_FLOATS
from .geometry import BIN_STRIDE, BLOCK, CELL, N_BINS, N_PLANES, SLACK, WINDOW
from .histogram import N_STREAMS
from .resize import SPREAD_FLOATS, TILE
from .weights import FaceWeights

#: A thread keeps its work space for the next image unless it is larger than this.
KEPT_BYTES = 256 * 2**20
#: Windows above the threshold that there is room for at first; a photo of a crowd has some hundred.
ROOM_FOR_HITS = 4096
#: Rows of histogram in work at once; a power of two.
RING = 4


class Model(NamedTuple):
    """:class:`FaceWeights`, flat."""

    row_filters: np.ndarray
    column_filters: np.ndarray
    filter_starts: np.ndarray
    filter_detectors: np.ndarray
    weights: np.ndarray
    thresholds: np.ndarray
    most_filters: int


class Work(NamedTuple):
    """Arrays that are overwritten at will. All one-dimensional; each reaches a little beyond what is used."""

    #: Images take turns: one level is made from the other. The first pixel is at ``SLACK``.
    image: np.ndarray
    other_image: np.ndarray
    left: np.ndarray
    left_weight: np.ndarray
    right_weight: np.ndarray
    pairs: np.ndarray
    spread: np.ndarray
    bins: np.ndarray
    magnitudes: np.ndarray
    accumulator: np.ndarray
    histogram: np.ndarray
    energies: np.ndarray
    limits: np.ndarray
    scales: np.ndarray
    planes: np.ndarray
    responses: np.ndarray
    scores: np.ndarray
    hits: np.ndarray
    n_hits: np.ndarray


def flat_model(weights: FaceWeights) -> Model:
    """The weights as the compiled functions take them."""
    padded = np.zeros((*weights.weights.shape[:3], ROW_FLOATS), np.float32)
    padded[..., :WINDOW] = weights.weights
    starts = np.searchsorted(weights.filter_planes, np.arange(N_PLANES + 1)).astype(np.int64)
    return Model(
        weights.row_filters.ravel(),
        weights.column_filters.ravel(),
        starts,
        weights.filter_detectors.astype(np.int64),
        padded.ravel(),
        weights.thresholds,
        int(np.diff(starts).max()),
    )


def _strip_floats(size_y: int, size_x: int, n_detectors: int, most_filters: int) -> dict[str, int]:
    """Length of the arrays that hold a strip: the most that any level needs."""
    floats = {"planes": 0, "responses": 0, "scores": 0}
    for _ in range(geometry.count_levels(size_y, size_x)):
        windows_y, windows_x = (geometry.count_windows(geometry.count_cells(size)) for size in (size_y, size_x))
        layout = geometry.strip_layout(windows_y, windows_x, most_filters)
        n_rows, plane_stride, response_stride, score_pitch = layout
        floats["planes"] = max(floats["planes"], N_PLANES * plane_stride)
        floats["responses"] = max(floats["responses"], most_filters * response_stride)
        floats["scores"] = max(floats["scores"], n_detectors * n_rows * score_pitch)
        size_y, size_x = geometry.shrunk_size(size_y, size_x)
    return floats


@functools.lru_cache(maxsize=1024)
def _needs(
    size_y: int, size_x: int, upsample: int, n_detectors: int, most_filters: int, n_hits: int
) -> dict[str, tuple[int, type]]:
    """Length and type of every work array for an image of that size, before it is upsampled."""
    n_before = 0
    for _ in range(upsample):
        n_before = size_y * size_x
        size_y, size_x = geometry.upsampled_size(size_y, size_x)
    next_y, next_x = geometry.shrunk_size(size_y, size_x)
    cells_x = geometry.count_cells(size_x)
    floats = {
        "left_weight": size_x,
        "right_weight": size_x,
        "spread": 2 * SPREAD_FLOATS,
        "magnitudes": (BLOCK + N_STREAMS) * CELL,
        "accumulator": N_BINS * BIN_STRIDE,
        "histogram": RING * N_BINS * geometry.histogram_pitch(cells_x),
        "energies": 2 * geometry.histogram_pitch(cells_x),
        "limits": 2 * geometry.histogram_pitch(cells_x),
        "scales": 2 * geometry.histogram_pitch(cells_x),
        **_strip_floats(size_y, size_x, n_detectors, most_filters),
    }
    needs: dict[str, tuple[int, type]] = {name: (n, np.float32) for name, n in floats.items()}
    needs |= {"left": (size_x, np.int32), "bins": ((BLOCK + N_STREAMS) * CELL, np.int32), "pairs": (TILE, np.uint64)}
    needs["hits"] = (HIT_FLOATS * n_hits, np.float64)
    needs["n_hits"] = (1, np.int64)
    needs["image"] = (size_y * size_x + SLACK, np.uint32)
    needs["other_image"] = (max(n_before, next_y * next_x) + SLACK, np.uint32)
    return needs


class Workspaces(threading.local):
    """One work space for each thread, enlarged when an image needs more."""

    def __init__(self) -> None:
        self._arrays: dict[str, np.ndarray] = {}

    def fitting(self, size_y: int, size_x: int, upsample: int, model: Model, n_hits: int = ROOM_FOR_HITS) -> Work:
        """A work space for an image of that size, before it is upsampled; valid until the thread asks again."""
        arrays = dict(self._arrays)
        needs = _needs(size_y, size_x, upsample, model.thresholds.size, model.most_filters, n_hits)
        for name, (n, dtype) in needs.items():
            if name not in arrays or arrays[name].size < n + SLACK:
                arrays[name] = np.zeros(n + SLACK, dtype)
        if sum(array.nbytes for array in arrays.values()) <= KEPT_BYTES:
            self._arrays = arrays
        return Work(**arrays)
