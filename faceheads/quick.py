"""A feature table as scikit-learn takes it, in one line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from .labels import RESERVED_COLUMNS, LabelError, default_label_path, read_labels
from .samples import drop_conflicts, group_samples, join_labels
from .table_io import read_table


class LoadedTable(NamedTuple):
    """What :func:`load_table` gives; unpacks as ``X, y, groups``.

    Attributes
    ----------
    X : ndarray of shape (n_faces, dimension), float32
        Embeddings.
    y : ndarray of shape (n_faces,), DataFrame of n_faces rows, or None
        The target column, several columns, or None without labels. The frame's index holds the keys of the faces.
    groups : ndarray of shape (n_faces,), int64
        Rows of one person, and equal images, share a number: what ``GroupKFold`` takes.
    """

    X: np.ndarray
    y: np.ndarray | pd.DataFrame | None
    groups: np.ndarray


def load_table(
    path: str | os.PathLike,
    label: str | os.PathLike | None = None,
    target: str | Sequence[str] | None = None,
    groups: str = "auto",
) -> LoadedTable:
    """Embeddings, labels and groups of every face that has an embedding and a value of the target.

    Parameters
    ----------
    path : path of a feature table
    label : path of a label table, optional
        Default: ``NAME.label.csv`` beside the feature table, where it exists.
    target : str or sequence of str, optional
        One label column gives an array, several give a DataFrame. Default: all columns.
    groups : str, default="auto"
        See :func:`faceheads.samples.group_samples`.

    Returns
    -------
    LoadedTable
        Sorted by key. Rows without a face, without a value, and copies of one image that are labelled differently in a
        target are left out.

    Raises
    ------
    TableError
        If the table cannot be read.
    LabelError
        If labels are asked for and missing, or do not fit the table.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GroupKFold, cross_val_score
    >>> X, y, groups = load_table("feature.parquet", target="gender")          # doctest: +SKIP
    >>> cross_val_score(LogisticRegression(), X, y, groups=groups, cv=GroupKFold())  # doctest: +SKIP
    """
    table = read_table(path)
    labels = _labels(Path(path), label, target)
    if labels is None:
        samples = group_samples(join_labels(table, pd.DataFrame(index=table.keys)), groups)
        rows = samples.table.has_embedding
        return LoadedTable(samples.table.embedding[rows], None, samples.groups[rows])
    samples = join_labels(table, labels)
    columns = _columns(labels, target)
    samples = group_samples(drop_conflicts(samples, columns), groups)
    rows = samples.table.has_embedding & samples.labels[columns].notna().all(axis=1).to_numpy()
    chosen = samples.labels.loc[rows, columns].infer_objects()
    y = chosen[target].to_numpy() if isinstance(target, str) else chosen
    return LoadedTable(samples.table.embedding[rows], y, samples.groups[rows])


def _labels(path: Path, label: str | os.PathLike | None, target: str | Sequence[str] | None) -> pd.DataFrame | None:
    if label is not None:
        return read_labels(label)
    beside = default_label_path(path)
    return read_labels(beside) if beside.is_file() or target is not None else None


def _columns(labels: pd.DataFrame, target: str | Sequence[str] | None) -> list[str]:
    if target is None:
        return [name for name in labels.columns if name not in RESERVED_COLUMNS]
    columns = [target] if isinstance(target, str) else list(target)
    missing = [name for name in columns if name not in labels.columns]
    if missing:
        raise LabelError(f"There is no label column {missing}; the label file has {list(labels.columns)}.")
    return columns
