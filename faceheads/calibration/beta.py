"""Probabilities corrected by beta calibration, or by the methods of scikit-learn, under one name.

=============  ========================================================================================================
sigmoid        Platt: logistic regression on the score; suits support vector machines
isotonic       any rising step function; needs some thousand rows
temperature    one number that makes probabilities bolder or more timid (scikit-learn 1.8 and later)
beta           logistic regression on ln p and -ln(1 - p): leaves probabilities alone that are right already, which
               ``sigmoid`` cannot, and bends both ends on their own
=============  ========================================================================================================

References
----------
M. Kull, T. Silva Filho, P. Flach, Beta calibration: a well-founded and easily implemented improvement on logistic
calibration for binary classifiers, AISTATS 2017, section 4 and algorithm 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from .outoffold import DEFAULT_FOLDS, check_two_classes, make_splits, out_of_fold_scores
from .wrapping import WrappingMixin

METHODS = ("sigmoid", "isotonic", "temperature", "beta")
#: Probabilities are kept this far from 0 and 1, whose logarithms do not exist.
_SMALLEST = 1e-9
#: Logistic regression without a penalty.
_NO_PENALTY = np.inf


def calibrated(
    estimator: BaseEstimator, method: str = "beta", cv: object = DEFAULT_FOLDS, n_jobs: int | None = None
) -> BaseEstimator:
    """An unfitted classifier whose probabilities are calibrated out of fold, with one fit of ``estimator`` to all rows.

    Parameters
    ----------
    estimator : estimator
        For ``beta`` a binary classifier with ``predict_proba``.
    method : {"sigmoid", "isotonic", "temperature", "beta"}, default="beta"
    cv : int or splitter, default=5
    n_jobs : int or None, default=None

    Raises
    ------
    ValueError
        If the method is unknown.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}.")
    if method == "beta":
        return BetaCalibratedClassifier(estimator, cv=cv, n_jobs=n_jobs)
    return CalibratedClassifierCV(estimator, method=method, cv=cv, n_jobs=n_jobs, ensemble=False)


class BetaCalibratedClassifier(WrappingMixin, ClassifierMixin, BaseEstimator):
    """A binary classifier with beta-calibrated probabilities.

    The calibration is fitted to out-of-fold probabilities, the estimator then to all rows.

    Parameters
    ----------
    estimator : estimator
        A binary classifier with ``predict_proba``.
    cv : int, splitter or None, default=None
        As :func:`faceheads.calibration.outoffold.make_splits` takes it.
    random_state : int or None, default=0
    n_jobs : int or None, default=None

    Attributes
    ----------
    estimator_ : estimator
    classes_ : ndarray of shape (2,)
    a_, b_, c_ : float
        ln(q / (1 - q)) = a ln p - b ln(1 - p) + c, with a, b ≥ 0. Probabilities that are right have (1, 1, 0).
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        cv: object = None,
        random_state: int | None = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.cv = cv
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: object, y: Sequence, *, groups: Sequence | None = None) -> BetaCalibratedClassifier:
        """Calibrate out of fold and fit the estimator to all rows; rows of one of ``groups`` stay in one fold."""
        self.classes_, truth = check_two_classes(X, y)
        if not hasattr(self.estimator, "predict_proba"):
            raise TypeError(
                f"Beta calibration needs probabilities; {type(self.estimator).__name__} has no predict_proba. "
                "Use method='sigmoid'."
            )
        splits = make_splits(self.cv, X, truth, groups, self.random_state)
        probabilities = out_of_fold_scores(self.estimator, X, truth, splits, n_jobs=self.n_jobs)
        self.a_, self.b_, self.c_ = fit_beta(probabilities, truth)
        self._fit_to_all(X, np.asarray(y))
        return self

    def predict_proba(self, X: object) -> np.ndarray:
        """Calibrated probabilities, float64 of shape (n_rows, 2)."""
        check_is_fitted(self, "estimator_")
        p = self.estimator_.predict_proba(X)[:, 1]
        rise, fall = _logarithms(p).T
        q = 1 / (1 + np.exp(-np.clip(self.a_ * rise + self.b_ * fall + self.c_, -500, 500)))
        return np.stack([1 - q, q], axis=1)

    def predict(self, X: object) -> np.ndarray:
        """The more probable class of each row."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]


def fit_beta(probabilities: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    """a, b and c of beta calibration by maximum likelihood.

    Parameters
    ----------
    probabilities : array of shape (n_rows,)
    truth : array of shape (n_rows,), bool
        Both classes occur.

    Notes
    -----
    A negative a or b would make the map fall; as in the paper's algorithm 1 that term is left out and the rest fitted
    again.
    """
    logs = _logarithms(np.asarray(probabilities, np.float64))
    kept = [0, 1]
    while kept:
        model = LogisticRegression(C=_NO_PENALTY, max_iter=1000, tol=1e-8).fit(logs[:, kept], truth)
        slopes = model.coef_[0]
        if (slopes >= 0).all():
            break
        kept = [k for k, slope in zip(kept, slopes, strict=True) if slope >= 0]
    if not kept:  # no probability says anything: the prevalence for all
        return 0.0, 0.0, float(np.log(np.mean(truth) / (1 - np.mean(truth))))
    found = dict(zip(kept, slopes.tolist(), strict=True))
    return found.get(0, 0.0), found.get(1, 0.0), float(model.intercept_[0])


def _logarithms(p: np.ndarray) -> np.ndarray:
    """ln p and -ln(1 - p), of shape (n_rows, 2)."""
    p = np.clip(p, _SMALLEST, 1 - _SMALLEST)
    return np.stack([np.log(p), -np.log1p(-p)], axis=1)
