"""Classifiers with a threshold that was tuned on predictions for rows they had not seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, recall_score
from sklearn.utils.metadata_routing import get_routing_for_object, process_routing
from sklearn.utils.validation import check_is_fitted

from ..fairness.cuts import encode_cohorts
from ..fairness.optimum import (
    MEAN_MINUS_GAP,
    MINIMUM,
    TunedThresholds,
    chance_gap,
    cohort_thresholds,
    shared_threshold,
)
from ..fairness.scores import mean_minus_gap_score, minimum_score
from .outoffold import Splits, check_two_classes, make_splits, out_of_fold_scores, response_method, second_class_scores
from .wrapping import WrappingMixin

#: A tolerance that follows from the number of rows.
CHANCE = "chance"


class ThresholdTuner(WrappingMixin, ClassifierMixin, BaseEstimator):
    """A binary classifier that decides at the threshold which is best by a criterion, or at one for each cohort.

    The thresholds are tuned on out-of-fold scores only: each row is scored by a clone that was fitted without its fold,
    and with ``groups`` without its person. The estimator is then fitted to all rows.

    Parameters
    ----------
    estimator : estimator
        A binary classifier with ``predict_proba`` or ``decision_function``.
    criterion : str, default="accuracy"
        One of :data:`faceheads.fairness.optimum.CRITERIA`; the positive class is the second of ``classes_``.
    min_precision : float, default=0.9
        For ``"recall_at_precision"``.
    per_cohort : bool, default=False
        Whether each cohort has its own threshold. ``predict`` then needs ``sensitive_features``.
    tolerance : float or "chance", default=0.0
        For ``"mean_minus_gap"``: a gap up to this costs nothing. ``"chance"``: as much as
        :func:`faceheads.fairness.optimum.chance_gap` says, counting groups where they are given; thresholds that level the
        cohorts of few rows to the last error do worse on new ones.
    unsure_share : float, default=0.0
        :meth:`is_unsure` names this share of the out-of-fold rows, those nearest to their threshold.
    cv : int, splitter or iterable, default=None
        As :func:`faceheads.calibration.outoffold.make_splits` takes it.
    random_state : int or None, default=0
        Shuffles the folds.
    n_jobs : int or None, default=None
        Folds fitted at the same time.

    Attributes
    ----------
    estimator_ : estimator
        Fitted to all rows.
    classes_ : ndarray of shape (2,)
    tuned_ : TunedThresholds
        The thresholds, and what they reach on the out-of-fold scores.
    margin_ : float
        Scores nearer to their threshold than this are unsure.

    Notes
    -----
    ``sensitive_features`` (the cohort of each row) and ``groups`` are metadata: with routing enabled, ask for them with
    ``set_fit_request(sensitive_features=True, groups=True)``, ``set_predict_request(sensitive_features=True)`` and
    ``set_score_request(sensitive_features=True)`` when the tuner is inside a search or a pipeline. Without ``sensitive_features`` all rows are one cohort.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = make_classification(weights=[0.9], random_state=0)
    >>> tuner = ThresholdTuner(LogisticRegression(), criterion="balanced_accuracy").fit(X, y)
    >>> bool(tuner.threshold_ < 0.5)
    True
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        criterion: str = "accuracy",
        min_precision: float = 0.9,
        per_cohort: bool = False,
        tolerance: float | str = 0.0,
        unsure_share: float = 0.0,
        cv: object = None,
        random_state: int | None = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.criterion = criterion
        self.min_precision = min_precision
        self.per_cohort = per_cohort
        self.tolerance = tolerance
        self.unsure_share = unsure_share
        self.cv = cv
        self.random_state = random_state
        self.n_jobs = n_jobs

    # ------------------------------------------------------------------------------------------ fitting

    def fit(
        self,
        X: object,
        y: Sequence,
        *,
        sensitive_features: Sequence | None = None,
        groups: Sequence | None = None,
        **params: object,
    ) -> ThresholdTuner:
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
        if isinstance(self.tolerance, str) and self.tolerance != CHANCE:
            raise ValueError(f"tolerance must be a number of at least 0 or {CHANCE!r}; got {self.tolerance!r}.")
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
        tune = cohort_thresholds if self.per_cohort else shared_threshold
        tolerance = self.tolerance
        if tolerance == CHANCE:
            counts = count_independent(cohorts, groups, len(truth))
            tolerance = chance_gap(tune(scores, truth, cohorts, "accuracy"), counts)
        self.tuned_: TunedThresholds = tune(scores, truth, cohorts, self.criterion, self.min_precision, tolerance)

    def _finish(
        self, X: object, scores: np.ndarray, truth: np.ndarray, cohorts: Sequence | None, splits: Splits
    ) -> None:
        """Set what follows from ``tuned_`` and the out-of-fold scores."""
        codes, names = encode_cohorts(cohorts, len(truth))
        limits = np.array([self.tuned_.thresholds[name] for name in names])[codes]
        self.margin_ = margin_for_share(np.abs(scores - limits), self.unsure_share)

    # ------------------------------------------------------------------------------------------ deciding

    @property
    def threshold_(self) -> float:
        """The threshold that all cohorts share.

        Raises
        ------
        AttributeError
            If each cohort has its own; see ``tuned_.thresholds``.
        """
        limits = set(self.tuned_.thresholds.values())
        if len(limits) > 1:
            raise AttributeError(f"Each cohort has its own threshold: {dict(self.tuned_.thresholds)}.")
        return limits.pop()

    def predict(self, X: object, *, sensitive_features: Sequence | None = None) -> np.ndarray:
        """The decided class of each row.

        Parameters
        ----------
        X : array or frame of shape (n_rows, n_features)
        sensitive_features : array of shape (n_rows,), optional
            The cohort of each row: needed when cohorts have different thresholds, else ignored.

        Raises
        ------
        ValueError
            If cohorts are needed and missing, or one did not occur in ``fit``.
        """
        distance = self.decision_function(X, sensitive_features=sensitive_features)
        return self.classes_[(distance >= 0).astype(np.int64)]

    def decision_function(self, X: object, *, sensitive_features: Sequence | None = None) -> np.ndarray:
        """Score minus threshold of each row, float64 of shape (n_rows,); the row is positive where this is at least 0.

        Probabilities are those of ``estimator_``: they say how likely a class is, not what was decided.
        """
        check_is_fitted(self, "estimator_")
        scores = second_class_scores(self.estimator_, X, response_method(self.estimator_))
        return scores - self._limits(sensitive_features, len(scores))

    def is_unsure(self, X: object, *, sensitive_features: Sequence | None = None) -> np.ndarray:
        """Whether each row's score lies within ``margin_`` of its threshold, bool of shape (n_rows,)."""
        return np.abs(self.decision_function(X, sensitive_features=sensitive_features)) < self.margin_

    def _limits(self, cohorts: Sequence | None, n_rows: int) -> np.ndarray:
        limits = self.tuned_.thresholds
        if self.tuned_.is_shared or (cohorts is None and len(limits) == 1):
            return np.full(n_rows, next(iter(limits.values())))
        if cohorts is None:
            raise ValueError(
                f"predict needs sensitive_features: the cohorts {list(limits)} have different thresholds. "
                "Where cohorts are not known use UnknownCohortTuner."
            )
        codes, names = encode_cohorts(cohorts, n_rows)
        unknown = [name for name in names if name not in limits]
        if unknown:
            raise ValueError(f"The cohorts must be among those of fit, {list(limits)}; got {unknown[:3]}.")
        return np.array([limits[name] for name in names])[codes]

    def score(self, X: object, y: Sequence, *, sensitive_features: Sequence | None = None) -> float:
        """What the tuner was made for: the ``criterion`` of its decisions (of ``recall_at_precision``, the recall).

        A search without ``scoring`` compares by it. Scikit-learn's scorers cannot hand cohorts to ``predict``; this can.
        """
        decided = self.predict(X, sensitive_features=sensitive_features)
        return score_decisions(self.criterion, y, decided, self.classes_[1], sensitive_features)


def count_independent(cohorts: Sequence | None, groups: Sequence | None, n_rows: int) -> dict:
    """Rows of each cohort, or its groups where they are known: rows of one person say the same thing again."""
    codes, names = encode_cohorts(cohorts, n_rows)
    units = np.arange(n_rows) if groups is None else np.asarray(groups)
    return {name: len(np.unique(units[codes == g])) for g, name in enumerate(names)}


def score_decisions(
    criterion: str, y: Sequence, decided: np.ndarray, positive: object, cohorts: Sequence | None = None
) -> float:
    """The value of a criterion of :data:`faceheads.fairness.optimum.CRITERIA` for decisions that were made."""
    plain = {
        "accuracy": accuracy_score,
        "balanced_accuracy": balanced_accuracy_score,
        "f1": partial(f1_score, pos_label=positive),
        "recall_at_precision": partial(recall_score, pos_label=positive),
    }
    if criterion in plain:
        return float(plain[criterion](y, decided))
    measure = {MEAN_MINUS_GAP: mean_minus_gap_score, MINIMUM: minimum_score}[criterion]
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
