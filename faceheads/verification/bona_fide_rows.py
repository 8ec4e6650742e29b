"""Bona fide scores beside the rows of a table: which photos have one, and which of them taught the head."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ..splits import TRAIN, load_split
from ..table import FaceTable, TableError
from .bona_fide_head import BonaFideHead

_N_EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class ScoredTable:
    """Rows for comparisons with the bona fide score of each.

    Attributes
    ----------
    table : FaceTable
        A row without a bona fide score has no vector either: it cannot be compared.
    bona_fide : ndarray of shape (n_rows,), float64
        See :meth:`BonaFideHead.scores`; NaN where there is none.
    """

    table: FaceTable
    bona_fide: np.ndarray

    @classmethod
    def of(cls, table: FaceTable, looked_at: FaceTable, head: BonaFideHead) -> ScoredTable:
        """The rows of a table with the scores that a head gives to the same photos in another.

        Parameters
        ----------
        table : FaceTable
            What is compared.
        looked_at : FaceTable
            What the head takes, of the same photos; the first face of a photo counts.
        head : BonaFideHead

        Raises
        ------
        TableError
            If photos are missing, or are not the same.
        faceheads.headfile.HeadError
            If the head takes another embedder.
        """
        first = looked_at[looked_at.face_index == 0]
        row = pd.Index(first.path).get_indexer(pd.Index(table.path))
        _check_there(table, row)
        _check_same(table, first.sha256[row])
        is_lost = table.has_embedding & ~first.has_embedding[row]
        lost = {name: getattr(table, name).copy() for name in ("status", "reason", "embedding")}
        lost["status"][is_lost], lost["reason"][is_lost] = first.status[row][is_lost], first.reason[row][is_lost]
        lost["embedding"][is_lost] = np.nan
        return cls(replace(table, **lost), head.scores(first)[row])


def _check_there(table: FaceTable, row: np.ndarray) -> None:
    missing = table.path[row < 0]
    if len(missing):
        raise TableError(
            f"{len(missing)} photos have no row in the table for the bona fide head, for example "
            f"{list(missing[:_N_EXAMPLES])}. Extract both tables from the same folder."
        )


def _check_same(table: FaceTable, sha256: np.ndarray) -> None:
    is_other = (table.sha256 != sha256) & (table.sha256 != "") & (sha256 != "")
    if is_other.any():
        raise TableError(
            f"{is_other.sum()} photos changed between the two tables, for example "
            f"{list(table.path[is_other][:_N_EXAMPLES])}. Extract both again."
        )


def learned_rows(head_path: Path, table: FaceTable) -> np.ndarray | None:
    """Which rows show photos that a head learned from, by the split that ``train.py`` wrote beside it.

    Returns
    -------
    ndarray of shape (n_rows,), bool, or None
        None when there is no split, so that nobody knows.

    Raises
    ------
    ValueError
        If the file beside the head is no split.
    """
    split_path = head_path.with_suffix(".split.csv")
    if not split_path.exists():
        return None
    split = load_split(split_path)
    learned = split[split["part"] == TRAIN]
    contents = set(learned["sha256"]) - {""}
    by_path = pd.Index(table.keys).isin(learned["path"]) & (table.sha256 == "")
    return by_path | pd.Index(table.sha256).isin(contents)
