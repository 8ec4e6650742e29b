"""How large a gap between cohorts may be by chance: levelling such a gap does not pay on other people."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist

import numpy as np

from .criterion import CHANCE, MEAN_MINUS_GAP, Criterion
from .cuts import encode_cohorts
from .optimum import TunedThresholds

#: The scores, the truth and the cohorts of rows, as :func:`faceheads.fairness.optimum.shared_threshold` takes them.
Problem = tuple[Sequence[float], Sequence, Sequence | None]


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


def count_independent(cohorts: Sequence | None, groups: Sequence | None, n_rows: int) -> dict:
    """Rows of each cohort, or its groups where they are known: rows of one person say the same thing again."""
    codes, names = encode_cohorts(cohorts, n_rows)
    units = np.arange(n_rows) if groups is None else np.asarray(groups)
    return {name: len(np.unique(units[codes == g])) for g, name in enumerate(names)}


def settled(
    criterion: Criterion, tune: Callable[..., TunedThresholds], problem: Problem, groups: Sequence | None
) -> Criterion:
    """The criterion with a number where its tolerance is ``"chance"``; any other comes back as it is.

    Parameters
    ----------
    criterion : Criterion
    tune : callable
        :func:`faceheads.fairness.optimum.shared_threshold` or ``cohort_thresholds``: what the criterion is for.
    problem : scores, truth and cohorts of n_rows rows
    groups : array of shape (n_rows,), optional
        Persons; rows of one person are not independent.
    """
    if criterion.tolerance != CHANCE:
        return criterion
    if criterion.name != MEAN_MINUS_GAP:
        return replace(criterion, tolerance=0.0)
    scores, _, cohorts = problem
    counts = count_independent(cohorts, groups, len(scores))
    return replace(criterion, tolerance=chance_gap(tune(*problem, "accuracy"), counts))
