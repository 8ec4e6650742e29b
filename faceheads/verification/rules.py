"""What a threshold is asked for: an FMR (or two, of fakes and of others), equal errors, accuracy, or a cost.

References
----------
ISO/IEC 19795-1:2021: thresholds are set on other data than errors are reported on.
A. F. Martin, M. A. Przybocki, The NIST 1999 speaker recognition evaluation: an overview, Digital Signal Processing 10,
2000: the detection cost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .error_rates import ErrorCurve

BY = ("fmr", "eer", "accuracy", "cost")
#: Relative difference below which two costs are equal.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Request:
    """What a threshold is asked for.

    Attributes
    ----------
    by : {"fmr", "eer", "accuracy", "cost"}
        The lowest threshold whose FMR is at most ``fmr``; where FMR and FNMR are nearest; where most decisions are
        right; where C_fm · (1 − p) · FMR + C_fnm · p · FNMR is smallest.
    fmr : float
        For ``"fmr"``, in (0, 1).
    false_match_cost, false_non_match_cost : float
        C_fm and C_fnm, for ``"cost"``; positive.
    mated_share : float
        p, the share of mated comparisons to expect, for ``"cost"``; in (0, 1).
    fake_fmr : float
        For ``"fmr"``, in (0, 1): the highest FMR of pairs with a fake, which are then no part of ``fmr``. NaN: fakes count as
        any other non-mated pair.

    Raises
    ------
    ValueError
        If a value is out of range.

    Examples
    --------
    >>> curve = ErrorCurve.from_similarities([0.1, 0.2, 0.6, 0.5, 0.8, 0.9], [0, 0, 0, 1, 1, 1])
    >>> Request("accuracy").find(curve)
    0.35
    """

    by: str
    fmr: float = math.nan
    false_match_cost: float = 1.0
    false_non_match_cost: float = 1.0
    mated_share: float = 0.5
    fake_fmr: float = math.nan

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise ValueError(f"a threshold can be asked for by {', '.join(BY)}; got {self.by!r}.")
        if self.by == "fmr" and not 0 < self.fmr < 1:
            raise ValueError(f"the FMR of a threshold must be in (0, 1); got {self.fmr}.")
        if not (0 < self.false_match_cost < math.inf and 0 < self.false_non_match_cost < math.inf):
            costs = (self.false_match_cost, self.false_non_match_cost)
            raise ValueError(f"costs of errors must be positive and finite; got {costs}.")
        if not 0 < self.mated_share < 1:
            raise ValueError(f"the share of mated comparisons must be in (0, 1); got {self.mated_share}.")
        if self.keeps_fakes_apart and not (self.by == "fmr" and 0 < self.fake_fmr < 1):
            raise ValueError(
                f"the FMR of fakes must be in (0, 1) and goes with an FMR; got {self.fake_fmr} by {self.by!r}."
            )

    @property
    def keeps_fakes_apart(self) -> bool:
        """Whether pairs with a fake have a limit of their own."""
        return not math.isnan(self.fake_fmr)

    def find(self, curve: ErrorCurve) -> float:
        """The threshold on a curve, in the middle of the widest gap among equals.

        Raises
        ------
        ValueError
            If an FMR is asked for that the comparisons cannot bear.
        """
        if self.by == "fmr":
            point = curve.operating_point(self.fmr)
            if not point.is_supported:
                raise ValueError(f"The threshold is {point.note}. Ask for a higher FMR, or give more pairs.")
        return self.find_unchecked(curve)

    def find_unchecked(self, curve: ErrorCurve) -> float:
        """The same, however few the comparisons: for finding it again on a part of them."""
        if self.by == "fmr":
            return curve.threshold_before(curve.position_of_fmr(self.fmr))
        if self.by == "eer":
            return curve.threshold_before(int(np.searchsorted(curve.thresholds, curve.eer().threshold)))
        return _lowest(curve, self._cost(curve))

    def _cost(self, curve: ErrorCurve) -> np.ndarray:
        if self.by == "accuracy":
            return (curve.n_false_matches + curve.n_false_non_matches).astype(np.float64)
        of_fmr = self.false_match_cost * (1 - self.mated_share)
        return of_fmr * curve.fmr + self.false_non_match_cost * self.mated_share * curve.fnmr

    def to_json(self) -> dict:
        """JSON values; only what matters for ``by``."""
        if self.by == "fmr":
            of_fakes = {"fake_fmr": self.fake_fmr} if self.keeps_fakes_apart else {}
            return {"by": self.by, "fmr": self.fmr, **of_fakes}
        if self.by == "cost":
            names = ("false_match_cost", "false_non_match_cost", "mated_share")
            return {"by": self.by, **{name: getattr(self, name) for name in names}}
        return {"by": self.by}

    @classmethod
    def from_json(cls, values: Mapping) -> Request:
        """The request that :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            If there are other fields or values.
        """
        request = cls(str(values.get("by")), **{str(k): float(v) for k, v in values.items() if k != "by"})
        if request.to_json().keys() != values.keys():
            raise ValueError(f"a threshold asked for by {request.by!r} has other fields than {sorted(values)}.")
        return request

    def __str__(self) -> str:
        if self.by == "fmr":
            of_fakes = f", of fakes {self.fake_fmr:g}" if self.keeps_fakes_apart else ""
            return f"FMR of at most {self.fmr:g}{of_fakes}"
        if self.by == "cost":
            costs = f"{self.false_match_cost:g} a false match, {self.false_non_match_cost:g} a false non-match"
            return f"lowest cost ({costs}, {self.mated_share:g} of comparisons mated)"
        return "equal error rates" if self.by == "eer" else "highest accuracy"


def _lowest(curve: ErrorCurve, cost: np.ndarray) -> float:
    """The middle of the widest gap between thresholds where the cost is lowest."""
    best = np.flatnonzero(cost <= cost.min() * (1 + _ROUNDING))
    inner = best[(best > 0) & (best < len(cost) - 1)]
    if not len(inner):
        return curve.threshold_before(int(best[0]))
    gaps = curve.thresholds[inner] - curve.thresholds[inner - 1]
    return curve.threshold_before(int(inner[np.argmax(gaps)]))
