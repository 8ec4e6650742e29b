"""What the threshold tuners have in common: thresholds are searched on scores of rows that were not seen."""

from __future__ import annotations

import math
from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from functools import partial

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, recall_score
from sklearn.utils.metadata_routing import get_routing_for_object, process_routing
from sklearn.utils.validation import check_is_fitted

from ..fairness.chance import settled
from ..fairness.criterion import MEAN_MINUS_GAP, MINIMUM, RECALL_AT_PRECISION, Criterion, as_criterion
from ..fairness.optimum import TunedThresholds, cohort_thresholds, shared_threshold
from ..fairness.scores import mean_minus_gap_score, minimum_score
from .outoffold import Splits, check_two_classes, make_splits, out_of_fold_scores, response_method, second_class_scores
from .wrapping import WrappingMixin


class BaseTuner(WrappingMixin, ClassifierMixin, BaseEstimator, metaclass=ABCMeta):
    """A binary classifier that decides at tuned thresholds; what is known of a new row is left to those who derive.

    What they have in common is documented in :class:`faceheads.calibration.tuner.ThresholdTuner`.
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        criterion: Criterion | str,
        unsure_share: float,
        cv: object,
        random_state: int | None,
        n_jobs: int | None,
    ) -> None:
        self.estimator = estimator
        self.criterion = criterion
        self.unsure_share = unsure_share
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
        **params: object,
    ) -> BaseTuner:
        """Tune the thresholds and fit the estimator.

        Parameters
        ----------
        X : array or frame of shape (n_rows, n_features)
        y : array of shape (n_rows,)
            Two classes.
        sensitive_features : array of shape (n_rows,), optional
            The cohort of each row.
        groups : array of shape (n_rows,), optional
            Rows of one group, such as the photos of a person, stay in one fold.
        **params
            For the ``fit`` of the estimator.

        Raises
        ------
        ValueError
            If a parameter is out of range, there are not two classes, too few rows for the folds, or the criterion is
            undefined.
        """
        truth = self._start(X, y)
        metadata = {"sensitive_features": sensitive_features, "groups": groups, **params}
        routed, consumed = self._params_of_estimator({k: v for k, v in metadata.items() if v is not None}, params)
        splits = make_splits(self.cv, X, truth, groups, self.random_state)
        scores = out_of_fold_scores(self.estimator, X, truth, splits, consumed, self.n_jobs)
        self._tune(scores, truth, sensitive_features, groups)
        self._finish(X, scores, truth, sensitive_features, splits)
        self._fit_to_all(X, np.asarray(y), **routed)
        return self

    def _start(self, X: object, y: Sequence) -> np.ndarray:
        """Check parameters and labels; the labels as bool, true for the second class."""
        if not 0 <= self.unsure_share < 1:
            raise ValueError(f"unsure_share must be in [0, 1); got {self.unsure_share}.")
        as_criterion(self.criterion)
        self.classes_, truth = check_two_classes(X, y)
        return truth

    def _params_of_estimator(self, metadata: dict, params: dict) -> tuple[dict, dict]:
        """What ``fit`` of the estimator gets, under its own names and under the names that were given here."""
        if not sklearn.get_config()["enable_metadata_routing"]:
            return params, params
        routed = process_routing(self, "fit", **metadata).estimator.fit if metadata else {}
        consumed = get_routing_for_object(self.estimator).consumes("fit", metadata.keys())
        return routed, {name: metadata[name] for name in consumed}

    def _tune(self, scores: np.ndarray, truth: np.ndarray, cohorts: Sequence | None, groups: Sequence | None) -> None:
        """Set ``tuned_`` from out-of-fold scores."""
        tune = cohort_thresholds if self._tunes_each_cohort else shared_threshold
        problem = (scores, truth, cohorts)
        self.tuned_: TunedThresholds = tune(*problem, settled(as_criterion(self.criterion), tune, problem, groups))

    @property
    @abstractmethod
    def _tunes_each_cohort(self) -> bool:
        """Whether each cohort has its own threshold."""

    @abstractmethod
    def _finish(
        self, X: object, scores: np.ndarray, truth: np.ndarray, cohorts: Sequence | None, splits: Splits
    ) -> None:
        """Set what follows from ``tuned_`` and the out-of-fold scores."""

    def _scores(self, X: object) -> np.ndarray:
        """Scores of the fitted estimator, float64 of shape (n_rows,)."""
        check_is_fitted(self, "estimator_")
        return second_class_scores(self.estimator_, X, response_method(self.estimator_))

    def _decided(self, distance: np.ndarray) -> np.ndarray:
        """The class of each row by its score minus threshold."""
        return self.classes_[(distance >= 0).astype(np.int64)]


def score_decisions(
    criterion: Criterion | str, y: Sequence, decided: np.ndarray, positive: object, cohorts: Sequence | None = None
) -> float:
    """The value of a criterion, without its tolerance, for decisions that were made; of ``recall_at_precision`` the recall."""
    name = as_criterion(criterion).name
    plain = {
        "accuracy": accuracy_score,
        "balanced_accuracy": balanced_accuracy_score,
        "f1": partial(f1_score, pos_label=positive),
        RECALL_AT_PRECISION: partial(recall_score, pos_label=positive),
    }
    if name in plain:
        return float(plain[name](y, decided))
    measure = {MEAN_MINUS_GAP: mean_minus_gap_score, MINIMUM: minimum_score}[name]
    return measure(y, decided, sensitive_features=cohorts)


def margin_for_share(distances: np.ndarray, share: float) -> float:
    """The largest margin with at most ``share`` of the distances strictly below it; 0 where none should be.

    Examples
    --------
    >>> margin_for_share(np.array([0.1, 0.4, 0.2, 0.3]), 0.5)
    0.3
    """
    n_unsure = math.floor(share * len(distances))
    return float(np.sort(distances)[n_unsure]) if n_unsure else 0.0
