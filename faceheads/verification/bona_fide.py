"""Match ⇔ one person *and* no fake: the similarity of a pair and the bona-fide scores of its two images in one score.

A good face swap is as alike to the claimed person as a real photo: no threshold on similarity refuses it. A bona-fide score
says of one image how likely it is a real photo (higher is more real), whoever is on it. Here a pair is accepted with
probability

    P = σ(z) · σ(u) · σ(v),  z = a · similarity + b,  u = c · score of the probe + d,  v = c · score of the reference + d

as if the three questions were independent. Where two answers are sure the third decides; a very high similarity does not
make up for an image that is a fake, as it would in a weighted sum.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

#: Columns of the input.
COLUMNS = ("similarity", "bona_fide_probe", "bona_fide_reference")
#: Probabilities of no pair are nearer to 1: their log-odds would be infinite.
_LARGEST = 1 - 1e-15


class BonaFideMatch(ClassifierMixin, BaseEstimator):
    """The probability that a pair is of one person and both images are real, fitted by maximum likelihood.

    Bona-fide scores must come from a head that was fitted to other people than the pairs, for example out of fold: a head
    is too sure of what it was fitted to, and would be trusted too much.

    Parameters
    ----------
    penalty : float, default=1e-3
        Of the squares of the slopes on standardised columns; keeps them finite where kinds do not overlap.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The second is that of pairs to be accepted.
    slopes_ : ndarray of shape (2,), float64
        a and c, per unit of the input; not negative.
    intercepts_ : ndarray of shape (2,), float64
        b and d.
    n_features_in_ : int

    Examples
    --------
    >>> X = [[0.9, 3, 2], [0.8, 1, 3], [0.1, 2, 2], [0.2, 3, 1], [0.9, -3, 2], [0.8, 2, -2]]
    >>> BonaFideMatch().fit(X, [1, 1, 0, 0, 0, 0]).predict(X).tolist()
    [1, 1, 0, 0, 0, 0]
    """

    def __init__(self, penalty: float = 1e-3) -> None:
        self.penalty = penalty

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> BonaFideMatch:
        """Fit to pairs of real images of one person, of two persons, and pairs with fakes.

        Parameters
        ----------
        X : array of shape (n_pairs, 3)
            Columns as :data:`COLUMNS`; higher is more alike, more real.
        y : array of shape (n_pairs,)
            Two classes; the higher one (True, 1) for real images of one person only.
        sample_weight : array of shape (n_pairs,), optional
            Default: both classes weigh the same.

        Raises
        ------
        ValueError
            If there are not three columns or not two classes, or the penalty is negative.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if X.shape[1] != len(COLUMNS) or len(self.classes_) != 2 or self.penalty < 0:
            raise ValueError(
                f"X must have the columns {COLUMNS}, y two classes, and the penalty be 0 or more; got {X.shape[1]} columns, "
                f"{len(self.classes_)} classes and {self.penalty}."
            )
        is_match = codes == 1
        weight = _equal_classes(is_match) if sample_weight is None else np.asarray(sample_weight, np.float64)
        centre = np.array([X[:, 0].mean(), X[:, 1:].mean()])
        scale = np.array([X[:, 0].std(), X[:, 1:].std()])
        scale[scale == 0] = 1
        columns = (X - centre[[0, 1, 1]]) / scale[[0, 1, 1]]
        found = minimize(
            _loss,
            np.array([1.0, 0.0, 1.0, 0.0]),
            (columns, is_match, weight / weight.sum(), self.penalty),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, None), (None, None)] * 2,
        )
        self.slopes_ = found.x[[0, 2]] / scale
        self.intercepts_ = found.x[[1, 3]] - self.slopes_ * centre
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """The log-odds of P, float64 of shape (n_pairs,): a similarity that knows of fakes."""
        log_p = self._log_probability(X)
        return log_p - np.log1p(-np.minimum(np.exp(log_p), _LARGEST))

    def factors(self, X: np.ndarray) -> np.ndarray:
        """What P is the product of: one person, the probe is real, the reference is real; float64 of shape (n_pairs, 3)."""
        return np.exp(self._log_factors(X))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """1 − P and P of each pair, shape (n_pairs, 2)."""
        p = np.exp(self._log_probability(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The class of each pair: accepted where P is at least one half."""
        return self.classes_[(self._log_probability(X) >= np.log(0.5)).astype(int)]

    def _log_probability(self, X: np.ndarray) -> np.ndarray:
        return self._log_factors(X).sum(axis=1)

    def _log_factors(self, X: np.ndarray) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return log_expit(X * self.slopes_[[0, 1, 1]] + self.intercepts_[[0, 1, 1]])


def _equal_classes(is_match: np.ndarray) -> np.ndarray:
    return np.where(is_match, 0.5 / is_match.sum(), 0.5 / (~is_match).sum())


def _loss(
    parameters: np.ndarray, columns: np.ndarray, is_match: np.ndarray, weight: np.ndarray, penalty: float
) -> tuple[float, np.ndarray]:
    """Minus the log-likelihood with its penalty, and its gradient in a, b, c, d."""
    a, b, c, d = parameters
    z = columns * (a, c, c) + (b, d, d)
    log_p = np.minimum(log_expit(z).sum(axis=1), np.log(_LARGEST))
    p = np.exp(log_p)
    loss = -weight @ np.where(is_match, log_p, np.log1p(-p)) + penalty * (a * a + c * c)
    of_log_p = -weight * np.where(is_match, 1.0, -p / (1 - p))
    of_z = of_log_p[:, None] * expit(-z)
    slopes = (of_z * columns).sum(axis=0)
    gradient = np.array([slopes[0], of_z[:, 0].sum(), slopes[1:].sum(), of_z[:, 1:].sum()])
    return float(loss), gradient + 2 * penalty * np.array([a, 0, c, 0])
