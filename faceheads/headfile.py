"""Fitted heads and everything that must be known to use them: input, targets, thresholds, measured errors."""

from __future__ import annotations

import math
import platform
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version

import numpy as np
from sklearn.base import BaseEstimator

from . import __version__
from .extraction_command import extraction_command
from .heads import predict_numbers, predict_probabilities
from .metrics.intervals import Estimate
from .prediction import Prediction, decide, number
from .spec import EmbedderSpec, TableSpec
from .targets import MULTILABEL, REGRESSION, Target

#: A decision is called unsure when the two best probabilities differ by less.
UNSURE_MARGIN = 0.2
#: Where thresholds come from that nobody tuned.
NOT_TUNED = "not tuned"


class HeadError(ValueError):
    """A head file cannot be used, or not for these embeddings; the message says why and what to do."""


class HeadWarning(UserWarning):
    """A head can be used, but its measured errors may not hold."""


@dataclass(frozen=True)
class HeadReport:
    """How well a head did on faces it had not seen.

    Attributes
    ----------
    n_train, n_test : int
        Rows.
    n_test_without_face : int
        Test rows without an embedding; they count, with what the training part alone suggests.
    metrics, baseline : mapping of str to Estimate
        Of the head, and of the most frequent class or the median of the training part. For several attributes: means.
    attributes, attribute_baselines : mapping of str to mapping of str to Estimate
        For each attribute of a multi-label head; else empty.
    residual_quantiles : mapping of str to float
        Quantiles of truth − prediction of a number, in its unit; keys such as ``"0.05"``.
    """

    n_train: int = 0
    n_test: int = 0
    n_test_without_face: int = 0
    metrics: Mapping[str, Estimate] = field(default_factory=dict)
    baseline: Mapping[str, Estimate] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    attribute_baselines: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    residual_quantiles: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict:
        """JSON values."""
        return {
            "n_train": self.n_train,
            "n_test": self.n_test,
            "n_test_without_face": self.n_test_without_face,
            "metrics": _estimates_to_json(self.metrics),
            "baseline": _estimates_to_json(self.baseline),
            "attributes": {name: _estimates_to_json(m) for name, m in self.attributes.items()},
            "attribute_baselines": {name: _estimates_to_json(m) for name, m in self.attribute_baselines.items()},
            "residual_quantiles": dict(self.residual_quantiles),
        }

    @classmethod
    def from_json(cls, values: Mapping) -> HeadReport:
        """The report that :meth:`to_json` wrote."""
        estimates = {name: _estimates_from_json(values[name]) for name in ("metrics", "baseline")}
        nested = {
            name: {column: _estimates_from_json(m) for column, m in values[name].items()}
            for name in ("attributes", "attribute_baselines")
        }
        counts = {name: int(values[name]) for name in ("n_train", "n_test", "n_test_without_face")}
        quantiles = {str(q): float(v) for q, v in values["residual_quantiles"].items()}
        return cls(**counts, **estimates, **nested, residual_quantiles=quantiles)


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
    """

    target: Target
    kind: str
    estimator: BaseEstimator
    report: HeadReport = field(default_factory=HeadReport)
    thresholds: tuple[float, ...] = ()
    thresholds_from: str = NOT_TUNED
    unsure_margin: float = UNSURE_MARGIN
    by_cohort: CohortThresholds | None = None

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
        }

    @classmethod
    def from_json(cls, values: Mapping, estimator: BaseEstimator) -> Head:
        """The head that :meth:`to_json` described."""
        target = dict(values["target"])
        by_cohort = values.get("by_cohort")  # files of version 0.1.0 have none
        return cls(
            target=Target(**{**target, "columns": tuple(target["columns"]), "classes": tuple(target["classes"])}),
            kind=str(values["kind"]),
            estimator=estimator,
            report=HeadReport.from_json(values["report"]),
            thresholds=tuple(float(t) for t in values["thresholds"]),
            thresholds_from=str(values["thresholds_from"]),
            unsure_margin=float(values["unsure_margin"]),
            by_cohort=None if by_cohort is None else CohortThresholds.from_json(by_cohort),
        )


def default_thresholds(target: Target) -> tuple[float, ...]:
    """One half for every decision between two classes."""
    if target.task == MULTILABEL:
        return (0.5,) * len(target.columns)
    return (0.5,) if len(target.classes) == 2 else ()


@dataclass(frozen=True, eq=False)
class HeadFile:
    """The heads of one file.

    Attributes
    ----------
    heads : tuple of Head
    table_spec : TableSpec or None
        How the table they learned from was made; None for a CSV of other software.
    golden_inputs : ndarray of shape (n_golden, dimension), float32
        Made-up embeddings.
    training : mapping
        Hash of the training data, split and seed, as JSON values.
    versions : mapping of str to str
        Software that wrote the file.
    """

    heads: tuple[Head, ...]
    table_spec: TableSpec | None
    golden_inputs: np.ndarray
    training: Mapping = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=lambda: software_versions())

    @property
    def dimension(self) -> int:
        """Length of the embeddings that the heads take."""
        return self.golden_inputs.shape[1]

    @property
    def targets(self) -> tuple[str, ...]:
        """Everything that is predicted, in the order of :meth:`predict`."""
        return tuple(column for head in self.heads for column in head.target.columns)

    def check_spec(self, spec: TableSpec | EmbedderSpec | None) -> None:
        """Raise unless embeddings of ``spec`` are what the heads learned from; warn when another detector found the faces.

        Raises
        ------
        HeadError
            If the embedder differs or is unknown; the message holds the command that extracts again.
        """
        if spec is None and self.table_spec is None:
            return
        if spec is None or self.table_spec is None:
            raise HeadError(self._explain_unknown(spec))
        if spec.embedder_digest != self.table_spec.embedder_digest:
            raise HeadError(
                f"The heads need embeddings {self.table_spec.embedder_digest}; these are {spec.embedder_digest}. "
                f"Extract again with: {extraction_command(self.table_spec)}"
            )
        if isinstance(spec, TableSpec) and spec.detection_digest != self.table_spec.detection_digest:
            warnings.warn(
                f"The heads learned from faces found by {_detection_words(self.table_spec)}, these were found by "
                f"{_detection_words(spec)}: their measured errors may not hold.",
                HeadWarning,
                stacklevel=2,
            )

    def _explain_unknown(self, spec: TableSpec | EmbedderSpec | None) -> str:
        if spec is None:
            return (
                "These embeddings come without a specification, so nobody can tell whether the heads fit them. "
                f"Extract again with: {extraction_command(self.table_spec)}"
            )
        return (
            "The heads were trained on a table without a specification (a CSV of other software), so nobody can tell "
            "whether these embeddings fit. Train again on a table that feature_extraction.py wrote."
        )

    def predict(self, embeddings: np.ndarray, spec: TableSpec | EmbedderSpec | None) -> list[Prediction]:
        """Predictions of all heads for every face.

        Parameters
        ----------
        embeddings : array of shape (n_faces, dimension), float32
            Finite.
        spec : TableSpec, EmbedderSpec or None
            How the embeddings were made. None only fits heads that were trained on a table without one.

        Returns
        -------
        list of Prediction, one for each of :attr:`targets`

        Raises
        ------
        HeadError
            If the embeddings are not what the heads learned from.
        """
        embeddings = np.asarray(embeddings, np.float32)
        if embeddings.ndim != 2 or embeddings.shape[1] != self.dimension:
            raise HeadError(
                f"embeddings must have the shape (n_faces, {self.dimension}); got {embeddings.shape}."
                + (f" Extract again with: {extraction_command(self.table_spec)}" if self.table_spec else "")
            )
        self.check_spec(spec)
        if not np.isfinite(embeddings).all():
            raise HeadError("embeddings must be finite; leave out the rows of a table that have none.")
        if not len(embeddings):  # scikit-learn takes no empty input
            return [p for head in self.heads for p in _without_rows(head.predict(self.golden_inputs[:1]))]
        return [p for head in self.heads for p in head.predict(embeddings, self.limits(head, embeddings))]

    def limits(self, head: Head, embeddings: np.ndarray) -> np.ndarray | None:
        """Thresholds of single faces, shape (n_faces,), for a head that has them by cohort; else None."""
        if head.by_cohort is None:
            return None
        cohort_head = next(other for other in self.heads if other.target.name == head.by_cohort.target)
        return head.by_cohort.limits(cohort_head.raw(embeddings))

    def select(self, targets: list[str]) -> HeadFile:
        """The same file with the heads of some targets only; a multi-label head is kept when one of its columns is asked.

        A head that predicts the cohorts of a kept one is kept too.

        Raises
        ------
        HeadError
            If a target does not exist.
        """
        missing = [t for t in targets if t not in self.targets]
        if missing:
            raise HeadError(f"The file predicts {list(self.targets)}; it has no {missing}.")
        asked = [head for head in self.heads if set(head.target.columns) & set(targets)]
        needed = {head.by_cohort.target for head in asked if head.by_cohort is not None}
        return replace(self, heads=tuple(h for h in self.heads if h in asked or h.target.name in needed))


def _without_rows(predictions: list[Prediction]) -> list[Prediction]:
    columns = ("probabilities", "value", "is_unsure")
    return [replace(p, **{name: getattr(p, name)[:0] for name in columns}) for p in predictions]


def _detection_words(spec: TableSpec) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in sorted(spec.detector_settings.items()))
    return f"{spec.detector}" + (f" ({settings})" if settings else "") + f", {spec.faces} face"


def software_versions() -> dict[str, str]:
    """Versions that decide whether a file gives the same results."""
    return {
        "python": platform.python_version(),
        "faceheads": __version__,
        **{name: version(name) for name in ("numpy", "scikit-learn", "skops")},
    }


def _estimates_to_json(estimates: Mapping[str, Estimate]) -> dict:
    return {name: estimate.to_json() for name, estimate in estimates.items()}


def _estimates_from_json(values: Mapping) -> dict[str, Estimate]:
    return {name: Estimate.from_json(estimate) for name, estimate in values.items()}
