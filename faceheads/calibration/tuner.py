"""Classifiers with a threshold that was tuned on predictions for rows they had not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator

from ..fairness.criterion import Criterion
from ..fairness.cuts import encode_cohorts
from .outoffold import Splits
from .tuning_base import BaseTuner, margin_for_share, score_decisions


class ThresholdTuner(BaseTuner):
    """A binary classifier that decides at the threshold which is best by a criterion, or at one for each cohort.

    The thresholds are tuned on out-of-fold scores only: each row is scored by a clone that was fitted without its fold,
    and with ``groups`` without its person. The estimator is then fitted to all rows.

    Parameters
    ----------
    estimator : estimator
        A binary classifier with ``predict_proba`` or ``decision_function``.
    criterion : Criterion or str, default="accuracy"
        One of :data:`faceheads.fairness.criterion.CRITERIA`, or a :class:`~faceheads.fairness.criterion.Criterion` where its
        numbers are to be others: ``Criterion("recall_at_precision", min_precision=0.95)``, or
        ``Criterion("mean_minus_gap", tolerance="chance")``, which counts groups where they are given, because thresholds
        that level the cohorts of few rows to the last error do worse on new ones. The positive class is the second of
        ``classes_``.
    per_cohort : bool, default=False
        Whether each cohort has its own threshold. ``predict`` then needs ``sensitive_features``.
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
        criterion: Criterion | str = "accuracy",
        per_cohort: bool = False,
        unsure_share: float = 0.0,
        cv: object = None,
        random_state: int | None = 0,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(
            estimator, criterion=criterion, unsure_share=unsure_share, cv=cv, random_state=random_state, n_jobs=n_jobs
        )
        self.per_cohort = per_cohort

    @property
    def _tunes_each_cohort(self) -> bool:
        return self.per_cohort

    def _finish(
        self, X: object, scores: np.ndarray, truth: np.ndarray, cohorts: Sequence | None, splits: Splits
    ) -> None:
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
        return self._decided(self.decision_function(X, sensitive_features=sensitive_features))

    def decision_function(self, X: object, *, sensitive_features: Sequence | None = None) -> np.ndarray:
        """Score minus threshold of each row, float64 of shape (n_rows,); the row is positive where this is at least 0.

        Probabilities are those of ``estimator_``: they say how likely a class is, not what was decided.
        """
        scores = self._scores(X)
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
