"""Two-covariance probabilistic linear discriminant analysis: how much likelier two faces are if they are of one person.

The vectors of a person vary normally around the person's own mean with covariance W, and the means of persons around a
common mean with covariance B. The score of two vectors is the logarithm of the likelihood of both being drawn around one
mean over that of two means. B and W are found by expectation-maximisation, which people with one face inform too.

References
----------
S. Ioffe, Probabilistic linear discriminant analysis, ECCV 2006.
N. Brümmer, E. de Villiers, The speaker partitioning problem, Odyssey 2010 (the two-covariance model and its likelihoods).
A. Sizov, K. A. Lee, T. Kinnunen, Unifying probabilistic linear discriminant analysis variants in biometric authentication,
S+SSPR 2014.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from ..similarity import prepared
from .base import PairScore
from .moments import Moments, diagonalising, person_moments, shrunk


class PldaScore(PairScore):
    """Log-likelihood ratio of one person over two, natural.

    Parameters
    ----------
    shrinkage : float, default=0.9
        In [0, 1]: how far W is moved towards a multiple of the identity.
    n_iterations : int, default=10
        Of expectation-maximisation; 0 leaves the covariances of the moments.
    unit_length : bool, default=True
        Whether vectors are brought to length 1 first.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,), float64
    projection_ : ndarray of shape (n_features, n_directions), float64
        To directions in which W is the identity and B diagonal.
    ratio_ : ndarray of shape (n_directions,), float64
        B in these directions.
    n_features_in_ : int
    """

    fitted_arrays: ClassVar = {
        "mean_": ("n_features",),
        "projection_": ("n_features", "n_directions"),
        "ratio_": ("n_directions",),
    }

    def __init__(self, shrinkage: float = 0.9, n_iterations: int = 10, unit_length: bool = True) -> None:
        self.shrinkage = shrinkage
        self.n_iterations = n_iterations
        self.unit_length = unit_length

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    @property
    def name(self) -> str:
        return "plda"

    def check_parameters(self) -> None:
        if not 0 <= self.shrinkage <= 1 or self.n_iterations < 0:
            raise ValueError(
                f"shrinkage must be in [0, 1] and n_iterations at least 0; got {self.shrinkage}, {self.n_iterations}."
            )

    def check_arrays(self) -> None:
        if (self.ratio_ < 0).any():
            raise ValueError("variances between persons must be at least 0.")

    def fit(self, X: np.ndarray, y: np.ndarray) -> PldaScore:
        """Find the covariances.

        Parameters
        ----------
        X : array of shape (n_faces, n_features)
        y : array of shape (n_faces,)
            Identities.

        Raises
        ------
        ValueError
            If a parameter is out of range, or nobody has two faces.
        """
        self.check_parameters()
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_features=2)
        moments = person_moments(self._scaled(X), y)
        within, between = shrunk(moments.within, self.shrinkage), moments.between
        for _ in range(self.n_iterations):
            within, between = _improved(moments, within, between)
            within = shrunk(within, self.shrinkage)
        self.mean_ = moments.mean
        self.projection_, self.ratio_ = diagonalising(within, between)
        return self

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        return prepared(X, "cosine") if self.unit_length else X

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Vectors in the directions of the model, float64 of shape (n_faces, n_directions)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return (self._scaled(X) - self.mean_) @ self.projection_

    def compare(self, probe: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Log-likelihood ratio of templates row by row, float64 of shape (n_pairs,).

        In each direction both vectors are normal with variance 1 + ψ, and correlated by ψ / (1 + ψ) if they are of one
        person: Brümmer and de Villiers 2010, equation 13, with diagonal covariances.
        """
        total = 1 + self.ratio_
        remaining = total**2 - self.ratio_**2  # determinant of the covariance of both; positive, for W is the identity
        squares, product = probe**2 + reference**2, probe * reference
        of_squares, of_product = (1 / total - total / remaining) / 2, self.ratio_ / remaining
        constant = np.log(total).sum() - np.log(remaining).sum() / 2
        return squares @ of_squares + product @ of_product + constant


def _improved(moments: Moments, within: np.ndarray, between: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One step of expectation-maximisation: W and B from the posterior means and covariances of the persons' means."""
    projection, ratio = diagonalising(within, between)
    back = np.linalg.pinv(projection)  # rows: the directions in the space of the vectors
    means = (moments.person_means - moments.mean) @ projection
    n = moments.counts[:, None]
    uncertainty = ratio / (1 + n * ratio)  # posterior variance of a person's mean, in each direction
    expected = n * uncertainty * means
    of_persons = expected.T @ expected + np.diag(uncertainty.sum(axis=0))
    missed = means - expected
    n_faces = moments.counts.sum()
    of_means = (n * missed).T @ missed + np.diag((n * uncertainty).sum(axis=0))
    around_means = (n_faces - len(moments.counts)) * moments.within
    return around_means / n_faces + back.T @ (of_means / n_faces) @ back, back.T @ (of_persons / len(means)) @ back
