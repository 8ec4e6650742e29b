"""Intervals for numbers, such as ages, that hold the truth as often as they say.

A row is scored by |y - f(x)| with f fitted without it, and the interval around a new prediction reaches as far as the score
that a share ``coverage`` of the rows stays below. If new rows come from the same population the interval holds the truth with
at least that probability, whatever the estimator is worth (Vovk; Lei and others). That is an average: where errors are
larger, as for the old, an interval of one width holds the truth less often. Two remedies:

* *cohorts* (``sensitive_features``): a width for each cohort, so that the coverage holds within each.
* *label bins* (``edges``): a width q_b for each bin b of the *true* value. The numbers of bin b that lie within q_b of
  the prediction are kept, and the interval spans all that are kept. The coverage then holds for the people of every bin, such
  as every decade of age, although nobody knows the bin of a new face; for all people together it is higher, because
  spanning adds numbers.

References
----------
V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World, 2005, sections 2.2, 4.5 (Mondrian, label-conditional).
J. Lei and others, Distribution-free predictive inference for regression, JASA 113, 2018 (split conformal).
V. Vovk, Cross-conformal predictors, Annals of Mathematics and Artificial Intelligence 74, 2015 (out-of-fold scores).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GroupKFold, KFold, check_cv, cross_val_predict
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from ..fairness.cuts import encode_cohorts
from .outoffold import DEFAULT_FOLDS
from .wrapping import WrappingMixin

#: A bin of fewer rows is joined to a neighbour: its width would be that of a handful of people.
MIN_BIN_ROWS = 50


class ConformalRegressor(WrappingMixin, RegressorMixin, BaseEstimator):
    """A regressor with intervals.

    Parameters
    ----------
    estimator : estimator
        A regressor. In a ``FrozenEstimator`` it stays as it is and ``fit`` gets rows that it has not seen, which is split
        conformal prediction with its guarantee; else the scores are out-of-fold, from as many clones as folds.
    coverage : float, default=0.9
        Wished share of true values inside their interval.
    edges : sequence of float, default=()
        Borders between label bins, rising, in the unit of the target: ``range(10, 100, 10)`` for decades.
    cv : int, splitter or None, default=None
        Folds; None: 5. A number means shuffled folds, of whole groups where groups are given.
    random_state : int or None, default=0
    n_jobs : int or None, default=None

    Attributes
    ----------
    estimator_ : estimator
        Fitted to all rows.
    cohorts_ : list
        In sorted order; ``["all"]`` without any.
    edges_ : ndarray
        Those of ``edges`` that are left after bins of few rows were joined.
    widths_ : ndarray of shape (n_cohorts, n_bins)
        Half widths; inf where a cell has too few rows for the coverage.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> x = np.arange(200.0)[:, None]
    >>> y = x[:, 0] + np.random.default_rng(0).normal(size=200)
    >>> ConformalRegressor(LinearRegression()).fit(x, y).predict_interval([[50.0]]).round(1)
    array([[48.6, 51.6]])
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        coverage: float = 0.9,
        edges: Sequence[float] = (),
        cv: object = None,
        random_state: int | None = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.coverage = coverage
        self.edges = edges
        self.cv = cv
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: object,
        y: Sequence,
        *,
        sensitive_features: Sequence | None = None,
        groups: Sequence | None = None,
    ) -> ConformalRegressor:
        """Fit the estimator and the widths.

        Parameters
        ----------
        X : array or frame of shape (n_rows, n_features)
        y : array of shape (n_rows,)
        sensitive_features : array of shape (n_rows,), optional
            The cohort of each row.
        groups : array of shape (n_rows,), optional
            Rows of one group stay in one fold.

        Raises
        ------
        ValueError
            If a parameter is out of range.
        """
        y = self._check(X, y)
        predicted = cross_val_predict(self.estimator, X, y, cv=self._splits(X, y, groups), n_jobs=self.n_jobs)
        scores = np.abs(y - predicted)
        codes, self.cohorts_ = encode_cohorts(sensitive_features, len(y))
        self.edges_ = join_small_bins(np.asarray(self.edges, np.float64), y)
        bins = np.searchsorted(self.edges_, y, side="right")
        self.widths_ = np.array(
            [
                [
                    conformal_quantile(scores[(codes == g) & (bins == b)], self.coverage)
                    for b in range(len(self.edges_) + 1)
                ]
                for g in range(len(self.cohorts_))
            ]
        )
        metadata = {"sensitive_features": sensitive_features, "groups": groups}
        self._fit_to_all(X, y, **self._params_of_estimator(metadata))
        return self

    def _check(self, X: object, y: Sequence) -> np.ndarray:
        if not 0 < self.coverage < 1:
            raise ValueError(f"coverage must be in (0, 1); got {self.coverage}.")
        if np.any(np.diff(self.edges) <= 0) or not np.isfinite(np.asarray(self.edges, np.float64)).all():
            raise ValueError(f"edges must be finite and rise; got {list(self.edges)}.")
        if y is None:
            raise ValueError("This estimator requires y to be passed, but the target y is None.")
        y = column_or_1d(y, warn=True).astype(np.float64)
        check_consistent_length(X, y)
        if not np.isfinite(y).all():
            raise ValueError("y must be finite; it contains NaN or infinity.")
        return y

    def _splits(self, X: object, y: np.ndarray, groups: Sequence | None) -> list:
        cv = DEFAULT_FOLDS if self.cv is None else self.cv
        if isinstance(cv, (int, np.integer)):
            kind = KFold if groups is None else GroupKFold
            cv = kind(int(cv), shuffle=True, random_state=self.random_state)
        return list(check_cv(cv, y).split(X, y, groups))

    def _params_of_estimator(self, metadata: dict) -> dict:
        given = {name: value for name, value in metadata.items() if value is not None}
        if not given or not sklearn.get_config()["enable_metadata_routing"]:
            return {}
        return process_routing(self, "fit", **given).estimator.fit

    def predict(self, X: object) -> np.ndarray:
        """The estimator's numbers, of shape (n_rows,)."""
        check_is_fitted(self, "estimator_")
        return self.estimator_.predict(X)

    def predict_interval(self, X: object, *, sensitive_features: Sequence | None = None) -> np.ndarray:
        """Lower and upper end for each row, float64 of shape (n_rows, 2), in the unit of the target.

        Parameters
        ----------
        X : array or frame of shape (n_rows, n_features)
        sensitive_features : array of shape (n_rows,), optional
            The cohort of each row. Without it, where there are several, each width is the largest among the cohorts.

        Raises
        ------
        ValueError
            If a cohort did not occur in ``fit``.
        """
        predicted = np.asarray(self.predict(X), np.float64)
        widths = self._row_widths(sensitive_features, len(predicted))
        low_edge, high_edge = np.r_[-np.inf, self.edges_], np.r_[self.edges_, np.inf]
        low = np.maximum(predicted[:, None] - widths, low_edge)
        high = np.minimum(predicted[:, None] + widths, high_edge)
        is_kept = low <= high
        return np.stack(
            [np.where(is_kept, low, np.inf).min(axis=1), np.where(is_kept, high, -np.inf).max(axis=1)], axis=1
        )

    def _row_widths(self, cohorts: Sequence | None, n_rows: int) -> np.ndarray:
        """Half widths of shape (n_rows, n_bins)."""
        if cohorts is None:
            return np.tile(self.widths_.max(axis=0), (n_rows, 1))
        codes, names = encode_cohorts(cohorts, n_rows)
        unknown = [name for name in names if name not in self.cohorts_]
        if unknown:
            raise ValueError(f"The cohorts must be among those of fit, {self.cohorts_}; got {unknown[:3]}.")
        return self.widths_[np.array([self.cohorts_.index(name) for name in names])[codes]]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator).regressor_tags
        if inner is not None:
            tags.regressor_tags.poor_score = inner.poor_score
        return tags


def conformal_quantile(scores: np.ndarray, coverage: float) -> float:
    """The ⌈(n + 1) · coverage⌉-th smallest of n scores, inf where n is too small for there to be one.

    The next score of the same population is at most this with a probability of at least ``coverage`` (Lei and others,
    theorem 2.2).

    Examples
    --------
    >>> conformal_quantile(np.arange(1.0, 20.0), 0.9), conformal_quantile(np.arange(8.0), 0.9)
    (18.0, inf)
    """
    rank = math.ceil(round((len(scores) + 1) * coverage, 9))
    return float(np.partition(scores, rank - 1)[rank - 1]) if rank <= len(scores) else math.inf


def join_small_bins(edges: np.ndarray, values: np.ndarray, min_rows: int = MIN_BIN_ROWS) -> np.ndarray:
    """The edges that are left when the smallest bin is joined to its smaller neighbour until each has ``min_rows`` rows.

    Examples
    --------
    >>> join_small_bins(np.array([10.0, 20.0, 30.0]), np.array([5.0, 6, 15, 16, 17, 25, 35]), min_rows=2)
    array([10., 20.])
    """
    while len(edges):
        counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
        smallest = int(counts.argmin())
        if counts[smallest] >= min_rows:
            break
        beside = [b for b in (smallest - 1, smallest + 1) if 0 <= b < len(counts)]
        edges = np.delete(edges, min(smallest, min(beside, key=lambda b: counts[b])))
    return edges
