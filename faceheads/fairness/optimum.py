"""The threshold, or one threshold for each cohort, that is best by a criterion: exact, in O(n log n).

The criteria are in :mod:`faceheads.fairness.criterion`. With one threshold for all cohorts those that do not compare
cohorts are of all rows together. With one for each cohort they are optimised within each; ``value`` is then their mean.

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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .criterion import MEAN_MINUS_GAP, Criterion, as_criterion, measure_accuracies
from .cuts import Cuts, check_scores, encode_cohorts, make_cuts

#: Values that differ by less are rounding errors of one value: accuracies of n rows differ by 1 / n², 1e-12 for a million.
_EQUAL = 1e-14


@dataclass(frozen=True)
class TunedThresholds:
    """Thresholds and what they reach on the scores that they were tuned on.

    Attributes
    ----------
    criterion : str
        One of :data:`faceheads.fairness.criterion.CRITERIA`.
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
    criterion: Criterion | str = MEAN_MINUS_GAP,
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
    criterion : Criterion or str, default="mean_minus_gap"
        A name stands for the criterion with its default numbers. The ``value`` that is returned is without tolerance.

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
    criterion = as_criterion(criterion)
    values, ties = criterion.values(cuts)
    k = _best(values, ties, cuts.width)
    accuracy = dict(zip(names, cuts.accuracy[:, k].tolist(), strict=True))
    thresholds = dict.fromkeys(names, float(cuts.threshold[k]))
    name = criterion.name
    value = values[k] if name != MEAN_MINUS_GAP else measure_accuracies(name, cuts.accuracy[:, k])
    return TunedThresholds(name, float(value), thresholds, accuracy, is_shared=True)


def cohort_thresholds(
    scores: Sequence[float],
    is_positive: Sequence,
    cohorts: Sequence | None = None,
    criterion: Criterion | str = MEAN_MINUS_GAP,
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
    criterion = as_criterion(criterion)
    if criterion.name == MEAN_MINUS_GAP:
        chosen = _level(parts, criterion)
    else:
        chosen = [_best(*criterion.values(part), part.width) for part in parts]
    accuracy = {name: float(part.accuracy[0, k]) for name, part, k in zip(names, parts, chosen, strict=True)}
    thresholds = {name: float(part.threshold[k]) for name, part, k in zip(names, parts, chosen, strict=True)}
    if criterion.compares:
        value = float(measure_accuracies(criterion.name, np.array(list(accuracy.values()))))
    else:
        value = float(np.mean([criterion.values(part)[0][k] for part, k in zip(parts, chosen, strict=True)]))
    return TunedThresholds(criterion.name, value, thresholds, accuracy, is_shared=False)


def _level(parts: list[Cuts], criterion: Criterion) -> list[int]:
    """The cut of each cohort that together have the largest mean - gap; of equals, those that are best for all."""
    reached, cut_of = zip(*(_reachable(part) for part in parts), strict=True)
    largest = np.unique(np.concatenate(reached))
    largest = largest[largest >= max(values[0] for values in reached)]  # each cohort has a value that is no larger
    taken = [np.searchsorted(values, largest, side="right") - 1 for values in reached]
    accuracies = np.stack([values[i] for values, i in zip(reached, taken, strict=True)])
    score = criterion.tolerant(accuracies)
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


def _best(values: np.ndarray, ties: np.ndarray, width: np.ndarray) -> int:
    """Position of the largest value; of equals the one with the largest tie-breaker, then the widest gap, then the first."""
    best = np.flatnonzero(values >= values.max() - _EQUAL)
    best = best[ties[best] >= ties[best].max() - _EQUAL]
    return int(best[np.argmax(width[best])])
