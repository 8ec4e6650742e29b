"""The threshold, or one threshold for each cohort, that is best by a criterion: exact, in O(n log n).

===================  ==================================================================================================
accuracy             share of right decisions
balanced_accuracy    mean of the shares of positive and of negative rows that are decided rightly
f1                   2·TP / (2·TP + FP + FN)
recall_at_precision  share of positive rows that are found, as long as the share of right ones among all decided positive
                     is at least ``min_precision``
mean_minus_gap       mean of the cohorts' accuracies minus the distance of the largest and the smallest of them
minimum              the smallest of the cohorts' accuracies (*maximin*)
===================  ==================================================================================================

With one threshold for all cohorts the first four are those of all rows together. With one for each cohort they are
optimised within each; ``value`` is then their mean.

**Why one sweep is enough.** One threshold: there are n + 1 decisions at most, and cumulative counts score them all.
One threshold for each cohort: the cohorts' accuracies are chosen independently, each from the set V_g of those that some
threshold reaches. Let M be the largest accuracy of an optimal choice. Then each cohort may as well have the largest
value of V_g that does not exceed M: this lowers neither the mean nor the smallest, and leaves the largest M. So the
optimum is among the choices that belong to the values M of all V_g, n + n_cohorts at most, found by bisection in the sorted V_g.

For two cohorts mean - gap is 1.5 · smaller - 0.5 · larger: where the better cohort cannot be met from below by the
other, the optimum *adds* errors to it. ``minimum`` never gains by that; :mod:`faceheads.fairness.price` prints the difference.

References
----------
The challenge of Télécom Paris and Idemia scores mean - gap. Maximin: J. Rawls, A Theory of Justice, 1971; for
classifiers N. Martinez, M. Bertran, G. Sapiro, Minimax Pareto fairness, ICML 2020. Thresholds for each group:
M. Hardt, E. Price, N. Srebro, Equality of opportunity in supervised learning, NIPS 2016.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist

import numpy as np

from .cuts import Cuts, check_scores, encode_cohorts, make_cuts

MEAN_MINUS_GAP, MINIMUM = "mean_minus_gap", "minimum"
#: Values that differ by less are rounding errors of one value: accuracies of n rows differ by 1 / n², 1e-12 for a million.
_EQUAL = 1e-14

Values = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class TunedThresholds:
    """Thresholds and what they reach on the scores that they were tuned on.

    Attributes
    ----------
    criterion : str
        One of :data:`CRITERIA`.
    value : float
        Of the criterion; optimistic for new faces, because the thresholds were chosen on these.
    thresholds : mapping of cohort to float
        A row is positive when its score is at least this; equal for all cohorts when ``is_shared``. -inf: all rows are
        positive; +inf: none.
    accuracy : mapping of cohort to float
    is_shared : bool
    """

    criterion: str
    value: float
    thresholds: Mapping
    accuracy: Mapping
    is_shared: bool


def shared_threshold(
    scores: Sequence[float],
    is_positive: Sequence,
    cohorts: Sequence | None = None,
    criterion: str = MEAN_MINUS_GAP,
    min_precision: float = 0.9,
    tolerance: float = 0.0,
) -> TunedThresholds:
    """The best threshold for all cohorts together.

    Among equally good cuts the one that is best for the worst cohort is taken, among these the one in the widest gap of
    the scores.

    Parameters
    ----------
    scores : array of shape (n_rows,)
        Higher is more likely positive.
    is_positive : array of shape (n_rows,), bool or 0/1
    cohorts : array of shape (n_rows,), optional
        Without any, all rows are one cohort.
    criterion : str, default="mean_minus_gap"
        One of :data:`CRITERIA`.
    min_precision : float, default=0.9
        For ``recall_at_precision`` only.
    tolerance : float, default=0.0
        For ``mean_minus_gap`` only: a gap up to this costs nothing, mean - max(0, gap - tolerance) is optimised. A gap on
        few rows is partly chance, and cohorts levelled on a chance gap are unequal on other rows; see
        :func:`chance_gap`. The ``value`` that is returned is without it.

    Raises
    ------
    ValueError
        If an argument is malformed or the criterion is undefined on these rows.

    Examples
    --------
    >>> tuned = shared_threshold([1, 4, 6, 9, 2, 3, 5, 8], [0, 1, 1, 1, 0, 0, 0, 1], list("aaaabbbb"))
    >>> tuned.thresholds["a"], tuned.accuracy, tuned.value
    (4.5, {'a': 0.75, 'b': 0.75}, 0.75)
    """
    scores, truth = check_scores(scores, is_positive)
    codes, names = encode_cohorts(cohorts, len(scores))
    cuts = make_cuts(scores, truth, codes, len(names))
    values, ties = _criterion(criterion, min_precision, tolerance)(cuts)
    k = _best(values, ties, cuts.width)
    accuracy = dict(zip(names, cuts.accuracy[:, k].tolist(), strict=True))
    thresholds = dict.fromkeys(names, float(cuts.threshold[k]))
    value = values[k] if criterion != MEAN_MINUS_GAP else measure_accuracies(criterion, cuts.accuracy[:, k])
    return TunedThresholds(criterion, float(value), thresholds, accuracy, is_shared=True)


def cohort_thresholds(
    scores: Sequence[float],
    is_positive: Sequence,
    cohorts: Sequence | None = None,
    criterion: str = MEAN_MINUS_GAP,
    min_precision: float = 0.9,
    tolerance: float = 0.0,
) -> TunedThresholds:
    """The best threshold for each cohort; parameters and errors of :func:`shared_threshold`.

    Examples
    --------
    >>> tuned = cohort_thresholds([1, 4, 6, 9, 2, 3, 5, 8], [0, 1, 1, 1, 0, 0, 0, 1], list("aaaabbbb"))
    >>> tuned.thresholds, tuned.value
    ({'a': 2.5, 'b': 6.5}, 1.0)
    """
    scores, truth = check_scores(scores, is_positive)
    codes, names = encode_cohorts(cohorts, len(scores))
    rows = [np.flatnonzero(codes == g) for g in range(len(names))]
    parts = [make_cuts(scores[r], truth[r], np.zeros(len(r), np.int64), 1) for r in rows]
    measure = _criterion(criterion, min_precision, tolerance)
    if criterion == MEAN_MINUS_GAP:
        chosen = _level(parts, tolerance)
    else:
        chosen = [_best(*measure(part), part.width) for part in parts]
    accuracy = {name: float(part.accuracy[0, k]) for name, part, k in zip(names, parts, chosen, strict=True)}
    thresholds = {name: float(part.threshold[k]) for name, part, k in zip(names, parts, chosen, strict=True)}
    if criterion in (MEAN_MINUS_GAP, MINIMUM):
        value = float(measure_accuracies(criterion, np.array(list(accuracy.values()))))
    else:
        value = float(np.mean([measure(part)[0][k] for part, k in zip(parts, chosen, strict=True)]))
    return TunedThresholds(criterion, value, thresholds, accuracy, is_shared=False)


def _level(parts: list[Cuts], tolerance: float) -> list[int]:
    """The cut of each cohort that together have the largest mean - gap; of equals, those that are best for all."""
    reached, cut_of = zip(*(_reachable(part) for part in parts), strict=True)
    largest = np.unique(np.concatenate(reached))
    largest = largest[largest >= max(values[0] for values in reached)]  # each cohort has a value that is no larger
    taken = [np.searchsorted(values, largest, side="right") - 1 for values in reached]
    accuracies = np.stack([values[i] for values, i in zip(reached, taken, strict=True)])
    score = _tolerant(accuracies, tolerance)
    best = np.flatnonzero(score >= score.max() - _EQUAL)[-1]  # all accuracies rise with the largest
    return [int(cuts[i[best]]) for cuts, i in zip(cut_of, taken, strict=True)]


def _reachable(part: Cuts) -> tuple[np.ndarray, np.ndarray]:
    """The distinct accuracies of one cohort, rising, and for each the cut in the widest gap that has it.

    Equal shares of different denominators are equal as floats too, because division is correctly rounded.
    """
    accuracy = part.accuracy[0]
    order = np.lexsort((part.width, accuracy))
    ordered = accuracy[order]
    is_last = np.r_[ordered[1:] > ordered[:-1], True]
    return ordered[is_last], order[is_last]


def measure_accuracies(criterion: str, accuracies: np.ndarray) -> np.ndarray:
    """``mean_minus_gap`` or ``minimum`` of accuracies of shape (n_cohorts, …), shape (…)."""
    if criterion == MINIMUM:
        return accuracies.min(axis=0)
    return accuracies.mean(axis=0) - (accuracies.max(axis=0) - accuracies.min(axis=0))


def _best(values: np.ndarray, ties: np.ndarray, width: np.ndarray) -> int:
    """Position of the largest value; of equals the one with the largest tie-breaker, then the widest gap, then the first."""
    best = np.flatnonzero(values >= values.max() - _EQUAL)
    best = best[ties[best] >= ties[best].max() - _EQUAL]
    return int(best[np.argmax(width[best])])


# ------------------------------------------------------------------------------------------------- criteria


def _accuracy(cuts: Cuts) -> Values:
    return cuts.pooled.accuracy[0], cuts.accuracy.min(axis=0)


def _balanced_accuracy(cuts: Cuts) -> Values:
    pool = _both_classes(cuts.pooled, "balanced accuracy")
    found, refused = pool.true_positives / pool.n_positive, 1 - pool.false_positives / pool.n_negative
    return (found + refused)[0] / 2, np.minimum(found, refused)[0]


def _f1(cuts: Cuts) -> Values:
    pool = _both_classes(cuts.pooled, "F1")
    hits = pool.true_positives[0]
    return 2 * hits / (hits + pool.false_positives[0] + pool.n_positive[0]), pool.accuracy[0]


def _recall_at_precision(cuts: Cuts, min_precision: float) -> Values:
    if not 0 < min_precision <= 1:
        raise ValueError(f"min_precision must be in (0, 1]; got {min_precision}.")
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


def _mean_minus_gap(cuts: Cuts, tolerance: float) -> Values:
    accuracy = cuts.accuracy
    return _tolerant(accuracy, tolerance), accuracy.min(axis=0)


def _tolerant(accuracies: np.ndarray, tolerance: float) -> np.ndarray:
    if not tolerance >= 0:
        raise ValueError(f"tolerance must be at least 0; got {tolerance}.")
    gap = accuracies.max(axis=0) - accuracies.min(axis=0)
    return accuracies.mean(axis=0) - np.maximum(gap - tolerance, 0)


def _minimum(cuts: Cuts) -> Values:
    accuracy = cuts.accuracy
    return accuracy.min(axis=0), accuracy.mean(axis=0)


def _both_classes(pool: Cuts, what: str) -> Cuts:
    if not pool.n_positive[0, 0] or not pool.n_negative[0, 0]:
        side = "negative" if pool.n_positive[0, 0] else "positive"
        raise ValueError(
            f"The {what} is undefined: there are no {side} rows. Give rows of both classes in each cohort."
        )
    return pool


_MEASURES: dict[str, Callable[..., Values]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "recall_at_precision": _recall_at_precision,
    MEAN_MINUS_GAP: _mean_minus_gap,
    MINIMUM: _minimum,
}
#: What a threshold can be tuned for.
CRITERIA = tuple(_MEASURES)


def _criterion(name: str, min_precision: float, tolerance: float) -> Callable[[Cuts], Values]:
    if name not in _MEASURES:
        raise ValueError(f"The criterion must be one of {', '.join(CRITERIA)}; got {name!r}.")
    options = {"recall_at_precision": min_precision, MEAN_MINUS_GAP: tolerance}
    measure = _MEASURES[name]
    return partial(_with_option, measure, options[name]) if name in options else measure


def _with_option(measure: Callable[..., Values], option: float, cuts: Cuts) -> Values:
    return measure(cuts, option)


def chance_gap(tuned: TunedThresholds, n_rows: Mapping) -> float:
    """The gap up to which levelling two cohorts does not pay on other rows.

    A gap δ that was measured with the standard error σ is on other people about normal around δ. Lowering the better
    cohort's accuracy by ε lowers the mean by ε / 2 and the expected gap by (2 Φ(δ / σ) - 1) ε, which is more only when
    δ > Φ⁻¹(3/4) σ = 0.674 σ. With more than two cohorts the best and the worst are taken.

    Parameters
    ----------
    tuned : TunedThresholds
        For plain accuracy, so that its gap is that of before levelling.
    n_rows : mapping of cohort to int
        Independent rows of each.

    Returns
    -------
    float
        0.674 times the binomial standard error of the gap; 0 with one cohort.
    """
    shares = sorted(tuned.accuracy.items(), key=lambda item: item[1])
    if len(shares) < 2:
        return 0.0
    variances = [share * (1 - share) / n_rows[name] for name, share in (shares[0], shares[-1])]
    return NormalDist().inv_cdf(0.75) * math.sqrt(sum(variances))
