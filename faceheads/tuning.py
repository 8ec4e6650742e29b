"""The threshold of a head, tuned for a criterion on out-of-fold probabilities of its training part.

The test part has no say. Each training row is given a probability by a head that was fitted without its fold, and no
person or image is in two folds. Criteria that compare cohorts need to know the cohort of the training rows, not of the
faces that are decided later: one threshold serves all, or the cohort is predicted by another head of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.base import BaseEstimator

from .fairness.chance import settled
from .fairness.criterion import CHANCE, MEAN_MINUS_GAP, RECALL_AT_PRECISION, Criterion
from .fairness.optimum import TunedThresholds, cohort_thresholds, shared_threshold
from .fairness.price import price_line, price_table
from .fairness.scores import cohort_accuracies
from .fitted_head import CohortThresholds, Head
from .fitting import fit_head, predict_probabilities
from .heads import make_head
from .labels import LabelError
from .splits import grouped_folds
from .targets import CLASSIFICATION, MULTILABEL, Target
from .training_rows import TrainingRows

N_FOLDS = 5
#: With fewer rows a cohort's own threshold would be that of a handful of people.
MIN_COHORT_ROWS = 50
#: The number after 1: no probability reaches it.
_NEVER = float(np.nextafter(1.0, 2.0))


@dataclass(frozen=True)
class Tuning:
    """What thresholds are tuned for.

    Attributes
    ----------
    criterion : str
        One of :data:`faceheads.fairness.criterion.CRITERIA`.
    min_precision : float
        For ``recall_at_precision``.
    per_cohort : bool
        Whether each cohort has its own threshold. New faces are decided by their predicted cohort, softly; see
        :mod:`faceheads.calibration.unknown_cohort`.

    Raises
    ------
    ValueError
        If the criterion is unknown or the precision out of range.
    """

    criterion: str
    min_precision: float = 0.9
    per_cohort: bool = False

    @property
    def compares(self) -> bool:
        """Whether the cohorts of training rows must be known."""
        return self.per_cohort or self.full_criterion.compares

    def __post_init__(self) -> None:
        _ = self.full_criterion

    @property
    def full_criterion(self) -> Criterion:
        """The criterion with its numbers; a gap within chance costs nothing."""
        return Criterion(self.criterion, self.min_precision, CHANCE)


def can_be_tuned(target: Target) -> bool:
    """Whether the target is decided between two classes, once or for each attribute."""
    return target.task == MULTILABEL or (target.task == CLASSIFICATION and len(target.classes) == 2)


@dataclass(frozen=True, eq=False)
class Tuned:
    """Thresholds of a head.

    Attributes
    ----------
    thresholds : tuple of float
        In [0, 1], or the number after 1 where nothing should be decided positive.
    how : str
        How they were found, in words.
    remarks : list of str
        What they cost, where cohorts are compared.
    by_cohort : CohortThresholds or None
        Where each cohort has its own.
    """

    thresholds: tuple[float, ...]
    how: str
    remarks: list[str]
    by_cohort: CohortThresholds | None = None


def tune_thresholds(
    target: Target,
    make: Callable[[int], BaseEstimator],
    rows: TrainingRows,
    tuning: Tuning,
    seed: int,
    cohort_head: Head | None = None,
) -> Tuned:
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
    cohort_head : Head, optional
        Predicts the cohorts, where each is to have its own threshold.

    Raises
    ------
    LabelError
        If cohorts are to be compared and there are none, a fold lacks a class, or the criterion is undefined.
    """
    if tuning.compares and rows.cohorts is None:
        raise LabelError(f"{tuning.criterion} compares cohorts: name their label column with --cohort.")
    if tuning.per_cohort and target.task == MULTILABEL:
        raise LabelError("Thresholds by cohort exist for single targets only; give --task classification.")
    probabilities = _out_of_fold(target, make, rows, seed)
    probabilities = probabilities if target.task == MULTILABEL else probabilities[:, 1:]
    columns = rows.y.reshape(len(rows.y), -1)
    problems = [_Problem.of(p, y == 1, rows, tuning) for p, y in zip(probabilities.T, columns.T, strict=True)]
    found = [problem.solve(shared_threshold) for problem in problems]
    thresholds = tuple(_stored(next(iter(tuned.thresholds.values()))) for tuned in found)
    remarks = [
        f"{name}: {price_line(price_table(*problem.arguments, tuning.per_cohort, problem.criterion.tolerance))}"
        for name, problem in zip(target.columns, problems, strict=True)
        if problem.criterion.compares
    ]
    how = problems[0].words(tuning.per_cohort, rows.cohort_name)
    if not tuning.per_cohort:
        return Tuned(thresholds, how, remarks)
    by_cohort, more = _by_cohort(problems[0], rows, tuning, seed, cohort_head)
    return Tuned(thresholds, how, [*remarks, *(f"{target.name}: {remark}" for remark in more)], by_cohort)


def _stored(threshold: float) -> float:
    """The same decisions about probabilities, by a finite number."""
    return min(max(threshold, 0.0), _NEVER)


def _out_of_fold(target: Target, make: Callable[[int], BaseEstimator], rows: TrainingRows, seed: int) -> np.ndarray:
    """Probabilities of classes or of attributes for each row by heads that had not seen its group."""
    n_groups = len(np.unique(rows.groups))
    if n_groups < 2:
        raise LabelError("Thresholds are tuned across groups; all training rows belong to one.")
    columns = rows.y.reshape(len(rows.y), -1)
    n_outputs = columns.shape[1] if target.task == MULTILABEL else len(target.classes)
    result = np.empty((len(columns), n_outputs), np.float64)
    for train, test in grouped_folds(rows.groups, min(N_FOLDS, n_groups), seed):
        if any(len(np.unique(column[train])) < len(target.classes) for column in columns.T):
            raise LabelError(
                f"{target.name}: a class is missing from a fold. Give more labels or do not tune thresholds."
            )
        learned = rows[train]
        estimator = make(len(learned))
        fit_head(estimator, learned.X, learned.y, learned.groups, seed, learned.weights)
        result[test] = predict_probabilities(estimator, rows.X[test], target.task)
    return result


@dataclass(frozen=True, eq=False)
class _Problem:
    """Out-of-fold probabilities of one column, and with what to compare them.

    ``known`` are the positions of the rows that take part; a gap between cohorts that is within chance is tolerated.
    """

    known: np.ndarray
    arguments: tuple[np.ndarray, np.ndarray, np.ndarray | None]
    criterion: Criterion

    @classmethod
    def of(cls, probabilities: np.ndarray, truth: np.ndarray, rows: TrainingRows, tuning: Tuning) -> _Problem:
        tune = cohort_thresholds if tuning.per_cohort else shared_threshold
        if not tuning.compares:
            arguments = (probabilities, truth, None)
            return cls(np.arange(len(truth)), arguments, settled(tuning.full_criterion, tune, arguments, rows.groups))
        known = np.flatnonzero([cohort is not None for cohort in rows.cohorts])
        if not len(known):
            raise LabelError(f"{tuning.criterion} needs rows whose {rows.cohort_name!r} is known; there are none.")
        cohorts = rows.cohorts[known].astype(str)
        arguments = (probabilities[known], truth[known], cohorts)
        return cls(known, arguments, settled(tuning.full_criterion, tune, arguments, rows.groups[known]))

    def solve(self, tune: Callable[..., TunedThresholds]) -> TunedThresholds:
        try:
            return tune(*self.arguments, self.criterion)
        except ValueError as error:
            raise LabelError(f"The threshold cannot be tuned: {error}") from error

    def words(self, per_cohort: bool, cohort_name: str) -> str:
        words = self.criterion.name
        if self.criterion.name == RECALL_AT_PRECISION:
            words = f"recall at a precision of {self.criterion.min_precision:g}"
        if self.criterion.compares:
            words += f" over {cohort_name!r}"
        if self.criterion.name == MEAN_MINUS_GAP:
            words += f" (a gap up to {self.criterion.tolerance:.4f} is within chance)"
        if per_cohort:
            words += f", one for each {cohort_name!r} as predicted"
        return f"{words}, on out-of-fold probabilities of {len(self.known)} training rows"


def _by_cohort(
    problem: _Problem, rows: TrainingRows, tuning: Tuning, seed: int, cohort_head: Head
) -> tuple[CohortThresholds, list[str]]:
    """A threshold for each class of the head that predicts cohorts, and what is lost by predicting them."""
    scores, truth, cohorts = problem.arguments
    target = cohort_head.target
    names = [str(value) for value in target.classes]
    counts = {name: int((cohorts == name).sum()) for name in names}
    if min(counts.values()) < MIN_COHORT_ROWS or set(names) != set(cohorts):
        raise LabelError(
            f"Each class of {target.name!r} must have {MIN_COHORT_ROWS} training rows to get its own threshold; got {counts}."
        )
    tuned = problem.solve(cohort_thresholds)
    values = CohortThresholds(target.name, tuple(_stored(tuned.thresholds[name]) for name in names))
    codes = np.array([names.index(cohort) for cohort in cohorts])
    own = TrainingRows(rows.X[problem.known], codes, rows.groups[problem.known])
    dimension, settings = rows.X.shape[1], cohort_head.settings
    make = partial(make_head, cohort_head.kind, CLASSIFICATION, n_features=dimension, seed=seed, settings=settings)
    probabilities = _out_of_fold(target, make, own, seed)
    reached = cohort_accuracies(truth, scores >= values.limits(probabilities), cohorts)
    shares = ", ".join(f"{100 * reached[n]:.2f} % for {n} ({100 * tuned.accuracy[n]:.2f} % known)" for n in names)
    right = (probabilities.argmax(axis=1) == codes).mean()
    return values, [
        f"{target.name} is predicted, rightly for {100 * right:.1f} %; so the accuracy out of fold is {shares}"
    ]
