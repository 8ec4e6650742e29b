"""Labels that do not fit their faces: photos unlike the others of their person, people who are two, people who are one.

The photos of each person are grouped (:mod:`.grouping`) at a lax threshold, for that they are of one person is likely
before any face is looked at. The largest group is taken for the person; photos outside it are suspects. Where two groups
are equally large nothing says who is right, and all photos are suspects. A suspect that is as alike to the photos of
somebody else as strangers hardly ever are is suggested to belong there; so are whole people who are as alike as one.

Nothing is changed or deleted: what comes out is for people to look at. ``benchmarks/cleaning.py`` plants wrong labels and
counts which are found.

References
----------
The winners of the Kryptonite challenge of 2025 cleaned its labels in this way: per person a graph of cosines, of which the
largest component was kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..table import FaceTable
from ..verification.similarity import prepared
from ..verification.threshold_file import ThresholdFile
from .grouping import group_faces, mean_similarity
from .thresholds import GROUPING_FMR, threshold_at_fmr

#: FMR of the threshold that the photos of a person are grouped at: of those that ``benchmarks/cleaning.py`` tries on
#: DevTrain the one that finds nearly all planted labels with few false alarms.
CLEANING_FMR = 0.01
#: FMR of the threshold at which two people may be one: of a thousand people there are half a million pairs.
SAME_PERSON_FMR = 1e-5
_BLOCK = 1024


@dataclass(frozen=True)
class CleaningThresholds:
    """Least similarities of photos of one person, of a suspect to somebody else, and of two people who may be one."""

    own: float
    other: float
    same: float

    @classmethod
    def of(cls, file: ThresholdFile) -> CleaningThresholds:
        """Those of a threshold file.

        Raises
        ------
        ThresholdError
            If its comparisons are too few.
        """
        return cls(*(threshold_at_fmr(file, fmr) for fmr in (CLEANING_FMR, GROUPING_FMR, SAME_PERSON_FMR)))


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found about the rows of a table.

    Attributes
    ----------
    person : ndarray of shape (n_rows,), object (str)
        As labelled.
    is_suspect, is_main : ndarray of shape (n_rows,), bool
        Rows that do not fit; rows of the group that was taken for the person. Neither: not judged.
    reason : ndarray of shape (n_rows,), object (str)
        Why a row is a suspect, or was not judged; else empty.
    similarity : ndarray of shape (n_rows,), float64
        Mean to the person's group (without itself); NaN where there is none.
    suggested : ndarray of shape (n_rows,), object (str)
        Who a suspect is like instead; mostly empty.
    same : list of (str, str, float)
        People who may be one person, and how alike they are; the most alike first.
    """

    person: np.ndarray
    is_suspect: np.ndarray
    is_main: np.ndarray
    reason: np.ndarray
    similarity: np.ndarray
    suggested: np.ndarray
    same: list[tuple[str, str, float]]

    def columns(self) -> pd.DataFrame:
        """What a label file is told, one row a row of the table."""
        return pd.DataFrame(
            {
                "suspect": self.is_suspect.astype(int),
                "suspect_reason": self.reason,
                "suggested_identity": self.suggested,
                "similarity_to_identity": self.similarity,
            }
        )


def find_suspects(
    table: FaceTable,
    person: np.ndarray,
    metric: str,
    thresholds: CleaningThresholds,
    is_fake: np.ndarray | None = None,
) -> Findings:
    """Look for labels that do not fit.

    Parameters
    ----------
    table : FaceTable
    person : ndarray of shape (n_rows,), object (str)
        Rows with an empty one are not judged.
    metric : {"cosine", "euclidean"}
    thresholds : CleaningThresholds
    is_fake : ndarray of shape (n_rows,), bool, optional
        Not judged.
    """
    n = len(table)
    is_fake = np.zeros(n, bool) if is_fake is None else is_fake
    is_judged = table.has_embedding & (table.face_index == 0) & (person != "") & ~is_fake
    reason = np.full(n, "", dtype=object)
    reason[~table.has_embedding] = "not judged: no face"
    reason[is_fake] = "not judged: a fake"
    is_main, is_suspect = np.zeros(n, bool), np.zeros(n, bool)
    similarity = np.full(n, np.nan)
    vectors = np.full(table.embedding.shape, np.nan, np.float32)
    vectors[is_judged] = prepared(table.embedding[is_judged], metric)
    people = _rows_by_person(person, is_judged)
    for rows in people.values():
        group = group_faces(table.embedding[rows], rows, metric, thresholds.own)
        is_main[rows], reason[rows] = _judged(group)
        is_suspect[rows] = ~is_main[rows]
        similarity[rows] = _to_main(vectors[rows], is_main[rows], metric)
    names = [name for name, rows in people.items() if is_main[rows].any()]
    means = [vectors[people[name]][is_main[people[name]]] for name in names]
    suggested = _suggested(vectors, is_suspect, names, means, metric, thresholds.other)
    same = _same(names, means, metric, thresholds.same)
    return Findings(person, is_suspect, is_main, reason, similarity, suggested, same)


def _rows_by_person(person: np.ndarray, is_judged: np.ndarray) -> dict[str, np.ndarray]:
    rows = np.flatnonzero(is_judged)
    return {str(name): rows[at] for name, at in pd.Series(person[rows]).groupby(person[rows]).indices.items()}


def _judged(group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which photos of a person are of the main group, and why the others are suspects."""
    sizes = np.bincount(group)
    reasons = np.full(len(group), "", dtype=object)
    if len(sizes) > 1 and sizes[0] == sizes[1]:
        equal = int((sizes == sizes[0]).sum())
        reasons[:] = f"no majority: {equal} groups of {sizes[0]} that are not alike"
        return np.zeros(len(group), bool), reasons
    for number in range(1, len(sizes)):
        others = f"; one of {sizes[number]} that are alike, a second person?" if sizes[number] > 1 else ""
        reasons[group == number] = f"not like the {sizes[0]} others{others}"
    return group == 0, reasons


def _to_main(vectors: np.ndarray, is_main: np.ndarray, metric: str) -> np.ndarray:
    """Mean similarity of each photo of a person to those of the main group, without itself."""
    similarity = np.full(len(vectors), np.nan)
    for row in range(len(vectors)):
        others = is_main.copy()
        others[row] = False
        if others.any():
            similarity[row] = mean_similarity([vectors[[row]]], [vectors[others]], metric)[0, 0]
    return similarity


def _suggested(
    vectors: np.ndarray,
    is_suspect: np.ndarray,
    names: list[str],
    means: list[np.ndarray],
    metric: str,
    threshold: float,
) -> np.ndarray:
    """Who each suspect is most like, where that is alike enough; its own person is not, or it would be no suspect."""
    suggested, rows = np.full(len(vectors), "", dtype=object), np.flatnonzero(is_suspect)
    for begin in range(0, len(rows) if names else 0, _BLOCK):
        some = rows[begin : begin + _BLOCK]
        similarity = mean_similarity([vectors[[row]] for row in some], means, metric)
        best = similarity.argmax(axis=1)
        is_alike = similarity[np.arange(len(some)), best] >= threshold
        suggested[some[is_alike]] = np.array(names, object)[best[is_alike]]
    return suggested


def _same(names: list[str], means: list[np.ndarray], metric: str, threshold: float) -> list[tuple[str, str, float]]:
    found = []
    for begin in range(0, len(names), _BLOCK):
        similarity = mean_similarity(means[begin : begin + _BLOCK], means, metric)
        for i, k in zip(*np.nonzero(similarity >= threshold), strict=True):
            if begin + i < k:
                found.append((names[begin + i], names[k], float(similarity[i, k])))
    return sorted(found, key=lambda pair: -pair[2])
