"""Scores of rows by estimators that have not seen them, nor any row of the same group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, check_cv, cross_val_predict
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length, column_or_1d

Splits = list[tuple[np.ndarray, np.ndarray]]

DEFAULT_FOLDS = 5


def check_two_classes(X: object, y: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """The two classes in sorted order, and for each row whether it is of the second.

    Raises
    ------
    ValueError
        If lengths differ or there are not two classes.
    """
    if y is None:
        raise ValueError("This estimator requires y to be passed, but the target y is None.")
    y = column_or_1d(y, warn=True)
    check_classification_targets(y)
    check_consistent_length(X, y)
    classes = np.unique(y)
    if len(classes) != 2:
        words = "1 class" if len(classes) == 1 else f"{len(classes)} classes"
        raise ValueError(
            f"Only binary classification is supported. The type of the target is {type_of_target(y)}: "
            f"it has {words}; there must be two classes."
        )
    return classes, y == classes[1]


def make_splits(
    cv: object, X: object, y: np.ndarray, groups: Sequence | None = None, random_state: int | None = 0
) -> Splits:
    """Train and test rows of each fold, as positions.

    Parameters
    ----------
    cv : int, None, splitter of scikit-learn, or iterable of such pairs
        A number (None: 5) means shuffled stratified folds, of whole groups where groups are given.
    X : array or frame of n_rows rows
    y : array of shape (n_rows,)
        Classes.
    groups : array of shape (n_rows,), optional
    random_state : int or None, default=0

    Raises
    ------
    ValueError
        If a class has fewer rows, or there are fewer groups, than folds.
    """
    if cv is None:
        cv = DEFAULT_FOLDS
    if isinstance(cv, (int, np.integer)):
        kind = StratifiedKFold if groups is None else StratifiedGroupKFold
        _check_class_sizes(y, int(cv))
        cv = kind(int(cv), shuffle=True, random_state=random_state)
    return list(check_cv(cv, y, classifier=True).split(X, y, groups))


def _check_class_sizes(y: np.ndarray, n_folds: int) -> None:
    classes, counts = np.unique(y, return_counts=True)
    if counts.min() < n_folds:
        raise ValueError(
            f"Each class must have at least as many rows as there are folds, {n_folds}; class "
            f"{classes[counts.argmin()]} has {counts.min()}. Use fewer folds (cv) or more rows."
        )


def response_method(estimator: BaseEstimator) -> str:
    """``"predict_proba"`` where the estimator has it, else ``"decision_function"``.

    Raises
    ------
    TypeError
        If it has neither.
    """
    for name in ("predict_proba", "decision_function"):
        if hasattr(estimator, name):
            return name
    raise TypeError(
        f"The estimator must have predict_proba or decision_function; {type(estimator).__name__} has neither. "
        "Wrap it in CalibratedClassifierCV."
    )


def second_class_scores(estimator: BaseEstimator, X: object, method: str) -> np.ndarray:
    """The scores of a fitted binary classifier, float64 of shape (n_rows,): higher is more likely the second class."""
    return _second_column(getattr(estimator, method)(X))


def out_of_fold_scores(
    estimator: BaseEstimator,
    X: object,
    y: np.ndarray,
    splits: Splits,
    params: Mapping | None = None,
    n_jobs: int | None = None,
) -> np.ndarray:
    """The same of clones that were fitted to the other folds; ``params`` goes to ``fit``, cut to the rows of the fold."""
    method = response_method(estimator)
    return _second_column(
        cross_val_predict(estimator, X, y, cv=splits, method=method, params=dict(params or {}), n_jobs=n_jobs)
    )


def _second_column(response: np.ndarray) -> np.ndarray:
    response = np.asarray(response, np.float64)
    return response if response.ndim == 1 else response[:, 1]
