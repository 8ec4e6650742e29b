"""The frontal face detector's weights, read from the installed dlib.

dlib keeps the five detectors inside its library and saves them in its own format: whole numbers as a control byte (bit
7 the sign, the low four bits the number of bytes) and that many bytes, the lowest first; floats as two whole numbers,
mantissa and binary exponent. The weights belong to dlib (Boost Software License 1.0) and are read when first needed.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

_N_PLANES = 31
_WINDOW = 10
_N_WEIGHTS = _N_PLANES * _WINDOW * _WINDOW
_N_DETECTORS = 5
#: dlib's codes for infinities and NaN in place of an exponent.
_FIRST_SPECIAL_EXPONENT = 32000
#: dlib drops a separable filter whose singular value is below the larger of these (``fhog_object_detector`` default
#: of ``apply_filters_to_fhog``: absolute, and relative to the largest).
_SMALLEST_SINGULAR_VALUE = 1e-4
_SMALLEST_RELATIVE_SINGULAR_VALUE = 1e-3
#: What this package is written for: versions, cell size, padding, window, pyramid.
_EXPECTED = {
    "version": 2,
    "scanner version": 1,
    "feature rows": 0,
    "feature columns": 0,
    "cell size": 8,
    "padding": 0,
    "window width": 80,
    "window height": 80,
    "largest number of levels": 1000,
    "smallest level width": 64,
    "smallest level height": 64,
}


@dataclass(frozen=True, eq=False)
class FaceWeights:
    """The detectors in the form that the filters use.

    Attributes
    ----------
    row_filters, column_filters : ndarray of shape (n_filters, 10), float32
        Separable filters, ordered by plane, then by detector.
    filter_planes, filter_detectors : ndarray of shape (n_filters,), int64
        The plane that a filter reads and the detector whose score it belongs to.
    weights : ndarray of shape (5, 31, 10, 10), float32
        Sum of each detector's separable filters: what a window's features are multiplied by.
    thresholds : ndarray of shape (5,), float64
        A detector finds a face where its score is at least this; scores are reported less this.
    iou_threshold, covered_threshold : float
        Two rectangles are the same face above either.
    """

    row_filters: np.ndarray
    column_filters: np.ndarray
    filter_planes: np.ndarray
    filter_detectors: np.ndarray
    weights: np.ndarray
    thresholds: np.ndarray
    iou_threshold: float
    covered_threshold: float


class _Reader:
    """Numbers of a dlib archive, one after the other."""

    def __init__(self, archive: bytes) -> None:
        self._archive = archive
        self._position = 0

    def whole(self) -> int:
        """The next whole number."""
        control = self._take(1)[0]
        magnitude = int.from_bytes(self._take(control & 15), "little")
        return -magnitude if control & 128 else magnitude

    def real(self) -> float:
        """The next float."""
        mantissa, exponent = self.whole(), self.whole()
        if abs(exponent) >= _FIRST_SPECIAL_EXPONENT:
            raise ValueError("The face detector's weights must be finite; the installed dlib holds one that is not.")
        return math.ldexp(mantissa, exponent)

    def _take(self, n_bytes: int) -> bytes:
        taken = self._archive[self._position : self._position + n_bytes]
        if len(taken) < n_bytes:
            raise ValueError(
                f"A saved dlib face detector must have about 155,000 bytes; got {len(self._archive)}, "
                f"and more were needed. Use implementation='dlib'."
            )
        self._position += n_bytes
        return taken


def _require(name: str, expected: int, got: int) -> None:
    if got != expected:
        raise ValueError(
            f"The {name} of dlib's face detector must be {expected}; the installed dlib says {got}. "
            f"Use implementation='dlib'."
        )


def _read_detectors(archive: bytes) -> tuple[np.ndarray, float, float]:
    """Weights and thresholds (5, 3101), and the two overlap thresholds, of a saved detector."""
    reader = _Reader(archive)
    for name, expected in _EXPECTED.items():
        _require(name, expected, reader.whole())
    reader.real()  # strength of the nuclear norm regulariser in training
    _require("number of weights", _N_WEIGHTS, reader.whole())
    iou_threshold, covered_threshold = reader.real(), reader.real()
    _require("number of detectors", _N_DETECTORS, reader.whole())
    rows = []
    for _ in range(_N_DETECTORS):
        _require("number of rows", _N_WEIGHTS + 1, -reader.whole())
        _require("number of columns", 1, -reader.whole())
        rows.append([reader.real() for _ in range(_N_WEIGHTS + 1)])
    return np.array(rows), iou_threshold, covered_threshold


def _outer_products(matrix: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Row and column filters whose outer products add up to a matrix (10, 10), the small ones left out like dlib."""
    left, singular, right = np.linalg.svd(matrix)
    smallest = max(_SMALLEST_SINGULAR_VALUE, _SMALLEST_RELATIVE_SINGULAR_VALUE * singular.max())
    return [
        ((right[k] * math.sqrt(s)).astype(np.float32), (left[:, k] * math.sqrt(s)).astype(np.float32))
        for k, s in enumerate(singular)
        if s > smallest
    ]


def face_weights(archive: bytes) -> FaceWeights:
    """The weights in a detector that dlib saved.

    Parameters
    ----------
    archive : bytes
        What ``dlib.get_frontal_face_detector().save(path)`` writes.

    Raises
    ------
    ValueError
        If the bytes end early or describe another kind of detector.
    """
    detectors, iou_threshold, covered_threshold = _read_detectors(archive)
    matrices = detectors[:, :-1].reshape(_N_DETECTORS, _N_PLANES, _WINDOW, _WINDOW)
    rows, columns, planes, owners = [], [], [], []
    for plane in range(_N_PLANES):
        for detector in range(_N_DETECTORS):
            for row, column in _outer_products(matrices[detector, plane]):
                rows.append(row)
                columns.append(column)
                planes.append(plane)
                owners.append(detector)
    weights = np.zeros(matrices.shape)
    for row, column, plane, detector in zip(rows, columns, planes, owners):
        weights[detector, plane] += np.outer(column.astype(np.float64), row.astype(np.float64))
    return FaceWeights(
        np.array(rows),
        np.array(columns),
        np.array(planes),
        np.array(owners),
        weights.astype(np.float32),
        detectors[:, -1].copy(),
        iou_threshold,
        covered_threshold,
    )


@functools.cache
def frontal_face_weights() -> FaceWeights:
    """The weights of ``dlib.get_frontal_face_detector()``; read once a process."""
    import dlib

    (archive,) = dlib.get_frontal_face_detector().__getstate__()
    return face_weights(archive)
