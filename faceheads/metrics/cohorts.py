"""Metrics of each cohort, of each pair of cohorts, and of all cohorts combined.

A *cohort* is a set of rows that a rate is reported for, such as women, or faces of 20 to 29 years. The *gap* of a metric is
its largest value over cohorts minus its smallest. *Combined* is the mean over cohorts made worse by the gap: minus the gap
where high is good, plus the gap where the metric is an error, so that with two cohorts it is
(Err_F + Err_M) / 2 + |Err_F − Err_M|.

All cohorts are measured on the same draws of groups, so that differences have intervals of their own. A gap is above 0 in
every draw, so the lower limit of its interval is at most the one that the pair which differs most surely allows: 0 when
every interval of a difference holds 0.

References
----------
S. Barocas, M. Hardt, A. Narayanan, Fairness and Machine Learning, 2023, chapter 3 (differences over small cohorts are noisy).
"""

from __future__ import annotations

import math
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
    return CohortTable(
        column,
        tuple(found),
        differences,
        gaps=_down_to_sure(_over_cohorts(measured, _gap), differences),
        combined=_over_cohorts(measured, _combined),
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


def _down_to_sure(gaps: Mapping[str, Estimate], differences: Sequence[Difference]) -> dict[str, Estimate]:
    """Gaps whose lower limit is at most the largest distance from 0 of an interval of a difference."""
    sure = {
        name: max((max(0.0, d.metrics[name].low, -d.metrics[name].high) for d in differences), default=math.nan)
        for name in gaps
    }
    return {name: replace(gap, low=min(gap.low, sure[name])) for name, gap in gaps.items()}


def _gap(values: np.ndarray, sign: int) -> np.ndarray:
    return np.ptp(values, axis=0)


def _combined(values: np.ndarray, sign: int) -> np.ndarray:
    return values.mean(axis=0) + sign * np.ptp(values, axis=0)


def _over_cohorts(
    measured: Mapping[str, Mapping[str, Resampled]], function: Callable[[np.ndarray, int], np.ndarray]
) -> dict[str, Estimate]:
    names = next(iter(measured.values()), {})
    results = {}
    for name in names:
        sign = 1 if name in ERRORS else -1
        parts = [metrics[name] for metrics in measured.values()]
        results[name] = Resampled.combine(parts, lambda values, sign=sign: function(values, sign), at_least=2)
    return _estimates(results)
