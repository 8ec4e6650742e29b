"""How well a head did on faces it had not seen: what a head file keeps of its test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .metrics.intervals import Estimate


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


def _estimates_to_json(estimates: Mapping[str, Estimate]) -> dict:
    return {name: estimate.to_json() for name, estimate in estimates.items()}


def _estimates_from_json(values: Mapping) -> dict[str, Estimate]:
    return {name: Estimate.from_json(estimate) for name, estimate in values.items()}
