"""What scores are given of the faces of a table: vectors, and numbers that tell how good a photo is."""

from __future__ import annotations

import numpy as np

from ...cohorts import face_size_px
from ...table import FaceTable

#: Columns that follow the vector, in this order; sizes and sharpness as logarithms, because ratios matter.
QUALITIES = ("detection_score", "face_size", "brightness", "sharpness")


def qualities(table: FaceTable) -> np.ndarray:
    """Numbers of photos, float64 of shape (n_rows, 4), columns as :data:`QUALITIES`; NaN where not known."""
    columns = [
        table.detection_score,
        np.log(face_size_px(table)),
        table.brightness,
        np.log1p(table.sharpness),
    ]
    return np.stack(columns, axis=1).astype(np.float64)


def face_inputs(table: FaceTable, with_quality: bool) -> np.ndarray:
    """The input of a score: vectors, with :func:`qualities` behind them where it wants these; shape (n_rows, …)."""
    return np.hstack([table.embedding, qualities(table)]) if with_quality else table.embedding
