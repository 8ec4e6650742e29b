"""Intervals of error rates that know that comparisons share people.

A comparison of persons a and b goes up and down with every other comparison of a or of b; thousands of pairs of a hundred
people say less than as many independent ones. Each error rate is written as a mean of *residuals* of comparisons
(linearised, where it is no plain mean), and its variance is the sum of their products over all pairs of comparisons with
a person in common. The interval is Wilson's with the number of independent comparisons that has this variance, and with
Student's t for as many degrees of freedom as the people who carry it.

A two-way bootstrap (:func:`faceheads.verification.accuracy.identity_interval`) is the other known way. A comparison of
two persons drawn d₁ and d₂ times counts d₁d₂ times there, and the variance of that is 3, not 1: what is particular to a
pair of persons counts three times over, so that intervals are too wide (Owen 2007), and rare errors leave it nothing to
draw. ``benchmarks/interval_coverage.py`` measures both. Where people differ so strongly that a few make most of the false
matches, intervals of rare false matches are still too short: in the last line of that benchmark, about 90 % hold the truth.

References
----------
M. Fafchamps, F. Gubert, The formation of risk sharing networks, Journal of Development Economics 83, 2007:
variances of sums over pairs that share a member.
P. M. Aronow, C. Samii, V. A. Assenova, Cluster-robust variance estimation for dyadic data, Political Analysis 23, 2015.
R. Fogliato, P. Patil, P. Perona, Confidence intervals for error rates in 1:1 matching tasks, IJCV 2024: Wilson's interval
with such a variance.
A. B. Owen, The pigeonhole bootstrap, Annals of Applied Statistics 1, 2007.
F. E. Satterthwaite, An approximate distribution of estimates of variance components, Biometrics Bulletin 2, 1946.
G. Y. Zou, A. Donner, Construction of confidence limits about effect measures: a general approach, Statistics in Medicine
27, 2008: limits of a sum from the limits of its parts.
E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Comparing the areas under two or more correlated receiver operating
characteristic curves, Biometrics 44, 1988: the residuals of the area.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import scipy.stats

from ..metrics.intervals import LEVEL, Estimate
from .error_rates import ErrorCurve, OperatingPoint
from .trials import Trials

#: Degrees of freedom are not put lower than this: with fewer, t's quantiles explode and say nothing.
_MIN_FREEDOM = 4
_FEW_IDENTITIES = 20


@dataclass(frozen=True)
class Spread:
    """The variance of an error rate and how well it is known.

    Attributes
    ----------
    variance : float
    freedom : float
        Degrees of freedom of the variance.
    """

    variance: float
    freedom: float

    @property
    def reach(self) -> float:
        """Half the length of a symmetric 95 % interval."""
        return float(scipy.stats.t.ppf((1 + LEVEL) / 2, self.freedom)) * math.sqrt(self.variance)


class SharedIdentities:
    """Which comparisons have people in common.

    Parameters
    ----------
    probe_identity, reference_identity : arrays of shape (n_trials,), of str or int

    Attributes
    ----------
    n_identities : int
    pair_of_trial : ndarray of shape (n_trials,), int64
        Number of the pair of persons that a comparison compares.
    """

    def __init__(self, probe_identity: np.ndarray, reference_identity: np.ndarray) -> None:
        codes, names = pd.factorize(np.concatenate([probe_identity, reference_identity]))
        self.n_identities = len(names)
        probe, reference = np.split(codes.astype(np.int64), 2)
        low, high = np.minimum(probe, reference), np.maximum(probe, reference)
        self.pair_of_trial, pairs = pd.factorize(low * self.n_identities + high)
        self._low, self._high = np.divmod(pairs, self.n_identities)
        self._is_two = self._low != self._high

    @property
    def n_pairs(self) -> int:
        """Number of distinct pairs of persons, a person with himself included."""
        return len(self._low)

    def spread(self, residuals: np.ndarray) -> Spread:
        """The spread of a sum of residuals.

        Parameters
        ----------
        residuals : ndarray of shape (n_trials,), float
            What each comparison adds to the sum, beyond what is expected.
        """
        pair = np.bincount(self.pair_of_trial, residuals, self.n_pairs)
        person = np.bincount(self._low, pair, self.n_identities)
        person += np.bincount(self._high[self._is_two], pair[self._is_two], self.n_identities)
        squares, n = person**2, max(self.n_identities, 3)
        total = squares.sum()
        # pairs of two persons are in the squares of both: once too often. Never less than if pairs were independent.
        variance = max(total - (pair[self._is_two] ** 2).sum(), (pair**2).sum()) * n / (n - 2)
        scatter = (squares**2).sum() - total**2 / n
        freedom = 2 * total**2 / scatter if scatter > 0 else n - 1
        return Spread(float(variance), float(min(max(freedom, _MIN_FREEDOM), n - 1)))


def independent_comparisons(rate: float, spread: Spread, n_fallback: int) -> tuple[float, float]:
    """How many independent comparisons would know a rate as well, and Student's t of its variance.

    Where no error, or nothing but errors, leaves the variance unknown, ``n_fallback`` independent comparisons are assumed.
    """
    if not (spread.variance > 0 and 0 < rate < 1):
        return float(n_fallback), float(scipy.stats.t.ppf((1 + LEVEL) / 2, max(n_fallback - 1, 1)))
    return rate * (1 - rate) / spread.variance, float(scipy.stats.t.ppf((1 + LEVEL) / 2, spread.freedom))


def wilson_of(rate: float, spread: Spread, n_fallback: int, note: str = "") -> Estimate:
    """A rate with Wilson's interval for a given variance.

    Parameters
    ----------
    rate : float
    spread : Spread
    n_fallback : int
        As :func:`independent_comparisons` takes it.
    note : str
    """
    n, quantile = independent_comparisons(rate, spread, n_fallback)
    centre = (rate + quantile**2 / (2 * n)) / (1 + quantile**2 / n)
    half = quantile / (1 + quantile**2 / n) * math.sqrt(rate * (1 - rate) / n + quantile**2 / (4 * n * n))
    low = max(0.0, centre - half) if rate > 0 else 0.0  # but for rounding
    high = min(1.0, centre + half) if rate < 1 else 1.0
    return Estimate(rate, low, high, note)


class UncertainRates:
    """Error rates of a set of comparisons, each with a 95 % interval.

    Parameters
    ----------
    trials : Trials
        Comparisons that could not be made are left out.

    Attributes
    ----------
    trials : Trials
        Those that were made.
    curve : ErrorCurve

    Raises
    ------
    ValueError
        If there are no mated or no non-mated comparisons that were made.
    """

    def __init__(self, trials: Trials) -> None:
        self.trials = trials.made
        self.curve = ErrorCurve.from_similarities(self.trials.similarity, self.trials.is_mated)

    @cached_property
    def shared(self) -> SharedIdentities:
        """Who is in which comparison."""
        return SharedIdentities(self.trials.probe_identity, self.trials.reference_identity)

    @cached_property
    def _n_identity_pairs(self) -> tuple[int, int]:
        """Distinct persons in mated comparisons, distinct pairs of persons in non-mated ones."""
        mated, pair = self.trials.is_mated, self.shared.pair_of_trial
        return len(pd.unique(pair[mated])), len(pd.unique(pair[~mated]))

    @property
    def _note(self) -> str:
        return _doubt(self.shared.n_identities)

    def _residuals(self, threshold: float, of_fmr: float, of_fnmr: float) -> np.ndarray:
        """What each comparison adds to ``of_fmr`` · FMR + ``of_fnmr`` · FNMR at a threshold."""
        is_match, is_mated = self.trials.similarity >= threshold, self.trials.is_mated
        fmr, fnmr = self.curve.rates_at(threshold)
        of_non_mated = of_fmr / self.curve.n_non_mated * (is_match - fmr)
        return np.where(is_mated, of_fnmr / self.curve.n_mated * (~is_match - fnmr), of_non_mated)

    def fmr(self, threshold: float) -> Estimate:
        """The false match rate at a fixed threshold."""
        spread = self.shared.spread(self._residuals(threshold, 1, 0))
        return wilson_of(self.curve.rates_at(threshold)[0], spread, self._n_identity_pairs[1], self._note)

    def fnmr(self, threshold: float) -> Estimate:
        """The false non-match rate at a fixed threshold."""
        spread = self.shared.spread(self._residuals(threshold, 0, 1))
        return wilson_of(self.curve.rates_at(threshold)[1], spread, self._n_identity_pairs[0], self._note)

    def eer(self) -> Estimate:
        """The interpolated equal error rate.

        It moves with FMR and FNMR at its threshold, each weighted by the slope of the other: δEER = λ δFMR + (1 − λ) δFNMR
        with λ = |FNMR′| / (|FMR′| + |FNMR′|). The slopes are taken over the thresholds that cannot be told from it.
        """
        eer = self.curve.eer()
        threshold = min(eer.threshold, float(self.curve.thresholds[-2]))
        reach = self.shared.spread(self._residuals(threshold, 1, -1)).reach
        fall, rise = self._changes(np.abs(self.curve.fmr - self.curve.fnmr) <= reach, threshold)
        share = rise / (fall + rise)
        spread = self.shared.spread(self._residuals(threshold, share, 1 - share))
        return wilson_of(eer.interpolated, spread, min(self._n_identity_pairs), self._note)

    def fnmr_at_fmr(self, point: OperatingPoint) -> Estimate:
        """The FNMR of an operating point, whose threshold depends on the comparisons too.

        Its limits lie as far away as two parts together (as their squares add): that of the FNMR at the fixed threshold,
        and the change of the FNMR to the thresholds where the FMR has reached its own limits (Zou and Donner 2008).
        """
        if not point.is_supported:
            return Estimate(math.nan, note=point.note)
        fixed, fmr = self.fnmr(point.threshold), self.fmr(point.threshold)
        lower, upper = (self.curve.fnmr[self.curve.position_of_fmr(limit)] for limit in (fmr.high, fmr.low))
        low = point.fnmr - math.hypot(point.fnmr - fixed.low, point.fnmr - min(lower, point.fnmr))
        high = point.fnmr + math.hypot(fixed.high - point.fnmr, max(upper, point.fnmr) - point.fnmr)
        return Estimate(point.fnmr, max(0.0, low), min(1.0, high), point.note)

    def _changes(self, is_near: np.ndarray, threshold: float) -> tuple[float, float]:
        """How far FMR falls and FNMR rises over the near thresholds, with the step on either side."""
        near = np.flatnonzero(is_near)
        k = int(np.searchsorted(self.curve.thresholds, threshold))
        first, last = (near[0], near[-1]) if len(near) else (k, k)
        first, last = max(min(first, k) - 1, 0), min(max(last, k) + 1, len(is_near) - 1)
        fall = self.curve.fmr[first] - self.curve.fmr[last]
        return max(float(fall), 1 / self.curve.n_non_mated), float(self.curve.fnmr[last] - self.curve.fnmr[first])

    def auc(self) -> Estimate:
        """The area under the ROC curve; each comparison's residual is how it fares against all of the other kind."""
        k = self._threshold_of_trial()
        auc = self.curve.auc
        beaten = 1 - (self.curve.fmr[k] + self.curve.fmr[k + 1]) / 2
        beating = 1 - (self.curve.fnmr[k] + self.curve.fnmr[k + 1]) / 2
        non_mated = (beating - auc) / self.curve.n_non_mated
        residuals = np.where(self.trials.is_mated, (beaten - auc) / self.curve.n_mated, non_mated)
        return wilson_of(auc, self.shared.spread(residuals), min(self._n_identity_pairs), self._note)

    def _threshold_of_trial(self) -> np.ndarray:
        """Position in the curve's thresholds of each comparison's similarity."""
        order = np.argsort(self.trials.similarity)
        ordered = self.trials.similarity[order]
        position = np.empty(len(order), np.int64)
        position[order] = np.concatenate([[0], np.cumsum(ordered[1:] != ordered[:-1])])
        return position


def mean_with_interval(values: np.ndarray, trials: Trials) -> Estimate:
    """A share of all comparisons, those that could not be made included.

    Parameters
    ----------
    values : ndarray of shape (n_trials,), bool
    trials : Trials
    """
    shared = SharedIdentities(trials.probe_identity, trials.reference_identity)
    mean = float(np.mean(values))
    return wilson_of(mean, shared.spread((values - mean) / len(values)), shared.n_pairs, _doubt(shared.n_identities))


def _doubt(n_identities: int) -> str:
    few = f"only {n_identities} identities: the interval is too narrow"
    return few if n_identities < _FEW_IDENTITIES else ""
