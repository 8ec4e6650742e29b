"""Scores of decisions that depend on cohorts, for ``sklearn.metrics.make_scorer`` and ``GridSearchCV``.

With metadata routing switched on, a search hands the cohorts of each fold to the scorer::

    sklearn.set_config(enable_metadata_routing=True)
    scorer = make_scorer(mean_minus_gap_score).set_score_request(sensitive_features=True)
    GridSearchCV(estimator, grid, scoring=scorer).fit(X, y, sensitive_features=gender)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .criterion import MEAN_MINUS_GAP, MINIMUM, measure_accuracies
from .cuts import encode_cohorts


def cohort_accuracies(y_true: Sequence, y_pred: Sequence, sensitive_features: Sequence | None = None) -> dict:
    """Share of right decisions in each cohort, the cohorts in sorted order; without cohorts, of ``"all"``.

    Raises
    ------
    ValueError
        If lengths differ, there are no rows, or a row has no cohort.
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape or not len(y_true):
        raise ValueError(
            f"y_true and y_pred must have one value a row, at least one; got shapes {y_true.shape}, {y_pred.shape}."
        )
    codes, names = encode_cohorts(sensitive_features, len(y_true))
    right = np.bincount(codes, weights=y_true == y_pred, minlength=len(names))
    return dict(zip(names, (right / np.bincount(codes)).tolist(), strict=True))


def mean_minus_gap_score(y_true: Sequence, y_pred: Sequence, *, sensitive_features: Sequence | None = None) -> float:
    """Mean of the cohorts' accuracies minus the distance of the largest and the smallest.

    Examples
    --------
    >>> mean_minus_gap_score([1, 1, 0, 0], [1, 0, 0, 0], sensitive_features=["m", "m", "w", "w"])
    0.25
    """
    return _score(MEAN_MINUS_GAP, y_true, y_pred, sensitive_features)


def minimum_score(y_true: Sequence, y_pred: Sequence, *, sensitive_features: Sequence | None = None) -> float:
    """The smallest of the cohorts' accuracies.

    Examples
    --------
    >>> minimum_score([1, 1, 0, 0], [1, 0, 0, 0], sensitive_features=["m", "m", "w", "w"])
    0.5
    """
    return _score(MINIMUM, y_true, y_pred, sensitive_features)


def _score(criterion: str, y_true: Sequence, y_pred: Sequence, cohorts: Sequence | None) -> float:
    accuracies = cohort_accuracies(y_true, y_pred, cohorts)
    return float(measure_accuracies(criterion, np.array(list(accuracies.values()))))
