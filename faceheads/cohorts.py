"""Which cohort each sample belongs to: by a label column, by two of them, or by what the photo itself shows.

Beside the label columns there are five that come from the feature table, because errors depend on them:

===============  =======================================================================================================
``face_size``    shorter side of the face's box in pixels, in three parts of equally many faces
``turn``         how far the face is turned sideways: distance of the nose from the middle between the eyes, along the
                 line of the eyes, in eye distances; in three parts of equally many faces
``brightness``   how bright the face is, in three parts of equally many faces, see :mod:`features.quality`
``sharpness``    how sharp it is, the same; both are known where extraction measured them
``detection``    the status of the row: whether the face was found
===============  =======================================================================================================

A label column of the same name goes first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from operator import attrgetter

import numpy as np
import pandas as pd

from .labels import LabelError
from .metrics.decades import decades
from .samples import Samples
from .table import QUALITY_COLUMNS, FaceTable, Status
from .targets import REGRESSION, find_targets, plain_value

#: Parts that numbers other than ages are cut into.
N_PARTS = 3
#: Landmarks of the two eyes and of the nose in each scheme.
_EYES_AND_NOSE = {
    "dlib5": ([0, 1], [2, 3], [4]),
    "dlib68": (range(36, 42), range(42, 48), [33]),
    "arcface5": ([0], [1], [2]),
}


def cohort_columns(samples: Samples, names: Sequence[str]) -> dict[str, pd.Categorical]:
    """Cohorts of the samples by each column, and by each two columns together.

    Parameters
    ----------
    samples : Samples of n_rows rows
    names : sequence of str
        Label columns, ``face_size``, ``turn``, ``brightness``, ``sharpness`` or ``detection``.

    Returns
    -------
    dict of str to Categorical of n_rows rows
        Keys are the names, then pairs such as ``"gender × race"``. Values are the classes of a column in their order,
        decades of ages, and parts of other numbers. Rows without a value have no category.

    Raises
    ------
    LabelError
        If a column does not exist, has one value only, or is not known of any photo.
    """
    columns = {name: _cohorts(samples, name) for name in dict.fromkeys(names)}
    pairs = {f"{a} × {b}": _crossed(columns[a], columns[b]) for a, b in combinations(columns, 2)}
    return {**columns, **pairs}


def _cohorts(samples: Samples, name: str) -> pd.Categorical:
    if name in samples.labels.columns:
        return label_cohorts(samples.labels[name])
    if name in _NUMBERS_OF_PHOTOS:
        return _of_photos(samples.table, name)
    if name == "detection":
        return pd.Categorical(samples.table.status)
    raise LabelError(
        f"--cohort must be a label column, {', '.join(_NUMBERS_OF_PHOTOS)} or detection; got {name!r}. "
        f"Columns: {list(samples.labels.columns)}."
    )


def label_cohorts(column: pd.Series) -> pd.Categorical:
    """The cohorts of a label column: its classes, decades of ages, or parts of other numbers.

    Raises
    ------
    LabelError
        If it has one value only.
    """
    (target,), _ = find_targets(column.to_frame(), [column.name])
    if target.task == REGRESSION:
        cut = decades if target.unit == "years" else _parts
        return cut(column.to_numpy(np.float64))
    values = [None if pd.isna(value) else str(plain_value(value)) for value in column]
    return pd.Categorical(values, [str(value) for value in target.classes])


def _parts(numbers: np.ndarray) -> pd.Categorical:
    """Parts of equally many rows, as far as equal numbers allow."""
    inner = np.unique(np.nanquantile(numbers, np.arange(1, N_PARTS) / N_PARTS))
    edges = [-np.inf, *inner, np.inf]
    middle = [f"{low:.3g} to {high:.3g}" for low, high in pairwise(inner)]
    return pd.cut(numbers, edges, labels=[f"up to {inner[0]:.3g}", *middle, f"above {inner[-1]:.3g}"])


def _crossed(one: pd.Categorical, other: pd.Categorical) -> pd.Categorical:
    width = len(other.categories)
    codes = np.where((one.codes < 0) | (other.codes < 0), -1, one.codes.astype(int) * width + other.codes)
    names = [f"{a} × {b}" for a in one.categories for b in other.categories]
    return pd.Categorical.from_codes(codes, names)


# ------------------------------------------------------------------------------------------------- from photos


def _of_photos(table: FaceTable, name: str) -> pd.Categorical:
    numbers = _NUMBERS_OF_PHOTOS[name](table)
    if not np.isfinite(numbers).any():
        raise LabelError(f"--cohort {name}: the table has nothing that it could be computed from. {_MISSING[name]}")
    return _parts(numbers)


def face_size_px(table: FaceTable) -> np.ndarray:
    """Shorter side of each face's box in pixels, shape (n_rows,); NaN where no face was found."""
    x0, y0, x1, y1 = table.box_xyxy.T
    return np.where(table.status == Status.OK, np.minimum(x1 - x0, y1 - y0), np.nan)


def sideways_turn(table: FaceTable) -> np.ndarray:
    """How far each face is turned sideways, float64 of shape (n_rows,), at least 0; NaN without suitable landmarks.

    The nose of a face that looks at the camera lies between the eyes; turning moves it towards one of them.
    """
    scheme = "" if table.spec is None else table.spec.embedder.landmark_scheme
    if scheme not in _EYES_AND_NOSE:
        return np.full(len(table), np.nan)
    one, other, nose = (
        table.landmarks_xy[:, index].mean(axis=1, dtype=np.float64) for index in _EYES_AND_NOSE[scheme]
    )
    axis = other - one
    along = ((nose - (one + other) / 2) * axis).sum(axis=1)
    square = (axis**2).sum(axis=1)
    return np.abs(np.divide(along, square, out=np.full(len(table), np.nan), where=square > 0))


_NUMBERS_OF_PHOTOS: dict[str, Callable[[FaceTable], np.ndarray]] = {
    "face_size": face_size_px,
    "turn": sideways_turn,
    **{name: attrgetter(name) for name in QUALITY_COLUMNS},
}
_AGAIN = "Extract again with --overwrite: the table was made before it was measured."
_MISSING = {
    "face_size": "It needs boxes.",
    "turn": "It needs landmarks of the eyes and the nose.",
    **dict.fromkeys(QUALITY_COLUMNS, _AGAIN),
}
