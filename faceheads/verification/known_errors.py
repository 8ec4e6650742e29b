"""The errors of a threshold as far as they are known: on the people it was found on, on others, and at other thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from .comparisons import Comparisons
from .error_rates import RULE_OF_3, ErrorCurve
from .evidence import Evidence
from .json_values import exactly, number

MAX_POINTS = 400


@dataclass(frozen=True)
class KnownErrors:
    """Errors against one kind of non-mated pair.

    Attributes
    ----------
    tuned_on : Evidence
    reported_on : Evidence or None
        On other identities; None when there were none, and the errors then are too good.
    points : tuple of (similarity, FMR, FNMR)
        The error rates at some thresholds, ascending, of the data reported on (else tuned on).
    """

    tuned_on: Evidence
    reported_on: Evidence | None
    points: tuple[tuple[float, float, float], ...]

    @classmethod
    def of(cls, tuned: Comparisons, reported: Comparisons | None, threshold: float) -> KnownErrors:
        """The errors of a threshold on what it was found on and on other people.

        Raises
        ------
        ValueError
            If there are no mated or no non-mated comparisons that were made.
        """
        known = [Evidence.of(one, threshold) if one is not None else None for one in (tuned, reported)]
        return cls(*known, curve_points((tuned if reported is None else reported).rates.curve))

    @property
    def evidence(self) -> Evidence:
        """That on other people, where there is any."""
        return self.tuned_on if self.reported_on is None else self.reported_on

    def fmr_at(self, similarity: float) -> tuple[float, bool]:
        """Share of non-mated pairs that are at least this alike, and whether it is a bound because none was."""
        below = [fmr for threshold, fmr, _ in self.points if threshold <= similarity]
        fmr = below[-1] if below else 1.0
        if fmr > 0:
            return fmr, False
        return min(1.0, RULE_OF_3 / max(self.evidence.n_non_mated, 1)), True

    def to_json(self) -> dict:
        """JSON values."""
        return {
            "tuned_on": self.tuned_on.to_json(),
            "reported_on": None if self.reported_on is None else self.reported_on.to_json(),
            "points": [list(point) for point in self.points],
        }

    @classmethod
    def from_json(cls, values: Mapping) -> KnownErrors:
        """The errors that :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            If there are other fields or values.
        """
        exactly(values, {f.name for f in fields(cls)}, "known errors")
        reported_on = values["reported_on"]
        return cls(
            Evidence.from_json(values["tuned_on"]),
            None if reported_on is None else Evidence.from_json(reported_on),
            _points(values["points"]),
        )


def curve_points(curve: ErrorCurve) -> tuple[tuple[float, float, float], ...]:
    """Thresholds with FMR and FNMR, spaced evenly in the logarithm of the FMR, the lowest without a false match last."""
    wanted = np.unique(np.geomspace(1, curve.n_non_mated, MAX_POINTS - 1).astype(np.int64))[::-1]
    falling = -curve.n_false_matches
    chosen = np.unique(np.append(np.searchsorted(falling, -wanted), np.searchsorted(falling, 0)))
    thresholds = [curve.threshold_before(int(k)) for k in chosen]
    return tuple(
        (t, float(fmr), float(fnmr)) for t, fmr, fnmr in zip(thresholds, curve.fmr[chosen], curve.fnmr[chosen])
    )


def _points(values: object) -> tuple[tuple[float, float, float], ...]:
    if not isinstance(values, list) or not 0 < len(values) <= MAX_POINTS:
        raise ValueError(f"points must be a list of 1 to {MAX_POINTS}.")
    points = np.array([[number(x) for x in point] for point in values])
    if points.shape != (len(values), 3) or (np.diff(points[:, 0]) < 0).any() or (np.diff(points[:, 1]) > 0).any():
        raise ValueError("points must be triples with ascending similarity and falling FMR.")
    if not ((points[:, 1:] >= 0) & (points[:, 1:] <= 1)).all():
        raise ValueError("rates of points must be in [0, 1].")
    return tuple(map(tuple, points.tolist()))
