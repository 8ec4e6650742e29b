"""A calibration for each cohort, for comparison with :mod:`faceheads.verification.scores.cluster_calibrated`.

It must be told the cohort of every face, when it is fitted and when it is used. Deciding differently by a protected
attribute can be unlawful; it is no option of the command line.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ..similarity import prepared
from .calibrated import CalibratedScore


class CohortCalibratedScore(CalibratedScore):
    """Log-odds of one person by curves of cohorts; the last column of the input is a cohort's number.

    Parameters
    ----------
    metric : {"cosine", "euclidean"}, default="cosine"
    prior_pairs : float, default=10
        Pairs that the curve of all counts for in the curve of a cohort.
    max_pairs : int, default=100,000
        Pairs to learn from.
    random_state : int, default=0

    Attributes
    ----------
    cohorts_ : ndarray of shape (n_cohorts,), float64
        Numbers that were seen; the part after them has the curve of all, for others.
    slopes_, intercepts_, sizes_ : ndarrays of shape (n_cohorts + 1,), float64
    n_features_in_ : int
    """

    fitted_arrays: ClassVar = {"cohorts_": ("n_cohorts",), **CalibratedScore.fitted_arrays}

    def __init__(
        self, metric: str = "cosine", prior_pairs: float = 10.0, max_pairs: int = 100_000, random_state: int = 0
    ) -> None:
        self.metric = metric
        self.prior_pairs = prior_pairs
        self.max_pairs = max_pairs
        self.random_state = random_state

    @property
    def name(self) -> str:
        return "by cohort"

    @property
    def _n_parts(self) -> int:
        return len(self.cohorts_) + 1

    def _vectors(self, X: np.ndarray) -> np.ndarray:
        return prepared(X[:, :-1], self.metric)

    def _fit_parts(self, X: np.ndarray) -> np.ndarray:
        self.cohorts_ = np.unique(X[:, -1])
        return self._parts(X)

    def _parts(self, X: np.ndarray) -> np.ndarray:
        position = np.searchsorted(self.cohorts_, X[:, -1]).clip(max=len(self.cohorts_) - 1)
        return np.where(self.cohorts_[position] == X[:, -1], position, len(self.cohorts_))
