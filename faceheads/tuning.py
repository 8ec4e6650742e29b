"""The threshold of a head, tuned for a criterion on out-of-fold probabilities of its training part.

The test part has no say. Each training row is given a probability by a head that was fitted without its fold, and no
person or image is in two folds. Criteria that compare cohorts need to know the cohort of the training rows, not of the
faces that are decided later: one threshold serves all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from .calibration.tuner import count_independent
from .fairness.optimum import CRITERIA, MEAN_MINUS_GAP, MINIMUM, TunedThresholds, chance_gap, shared_threshold
from .fairness.price import price_line, price_table
from .heads import fit_head, predict_probabilities
from .labels import LabelError
from .splits import grouped_folds
from .targets import CLASSIFICATION, MULTILABEL, Target

N_FOLDS = 5
#: Criteria that are about cohorts.
COHORT_CRITERIA = (MEAN_MINUS_GAP, MINIMUM)
#: The number after 1: no probability reaches it.
_NEVER = float(np.nextafter(1.0, 2.0))


@dataclass(frozen=True)
class Tuning:
    """What thresholds are tuned for.

    Attributes
    ----------
    criterion : str
        One of :data:`faceheads.fairness.optimum.CRITERIA`.
    min_precision : float
        For ``recall_at_precision``.

    Raises
    ------
    ValueError
        If the criterion is unknown or the precision out of range.
    """

    criterion: str
    min_precision: float = 0.9

    def __post_init__(self) -> None:
        if self.criterion not in CRITERIA:
            raise ValueError(f"The criterion must be one of {', '.join(CRITERIA)}; got {self.criterion!r}.")
        if not 0 < self.min_precision <= 1:
            raise ValueError(f"min_precision must be in (0, 1]; got {self.min_precision}.")


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """The rows that a head learns from.

    Attributes
    ----------
    X : ndarray of shape (n_rows, dimension), float32
    y : ndarray
        As ``Target.encode`` gives it.
    groups : ndarray of shape (n_rows,)
    cohorts : ndarray of shape (n_rows,), object, or None
        None in the array where the cohort is not known.
    cohort_name : str
    """

    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray
    cohorts: np.ndarray | None = None
    cohort_name: str = ""


def can_be_tuned(target: Target) -> bool:
    """Whether the target is decided between two classes, once or for each attribute."""
    return target.task == MULTILABEL or (target.task == CLASSIFICATION and len(target.classes) == 2)


def tune_thresholds(
    target: Target, make: Callable[[int], BaseEstimator], rows: TrainingRows, tuning: Tuning, seed: int
) -> tuple[tuple[float, ...], str, list[str]]:
    """Thresholds of a head.

    Parameters
    ----------
    target : Target
        One that :func:`can_be_tuned`.
    make : callable
        Number of training rows → an unfitted estimator.
    rows : TrainingRows
    tuning : Tuning
    seed : int
        Of folds and estimators.

    Returns
    -------
    thresholds : tuple of float
        In [0, 1], or the number after 1 where nothing should be decided positive.
    how : str
        How they were found, in words.
    remarks : list of str
        What the thresholds cost, where cohorts are compared.

    Raises
    ------
    LabelError
        If a criterion that compares cohorts has none, a fold lacks a class, or the criterion is undefined.
    """
    if tuning.criterion in COHORT_CRITERIA and rows.cohorts is None:
        raise LabelError(f"{tuning.criterion} compares cohorts: name their label column with --cohort.")
    probabilities = out_of_fold_probabilities(target, make, rows, seed)
    columns = rows.y.reshape(len(rows.y), -1)
    found = [_tune(p, y == 1, rows, tuning) for p, y in zip(probabilities.T, columns.T, strict=True)]
    thresholds = tuple(min(max(limit_of(tuned), 0.0), _NEVER) for tuned, _, _ in found)
    _, how, _ = found[0]
    remarks = [f"{name}: {remark}" for name, (_, _, remark) in zip(target.columns, found, strict=True) if remark]
    return thresholds, how, remarks


def out_of_fold_probabilities(
    target: Target, make: Callable[[int], BaseEstimator], rows: TrainingRows, seed: int
) -> np.ndarray:
    """Probability of the second class, or of each attribute, float64 of shape (n_rows, n_columns)."""
    n_groups = len(np.unique(rows.groups))
    if n_groups < 2:
        raise LabelError("Thresholds are tuned across groups; all training rows belong to one.")
    columns = rows.y.reshape(len(rows.y), -1)
    result = np.empty(columns.shape, np.float64)
    for train, test in grouped_folds(rows.groups, min(N_FOLDS, n_groups), seed):
        if (columns[train].min(axis=0) == columns[train].max(axis=0)).any():
            raise LabelError(
                f"{target.name}: a class is missing from a fold. Give more labels or do not tune thresholds."
            )
        estimator = make(len(train))
        fit_head(estimator, rows.X[train], rows.y[train], rows.groups[train], seed)
        found = predict_probabilities(estimator, rows.X[test], target.task)
        result[test] = found if target.task == MULTILABEL else found[:, 1:]
    return result


def _tune(
    probabilities: np.ndarray, truth: np.ndarray, rows: TrainingRows, tuning: Tuning
) -> tuple[TunedThresholds, str, str]:
    """The thresholds of one column, how they were found, and what they cost."""
    compares = tuning.criterion in COHORT_CRITERIA
    known = np.array([c is not None for c in rows.cohorts]) if compares else np.ones(len(truth), bool)
    if not known.any():
        raise LabelError(f"{tuning.criterion} needs rows whose {rows.cohort_name!r} is known; there are none.")
    cohorts = rows.cohorts[known].astype(str) if compares else None
    problem = (probabilities[known], truth[known], cohorts)
    tolerance = 0.0
    if tuning.criterion == MEAN_MINUS_GAP:
        counts = count_independent(cohorts, rows.groups[known], int(known.sum()))
        tolerance = chance_gap(shared_threshold(*problem, "accuracy"), counts)
    try:
        tuned = shared_threshold(*problem, tuning.criterion, tuning.min_precision, tolerance)
    except ValueError as error:
        raise LabelError(f"The threshold cannot be tuned: {error}") from error
    how = f"{_words(tuning, rows, tolerance)}, on out-of-fold probabilities of {int(known.sum())} training rows"
    return tuned, how, price_line(price_table(*problem)) if compares else ""


def limit_of(tuned: TunedThresholds) -> float:
    """The threshold that all cohorts share."""
    return next(iter(tuned.thresholds.values()))


def _words(tuning: Tuning, rows: TrainingRows, tolerance: float) -> str:
    if tuning.criterion == "recall_at_precision":
        return f"recall at a precision of {tuning.min_precision:g}"
    if tuning.criterion not in COHORT_CRITERIA:
        return tuning.criterion
    words = f"{tuning.criterion} over {rows.cohort_name!r}"
    return words + (f" (a gap up to {tolerance:.4f} is within chance)" if tuning.criterion == MEAN_MINUS_GAP else "")
