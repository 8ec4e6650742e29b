"""What a search for settings found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from .head_settings import Settings, complete, in_words
from .metrics.intervals import Estimate


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes
    ----------
    settings : mapping of str to float
    n_candidates : int
    metric : {"accuracy", "mae"}, or "weighted " before one of them
        Of the figures; weighted where training rows are.
    expected : Estimate
        Nested cross-validation: what such a search with such a head does on people of the training part that it has not seen.
    winning : float
        The winner's score in the search itself, which is too good.
    """

    settings: Settings = field(default_factory=dict)
    n_candidates: int = 0
    metric: str = ""
    expected: Estimate = field(default_factory=lambda: Estimate(math.nan))
    winning: float = math.nan

    def to_json(self) -> dict:
        """JSON values."""
        return {
            "n_candidates": self.n_candidates,
            "metric": self.metric,
            "expected": self.expected.to_json(),
            "winning": self.winning,
        }

    @classmethod
    def from_json(cls, values: Mapping, settings: Settings) -> Found:
        """The search that :meth:`to_json` wrote."""
        return cls(
            settings=settings,
            n_candidates=int(values["n_candidates"]),
            metric=str(values["metric"]),
            expected=Estimate.from_json(values["expected"]),
            winning=float(values["winning"]),
        )


def found_line(found: Found, kind: str, unit: str) -> str:
    """What a search found, for people."""
    scale, digits, sign = (1, 2, f" {unit}".rstrip()) if found.metric.endswith("mae") else (100, 1, " %")
    value, low, high, winning = (
        f"{number * scale:.{digits}f}"
        for number in (found.expected.value, found.expected.low, found.expected.high, found.winning)
    )
    name = found.metric.replace("mae", "mean absolute error")
    chosen = "the defaults" if dict(found.settings) == complete(kind, None) else "other than the defaults"
    return (
        f"of {found.n_candidates} settings tried: {in_words(found.settings)} ({chosen}); expected {name} by nested "
        f"cross-validation {value}{sign} [{low}, {high}], in the search itself {winning}{sign}"
    )
