"""Labels that are likely wrong: heads that have not seen a row, nor its person or a near-duplicate, contradict its label.

Classes: a row is listed when another class is likely for it, at least as likely as that class is on average for the rows
that bear it (or 0.8, where that average is higher), and likelier than every other such class; rows are ranked by how much
likelier that class is than the label.
Numbers: the difference from the prediction is compared with that of rows of similar predictions, in robust standard
deviations.

References
----------
Northcutt, Jiang, Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70, 2021, equations 1 and
2 (the confident joint) and section 3.2 (ranking by normalised margin).
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from ..fitting import fit_head, predict_numbers, predict_probabilities
from ..heads import make_head
from ..splits import grouped_folds
from ..targets import CLASSIFICATION, MULTILABEL, REGRESSION, Target
from .close_pairs import ClosePairs
from .finding import Finding, Gallery, Sight
from .subject import Subject

#: A class that is this likely is likely enough, however sure the head is of others.
SURE = 0.8
#: Robust standard deviations from which on a number is listed.
FAR_OFF = 4.0
_N_FOLDS = 5
#: Rows of similar predictions that a difference is compared with.
_N_BINS = 10
#: Median absolute deviation of a normal distribution as a share of its standard deviation.
_MAD = 0.6745
_N_SHOWN = 36
_COLUMNS = ["column", "key", "part", "label", "suggested", "strength"]


def label_errors(subject: Subject, pairs: ClosePairs) -> Finding:
    """Rows whose label a head contradicts that was trained without them.

    Parameters
    ----------
    subject : Subject
    pairs : ClosePairs
        Near-duplicates, as rows of the subject: both of a pair are always in one fold.
    """
    groups = _joined_groups(subject.samples.groups, pairs)
    found = [_likely_errors(subject, target, groups) for target in subject.targets]
    table = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=[*_COLUMNS, "_row"])
    counts = ", ".join(f"{n} of {name}" for name, n in table["column"].value_counts(sort=False).items())
    words = (
        f"{len(table)} labels are contradicted{': ' if counts else ''}{counts}. The heads are logistic regression and "
        f"ridge, in {_N_FOLDS} folds that share no person, image or near-duplicate. A contradiction can be an error of the "
        "label, of the head, or of the question. Look before you change anything, and never take rows out of the test "
        "part because a head disagrees: that makes figures too good."
    )
    names = list(dict.fromkeys(table["column"]))
    galleries = tuple(_gallery(name, table[table["column"] == name], subject) for name in names)
    return Finding(
        "label_errors", "Likely label errors", f"{len(table):,}", "labels", words, table[_COLUMNS], galleries
    )


def _joined_groups(groups: np.ndarray, pairs: ClosePairs) -> np.ndarray:
    """Groups that near-duplicates hold together."""
    _, member = np.unique(groups, return_inverse=True)
    n = member.max() + 1
    edges = (np.ones(len(pairs), bool), (member[pairs.first], member[pairs.second]))
    return connected_components(coo_array(edges, shape=(n, n)), directed=False)[1][member]


def _likely_errors(subject: Subject, target: Target, groups: np.ndarray) -> pd.DataFrame:
    labels = subject.samples.labels[list(target.columns)]
    rows = np.flatnonzero(labels.notna().all(axis=1).to_numpy() & subject.samples.table.has_embedding)
    if len(np.unique(groups[rows])) < _N_FOLDS:
        return pd.DataFrame(columns=[*_COLUMNS, "_row"])
    y = target.encode(labels.iloc[rows])
    predicted = _out_of_fold(target, subject.samples.table.embedding[rows], y, groups[rows], subject.seed)
    if target.task == REGRESSION:
        return _frame(subject, target.name, rows, *_far_off(y, predicted))
    if target.task == CLASSIFICATION:
        return _frame(subject, target.name, rows, *_contradicted(y, predicted, target.classes))
    columns = zip(target.columns, y.T, predicted.T, strict=True)
    frames = [
        _frame(subject, name, rows, *_contradicted(codes, np.stack([1 - p, p], axis=1), target.classes))
        for name, codes, p in columns
    ]
    return pd.concat(frames, ignore_index=True)


def _out_of_fold(target: Target, X: np.ndarray, y: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """Numbers of shape (n_rows,), or probabilities of shape (n_rows, n_classes) or (n_rows, n_columns)."""
    shape = (len(y), len(target.classes)) if target.task == CLASSIFICATION else y.shape
    predicted = np.zeros(shape)
    for train, test in grouped_folds(groups, _N_FOLDS, seed):
        kind = "ridge" if target.task == REGRESSION else "logistic"
        head = make_head(kind, target.task, len(train), X.shape[1], seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fit_head(head, X[train], y[train], groups[train], seed)
        predicted[test] = _predict(head, X[test], target)
    return predicted


def _predict(head: BaseEstimator, X: np.ndarray, target: Target) -> np.ndarray:
    if target.task == REGRESSION:
        return predict_numbers(head, X)
    probabilities = predict_probabilities(head, X, target.task)
    if target.task == MULTILABEL:
        return probabilities
    full = np.zeros((len(X), len(target.classes)))  # a class may be missing from a fold
    full[:, head.classes_] = probabilities
    return full


def _contradicted(
    y: np.ndarray, probabilities: np.ndarray, classes: tuple
) -> tuple[np.ndarray, list, list, np.ndarray]:
    """Positions of contradicted labels by strength, their labels, the suggested ones, and the difference of probability."""
    n_classes = probabilities.shape[1]
    average = np.array([probabilities[y == k, k].mean() if (y == k).any() else np.inf for k in range(n_classes)])
    likely = np.where(probabilities >= np.minimum(average, SURE), probabilities, -1.0)
    suggested = likely.argmax(axis=1)
    rows = np.arange(len(y))
    margin = probabilities[rows, suggested] - probabilities[rows, y]
    listed = np.flatnonzero((likely.max(axis=1) >= 0) & (suggested != y) & (margin > 0))
    listed = listed[np.argsort(-margin[listed], kind="stable")]
    words = [[str(classes[k]) for k in codes[listed]] for codes in (y, suggested)]
    return listed, *words, margin[listed]


def _far_off(y: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, list, list, np.ndarray]:
    """The same for numbers; the strength is in robust standard deviations."""
    edges = np.quantile(predicted, np.arange(1, _N_BINS) / _N_BINS)
    bins = np.searchsorted(edges, predicted, side="right")
    difference = y - predicted
    strength = np.zeros(len(y))
    for k in np.unique(bins):
        some = difference[bins == k] - np.median(difference[bins == k])
        spread = np.median(np.abs(some)) / _MAD
        strength[bins == k] = np.abs(some) / spread if spread > 0 else 0.0
    listed = np.flatnonzero(strength > FAR_OFF)
    listed = listed[np.argsort(-strength[listed], kind="stable")]
    return listed, [f"{v:g}" for v in y[listed]], [f"{v:.1f}" for v in predicted[listed]], strength[listed]


def _frame(
    subject: Subject,
    name: str,
    rows: np.ndarray,
    listed: np.ndarray,
    label: list,
    suggested: list,
    strength: np.ndarray,
) -> pd.DataFrame:
    chosen = rows[listed]
    keys, parts = subject.samples.table.keys[chosen], subject.samples.parts[chosen]
    columns = (name, keys, parts, label, suggested, strength, chosen)
    return pd.DataFrame(dict(zip([*_COLUMNS, "_row"], columns, strict=True)))


def _gallery(name: str, table: pd.DataFrame, subject: Subject) -> Gallery:
    sights = tuple(
        Sight(int(row["_row"]), (f"{row['label']}, rather {row['suggested']}", f"strength {row['strength']:.2f}"))
        for row in table.head(_N_SHOWN).to_dict("records")
    )
    return Gallery(f"label_errors_{name}", f"{name}: label, and what the head says", sights)
