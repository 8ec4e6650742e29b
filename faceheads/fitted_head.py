"""One fitted estimator and what must be known to decide with it: target, thresholds, margin, measured errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
from sklearn.base import BaseEstimator

from .fitting import predict_numbers, predict_probabilities
from .head_report import HeadReport
from .head_settings import Settings
from .prediction import Prediction, decide, number
from .search_result import Found
from .targets import MULTILABEL, REGRESSION, Target

#: A decision is called unsure when the two best probabilities differ by less.
UNSURE_MARGIN = 0.2
#: Where thresholds come from that nobody tuned.
NOT_TUNED = "not tuned"


@dataclass(frozen=True)
class CohortThresholds:
    """Thresholds that differ between cohorts, for faces whose cohort another head of the same file predicts.

    Attributes
    ----------
    target : str
        What that head predicts.
    values : tuple of float
        One for each of its classes, in their order.
    """

    target: str
    values: tuple[float, ...]

    def limits(self, cohort_probabilities: np.ndarray) -> np.ndarray:
        """The threshold for each face, Σ_g p_g · t_g, float64 of shape (n_faces,)."""
        return cohort_probabilities @ np.array(self.values)

    def to_json(self) -> dict:
        """JSON values."""
        return {"target": self.target, "values": list(self.values)}

    @classmethod
    def from_json(cls, values: Mapping) -> CohortThresholds:
        """The thresholds that :meth:`to_json` wrote."""
        return cls(str(values["target"]), tuple(float(t) for t in values["values"]))


@dataclass(frozen=True, eq=False)
class Head:
    """One fitted estimator and what is known about it.

    Attributes
    ----------
    target : Target
    kind : str
        One of :data:`faceheads.heads.KINDS`.
    estimator : scikit-learn estimator
    report : HeadReport
    thresholds : tuple of float
        For two classes one number, for attributes one each: the second class is decided when its probability is at least
        this. Empty for more classes and for numbers.
    thresholds_from : str
        How the thresholds were found.
    unsure_margin : float
        See :func:`faceheads.prediction.decide`.
    by_cohort : CohortThresholds or None
        Where thresholds differ between cohorts; ``thresholds`` then is the best one for all.
    settings : mapping of str to float
        Of the kind, where they are not :data:`faceheads.head_settings.DEFAULTS`.
    found : Found or None
        The search that found the settings.
    """

    target: Target
    kind: str
    estimator: BaseEstimator
    report: HeadReport = field(default_factory=HeadReport)
    thresholds: tuple[float, ...] = ()
    thresholds_from: str = NOT_TUNED
    unsure_margin: float = UNSURE_MARGIN
    by_cohort: CohortThresholds | None = None
    settings: Settings = field(default_factory=dict)
    found: Found | None = None

    def raw(self, embeddings: np.ndarray) -> np.ndarray:
        """Numbers of shape (n_rows,), or probabilities of shape (n_rows, n_classes) or (n_rows, n_columns)."""
        if self.target.task == REGRESSION:
            return predict_numbers(self.estimator, embeddings)
        return predict_probabilities(self.estimator, embeddings, self.target.task)

    def predict(self, embeddings: np.ndarray, limits: np.ndarray | None = None) -> list[Prediction]:
        """One prediction, or one for each attribute of a multi-label head.

        ``limits`` of shape (n_faces,) are thresholds of single faces, as :meth:`HeadFile.limits` gives them.
        """
        raw, target = self.raw(embeddings), self.target
        if target.task == REGRESSION:
            return [number(target.name, raw, target.unit, self.typical_error)]
        if target.task == MULTILABEL:
            pairs = [np.stack([1 - p, p], axis=1) for p in raw.T]
            columns = zip(target.columns, pairs, self.thresholds, strict=True)
            return [decide(name, target.classes, p, t, self.unsure_margin) for name, p, t in columns]
        threshold = self.thresholds[0] if self.thresholds else math.nan
        return [decide(target.name, target.classes, raw, threshold if limits is None else limits, self.unsure_margin)]

    @property
    def typical_error(self) -> float:
        """Mean absolute error on the held-out part; NaN when not measured."""
        return self.report.metrics["mae"].value if "mae" in self.report.metrics else math.nan

    @property
    def n_outputs(self) -> int:
        """Columns of :meth:`raw`; 1 for a number."""
        if self.target.task == MULTILABEL:
            return len(self.target.columns)
        return max(1, len(self.target.classes))

    def to_json(self) -> dict:
        """Everything but the estimator, as JSON values."""
        target = {**asdict(self.target), "columns": list(self.target.columns), "classes": list(self.target.classes)}
        return {
            "target": target,
            "kind": self.kind,
            "report": self.report.to_json(),
            "thresholds": list(self.thresholds),
            "thresholds_from": self.thresholds_from,
            "unsure_margin": self.unsure_margin,
            "by_cohort": None if self.by_cohort is None else self.by_cohort.to_json(),
            "settings": dict(self.settings),
            "found": None if self.found is None else self.found.to_json(),
        }

    @classmethod
    def from_json(cls, values: Mapping, estimator: BaseEstimator) -> Head:
        """The head that :meth:`to_json` described."""
        target = dict(values["target"])
        by_cohort, found = (values.get(name) for name in ("by_cohort", "found"))  # older files have neither
        settings = {str(name): float(value) for name, value in values.get("settings", {}).items()}
        return cls(
            target=Target(**{**target, "columns": tuple(target["columns"]), "classes": tuple(target["classes"])}),
            kind=str(values["kind"]),
            estimator=estimator,
            report=HeadReport.from_json(values["report"]),
            thresholds=tuple(float(t) for t in values["thresholds"]),
            thresholds_from=str(values["thresholds_from"]),
            unsure_margin=float(values["unsure_margin"]),
            by_cohort=None if by_cohort is None else CohortThresholds.from_json(by_cohort),
            settings=settings,
            found=None if found is None else Found.from_json(found, settings),
        )


def default_thresholds(target: Target) -> tuple[float, ...]:
    """One half for every decision between two classes."""
    if target.task == MULTILABEL:
        return (0.5,) * len(target.columns)
    return (0.5,) if len(target.classes) == 2 else ()
