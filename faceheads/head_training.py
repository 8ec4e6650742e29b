"""Train one head and measure it on persons and images that it has not seen."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from .fitted_head import Head, default_thresholds
from .fitting import fit_head
from .heads import head_kind, make_head
from .labels import LabelError
from .measuring import Answers, Details, measure, measure_details
from .metrics import GroupBootstrap
from .row_weights import row_weights
from .samples import Samples
from .search import Learner, search_settings
from .splits import TEST, TRAIN
from .targets import MULTILABEL, REGRESSION, Target
from .training_options import TrainingOptions
from .training_rows import TrainingRows
from .tuning import can_be_tuned, tune_thresholds

#: Fewer training rows of a class cannot be learned, calibrated or stratified.
MIN_CLASS_ROWS = 5


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What a head said of the rows it was tested on.

    Attributes
    ----------
    rows : ndarray of shape (n_test,), int64
        Positions in ``TrainingResult.samples``.
    answers : Answers
        Of these rows; every figure of the head's report is made from them.
    """

    rows: np.ndarray
    answers: Answers


@dataclass(frozen=True, eq=False)
class TrainedHead:
    """A head, where it did well, what it said, and what should be known about it."""

    head: Head
    details: Details
    held_out: HeldOut
    remarks: list[str]


@dataclass(frozen=True, eq=False)
class Cohorts:
    """The cohorts of all samples.

    Attributes
    ----------
    measured : mapping of str to Categorical of n_rows rows
        By which the head is measured; thresholds are tuned for those of the first.
    reweighed : Categorical of n_rows rows, or None
        Of which the classes are made independent.
    """

    measured: Mapping[str, pd.Categorical]
    reweighed: pd.Categorical | None = None


def train_head(
    samples: Samples, target: Target, options: TrainingOptions, cohorts: Cohorts, cohort_head: Head | None = None
) -> TrainedHead:
    """A head for one target.

    Parameters
    ----------
    samples : Samples
        With their parts.
    target : Target
    options : TrainingOptions
    cohorts : Cohorts
    cohort_head : Head, optional
        Predicts the cohorts of new faces, where thresholds are to differ between them.

    Raises
    ------
    LabelError
        If a part is empty, or a class has too few rows.
    """
    labels = samples.labels[list(target.columns)]
    has_label = labels.notna().all(axis=1).to_numpy()
    train = np.flatnonzero(has_label & samples.table.has_embedding & samples.in_part(TRAIN))
    test = np.flatnonzero(has_label & samples.in_part(TEST))
    _check_parts(target, train, test)
    y_train, y_test = target.encode(labels.iloc[train]), target.encode(labels.iloc[test])
    _check_classes(target, y_train)
    rows, remarks = _training_rows(samples, target, train, y_train, options, cohorts)
    head, make, costs = _fitted(target, rows, options)
    head, more = _tune(head, make, rows, options, cohort_head)
    draws = GroupBootstrap(samples.groups[test], options.n_resamples, options.seed)
    answers = Answers.of(head, samples.table[test], y_test, y_train, cohort_head)
    details = measure_details(answers, draws, {name: values[test] for name, values in cohorts.measured.items()})
    if not has_label.all():
        remarks = [f"{target.name}: {(~has_label).sum()} rows have no value and were left out", *remarks]
    head = replace(head, report=measure(answers, draws))
    return TrainedHead(head, details, HeldOut(test, answers), remarks + costs + more)


def _training_rows(
    samples: Samples,
    target: Target,
    train: np.ndarray,
    y_train: np.ndarray,
    options: TrainingOptions,
    cohorts: Cohorts,
) -> tuple[TrainingRows, list[str]]:
    """The rows at ``train`` with their weights, and remarks about these."""
    reweighed = None if cohorts.reweighed is None else cohorts.reweighed[train]
    weights, remarks = row_weights(target, y_train, options.class_weight, reweighed, options.reweigh)
    compared, name = _compared(train, cohorts.measured)
    X, groups = samples.table.embedding[train], samples.groups[train]
    return TrainingRows(X, y_train, groups, compared, name, weights), remarks


def _fitted(
    target: Target, rows: TrainingRows, options: TrainingOptions
) -> tuple[Head, Callable[[int], BaseEstimator], list[str]]:
    """A head that has learned the rows, what makes such an estimator for a number of rows, and remarks."""
    kind = head_kind(options.heads.get(target.name, options.head), target.task)
    found = None
    if options.search:
        learner = Learner(kind, target.task, options.seed, options.jobs)
        found = search_settings(learner, rows, options.n_resamples)
    settings = {} if found is None else found.settings
    dimension, seed = rows.X.shape[1], options.seed
    make = partial(make_head, kind, target.task, n_features=dimension, seed=seed, settings=settings)
    estimator = make(len(rows))
    fit = partial(fit_head, estimator, rows.X, rows.y, rows.groups, seed, rows.weights)
    remarks = []
    if not _converges(fit):
        remarks = [f"{target.name}: {kind} reached its limit of steps before it had converged; few rows do that"]
    thresholds = default_thresholds(target)
    return Head(target, kind, estimator, thresholds=thresholds, settings=settings, found=found), make, remarks


def _compared(train: np.ndarray, cohorts: Mapping[str, pd.Categorical]) -> tuple[np.ndarray | None, str]:
    """The cohorts of the first column, None where not known, and its name."""
    if not cohorts:
        return None, ""
    name, values = next(iter(cohorts.items()))
    words = np.array([*map(str, values.categories), None], object)
    return words[values.codes[train]], name  # the code of a missing value is -1


def _tune(
    head: Head,
    make: Callable[[int], BaseEstimator],
    rows: TrainingRows,
    options: TrainingOptions,
    cohort_head: Head | None,
) -> tuple[Head, list[str]]:
    """The head with its tuned thresholds, and remarks; as it is where nothing is to be tuned."""
    if options.tuning is None or (options.tuning.compares and head.target.name in options.cohorts[:1]):
        return head, []  # a head is not compared between the classes that it predicts itself
    if not can_be_tuned(head.target):
        return head, [f"{head.target.name}: not decided between two classes, so there is no threshold to tune"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # said once, of the head that is kept
        found = tune_thresholds(head.target, make, rows, options.tuning, options.seed, cohort_head)
    by_cohort = found.by_cohort
    return replace(head, thresholds=found.thresholds, thresholds_from=found.how, by_cohort=by_cohort), found.remarks


def _converges(fit: Callable[[], None]) -> bool:
    """Call ``fit``; false when scikit-learn warned that it had not converged. Other warnings are passed on."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        fit()
    others = [warning for warning in caught if not issubclass(warning.category, ConvergenceWarning)]
    for warning in others:
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return len(others) == len(caught)


def _check_parts(target: Target, train: np.ndarray, test: np.ndarray) -> None:
    for name, rows in ((TRAIN, train), (TEST, test)):
        if not len(rows):
            raise LabelError(f"{target.name!r} has no rows in the {name} part. Give more labels or another split.")


def _check_classes(target: Target, y_train: np.ndarray) -> None:
    if target.task == REGRESSION:
        return
    columns = y_train.reshape(len(y_train), -1).T
    names = target.columns if target.task == MULTILABEL else (target.name,)
    for name, codes in zip(names, columns, strict=True):
        counts = np.bincount(codes, minlength=len(target.classes))
        rare = {str(c): int(n) for c, n in zip(target.classes, counts, strict=True) if n < MIN_CLASS_ROWS}
        if rare:
            raise LabelError(
                f"Each class of {name!r} must have at least {MIN_CLASS_ROWS} training rows; got {rare}. "
                "Merge classes, leave their rows out of the labels, or choose other columns with --target."
            )
