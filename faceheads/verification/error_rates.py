"""Error rates of comparisons at every threshold: FMR, FNMR, DET, EER, AUC and FNMR at a fixed FMR.

*FMR*, the false match rate, is the share of non-mated comparisons with similarity ≥ threshold; *FNMR*, the false
non-match rate, the share of mated comparisons with similarity < threshold. Both are over comparisons that were made;
:mod:`faceheads.verification.acquisition` counts the others.

References
----------
ISO/IEC 19795-1:2021, Biometric performance testing and reporting, Part 1: the rates, the DET curve, and the rules of 3
and of 30 on the size of a test.
G. R. Doddington, M. A. Przybocki, A. F. Martin, D. A. Reynolds, The NIST speaker recognition evaluation, Speech
Communication 31, 2000: the rule of 30.
D. Maio, D. Maltoni, R. Cappelli, J. L. Wayman, A. K. Jain, FVC2000: Fingerprint Verification Competition, IEEE
Transactions on Pattern Analysis and Machine Intelligence 24(3), 2002: an EER between two thresholds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

#: FMRs at which the FNMR is reported.
FMR_LIMITS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
#: No error in n comparisons bounds the rate by 3 / n with 95 % confidence.
RULE_OF_3 = 3
#: With 30 errors the rate is within ±30 % of the truth with 90 % confidence.
RULE_OF_30 = 30
#: So that 57 false matches are not more than 0.57 of 100.
_ROUNDING = 1e-6


def comparisons_needed(rate: float, rule: int = RULE_OF_3) -> int:
    """How many independent comparisons it takes to speak of an error rate.

    Examples
    --------
    >>> comparisons_needed(1e-4), comparisons_needed(1e-4, RULE_OF_30)
    (30000, 300000)
    """
    return math.ceil(round(rule / rate, 6))


@dataclass(frozen=True)
class EqualErrorRate:
    """The error rate where FMR and FNMR are equal, in the definitions that are in use.

    On a finite set the two curves are steps and rarely meet; i* is the threshold where they are nearest, the highest
    of several.

    Attributes
    ----------
    interpolated : float
        Where straight lines between the points of the DET curve cross FMR = FNMR. It changes least from sample to
        sample; the project's own figure.
    mean_at_nearest : float
        (FMR + FNMR) / 2 at i*.
    fnmr_at_nearest : float
        FNMR at i*, which the Kryptonite challenge scores by.
    fvc2000 : float
        (FMR + FNMR) / 2 at that of the two thresholds around the crossing where the sum is smaller (Maio et al. 2002).
    threshold : float
        i*; +inf when nothing should match.
    """

    interpolated: float
    mean_at_nearest: float
    fnmr_at_nearest: float
    fvc2000: float
    threshold: float


@dataclass(frozen=True)
class OperatingPoint:
    """FNMR where the FMR is at most a limit.

    Attributes
    ----------
    fmr_limit : float
    threshold : float
        In the middle of the gap below the lowest similarity that still matches; NaN when the limit is refused.
    fmr, fnmr : float
        At the threshold; NaN when refused.
    n_needed : int
        Non-mated comparisons that the limit needs by the rule of 3.
    n_well : int
        Those that it needs by the rule of 30.
    note : str
        Why it was refused, or that it is weak; may be empty.
    """

    fmr_limit: float
    threshold: float
    fmr: float
    fnmr: float
    n_needed: int
    n_well: int
    note: str = ""

    @property
    def is_supported(self) -> bool:
        """Whether there are enough comparisons by the rule of 3."""
        return math.isfinite(self.fmr)


@dataclass(frozen=True, eq=False)
class ErrorCurve:
    """Numbers of errors at every threshold that makes a difference.

    Attributes
    ----------
    thresholds : ndarray of shape (n_thresholds,), float64
        Ascending; the distinct similarities (or the edges they were counted in) and +inf, where nothing matches.
    n_false_matches : ndarray of shape (n_thresholds,), int64
        Non-mated comparisons with similarity ≥ threshold; falls from ``n_non_mated`` to 0.
    n_false_non_matches : ndarray of shape (n_thresholds,), int64
        Mated comparisons with similarity < threshold; rises from 0 to ``n_mated``.
    n_mated, n_non_mated : int

    Examples
    --------
    >>> curve = ErrorCurve.from_similarities([0.1, 0.2, 0.6, 0.5, 0.8, 0.9], [0, 0, 0, 1, 1, 1])
    >>> curve.rates_at(0.55)
    (0.3333333333333333, 0.3333333333333333)
    >>> round(curve.auc, 4)
    0.8889
    """

    thresholds: np.ndarray
    n_false_matches: np.ndarray
    n_false_non_matches: np.ndarray
    n_mated: int
    n_non_mated: int

    @classmethod
    def from_similarities(cls, similarity: np.ndarray, is_mated: np.ndarray) -> ErrorCurve:
        """The curve of single comparisons.

        Parameters
        ----------
        similarity : array of shape (n_trials,), float
            Higher is more alike.
        is_mated : array of shape (n_trials,), bool

        Raises
        ------
        ValueError
            If a similarity is not a number, or there are no mated or no non-mated comparisons.
        """
        similarity, is_mated = np.asarray(similarity, np.float64), np.asarray(is_mated, bool)
        if not np.isfinite(similarity).all():
            raise ValueError("similarities must be finite. Leave out comparisons that could not be made (NaN).")
        order = np.argsort(similarity)
        ordered = np.append(similarity[order], np.inf)
        first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        mated_below = np.concatenate([[0], np.cumsum(is_mated[order])])[first]
        n_mated = int(is_mated.sum())
        n_non_mated = len(is_mated) - n_mated
        return cls._checked(ordered[first], n_non_mated - (first - mated_below), mated_below, n_mated, n_non_mated)

    @classmethod
    def from_counts(cls, edges: np.ndarray, n_mated: np.ndarray, n_non_mated: np.ndarray) -> ErrorCurve:
        """The curve of comparisons that were counted in bins; exact at the edges.

        Parameters
        ----------
        edges : array of shape (n_bins,), float
            Lower edges, ascending; a bin holds edge ≤ similarity < next edge, the last has no upper end.
        n_mated, n_non_mated : arrays of shape (n_bins,), int
        """
        below = [np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]) for counts in (n_non_mated, n_mated)]
        thresholds = np.append(np.asarray(edges, np.float64), np.inf)
        return cls._checked(thresholds, below[0][-1] - below[0], below[1], int(below[1][-1]), int(below[0][-1]))

    @classmethod
    def _checked(
        cls, thresholds: np.ndarray, false_matches: np.ndarray, false_non_matches: np.ndarray, mated: int, others: int
    ) -> ErrorCurve:
        if not mated or not others:
            raise ValueError(
                f"Error rates need mated and non-mated comparisons that were made; got {mated} and {others}."
            )
        return cls(thresholds, false_matches.astype(np.int64), false_non_matches.astype(np.int64), mated, others)

    @cached_property
    def fmr(self) -> np.ndarray:
        """False match rate at each threshold, float64 of shape (n_thresholds,)."""
        return self.n_false_matches / self.n_non_mated

    @cached_property
    def fnmr(self) -> np.ndarray:
        """False non-match rate at each threshold, float64 of shape (n_thresholds,)."""
        return self.n_false_non_matches / self.n_mated

    def rates_at(self, threshold: float) -> tuple[float, float]:
        """FMR and FNMR when similarities from ``threshold`` on match."""
        k = int(np.searchsorted(self.thresholds, threshold))
        return float(self.fmr[k]), float(self.fnmr[k])

    @property
    def auc(self) -> float:
        """Area under the ROC curve: the chance that a mated pair is more alike than a non-mated one, ties half."""
        matched = 1 - self.fnmr
        return float(np.sum(-np.diff(self.fmr) * (matched[:-1] + matched[1:]) / 2))

    def eer(self) -> EqualErrorRate:
        """The equal error rate in every definition."""
        # whole numbers: FMR − FNMR times n_mated · n_non_mated, so that equal differences are equal
        excess = self.n_false_matches * self.n_mated - self.n_false_non_matches * self.n_non_mated
        k = int(np.flatnonzero(excess <= 0)[0])  # the first threshold where FMR ≤ FNMR; the first of all has FMR 1
        nearest = k if abs(excess[k]) <= abs(excess[k - 1]) else k - 1
        return EqualErrorRate(
            interpolated=self._crossing(k, excess),
            mean_at_nearest=self._mean_rate(nearest),
            fnmr_at_nearest=float(self.fnmr[nearest]),
            fvc2000=self._mean_rate(k) if not excess[k] else min(self._mean_rate(k - 1), self._mean_rate(k)),
            threshold=float(self.thresholds[nearest]),
        )

    def _mean_rate(self, k: int) -> float:
        return float(self.fmr[k] + self.fnmr[k]) / 2

    def _crossing(self, k: int, excess: np.ndarray) -> float:
        share = excess[k - 1] / (excess[k - 1] - excess[k])
        return float(self.fmr[k - 1] + share * (self.fmr[k] - self.fmr[k - 1]))

    def operating_point(self, fmr_limit: float) -> OperatingPoint:
        """FNMR at the lowest threshold with FMR ≤ ``fmr_limit``; refused when there are too few comparisons.

        Raises
        ------
        ValueError
            If the limit is not in (0, 1).
        """
        if not 0 < fmr_limit < 1:
            raise ValueError(f"an FMR to ask for must be in (0, 1); got {fmr_limit}.")
        needed, well = (comparisons_needed(fmr_limit, rule) for rule in (RULE_OF_3, RULE_OF_30))
        if self.n_non_mated < needed:
            note = (
                f"refused: FMR {fmr_limit:g} needs {needed:,} non-mated comparisons (rule of 3), better {well:,} "
                f"(rule of 30); there are {self.n_non_mated:,}"
            )
            return OperatingPoint(fmr_limit, math.nan, math.nan, math.nan, needed, well, note)
        k = self.position_of_fmr(fmr_limit)
        weak = f"weak: {well:,} non-mated comparisons would bear ±30 % (rule of 30); there are {self.n_non_mated:,}"
        note = "" if self.n_non_mated >= well else weak
        return OperatingPoint(
            fmr_limit, self.threshold_before(k), float(self.fmr[k]), float(self.fnmr[k]), needed, well, note
        )

    def position_of_fmr(self, fmr_limit: float) -> int:
        """Position of the lowest threshold with FMR ≤ ``fmr_limit``, however few the comparisons."""
        return int(np.argmax(self.n_false_matches <= fmr_limit * self.n_non_mated + _ROUNDING))

    def threshold_before(self, k: int) -> float:
        """A threshold that decides as ``thresholds[k]`` does: the middle of the gap below it.

        A similarity that is not among these then falls to the nearer side. At the ends, and between neighbouring
        numbers, ``thresholds[k]`` itself; instead of +inf the next number above all similarities.
        """
        upper = self.thresholds[k]
        if not np.isfinite(upper):
            return float(np.nextafter(self.thresholds[k - 1], np.inf))
        if k == 0:
            return float(upper)
        middle = (self.thresholds[k - 1] + upper) / 2
        return float(middle if self.thresholds[k - 1] < middle else upper)
