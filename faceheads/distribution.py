"""Numbers such as ages by learning a distribution over bins instead of one value.

A person of 34 looks 33 or 35 as well. So a row's target is spread over the bins around its number, a multinomial logistic
model learns these distributions, and the mean of the distribution that it predicts is the predicted number. Each bin has
weights of its own: what tells 5 from 10 years is not what tells 60 from 65, which one line through all ages cannot say.

References
----------
B. Gao and others, Deep label distribution learning with label ambiguity, IEEE TIP 26(6), 2017 (the targets, equation 1).
R. Rothe, R. Timofte, L. Van Gool, Deep expectation of real and apparent age, IJCV 126, 2018 (the mean as prediction).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

_DTYPES = (np.float32, np.float64)


class DistributionRegressor(RegressorMixin, BaseEstimator):
    """A regressor that predicts the mean of a learned distribution over bins of the target.

    Parameters
    ----------
    n_bins : int, default=40
        Bins of equal width from the smallest to the largest number in training.
    smoothing : float, default=0.7
        Standard deviation of a row's target distribution, in widths of a bin.
    alpha : float, default=1e-3
        Weight of the L2 penalty beside the mean loss of a row; the intercepts are free.
    max_iter : int, default=300
        Steps of L-BFGS.
    tol : float, default=1e-6
        Training ends when a step lowers the loss by a smaller share than this.

    Attributes
    ----------
    centres_ : ndarray of shape (n_bins,), float64
        The middle of each bin, in the unit of the target.
    coef_ : ndarray of shape (n_features, n_bins)
    intercept_ : ndarray of shape (n_bins,)
    n_iter_ : int
        Steps that were made.

    Examples
    --------
    >>> x = np.linspace(0, 1, 200)[:, None]
    >>> DistributionRegressor(alpha=1e-6).fit(x, 100 * x[:, 0]).predict([[0.5]]).round()
    array([50.])
    """

    def __init__(
        self,
        n_bins: int = 40,
        smoothing: float = 0.7,
        alpha: float = 1e-3,
        max_iter: int = 300,
        tol: float = 1e-6,
    ) -> None:
        self.n_bins = n_bins
        self.smoothing = smoothing
        self.alpha = alpha
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: object, y: Sequence, sample_weight: Sequence | None = None) -> DistributionRegressor:
        """Learn the distributions.

        Parameters
        ----------
        X : array of shape (n_rows, n_features)
            float32 is computed in float32, at half the memory and time.
        y : array of shape (n_rows,)
        sample_weight : array of shape (n_rows,), optional
            At least 0.

        Raises
        ------
        ValueError
            If a parameter is out of range.
        """
        self._check_parameters()
        X, y = validate_data(self, X, y, dtype=_DTYPES, y_numeric=True)
        weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        is_used = weight > 0
        X, y, weight = X[is_used], np.asarray(y, np.float64)[is_used], weight[is_used]
        self.centres_ = np.unique(np.linspace(y.min(), y.max(), self.n_bins))
        self._minimise(X, self._spread(y).astype(X.dtype), weight / weight.sum())
        return self

    def _check_parameters(self) -> None:
        lowest = {"n_bins": 2, "smoothing": 0, "alpha": 0, "max_iter": 1, "tol": 0}
        for name, limit in lowest.items():
            value = getattr(self, name)
            is_right = value > limit if name == "smoothing" else value >= limit
            if not is_right:
                raise ValueError(
                    f"{name} must be {'more than' if name == 'smoothing' else 'at least'} {limit}; got {value!r}."
                )

    def _spread(self, y: np.ndarray) -> np.ndarray:
        """The target distribution of each number, float64 of shape (n_rows, n_bins)."""
        if len(self.centres_) == 1:
            return np.ones((len(y), 1))
        width = self.centres_[1] - self.centres_[0]
        distances = (y[:, None] - self.centres_) / (width * self.smoothing)
        return _softmax(-(distances**2) / 2)

    def _minimise(self, X: np.ndarray, targets: np.ndarray, weight: np.ndarray) -> None:
        shape = X.shape[1] + 1, targets.shape[1]

        def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = _loss(flat.reshape(shape).astype(X.dtype), X, targets, weight, self.alpha)
            return value, gradient.ravel()

        options = {"maxiter": self.max_iter, "ftol": self.tol, "gtol": 0.0}
        found = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options=options)
        self.n_iter_ = int(found.nit)
        if self.n_iter_ >= self.max_iter:
            warnings.warn(
                f"The loss still fell by more than tol after {self.max_iter} steps; give a larger max_iter or tol.",
                ConvergenceWarning,
                stacklevel=4,
            )
        weights = found.x.reshape(shape).astype(X.dtype)
        self.coef_, self.intercept_ = weights[:-1], weights[-1]

    def predict_distribution(self, X: object) -> np.ndarray:
        """The probability of each bin, shape (n_rows, n_bins), in the type of ``X``."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_DTYPES, reset=False)
        return _softmax(X @ self.coef_ + self.intercept_)

    def predict(self, X: object) -> np.ndarray:
        """The mean of each row's distribution, float64 of shape (n_rows,)."""
        return self.predict_distribution(X) @ self.centres_


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _loss(
    weights: np.ndarray, X: np.ndarray, targets: np.ndarray, weight: np.ndarray, alpha: float
) -> tuple[float, np.ndarray]:
    """Mean cross-entropy plus the penalty, and its float64 gradient of the shape of ``weights`` (last row: intercepts)."""
    logits = X @ weights[:-1] + weights[-1]
    logits -= logits.max(axis=1, keepdims=True)
    sums = np.log(np.exp(logits).sum(axis=1, keepdims=True))
    cross_entropy = sums[:, 0] - (targets * logits).sum(axis=1)
    excess = (np.exp(logits - sums) - targets) * weight[:, None]
    gradient = np.vstack([X.T @ excess, excess.sum(axis=0)]).astype(np.float64)
    gradient[:-1] += alpha * weights[:-1]
    penalty = alpha / 2 * (weights[:-1].astype(np.float64) ** 2).sum()
    return float(np.dot(cross_entropy.astype(np.float64), weight.astype(np.float64)) + penalty), gradient
