"""The frontal face detector's weights, read from the installed dlib.

dlib keeps the five detectors inside its library and saves them in its own format. The weights belong to dlib (Boost Software License 1.0) and are read when first needed.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from faceheads.networks.dlib_network import OverlapTest
from faceheads.networks.dlib_reader import DlibReader

_N_PLANES = 31
_WINDOW = 10
_N_WEIGHTS = _N_PLANES * _WINDOW * _WINDOW
_N_DETECTORS = 5
_ADVICE = "A saved face detector of dlib has about 155,000 bytes. Use implementation='dlib'."
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
    overlaps_nms : OverlapTest
        Which rectangles are the same face.
    """

    row_filters: np.ndarray
    column_filters: np.ndarray
    filter_planes: np.ndarray
    filter_detectors: np.ndarray
    weights: np.ndarray
    thresholds: np.ndarray
    overlaps_nms: OverlapTest


def _require(name: str, expected: int, got: int) -> None:
    if got != expected:
        raise ValueError(
            f"The {name} of dlib's face detector must be {expected}; the installed dlib says {got}. "
            f"Use implementation='dlib'."
        )


def _read_detectors(archive: bytes) -> tuple[np.ndarray, OverlapTest]:
    """Weights and thresholds (5, 3101), and the overlap test, of a saved detector."""
    reader = DlibReader("dlib's face detector", archive, _ADVICE)
    for name, expected in _EXPECTED.items():
        _require(name, expected, reader.integer(name))
    reader.finite("the strength of the nuclear norm regulariser in training")
    _require("number of weights", _N_WEIGHTS, reader.integer("the number of weights"))
    overlaps_nms = OverlapTest(reader.finite("an overlap threshold"), reader.finite("a covered share"))
    _require("number of detectors", _N_DETECTORS, reader.integer("the number of detectors"))
    rows = []
    for _ in range(_N_DETECTORS):
        _require("number of rows", _N_WEIGHTS + 1, -reader.integer("the number of rows"))
        _require("number of columns", 1, -reader.integer("the number of columns"))
        rows.append([reader.finite("a weight") for _ in range(_N_WEIGHTS + 1)])
    return np.array(rows), overlaps_nms


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
    detectors, overlaps_nms = _read_detectors(archive)
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
        overlaps_nms,
    )


@functools.cache
def frontal_face_weights() -> FaceWeights:
    """The weights of ``dlib.get_frontal_face_detector()``; read once a process."""
    import dlib

    (archive,) = dlib.get_frontal_face_detector().__getstate__()
    return face_weights(archive)
