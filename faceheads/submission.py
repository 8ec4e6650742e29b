"""From a trained head to the file that a challenge takes: one decision for each listed image, none forgotten."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .fitted_head import Head
from .table import FaceTable
from .targets import CLASSIFICATION
from .training import TrainingResult


def decide_listed(result: TrainingResult, table: FaceTable, listed: Sequence[str]) -> pd.Series:
    """The decision about each listed image: 0 or 1.

    Parameters
    ----------
    result : TrainingResult
        With one head for two classes; heads that only predict cohorts for its thresholds do not count.
    table : FaceTable
        Has a row for each listed image; of several faces the first is taken. An image without a face is given the most
        frequent class of training.
    listed : sequence of str
        Paths.

    Returns
    -------
    Series of int, index = ``listed``

    Raises
    ------
    ValueError
        If there is no such head, or listed images are not in the table.
    """
    head = _binary_head(result.file.heads)
    first = np.flatnonzero(table.face_index <= 0)
    position = pd.Series(first, index=table.path[first])
    missing = [path for path in listed if path not in position.index]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(listed)} listed images are not in the feature table, for example {missing[:3]}. "
            "Extract features of the whole folder, test images too."
        )
    rows = table[position.loc[list(listed)].to_numpy()]
    decided = np.full(len(rows), _most_frequent(result, head), np.int64)
    if rows.has_embedding.any():
        predictions = result.file.predict(rows.embedding[rows.has_embedding], table.spec)
        values = next(p.value for p in predictions if p.target == head.target.name)
        decided[rows.has_embedding] = [head.target.classes.index(value) for value in values]
    return pd.Series(decided, index=pd.Index(list(listed), dtype=object))


def _binary_head(heads: Sequence[Head]) -> Head:
    helpers = {head.by_cohort.target for head in heads if head.by_cohort is not None}
    found = [head for head in heads if head.target.name not in helpers]
    if len(found) != 1 or found[0].target.task != CLASSIFICATION or len(found[0].target.classes) != 2:
        raise ValueError(
            f"A submission needs one head for two classes; got {[head.target.name for head in heads]}. "
            "Choose its label column with --target."
        )
    return found[0]


def _most_frequent(result: TrainingResult, head: Head) -> int:
    labels = result.samples.labels.loc[result.samples.in_part("train"), list(head.target.columns)].dropna()
    return int(np.bincount(head.target.encode(labels)).argmax())
