"""How a threshold is found: for an FMR, at equal errors, for accuracy, or for a cost; and how sure it is.

References
----------
ISO/IEC 19795-1:2021: thresholds are set on other data than errors are reported on.
A. F. Martin, M. A. Przybocki, The NIST 1999 speaker recognition evaluation: an overview, Digital Signal Processing 10,
2000: the detection cost.
B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11 (the jackknife).
B. Efron, C. Stein, The jackknife estimate of variance, Annals of Statistics 9, 1981.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.stats

from ..metrics.intervals import LEVEL
from .error_rates import ErrorCurve
from .trials import Trials

BY = ("fmr", "eer", "accuracy", "cost")
#: Groups of people of which one at a time is left out.
_N_GROUPS = 30
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
            return {"by": self.by, "fmr": self.fmr}
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
            return f"FMR of at most {self.fmr:g}"
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


def threshold_reach(trials: Trials, request: Request, seed: int = 0) -> float:
    """Half the length of the 95 % interval of a threshold: what other people would have moved it by.

    People are divided at random into groups, and the threshold is found again without each group (the jackknife with
    groups, which unlike leaving out single people is consistent for quantiles). It errs to the long side: the noise of
    single pairs counts twice (Efron and Stein 1981).

    Returns
    -------
    float
        NaN when it cannot be found without a group.
    """
    made = trials.made
    codes, names = pd.factorize(np.concatenate([made.probe_identity, made.reference_identity]))
    n_groups = min(_N_GROUPS, len(names))
    group = np.random.default_rng(seed).permutation(len(names)) % max(n_groups, 1)
    probe, reference = np.split(group[codes], 2)
    found = []
    for left_out in range(n_groups):
        kept = (probe != left_out) & (reference != left_out)
        if made.is_mated[kept].all() or not made.is_mated[kept].any():
            return math.nan
        curve = ErrorCurve.from_similarities(made.similarity[kept], made.is_mated[kept])
        found.append(request.find_unchecked(curve))
    error = math.sqrt((n_groups - 1) * float(np.var(found)))
    return float(scipy.stats.t.ppf((1 + LEVEL) / 2, n_groups - 1)) * error
