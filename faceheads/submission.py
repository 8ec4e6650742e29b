"""From a trained head to the file that a challenge takes: one decision for each listed image, none forgotten."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .datasets import ADAPTERS, open_dataset
from .datasets.facecom import TASK_FOLDERS
from .datasets.idemia import read_test_list
from .datasets.submissions import write_facecom_predictions, write_idemia_submission
from .fitted_head import Head
from .table import FaceTable
from .targets import CLASSIFICATION
from .training import TrainingResult

_VAL = "val"


@dataclass(frozen=True, eq=False)
class Challenge:
    """What a submission is about.

    Attributes
    ----------
    listed : tuple of str
        The images to decide about.
    split : {"random", "given"}
        How the others are divided for training and testing: where the listed ones have no labels, at random.
    truth : Series of str, index = ``listed``, or None
        What the file names beside each decision (FACECOM); None for Idemia's 1 and -1.
    """

    listed: tuple[str, ...]
    split: str
    truth: pd.Series | None = None

    def check_split(self, split: str) -> str:
        """The split to train with, where ``auto`` is asked for too.

        Raises
        ------
        ValueError
            If images that are scored would be trained on.
        """
        if self.truth is not None and split not in ("auto", "given"):
            raise ValueError(f"--split {split} would train on the images that FACECOM scores. Leave --split away.")
        return self.split if split == "auto" else split

    def write(self, file: str | os.PathLike, result: TrainingResult, table: FaceTable) -> None:
        """Write the decisions of a trained head in the form of the challenge.

        Raises
        ------
        ValueError
            As :func:`decide_listed` and the writers do.
        """
        decided = decide_listed(result, table, self.listed)
        if self.truth is None:
            write_idemia_submission(file, decided, self.listed)
            return
        classes = np.array(_binary_head(result.file.heads).target.classes, dtype=object)
        write_facecom_predictions(file, self.truth, pd.Series(classes[decided], index=decided.index))


def open_challenge(folder: Path) -> Challenge:
    """The challenge whose folder this is: FACECOM's Task A, else Idemia's with its ``test.txt``.

    Raises
    ------
    ValueError
        If it has no images to decide about.
    """
    if not ADAPTERS["facecom"].detect(folder):
        return Challenge(tuple(read_test_list(folder)), "random")
    task = "A" if (folder / TASK_FOLDERS["A"]).is_dir() else None
    labels = open_dataset(folder, "facecom", task=task).labels
    if "gender" not in labels.columns:
        raise ValueError(f"{folder} is FACECOM's Task B: its submission is written by verify.py --submission.")
    truth = labels.loc[labels["split"] == _VAL, "gender"]
    if not len(truth):
        raise ValueError(f"{folder} has no images in val to decide about.")
    return Challenge(tuple(truth.index), "given", truth)


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
