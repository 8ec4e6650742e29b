"""Labels keyed by image: read, write, and joined to a feature table by key, never by position.

A label file is a CSV or Parquet table with one row an image (or a face): the column ``path``, else the first column, is
the key; every other column is an attribute. ``path#2`` labels the second face of an image; a bare path labels every face
of it. The columns ``identity`` and ``split`` have a meaning to :mod:`faceheads.splits`; all others are targets or cohorts.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from .atomic import atomic_path
from .table import FaceTable

#: Columns that describe an image rather than being something to predict.
RESERVED_COLUMNS = ("identity", "split")
_N_EXAMPLES = 3


class LabelError(ValueError):
    """Labels cannot be read or do not fit the table; the message names examples and says what to do."""


def read_labels(path: str | os.PathLike) -> pd.DataFrame:
    """Labels of a CSV or Parquet file: index = key (str, named ``path``), one column an attribute.

    Raises
    ------
    LabelError
        If the file is missing, unreadable, has no column beside the key, or a key occurs twice.
    """
    path = Path(path)
    frame = _read_frame(path)
    if "path" in frame.columns:
        frame = frame.set_index("path")
    elif isinstance(frame.index, pd.RangeIndex) and len(frame.columns):
        frame = frame.set_index(frame.columns[0])
    frame.index = pd.Index(frame.index.map(str), name="path", dtype=object)
    if not len(frame.columns):
        raise LabelError(f"{path} has keys but no label column. It needs path,LABEL on its first line.")
    _refuse_duplicates(frame.index, f"{path}")
    return frame


def _read_frame(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise LabelError(f"There is no label file at {path}.")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype={"identity": str, "path": str})
    except (ValueError, OSError) as error:
        raise LabelError(f"{path} is not a readable label file ({error}).") from error


def write_labels(path: str | os.PathLike, labels: pd.DataFrame) -> None:
    """Write labels as CSV (or Parquet when the name says so), sorted by key, atomically."""
    path = Path(path)
    labels = labels.sort_index().rename_axis("path")
    with atomic_path(path) as temporary:
        if path.suffix == ".parquet":
            labels.to_parquet(temporary)
        else:
            labels.to_csv(temporary, lineterminator="\n")


def default_label_path(feature_path: str | os.PathLike) -> Path:
    """Where labels lie when nothing else is said: ``feature.label.csv`` beside ``feature.parquet``."""
    return Path(feature_path).with_suffix(".label.csv")


def labels_for(table: FaceTable, labels: pd.DataFrame, allow_missing: bool = False) -> pd.DataFrame:
    """The labels of every row of a table, in its order.

    Parameters
    ----------
    table : FaceTable of n_rows rows
    labels : DataFrame
        Index = key, as :func:`read_labels` gives.
    allow_missing : bool, default=False
        Whether rows without a label become missing values instead of an error.

    Returns
    -------
    DataFrame of n_rows rows, index = the table's keys.

    Raises
    ------
    LabelError
        If rows have no label or keys occur twice; the message names examples from both sides.
    """
    _refuse_duplicates(labels.index, "The labels")
    by_key = labels.index.get_indexer(table.keys)
    by_path = labels.index.get_indexer(table.path)
    position = pd.Series(by_key).where(by_key >= 0, by_path).to_numpy()
    is_missing = position < 0
    if is_missing.any() and not allow_missing:
        raise LabelError(_explain_missing(table, labels, is_missing))
    matched = labels.take(position.clip(0)) if len(labels) else labels.reindex(table.keys)
    matched.index = pd.Index(table.keys, name="path", dtype=object)
    if is_missing.any():
        matched = matched.where(~pd.Series(is_missing, index=matched.index), other=None)
    return matched


def _explain_missing(table: FaceTable, labels: pd.DataFrame, is_missing) -> str:
    rows = list(table.keys[is_missing][:_N_EXAMPLES])
    unused = labels.index.difference(pd.Index(table.path)).difference(pd.Index(table.keys))
    return (
        f"{int(is_missing.sum())} of {len(table)} rows of the feature table have no label, for example {rows}; "
        f"{len(unused)} of {len(labels)} labels match no row, for example {list(unused[:_N_EXAMPLES])}. "
        "Both must use the image's path relative to the data folder as the key."
    )


def _refuse_duplicates(index: pd.Index, what: str) -> None:
    if index.has_duplicates:
        examples = list(dict.fromkeys(index[index.duplicated()]))[:_N_EXAMPLES]
        raise LabelError(f"{what} must name each image once; these occur several times: {examples}.")
