"""What a threshold can be tuned for, and its value at every cut of the scores.

===================  ==================================================================================================
accuracy             share of right decisions
balanced_accuracy    mean of the shares of positive and of negative rows that are decided rightly
f1                   2·TP / (2·TP + FP + FN)
recall_at_precision  share of positive rows that are found, as long as the share of right ones among all decided positive
                     is at least ``min_precision``
mean_minus_gap       mean of the cohorts' accuracies minus the distance of the largest and the smallest of them
minimum              the smallest of the cohorts' accuracies (*maximin*)
===================  ==================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .cuts import Cuts

MEAN_MINUS_GAP, MINIMUM = "mean_minus_gap", "minimum"
RECALL_AT_PRECISION = "recall_at_precision"
#: The tolerance that follows from the number of rows; :func:`faceheads.fairness.chance.settled` finds it.
CHANCE = "chance"

#: Of each cut: the value, and what decides between cuts of equal values; float64 of shape (n_cuts,) each.
Values = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Criterion:
    """What a threshold is tuned for.

    Attributes
    ----------
    name : str, default="mean_minus_gap"
        One of :data:`CRITERIA`.
    min_precision : float, default=0.9
        For ``recall_at_precision`` only.
    tolerance : float or "chance", default=0.0
        For ``mean_minus_gap`` only: a gap up to this costs nothing, mean - max(0, gap - tolerance) is optimised. A gap on
        few rows is partly chance, and cohorts levelled on a chance gap are unequal on other rows. ``"chance"``: as much
        as :func:`faceheads.fairness.chance.chance_gap` says of the rows at hand.

    Raises
    ------
    ValueError
        If there is no such criterion or a number is out of range.
    """

    name: str = MEAN_MINUS_GAP
    min_precision: float = 0.9
    tolerance: float | str = 0.0

    def __post_init__(self) -> None:
        if self.name not in CRITERIA:
            raise ValueError(f"The criterion must be one of {', '.join(CRITERIA)}; got {self.name!r}.")
        if not 0 < self.min_precision <= 1:
            raise ValueError(f"min_precision must be in (0, 1]; got {self.min_precision}.")
        if isinstance(self.tolerance, str):
            if self.tolerance != CHANCE:
                raise ValueError(f"tolerance must be a number of at least 0 or {CHANCE!r}; got {self.tolerance!r}.")
        elif not self.tolerance >= 0:
            raise ValueError(f"tolerance must be at least 0; got {self.tolerance}.")

    @property
    def compares(self) -> bool:
        """Whether it is about cohorts."""
        return self.name in (MEAN_MINUS_GAP, MINIMUM)

    def values(self, cuts: Cuts) -> Values:
        """The value of each cut, and what decides between equal ones.

        Raises
        ------
        ValueError
            If the criterion is undefined on these rows.
        """
        return _MEASURES[self.name](cuts, self)

    def tolerant(self, accuracies: np.ndarray) -> np.ndarray:
        """Mean - max(0, gap - tolerance) of accuracies of shape (n_cohorts, …), shape (…).

        Raises
        ------
        ValueError
            If the tolerance is not a number yet.
        """
        if self.tolerance == CHANCE:
            raise ValueError(
                f"The tolerance {CHANCE!r} depends on the number of rows. Settle it with faceheads.fairness.chance.settled."
            )
        gap = accuracies.max(axis=0) - accuracies.min(axis=0)
        return accuracies.mean(axis=0) - np.maximum(gap - self.tolerance, 0)


def as_criterion(criterion: Criterion | str) -> Criterion:
    """A criterion that may have been given by its name alone."""
    return criterion if isinstance(criterion, Criterion) else Criterion(criterion)


def measure_accuracies(criterion: str, accuracies: np.ndarray) -> np.ndarray:
    """``mean_minus_gap`` or ``minimum`` of accuracies of shape (n_cohorts, …), shape (…)."""
    if criterion == MINIMUM:
        return accuracies.min(axis=0)
    return accuracies.mean(axis=0) - (accuracies.max(axis=0) - accuracies.min(axis=0))


def _accuracy(cuts: Cuts, criterion: Criterion) -> Values:
    return cuts.pooled.accuracy[0], cuts.accuracy.min(axis=0)


def _balanced_accuracy(cuts: Cuts, criterion: Criterion) -> Values:
    pool = _both_classes(cuts.pooled, "balanced accuracy")
    found, refused = pool.true_positives / pool.n_positive, 1 - pool.false_positives / pool.n_negative
    return (found + refused)[0] / 2, np.minimum(found, refused)[0]


def _f1(cuts: Cuts, criterion: Criterion) -> Values:
    pool = _both_classes(cuts.pooled, "F1")
    hits = pool.true_positives[0]
    return 2 * hits / (hits + pool.false_positives[0] + pool.n_positive[0]), pool.accuracy[0]


def _recall_at_precision(cuts: Cuts, criterion: Criterion) -> Values:
    min_precision = criterion.min_precision
    pool = _both_classes(cuts.pooled, "recall at a precision")
    hits, false = pool.true_positives[0, :-1], pool.false_positives[0, :-1]  # the last cut decides nothing positive
    precision = np.r_[hits / (hits + false), -np.inf]
    if precision.max() < min_precision:
        raise ValueError(
            f"No threshold reaches a precision of {min_precision:g} on these rows; the highest is {precision.max():.3g}. "
            "Ask for less, or for another criterion."
        )
    recall = pool.true_positives[0] / pool.n_positive[0]
    return np.where(precision >= min_precision, recall, -np.inf), precision


def _mean_minus_gap(cuts: Cuts, criterion: Criterion) -> Values:
    accuracy = cuts.accuracy
    return criterion.tolerant(accuracy), accuracy.min(axis=0)


def _minimum(cuts: Cuts, criterion: Criterion) -> Values:
    accuracy = cuts.accuracy
    return accuracy.min(axis=0), accuracy.mean(axis=0)


def _both_classes(pool: Cuts, what: str) -> Cuts:
    if not pool.n_positive[0, 0] or not pool.n_negative[0, 0]:
        side = "negative" if pool.n_positive[0, 0] else "positive"
        raise ValueError(
            f"The {what} is undefined: there are no {side} rows. Give rows of both classes in each cohort."
        )
    return pool


_MEASURES: dict[str, Callable[[Cuts, Criterion], Values]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    RECALL_AT_PRECISION: _recall_at_precision,
    MEAN_MINUS_GAP: _mean_minus_gap,
    MINIMUM: _minimum,
}
#: What a threshold can be tuned for.
CRITERIA = tuple(_MEASURES)
