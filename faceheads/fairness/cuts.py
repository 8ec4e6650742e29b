"""Every decision that a threshold can make on some scores, counted at once.

A row is decided positive when its score is at least the threshold. Rows of equal scores are decided alike whatever the
threshold, so n scores with m distinct values allow m + 1 decisions, called *cuts*: one below all scores, one above all,
one between each two neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class Cuts:
    """What each cut decides, cohort by cohort.

    Attributes
    ----------
    threshold : ndarray of shape (n_cuts,), float64
        Rising; the first is -inf (all rows positive), the last +inf (none), the others lie between two distinct scores.
    width : ndarray of shape (n_cuts,), float64
        Half the distance of these two scores; 0 for the first and the last.
    true_positives, false_positives : ndarray of shape (n_cohorts, n_cuts), int64
        Rows of the cohort that are decided positive, rightly and wrongly.
    n_positive, n_negative : ndarray of shape (n_cohorts, 1), int64
        Rows of the cohort by their true class.
    """

    threshold: np.ndarray
    width: np.ndarray
    true_positives: np.ndarray
    false_positives: np.ndarray
    n_positive: np.ndarray
    n_negative: np.ndarray

    @property
    def accuracy(self) -> np.ndarray:
        """Share of right decisions in each cohort, float64 of shape (n_cohorts, n_cuts)."""
        return (self.true_positives + self.n_negative - self.false_positives) / (self.n_positive + self.n_negative)

    @property
    def pooled(self) -> Cuts:
        """The same cuts with all rows in one cohort."""
        if len(self.n_positive) == 1:
            return self
        counts = (self.true_positives, self.false_positives, self.n_positive, self.n_negative)
        return Cuts(self.threshold, self.width, *(count.sum(axis=0, keepdims=True) for count in counts))


def make_cuts(scores: np.ndarray, is_positive: np.ndarray, codes: np.ndarray, n_cohorts: int) -> Cuts:
    """The cuts of checked scores, in O(n log n + n · n_cohorts).

    Parameters
    ----------
    scores : ndarray of shape (n_rows,), float64
    is_positive : ndarray of shape (n_rows,), bool
    codes : ndarray of shape (n_rows,), int
        Cohort of each row, 0 … n_cohorts - 1, each with at least one row.
    n_cohorts : int
    """
    order = np.argsort(scores)
    ordered, positive, codes = scores[order], is_positive[order], codes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] > ordered[:-1]])
    from_cut = [[_count_from(starts, (codes == g) & side) for side in (positive, ~positive)] for g in range(n_cohorts)]
    counts = np.array(from_cut).transpose(1, 0, 2)
    distinct = ordered[starts]
    width = np.r_[0.0, np.diff(distinct / 2), 0.0]
    return Cuts(_between(distinct), width, *counts, *counts[:, :, :1])


def _count_from(starts: np.ndarray, is_counted: np.ndarray) -> np.ndarray:
    """How many rows are counted from each start on; a last entry, 0, for none."""
    below = np.r_[0, np.cumsum(is_counted)]
    return below[-1] - below[np.r_[starts, len(is_counted)]]


def _between(distinct: np.ndarray) -> np.ndarray:
    """The middle of neighbours, but never the lower of them: a decision on exactly that score would change."""
    low, high = distinct[:-1], distinct[1:]
    middle = low / 2 + high / 2
    return np.r_[-np.inf, np.where((low < middle) & (middle <= high), middle, high), np.inf]


def check_scores(scores: Sequence[float], is_positive: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Scores as float64 and truth as bool, both of shape (n_rows,).

    Raises
    ------
    ValueError
        If there are no rows, lengths differ, a score is not finite, or a truth is neither 0 nor 1.
    """
    scores, truth = np.asarray(scores, np.float64), np.asarray(is_positive)
    if scores.ndim != 1 or not len(scores) or truth.shape != scores.shape:
        raise ValueError(
            f"scores and is_positive must have one value a row, at least one; got shapes {scores.shape}, {truth.shape}."
        )
    if not np.isfinite(scores).all():
        raise ValueError(f"scores must be finite; {int((~np.isfinite(scores)).sum())} of {len(scores)} are not.")
    if truth.dtype != bool and not np.isin(truth, (0, 1)).all():
        raise ValueError("is_positive must hold 0 and 1, or false and true. Compare the labels with the positive one.")
    return scores, truth.astype(bool)


def encode_cohorts(cohorts: Sequence | None, n_rows: int) -> tuple[np.ndarray, list]:
    """The cohort of each row as a number, and the cohorts in sorted order; without any, all rows are of ``"all"``.

    Raises
    ------
    ValueError
        If the length differs or a row has no cohort.
    """
    if cohorts is None:
        return np.zeros(n_rows, np.int64), ["all"]
    values = np.asarray(cohorts)
    if values.ndim == 2 and values.shape[1] == 1:  # a data frame with one column
        values = values[:, 0]
    if values.shape != (n_rows,):
        raise ValueError(f"cohorts must have one value a row, {n_rows}; got an array of shape {values.shape}.")
    codes, names = pd.factorize(values, sort=True)
    if (codes < 0).any():
        raise ValueError(
            f"each row must have a cohort; {int((codes < 0).sum())} of {n_rows} have none. Leave these rows out, or "
            "give them a cohort of their own."
        )
    return codes, np.asarray(names).tolist()
