"""How unequal error rates of cohorts are, in the measures that are in use, with intervals.

For the rates x₁ … x_k of k cohorts at one threshold, for FMR and FNMR alike:

=====================  ================================================================================================
gap                    largest − smallest
ratio                  largest / smallest
ratio to the mean      largest / geometric mean (NIST's): one cohort with hardly an error does not blow it up
Gini                   k / (k − 1) · Σᵢ Σⱼ |xᵢ − xⱼ| / (2 k² x̄): 0 if all are equal, 1 if one cohort has all errors
=====================  ================================================================================================

and of both, with equal weights: FDR = 1 − (gap of FMR + gap of FNMR) / 2, which is 1 if all are equal; GARBE, the mean of
both Ginis; and the inequity rate IR, the square root of the product of both ratios.

None says which cohort is worse off, and FDR is near 1 wherever errors are rare: read them with the rates.

Intervals come from draws of the rates, independently for each cohort (comparisons within different cohorts share nobody,
where cohorts are of people), from beta distributions as wide as the intervals of the rates. The largest of several noisy rates is above the smallest also
where all are equal, in every draw: so the limit on the side of equality is equality itself unless the rates of two cohorts
surely differ. Limits of measures of both rates are those that the limits of the parts give: somewhat too wide.

References
----------
T. de Freitas Pereira, S. Marcel, Fairness in biometrics: a figure of merit to assess biometric verification systems, IEEE
T-BIOM 4, 2022 (FDR).
J. J. Howard, E. J. Laird, Y. B. Sirotin, R. E. Rubin, J. L. Tipton, A. R. Vemury, Evaluating proposed fairness models for
face recognition algorithms, ICPR workshops 2022 (GARBE).
P. Grother, Demographic differentials in face recognition algorithms, EAB virtual event 2021 (the inequity rate); and Face
recognition vendor test part 8: summarizing demographic differentials, NISTIR 8429, 2022 (ratio to the geometric mean).
G. Y. Zou, A. Donner, Construction of confidence limits about effect measures, Statistics in Medicine 27, 2008 (when two
rates surely differ).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from statistics import NormalDist

import numpy as np

from ..metrics.intervals import LEVEL, Estimate

N_DRAWS = 4000
_NORMAL_QUANTILE = 1.959964


@dataclass(frozen=True)
class KnownRate:
    """An error rate of a cohort and how well it is known.

    Attributes
    ----------
    estimate : Estimate
    n : float
        Independent comparisons that would know it as well.
    """

    estimate: Estimate
    n: float

    def draws(self, rng: np.random.Generator) -> np.ndarray:
        """Rates that the comparisons are compatible with, float64 of shape (n_draws,)."""
        errors = self.estimate.value * self.n
        return rng.beta(errors + 0.5, self.n - errors + 0.5, N_DRAWS)


def equivalent_n(n: float, quantile: float) -> float:
    """Comparisons whose normal quantile reaches as far as Student's with ``n``."""
    return n * (_NORMAL_QUANTILE / quantile) ** 2


@dataclass(frozen=True)
class Differential:
    """One measure of inequality.

    Attributes
    ----------
    name, definition : str
    fmr, fnmr : Estimate or None
        Of each rate; None for a measure of both.
    both : Estimate or None
    """

    name: str
    definition: str
    fmr: Estimate | None = None
    fnmr: Estimate | None = None
    both: Estimate | None = None

    def to_json(self) -> dict:
        """JSON values."""
        estimates = {name: getattr(self, name) for name in ("fmr", "fnmr", "both")}
        values = {name: None if estimate is None else estimate.to_json() for name, estimate in estimates.items()}
        return {"name": self.name, "definition": self.definition, **values}


def gap(rates: np.ndarray) -> np.ndarray:
    """Largest − smallest of rates of shape (n_cohorts, n), shape (n,)."""
    return np.ptp(rates, axis=0)


def ratio(rates: np.ndarray) -> np.ndarray:
    """Largest / smallest; NaN where the smallest is 0."""
    return _divided(rates.max(axis=0), rates.min(axis=0))


def ratio_to_mean(rates: np.ndarray) -> np.ndarray:
    """Largest / geometric mean; NaN where a rate is 0."""
    with np.errstate(divide="ignore"):
        return _divided(rates.max(axis=0), np.exp(np.log(rates).mean(axis=0)))


def gini(rates: np.ndarray) -> np.ndarray:
    """Gini's coefficient, corrected for the number of cohorts; NaN where all rates are 0."""
    k = len(rates)
    apart = np.abs(rates[:, None] - rates[None, :]).sum(axis=(0, 1))
    return k / (k - 1) * _divided(apart, 2 * k * k * rates.mean(axis=0))


def _divided(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)


#: Name, definition, function of the rates of one kind, and its value when all are equal.
_OF_ONE = (
    ("gap", "largest − smallest", gap, 0.0),
    ("ratio", "largest / smallest", ratio, 1.0),
    ("ratio to the mean", "largest / geometric mean", ratio_to_mean, 1.0),
    ("Gini", "Gini's coefficient, corrected for the number of cohorts", gini, 0.0),
)


#: Name, definition, the measure of one rate it is made of, and its value from that of FMR and that of FNMR.
_OF_BOTH = (
    ("FDR", "1 − (gap of FMR + gap of FNMR) / 2", "gap", lambda fmr, fnmr: 1 - (fmr + fnmr) / 2),
    ("GARBE", "mean of the Gini of FMR and of FNMR", "Gini", lambda fmr, fnmr: (fmr + fnmr) / 2),
    ("IR", "square root of ratio of FMR · ratio of FNMR", "ratio", lambda fmr, fnmr: math.sqrt(fmr * fnmr)),
)


def differentials(fmr: Sequence[KnownRate], fnmr: Sequence[KnownRate], seed: int = 0) -> list[Differential]:
    """All measures.

    Parameters
    ----------
    fmr, fnmr : sequences of KnownRate
        Of the same cohorts, two at least.
    seed : int, default=0

    Raises
    ------
    ValueError
        If there are fewer than two cohorts.
    """
    if len(fmr) < 2 or len(fmr) != len(fnmr):
        raise ValueError(f"inequality is between the rates of two cohorts or more; got {len(fmr)} and {len(fnmr)}.")
    rng = np.random.default_rng(seed)
    sides = [_Rates.of(rates, rng) for rates in (fmr, fnmr)]
    alone = {
        name: Differential(name, definition, *(side.estimate(function, equal) for side in sides))
        for name, definition, function, equal in _OF_ONE
    }
    both = [Differential(name, words, both=_of_both(alone[part], f)) for name, words, part, f in _OF_BOTH]
    return [*alone.values(), *both]


@dataclass(frozen=True, eq=False)
class _Rates:
    """Rates of one kind of all cohorts: measured, drawn, and whether two surely differ."""

    values: np.ndarray
    draws: np.ndarray
    is_unequal: bool

    @classmethod
    def of(cls, rates: Sequence[KnownRate], rng: np.random.Generator) -> _Rates:
        values = np.array([[rate.estimate.value] for rate in rates])
        share = (1 - LEVEL) / 2 / math.comb(len(rates), 2)  # Bonferroni's, over all pairs
        reach = -NormalDist().inv_cdf(share) / _NORMAL_QUANTILE
        pairs = permutations((rate.estimate for rate in rates), 2)
        is_unequal = any(_surely_larger(one, other, reach) for one, other in pairs)
        return cls(values, np.stack([rate.draws(rng) for rate in rates]), is_unequal)

    def estimate(self, function: Callable[[np.ndarray], np.ndarray], when_equal: float) -> Estimate:
        """A measure with its interval."""
        value = float(function(self.values)[0])
        if not math.isfinite(value):
            return Estimate(math.nan, note="undefined: a cohort has no error")
        low, high = np.quantile(function(self.draws), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        low = low if self.is_unequal else when_equal
        return Estimate(value, float(min(low, value)), float(max(high, value)))


def _surely_larger(one: Estimate, other: Estimate, reach: float) -> bool:
    """Whether the lower limit of the difference of two rates is above 0 (Zou and Donner 2008, equation 2)."""
    return one.value - other.value > reach * math.hypot(one.value - one.low, other.high - other.value)


def _of_both(part: Differential, function: Callable[[float, float], float]) -> Estimate:
    """A measure of both rates, with the limits that both parts' limits give."""
    if not (math.isfinite(part.fmr.value) and math.isfinite(part.fnmr.value)):
        return Estimate(math.nan, note="undefined: a cohort has no error")
    value, one, other = (
        function(*(getattr(x, name) for x in (part.fmr, part.fnmr))) for name in ("value", "low", "high")
    )
    return Estimate(value, min(one, other), max(one, other))
