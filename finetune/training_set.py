"""What a network learns from: crops with their labels, in a training part and a validation part without a common person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.labels import LabelError
from faceheads.samples import (
    Samples,
    drop_conflicts,
    group_samples,
    join_labels,
    split_samples,
)
from faceheads.splits import TEST, TRAIN, grouped_split
from faceheads.table import FaceTable

from .crop_file import CropFile, pack_crops


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Crops and labels of the rows that may be learned from; the test part is not in it.

    Attributes
    ----------
    crops : CropFile
        All crops, also those that are not used.
    crop_row : ndarray of shape (n_rows,), int64
        Where the crop of each row lies in ``crops``.
    labels : DataFrame of n_rows rows
        Without missing values in the columns that are wanted.
    groups : ndarray of shape (n_rows,), int64
        Rows of one person or photo share a number.
    is_validation : ndarray of shape (n_rows,), bool
    n_test, n_unlabelled : int
        Rows that were left out for the test, and for want of a label.
    split_by, grouped_by : str
        How the test part and the groups were found, in words.
    teacher : ndarray of shape (n_rows, n_numbers), float32, optional
        Embeddings that those of the network shall be near to.
    """

    crops: CropFile
    crop_row: np.ndarray
    labels: pd.DataFrame
    groups: np.ndarray
    is_validation: np.ndarray
    n_test: int
    n_unlabelled: int
    split_by: str = ""
    grouped_by: str = ""
    teacher: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.crop_row)

    @property
    def keys(self) -> list[str]:
        """Of the face of each row, as in the feature table."""
        return [self.crops.keys[row] for row in self.crop_row]


@dataclass(frozen=True)
class SplitOptions:
    """How rows are divided.

    Attributes
    ----------
    split : str
        What is kept for the test, never seen here: ``auto``, ``random``, ``content``, ``given`` or a split file, as in
        ``train.py --split``.
    test_size : float
        Of a random split.
    groups : str
        Who must stay together, as in ``train.py --groups``.
    validation_size : float
        Share of the rest that decides when training ends.
    seed : int
    """

    split: str = "auto"
    test_size: float = 0.2
    groups: str = "auto"
    validation_size: float = 0.1
    seed: int = 0


def make_training_set(
    folder: Path,
    table: FaceTable,
    labels: pd.DataFrame,
    columns: Sequence[str],
    options: SplitOptions,
    jobs: int = 1,
) -> TrainingSet:
    """The training set of a folder of crops.

    Parameters
    ----------
    folder : Path
        Crops that ``feature_extraction.py --save_crops`` wrote; the packed file goes beside it.
    table : FaceTable
        Of the same extraction.
    labels : DataFrame
        As :func:`faceheads.labels.read_labels` gives.
    columns : sequence of str
        Labels that each row must have.
    options : SplitOptions
    jobs : int, default=1

    Raises
    ------
    LabelError
        If a column or all labels are missing, or the split does not fit.
    CropFileError
        If crops are missing.
    """
    _check_columns(labels, columns)
    crops = pack_crops(folder, table, folder.with_name(f"{folder.name}.npy"), jobs)
    samples = group_samples(join_labels(table[table.has_embedding], labels, allow_unlabelled=True), options.groups)
    samples = drop_conflicts(split_samples(samples, options.split, options.test_size, options.seed), columns)
    return _without_test(crops, samples, columns, options)


def _without_test(crops: CropFile, samples: Samples, columns: Sequence[str], options: SplitOptions) -> TrainingSet:
    is_labelled = samples.labels[list(columns)].notna().all(axis=1).to_numpy()
    rows = np.flatnonzero(samples.in_part(TRAIN) & is_labelled)
    if not len(rows):
        raise LabelError(f"No face of the training part has the labels {list(columns)}. Give more labels.")
    groups = samples.groups[rows]
    position = {key: i for i, key in enumerate(crops.keys)}
    return TrainingSet(
        crops=crops,
        crop_row=np.array([position[key] for key in samples.table.keys[rows]], np.int64),
        labels=samples.labels.iloc[rows],
        groups=groups,
        is_validation=grouped_split(groups, options.validation_size, options.seed + 1) == TEST,
        n_test=int(samples.in_part(TEST).sum()),
        n_unlabelled=int((samples.in_part(TRAIN) & ~is_labelled).sum()),
        split_by=samples.split_by,
        grouped_by=samples.grouped_by,
    )


def _check_columns(labels: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in labels.columns]
    if missing:
        raise LabelError(
            f"The labels must have the columns {list(columns)}; {missing} are missing in {list(labels)}. Give a table that has "
            "them with --label, or rename its columns."
        )
