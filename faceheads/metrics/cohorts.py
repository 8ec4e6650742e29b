"""Metrics of each cohort, of each pair of cohorts, and of all cohorts combined.

A *cohort* is a set of rows that a rate is reported for, such as women, or faces of 20 to 29 years. The *gap* of a metric is
its largest value over cohorts minus its smallest. *Combined* is the mean over cohorts made worse by the gap: minus the gap
where high is good, plus the gap where the metric is an error, so that with two cohorts it is
(Err_F + Err_M) / 2 + |Err_F − Err_M|.

All cohorts are measured on the same draws of groups, so that differences have intervals of their own. A gap is above 0 in
every draw, also where the population has none. So the lower limit of its interval is at most what the pair that differs most
surely allows, 0 when every interval of a difference holds 0; and then the interval of the combined value also holds that of
the mean.

References
----------
S. Barocas, M. Hardt, A. Narayanan, Fairness and Machine Learning, 2023, chapter 3 (differences over small cohorts are noisy).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import pandas as pd

from .intervals import FEW_GROUPS, Estimate, GroupBootstrap, Resampled

#: Cohorts with fewer rows, or rows of fewer groups, are not reported: their rates are chance, and could tell of persons.
MIN_ROWS = 50
MIN_GROUPS = FEW_GROUPS
#: Metrics that are better when they are lower.
ERRORS = ("mae", "rmse", "brier", "ece")

Metrics = Mapping[str, Estimate]


@dataclass(frozen=True)
class Cohort:
    """One cohort.

    Attributes
    ----------
    name : str
    n_rows, n_groups : int
        Rows, and groups (persons, sets of equal images) that they belong to.
    metrics : mapping of str to Estimate
        Empty when the cohort is suppressed.
    note : str
        Why it is suppressed; else empty.
    """

    name: str
    n_rows: int
    n_groups: int
    metrics: Metrics = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Difference:
    """The metrics of cohort ``one`` minus those of ``other``."""

    one: str
    other: str
    metrics: Metrics


@dataclass(frozen=True)
class CohortTable:
    """The cohorts of one column.

    Attributes
    ----------
    column : str
    cohorts : tuple of Cohort
        In their order; also those that are suppressed.
    differences : tuple of Difference
        Of each two cohorts that are not suppressed.
    gaps, combined : mapping of str to Estimate
        Of each metric over the cohorts that are not suppressed; undefined with fewer than two.
    note : str
        Rows without a cohort; else empty.
    """

    column: str
    cohorts: tuple[Cohort, ...]
    differences: tuple[Difference, ...]
    gaps: Metrics
    combined: Metrics
    note: str = ""

    def to_json(self) -> dict:
        """JSON values."""
        return {
            "column": self.column,
            "note": self.note,
            "cohorts": [{**vars(cohort), "metrics": _to_json(cohort.metrics)} for cohort in self.cohorts],
            "differences": [{**vars(pair), "metrics": _to_json(pair.metrics)} for pair in self.differences],
            "gaps": _to_json(self.gaps),
            "combined": _to_json(self.combined),
        }


def _to_json(metrics: Metrics) -> dict:
    return {name: estimate.to_json() for name, estimate in metrics.items()}


def measure_cohorts(
    column: str,
    cohorts: pd.Categorical,
    draws: GroupBootstrap,
    measure: Callable[[np.ndarray, GroupBootstrap], Mapping[str, Resampled]],
) -> CohortTable:
    """Metrics by cohort.

    Parameters
    ----------
    column : str
        What the cohorts are called together.
    cohorts : Categorical of n_rows rows
        The categories that occur are reported in their order; rows without one are counted only.
    draws : GroupBootstrap
        Of all rows.
    measure : callable
        Row numbers and draws of these rows → metrics, the same ones for all cohorts.

    Raises
    ------
    ValueError
        If the lengths differ.
    """
    if len(cohorts) != draws.n_rows:
        raise ValueError(f"cohorts must have the {draws.n_rows} rows of the groups; got {len(cohorts)}.")
    found, measured = [], {}
    for code, name in enumerate(cohorts.categories):
        rows = np.flatnonzero(cohorts.codes == code)
        if not len(rows):
            continue
        part = draws.subset(rows)
        note = why_suppressed(part)
        if not note:
            measured[name] = measure(rows, part)
        found.append(Cohort(str(name), part.n_rows, part.n_groups, _estimates(measured.get(name, {})), note))
    n_unknown = int((cohorts.codes < 0).sum())
    differences = tuple(_difference(*pair) for pair in combinations(measured.items(), 2))
    gaps, combined = _over_cohorts(measured, differences)
    return CohortTable(
        column,
        tuple(found),
        differences,
        gaps,
        combined,
        note=f"{n_unknown} rows have no value of {column}" if n_unknown else "",
    )


def why_suppressed(draws: GroupBootstrap) -> str:
    """Why the rows of ``draws`` are too few to report a rate of them; empty when they are enough."""
    if draws.n_rows >= MIN_ROWS and draws.n_groups >= MIN_GROUPS:
        return ""
    return f"not shown: fewer than {MIN_ROWS} rows or {MIN_GROUPS} groups"


def _estimates(metrics: Mapping[str, Resampled]) -> dict[str, Estimate]:
    return {name: metric.estimate() for name, metric in metrics.items()}


def _difference(one: tuple[str, Mapping[str, Resampled]], other: tuple[str, Mapping[str, Resampled]]) -> Difference:
    metrics = {
        name: Resampled.combine([metric, other[1][name]], lambda values: values[0] - values[1], at_least=2)
        for name, metric in one[1].items()
    }
    return Difference(str(one[0]), str(other[0]), _estimates(metrics))


def _over_cohorts(
    measured: Mapping[str, Mapping[str, Resampled]], differences: Sequence[Difference]
) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """Gap and combined value of each metric."""
    gaps, combined = {}, {}
    for name in next(iter(measured.values()), {}):
        parts = [metrics[name] for metrics in measured.values()]
        sure = max((_distance_from_zero(difference.metrics[name]) for difference in differences), default=0.0)
        gaps[name] = _gap(parts, sure)
        combined[name] = _combined(parts, sure, 1 if name in ERRORS else -1)
    return gaps, combined


def _distance_from_zero(difference: Estimate) -> float:
    return max(0.0, difference.low, -difference.high)


def _gap(parts: Sequence[Resampled], sure: float) -> Estimate:
    gap = Resampled.combine(parts, lambda values: np.ptp(values, axis=0), at_least=2).estimate()
    return replace(gap, low=min(gap.low, sure))


def _combined(parts: Sequence[Resampled], sure: float, sign: int) -> Estimate:
    def function(values: np.ndarray) -> np.ndarray:
        return values.mean(axis=0) + sign * np.ptp(values, axis=0)

    combined = Resampled.combine(parts, function, at_least=2).estimate()
    if sure > 0:
        return combined
    mean = Resampled.mean(parts).estimate()  # what it is without a gap
    return replace(combined, low=min(combined.low, mean.low), high=max(combined.high, mean.high))
