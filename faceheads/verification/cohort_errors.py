"""Error rates of cohorts at one threshold.

The FNMR of a cohort is over mated comparisons of its faces, its FMR over non-mated comparisons within it: two women, not a
woman and a man, who are told apart more easily. Comparisons between cohorts have a line of their own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from ..metrics.cohorts import MIN_GROUPS
from ..metrics.intervals import Estimate
from .differentials import Differential, KnownRate, differentials, equivalent_n
from .trials import Trials
from .uncertainty import SharedIdentities, independent_comparisons, wilson_of

BETWEEN = "between cohorts"


@dataclass(frozen=True)
class CohortErrors:
    """Error rates of one cohort.

    Attributes
    ----------
    cohort : str
    n_identities, n_mated, n_non_mated : int
        People and comparisons that were made.
    fmr, fnmr : Estimate
        Undefined where there are no comparisons, or too few people to speak of.
    """

    cohort: str
    n_identities: int
    n_mated: int
    n_non_mated: int
    fmr: Estimate
    fnmr: Estimate

    def to_json(self) -> dict:
        """JSON values."""
        counts = {name: getattr(self, name) for name in ("cohort", "n_identities", "n_mated", "n_non_mated")}
        return {**counts, "fmr": self.fmr.to_json(), "fnmr": self.fnmr.to_json()}


@dataclass(frozen=True)
class SweepPoint:
    """Rates of the cohorts that have both, at the threshold where the FMR of all comparisons is at most a limit.

    Attributes
    ----------
    fmr_limit, threshold : float
    fmr, fnmr : mapping of str to float
        By cohort.
    """

    fmr_limit: float
    threshold: float
    fmr: Mapping[str, float]
    fnmr: Mapping[str, float]


@dataclass(frozen=True)
class CohortComparison:
    """The cohorts of one column.

    Attributes
    ----------
    column : str
    threshold : float
    cohorts : tuple of CohortErrors
    between : CohortErrors
        Comparisons of faces of different cohorts.
    differentials : tuple of Differential
        Over the cohorts with both rates; empty with fewer than two.
    sweep : tuple of SweepPoint
    note : str
        How many comparisons have no cohort; may be empty.
    """

    column: str
    threshold: float
    cohorts: tuple[CohortErrors, ...]
    between: CohortErrors
    differentials: tuple[Differential, ...]
    sweep: tuple[SweepPoint, ...]
    note: str = ""

    def to_json(self) -> dict:
        """JSON values."""
        return {
            "column": self.column,
            "threshold": self.threshold,
            "cohorts": [cohort.to_json() for cohort in self.cohorts],
            "between": self.between.to_json(),
            "differentials": [one.to_json() for one in self.differentials],
            "sweep": [asdict(point) for point in self.sweep],
            "note": self.note,
        }


def compare_cohorts(
    column: str,
    trials: Trials,
    cohort_of_row: pd.Categorical,
    threshold: float,
    sweep: Mapping[float, float] | None = None,
) -> CohortComparison:
    """Error rates by cohort.

    Parameters
    ----------
    column : str
        What the cohorts are called together.
    trials : Trials
        Comparisons that could not be made are left out.
    cohort_of_row : Categorical of n_rows rows
        Of the faces of the table; comparisons with a face without one are counted only.
    threshold : float
        Match ⇔ similarity ≥ threshold.
    sweep : mapping of float to float, optional
        Further thresholds, by the FMR that they are for.
    """
    made = trials.made
    codes = np.asarray(cohort_of_row.codes)
    probe, reference = codes[made.probe], codes[made.reference]
    is_known = (probe >= 0) & (reference >= 0)
    cohort = np.where(probe == reference, probe, -1)
    names = [str(name) for name in cohort_of_row.categories]
    parts = {name: made[is_known & (cohort == code)] for code, name in enumerate(names)}
    found = [_Errors.of(name, part, threshold) for name, part in parts.items() if len(part)]
    complete = [one for one in found if one.is_complete]
    measures = []
    if len(complete) > 1:
        measures = differentials([one.fmr for one in complete], [one.fnmr for one in complete])
    n_unknown = int((~is_known).sum())
    shown = {one.errors.cohort: parts[one.errors.cohort] for one in complete}
    return CohortComparison(
        column,
        threshold,
        tuple(one.errors for one in found),
        _Errors.of(BETWEEN, made[is_known & (probe != reference)], threshold).errors,
        tuple(measures),
        tuple(_sweep_point(limit, at, shown) for limit, at in ({} if sweep is None else sweep).items()),
        f"{n_unknown:,} comparisons have a face without {column}" if n_unknown else "",
    )


@dataclass(frozen=True)
class _Errors:
    """Errors of a cohort, and how well its rates are known."""

    errors: CohortErrors
    fmr: KnownRate
    fnmr: KnownRate

    @classmethod
    def of(cls, name: str, part: Trials, threshold: float) -> _Errors:
        mated, others = part[part.is_mated], part[~part.is_mated]
        fmr = _known_rate(others.similarity >= threshold, others)
        fnmr = _known_rate(mated.similarity < threshold, mated)
        n_people = len(pd.unique(np.concatenate([part.probe_identity, part.reference_identity])))
        errors = CohortErrors(name, n_people, len(mated), len(others), fmr.estimate, fnmr.estimate)
        return cls(errors, fmr, fnmr)

    @property
    def is_complete(self) -> bool:
        return math.isfinite(self.fmr.estimate.value) and math.isfinite(self.fnmr.estimate.value)


def _known_rate(is_error: np.ndarray, part: Trials) -> KnownRate:
    """The share of errors; undefined with fewer people than may be spoken of."""
    shared = SharedIdentities(part.probe_identity, part.reference_identity)
    if shared.n_identities < MIN_GROUPS:
        what = "no such comparison" if not len(part) else f"not shown: fewer than {MIN_GROUPS} people"
        return KnownRate(Estimate(math.nan, note=what), 0.0)
    rate = float(np.mean(is_error))
    spread = shared.spread((is_error - rate) / len(part))
    n, quantile = independent_comparisons(rate, spread, shared.n_pairs)
    return KnownRate(wilson_of(rate, spread, shared.n_pairs), equivalent_n(n, quantile))


def _sweep_point(limit: float, threshold: float, parts: Mapping[str, Trials]) -> SweepPoint:
    fmr = {name: float(np.mean(part.similarity[~part.is_mated] >= threshold)) for name, part in parts.items()}
    fnmr = {name: float(np.mean(part.similarity[part.is_mated] < threshold)) for name, part in parts.items()}
    return SweepPoint(limit, threshold, fmr, fnmr)
