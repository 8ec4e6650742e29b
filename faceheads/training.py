"""Train heads on a feature table and measure them on persons and images that they have not seen.

The test part is never looked at before the final measurement: nothing is chosen, tuned or refitted with it.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import joblib
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from .cohorts import cohort_columns
from .fitted_head import Head, default_thresholds
from .headfile import HeadFile
from .fitting import fit_head
from .heads import KINDS, head_kind, make_head
from .labels import LabelError
from .measuring import Answers, Details, measure, measure_details
from .metrics import GroupBootstrap
from .metrics.intervals import N_RESAMPLES
from .samples import Samples, drop_conflicts, group_samples, join_labels, split_samples
from .splits import TEST, TRAIN
from .store import make_golden_inputs
from .table import FaceTable
from .targets import CLASSIFICATION, MULTILABEL, REGRESSION, Target, find_targets
from .tuning import TrainingRows, Tuning, can_be_tuned, tune_thresholds

#: Fewer training rows of a class cannot be learned, calibrated or stratified.
MIN_CLASS_ROWS = 5
#: On fewer rows all heads are trained before another process has started.
PARALLEL_ROWS = 3000
_SEEDS = 2**32


@dataclass(frozen=True)
class TrainingOptions:
    """What to train and how.

    Attributes
    ----------
    targets : tuple of str
        Label columns; empty for all that can be predicted.
    task : str or None
        For every target; None to recognise it from the values.
    tasks, heads : mapping of str to str
        Task and kind of head for single targets.
    head : str
        One of :data:`faceheads.heads.KINDS`.
    split, groups : str
        See :func:`faceheads.samples.split_samples` and :func:`faceheads.samples.group_samples`.
    test_size : float
        Share of a random split.
    cohorts : tuple of str
        Columns that the heads are also measured by; see :func:`faceheads.cohorts.cohort_columns`. Thresholds that are
        tuned for a criterion of cohorts compare those of the first.
    tuning : Tuning or None
        What the thresholds of decisions between two classes are tuned for; None leaves them at one half.
    seed : int
        Of the split, the estimators and the intervals.
    jobs : int
        Heads trained at the same time.
    allow_unlabelled : bool
        Whether rows of the table may have no label.
    n_resamples : int
        Draws of the bootstrap.

    Raises
    ------
    ValueError
        If a number is out of range or a kind is unknown.
    """

    targets: tuple[str, ...] = ()
    task: str | None = None
    tasks: Mapping[str, str] = field(default_factory=dict)
    head: str = "mlp"
    heads: Mapping[str, str] = field(default_factory=dict)
    split: str = "auto"
    groups: str = "auto"
    test_size: float = 0.2
    cohorts: tuple[str, ...] = ()
    tuning: Tuning | None = None
    seed: int = 0
    jobs: int = 1
    allow_unlabelled: bool = False
    n_resamples: int = N_RESAMPLES

    def __post_init__(self) -> None:
        for kind in (self.head, *self.heads.values()):
            if kind not in KINDS:
                raise ValueError(f"The head must be one of {', '.join(KINDS)}; got {kind!r}.")
        if not 0 < self.test_size < 1:
            raise ValueError(f"test_size must be between 0 and 1; got {self.test_size}.")
        if not 0 <= self.seed < _SEEDS:
            raise ValueError(f"seed must be between 0 and {_SEEDS - 1}; got {self.seed}.")


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
class TrainingResult:
    """Trained heads and what should be known about them.

    Attributes
    ----------
    file : HeadFile
    samples : Samples
        With their parts.
    remarks : tuple of str
    details : tuple of Details
        For each head of the file: by the columns of ``TrainingOptions.cohorts`` and their pairs, and by decade.
    held_out : tuple of HeldOut
        For each head of the file.
    cohorts : mapping of str to Categorical of n_samples rows
        The columns of ``TrainingOptions.cohorts`` and their pairs.
    """

    file: HeadFile
    samples: Samples
    remarks: tuple[str, ...]
    details: tuple[Details, ...]
    held_out: tuple[HeldOut, ...]
    cohorts: Mapping[str, pd.Categorical]


def train_heads(table: FaceTable, labels: pd.DataFrame, options: TrainingOptions | None = None) -> TrainingResult:
    """Heads for the targets of a label table, trained on one part of the images and measured on the other.

    Parameters
    ----------
    table : FaceTable
    labels : DataFrame
        Index = key, as :func:`faceheads.labels.read_labels` gives.
    options : TrainingOptions, optional

    Raises
    ------
    LabelError
        If labels do not fit the table, the targets, or the split.
    ValueError
        If a part is empty.
    """
    options = TrainingOptions() if options is None else options
    samples = join_labels(table, labels, options.allow_unlabelled)
    targets, remarks = find_targets(samples.labels, options.targets, options.task, options.tasks)
    _check_heads(targets, options)
    samples = drop_conflicts(samples, [column for target in targets for column in target.columns])
    samples = split_samples(group_samples(samples, options.groups), options.split, options.test_size, options.seed)
    n_jobs = min(options.jobs, len(targets)) if len(samples.table) >= PARALLEL_ROWS else 1
    jobs = joblib.Parallel(n_jobs=n_jobs)
    cohorts = cohort_columns(samples, options.cohorts)
    ahead = {
        target.name: _train_head(samples, target, options, cohorts) for target in _cohort_target(targets, options)
    }
    cohort_head = next((result.head for result in ahead.values()), None)
    others = [target for target in targets if target.name not in ahead]
    found = jobs(joblib.delayed(_train_head)(samples, target, options, cohorts, cohort_head) for target in others)
    by_name = ahead | {target.name: result for target, result in zip(others, found, strict=True)}
    results = [by_name[target.name] for target in targets]
    learned = samples.in_part(TRAIN) & samples.table.has_embedding
    file = HeadFile(
        heads=tuple(result.head for result in results),
        table_spec=table.spec,
        golden_inputs=make_golden_inputs(samples.table.embedding[learned], options.seed),
        training=_describe_training(samples, targets, options),
    )
    all_remarks = (*remarks, *samples.remarks, *(remark for result in results for remark in result.remarks))
    details, held_out = (tuple(getattr(result, name) for result in results) for name in ("details", "held_out"))
    return TrainingResult(file, samples, all_remarks, details, held_out, cohorts)


def _cohort_target(targets: list[Target], options: TrainingOptions) -> list[Target]:
    """The target that predicts cohorts for thresholds that differ between them; none where nothing asks for it."""
    if options.tuning is None or not options.tuning.per_cohort:
        return []
    name = options.cohorts[0] if options.cohorts else None
    found = [target for target in targets if target.name == name and target.task == CLASSIFICATION]
    if not found:
        raise LabelError(
            f"Thresholds by cohort need the cohort of new faces, which is predicted: {name!r} must be both the first "
            "--cohort and a --target with classes."
        )
    return found


def _check_heads(targets: list[Target], options: TrainingOptions) -> None:
    unknown = sorted(set(options.heads) - {target.name for target in targets})
    if unknown:
        raise LabelError(f"A head was given for {unknown}, which is not among {[t.name for t in targets]}.")


@dataclass(frozen=True, eq=False)
class _Trained:
    head: Head
    details: Details
    held_out: HeldOut
    remarks: list[str]


def _train_head(
    samples: Samples,
    target: Target,
    options: TrainingOptions,
    cohorts: Mapping[str, pd.Categorical],
    cohort_head: Head | None = None,
) -> _Trained:
    labels = samples.labels[list(target.columns)]
    has_label = labels.notna().all(axis=1).to_numpy()
    has_face = samples.table.has_embedding
    train = np.flatnonzero(has_label & has_face & samples.in_part(TRAIN))
    test = np.flatnonzero(has_label & samples.in_part(TEST))
    _check_parts(target, train, test)
    y_train, y_test = target.encode(labels.iloc[train]), target.encode(labels.iloc[test])
    _check_classes(target, y_train)
    kind = head_kind(options.heads.get(target.name, options.head), target.task)
    make = partial(make_head, kind, target.task, n_features=samples.table.dimension, seed=options.seed)
    rows = TrainingRows(samples.table.embedding[train], y_train, samples.groups[train], *_compared(train, cohorts))
    estimator = make(len(train))
    has_converged = _converges(partial(fit_head, estimator, rows.X, y_train, rows.groups, options.seed))
    head = Head(target, kind, estimator, thresholds=default_thresholds(target))
    head, costs = _tune(head, make, rows, options, cohort_head)
    draws = GroupBootstrap(samples.groups[test], options.n_resamples, options.seed)
    answers = Answers.of(head, samples.table[test], y_test, y_train, cohort_head)
    details = measure_details(answers, draws, {name: values[test] for name, values in cohorts.items()})
    remarks = [] if has_label.all() else [f"{target.name}: {(~has_label).sum()} rows have no value and were left out"]
    if not has_converged:
        remarks.append(f"{target.name}: {kind} reached its limit of steps before it had converged; few rows do that")
    return _Trained(replace(head, report=measure(answers, draws)), details, HeldOut(test, answers), remarks + costs)


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


# ------------------------------------------------------------------------------------------------- describing


def _describe_training(samples: Samples, targets: list[Target], options: TrainingOptions) -> dict:
    columns = [column for target in targets for column in target.columns]
    return {
        "data_sha256": data_hash(samples, columns),
        "groups": samples.grouped_by,
        "split": samples.split_by,
        "n_train": int(samples.in_part(TRAIN).sum()),
        "n_test": int(samples.in_part(TEST).sum()),
        "n_train_groups": len(np.unique(samples.groups[samples.in_part(TRAIN)])),
        "n_test_groups": len(np.unique(samples.groups[samples.in_part(TEST)])),
        "seed": options.seed,
        "interval": f"95 %, bootstrap over groups, {options.n_resamples} draws",
    }


def data_hash(samples: Samples, columns: list[str]) -> str:
    """sha256 over keys, contents and labels of the train part: equal exactly when the same data were learned from."""
    rows = samples.in_part(TRAIN)
    frame = samples.labels.loc[rows, columns].reset_index(drop=True)
    frame.insert(0, "sha256", samples.table.sha256[rows])
    frame.insert(0, "key", samples.table.keys[rows])
    return hashlib.sha256(frame.to_csv(index=False, lineterminator="\n").encode()).hexdigest()
