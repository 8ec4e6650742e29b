"""How well a head does on rows that it has not seen: in all, and cohort by cohort.

Rows without an embedding count: for them the head is given what the training labels alone suggest, the most frequent class
or the median.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from .fitted_head import Head
from .head_report import HeadReport
from .metrics import (
    Estimate,
    GroupBootstrap,
    Resampled,
    attribute_metrics,
    classification_metrics,
    majority_probabilities,
    mean_over_attributes,
    regression_metrics,
)
from .metrics.cohorts import CohortTable, measure_cohorts
from .metrics.decades import DecadeConfusion, decade_confusion, decades
from .metrics.regression import YEAR_TOLERANCES
from .prediction import decided_positions
from .table import FaceTable
from .targets import CLASSIFICATION, MULTILABEL, REGRESSION, Target

_RESIDUAL_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, eq=False)
class Answers:
    """What a head says of rows, beside the truth.

    Attributes
    ----------
    head : Head
    y : ndarray
        The truth, as ``Target.encode`` gives it.
    raw, prior : ndarray
        What the head says, in the shape of ``Head.raw``; what the training labels alone suggest, which rows without an
        embedding have in ``raw`` too.
    n_train, n_without_face : int
        Rows learned from; rows without an embedding.
    limits : ndarray of shape (n_rows,), or None
        Thresholds of single rows, where they differ between cohorts.
    """

    head: Head
    y: np.ndarray
    raw: np.ndarray
    prior: np.ndarray
    n_train: int
    n_without_face: int
    limits: np.ndarray | None = None

    @classmethod
    def of(
        cls, head: Head, table: FaceTable, y_test: np.ndarray, y_train: np.ndarray, cohort_head: Head | None = None
    ) -> Answers:
        """The answers for the rows of a table; ``cohort_head`` predicts cohorts where thresholds differ between them."""
        prior = _prior(head.target, y_train, len(table))
        raw = prior.copy()
        embeddings = table.embedding[table.has_embedding]
        limits = None if head.by_cohort is None else np.full(len(table), head.thresholds[0])
        if len(embeddings):
            raw[table.has_embedding] = head.raw(embeddings)
            if limits is not None:
                limits[table.has_embedding] = head.by_cohort.limits(cohort_head.raw(embeddings))
        return cls(head, y_test, raw, prior, len(y_train), int((~table.has_embedding).sum()), limits)

    @property
    def decided(self) -> np.ndarray:
        """Positions of the decided classes, int64 of shape (n_rows,), or 0 and 1 for attributes, (n_rows, n_columns)."""
        if self.head.target.task == MULTILABEL:
            return (self.raw >= np.array(self.head.thresholds)).astype(np.int64)
        threshold = self.head.thresholds[0] if self.head.thresholds else np.nan
        return decided_positions(self.raw, threshold if self.limits is None else self.limits)

    def __getitem__(self, rows: np.ndarray) -> Answers:
        limits = None if self.limits is None else self.limits[rows]
        return replace(self, y=self.y[rows], raw=self.raw[rows], prior=self.prior[rows], limits=limits)


def _prior(target: Target, y_train: np.ndarray, n_rows: int) -> np.ndarray:
    """What a head would say without seeing anything, in the shape of ``Head.raw``."""
    if target.task == REGRESSION:
        return np.full(n_rows, np.median(y_train))
    if target.task == MULTILABEL:
        return np.tile(y_train.mean(axis=0), (n_rows, 1))
    return majority_probabilities(y_train, len(target.classes), n_rows)


def measure(answers: Answers, draws: GroupBootstrap) -> HeadReport:
    """How well a head did, beside the baseline; ``draws`` of the rows of ``answers``."""
    measures = {CLASSIFICATION: _measure_classes, REGRESSION: _measure_number, MULTILABEL: _measure_attributes}
    found = measures[answers.head.target.task](answers, draws)
    return HeadReport(
        n_train=answers.n_train, n_test=len(answers.y), n_test_without_face=answers.n_without_face, **found
    )


@dataclass(frozen=True, eq=False)
class Details:
    """What is measured of a head beyond its report.

    Attributes
    ----------
    cohorts : tuple of CohortTable
    decades : DecadeConfusion or None
        Of an age in years.
    by_decade : CohortTable or None
        The errors of an age by its decade.
    """

    cohorts: tuple[CohortTable, ...]
    decades: DecadeConfusion | None = None
    by_decade: CohortTable | None = None


def measure_details(answers: Answers, draws: GroupBootstrap, cohorts: Mapping[str, pd.Categorical]) -> Details:
    """Where a head did well; ``cohorts`` as :func:`faceheads.cohorts.cohort_columns` gives for the rows."""

    def of_rows(rows: np.ndarray, draws: GroupBootstrap) -> dict[str, Resampled]:
        return _metrics(answers[rows], draws)

    tables = tuple(measure_cohorts(column, values, draws, of_rows) for column, values in cohorts.items())
    target = answers.head.target
    if target.unit != "years":
        return Details(tables)
    by_decade = measure_cohorts(f"decade of {target.name}", decades(answers.y), draws, of_rows)
    return Details(tables, decade_confusion(answers.y, answers.raw, draws), by_decade)


def _metrics(answers: Answers, draws: GroupBootstrap) -> dict[str, Resampled]:
    head, raw, y = answers.head, answers.raw, answers.y
    if head.target.task == REGRESSION:
        return regression_metrics(y, raw, draws, _tolerances(head.target))
    if head.target.task == MULTILABEL:
        return mean_over_attributes(attribute_metrics(y, raw, draws, np.array(head.thresholds)))
    return classification_metrics(y, answers.decided, raw, draws)


def _tolerances(target: Target) -> tuple[float, ...]:
    return YEAR_TOLERANCES if target.unit == "years" else ()


def _measure_classes(answers: Answers, draws: GroupBootstrap) -> dict:
    prior = answers.prior
    return {
        "metrics": _estimates(_metrics(answers, draws)),
        "baseline": _estimates(classification_metrics(answers.y, prior.argmax(axis=1), prior, draws)),
    }


def _measure_number(answers: Answers, draws: GroupBootstrap) -> dict:
    quantiles = np.quantile(answers.y - answers.raw, _RESIDUAL_QUANTILES)
    return {
        "metrics": _estimates(_metrics(answers, draws)),
        "baseline": _estimates(_metrics(replace(answers, raw=answers.prior), draws)),
        "residual_quantiles": {f"{q:g}": float(v) for q, v in zip(_RESIDUAL_QUANTILES, quantiles, strict=True)},
    }


def _measure_attributes(answers: Answers, draws: GroupBootstrap) -> dict:
    columns = answers.head.target.columns
    of_head = attribute_metrics(answers.y, answers.raw, draws, np.array(answers.head.thresholds))
    of_prior = attribute_metrics(answers.y, answers.prior, draws, np.full(len(columns), 0.5))
    return {
        "metrics": _estimates(mean_over_attributes(of_head)),
        "baseline": _estimates(mean_over_attributes(of_prior)),
        "attributes": {name: _estimates(m) for name, m in zip(columns, of_head, strict=True)},
        "attribute_baselines": {name: _estimates(m) for name, m in zip(columns, of_prior, strict=True)},
    }


def _estimates(metrics: Mapping[str, Resampled]) -> dict[str, Estimate]:
    return {name: metric.estimate() for name, metric in metrics.items()}
