"""A threshold for each cohort where nobody says which cohort a new face belongs to.

The cohort is predicted from the same embedding and used softly: with p_g(x) the probability of cohort g and t_g its
threshold, a face is decided at Σ_g p_g(x) · t_g. Where the cohort is plain this is the cohort's own threshold; where it is
not, the threshold moves steadily from one to the other instead of jumping on a guess. What is lost against known cohorts
is measured out of fold and kept with the estimator: errors of the prediction of cohorts carry over into the rates of the
cohorts, so that rates which were equal on known cohorts need not be.

References
----------
J. Chen, N. Kallus, X. Mao, G. Svacha, M. Udell, Fairness under unawareness: assessing disparity when protected class is
unobserved, FAT* 2019.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import cross_val_predict
from sklearn.utils.validation import check_is_fitted

from ..fairness.criterion import Criterion
from ..fairness.cuts import encode_cohorts
from .outoffold import Splits
from .tuning_base import BaseTuner, margin_for_share, score_decisions


class UnknownCohortTuner(BaseTuner):
    """A binary classifier with one threshold per cohort that predicts the cohorts itself.

    Parameters
    ----------
    estimator : estimator
        A binary classifier with ``predict_proba`` or ``decision_function``.
    cohort_estimator : estimator, default=None
        A classifier with ``predict_proba`` for the cohorts. None: a clone of ``estimator``.
    criterion, unsure_share, cv, random_state, n_jobs
        As in :class:`~faceheads.calibration.tuner.ThresholdTuner`.

    Attributes
    ----------
    estimator_, classes_, tuned_, margin_
        As in ``ThresholdTuner``; ``tuned_.accuracy`` is what the thresholds reach where cohorts are known.
    cohorts_ : list
        In sorted order.
    cohort_estimator_ : estimator or None
        Fitted to all rows; None with one cohort.
    cohort_accuracy_ : float
        Share of out-of-fold rows whose most probable cohort is the true one.
    accuracy_ : dict of cohort to float
        Out-of-fold accuracy in each cohort with predicted cohorts.
    added_error_ : dict of cohort to float
        ``tuned_.accuracy`` minus ``accuracy_``: what not knowing the cohort adds to its error; may be negative by chance.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = make_classification(200, flip_y=0.2, random_state=0)
    >>> tuner = UnknownCohortTuner(LogisticRegression(), criterion="minimum")
    >>> tuner = tuner.fit(X, y, sensitive_features=X[:, 0] > 0)
    >>> tuner.predict(X[:3])
    array([0, 1, 0])
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        cohort_estimator: BaseEstimator | None = None,
        *,
        criterion: Criterion | str = "mean_minus_gap",
        unsure_share: float = 0.0,
        cv: object = None,
        random_state: int | None = 0,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(
            estimator, criterion=criterion, unsure_share=unsure_share, cv=cv, random_state=random_state, n_jobs=n_jobs
        )
        self.cohort_estimator = cohort_estimator

    @property
    def _tunes_each_cohort(self) -> bool:
        return True

    def _finish(
        self, X: object, scores: np.ndarray, truth: np.ndarray, cohorts: Sequence | None, splits: Splits
    ) -> None:
        codes, self.cohorts_ = encode_cohorts(cohorts, len(truth))
        self._finite_thresholds = finite_thresholds(list(self.tuned_.thresholds.values()), scores)
        probabilities = self._fit_cohorts(X, codes, splits)
        limits = probabilities @ self._finite_thresholds
        right = (scores >= limits) == truth
        found = np.bincount(codes, weights=right) / np.bincount(codes)
        self.accuracy_ = dict(zip(self.cohorts_, found.tolist(), strict=True))
        self.added_error_ = {name: self.tuned_.accuracy[name] - share for name, share in self.accuracy_.items()}
        self.cohort_accuracy_ = float((probabilities.argmax(axis=1) == codes).mean())
        self.margin_ = margin_for_share(np.abs(scores - limits), self.unsure_share)

    def _fit_cohorts(self, X: object, codes: np.ndarray, splits: Splits) -> np.ndarray:
        """Fit ``cohort_estimator_``; out-of-fold probabilities of cohorts, of shape (n_rows, n_cohorts)."""
        if len(self.cohorts_) == 1:
            self.cohort_estimator_ = None
            return np.ones((len(codes), 1))
        estimator = self.estimator if self.cohort_estimator is None else self.cohort_estimator
        if not hasattr(estimator, "predict_proba"):
            raise TypeError(
                f"Cohorts must be predicted with probabilities; {type(estimator).__name__} has no predict_proba. "
                "Give another cohort_estimator."
            )
        probabilities = cross_val_predict(estimator, X, codes, cv=splits, method="predict_proba", n_jobs=self.n_jobs)
        self.cohort_estimator_ = clone(estimator).fit(X, codes)
        return probabilities

    def cohort_probabilities(self, X: object) -> np.ndarray:
        """Probability of each of ``cohorts_``, of shape (n_rows, n_cohorts)."""
        check_is_fitted(self, "estimator_")
        return self.cohort_estimator_.predict_proba(X)

    def predict(self, X: object) -> np.ndarray:
        """The decided class of each row; nobody needs to know its cohort."""
        return self._decided(self.decision_function(X))

    def decision_function(self, X: object) -> np.ndarray:
        """Score minus soft threshold of each row, float64 of shape (n_rows,)."""
        scores = self._scores(X)
        if self.cohort_estimator_ is None:
            return scores - self._finite_thresholds[0]
        return scores - self.cohort_probabilities(X) @ self._finite_thresholds

    def is_unsure(self, X: object) -> np.ndarray:
        """Whether each row's score lies within ``margin_`` of its soft threshold, bool of shape (n_rows,)."""
        return np.abs(self.decision_function(X)) < self.margin_

    def score(self, X: object, y: Sequence, *, sensitive_features: Sequence | None = None) -> float:
        """The criterion of the decisions; cohorts are needed to measure it, not to decide."""
        return score_decisions(self.criterion, y, self.predict(X), self.classes_[1], sensitive_features)


def finite_thresholds(thresholds: Sequence[float], scores: np.ndarray) -> np.ndarray:
    """Thresholds that can be averaged: -inf becomes the lowest score, +inf the number after the highest.

    They decide alike on ``scores``.

    Examples
    --------
    >>> finite_thresholds([-np.inf, 0.4, np.inf], np.array([0.25, 0.5])).round(3)
    array([0.25, 0.4 , 0.5 ])
    """
    return np.clip(np.asarray(thresholds, np.float64), scores.min(), np.nextafter(scores.max(), np.inf))
