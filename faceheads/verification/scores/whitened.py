"""A metric learned from the faces of other people: distances after whitening within persons, or in LDA's directions.

Directions in which the photos of one person differ count less, and equally. With ``n_components`` only the directions
remain in which persons differ most against that (linear discriminant analysis). With few photos the covariance is poorly
known, so it is moved towards a multiple of the identity, with which nothing is learned.

References
----------
A. O. Hatch, S. Kajarekar, A. Stolcke, Within-class covariance normalization for SVM-based speaker recognition, ICSLP 2006.
P. N. Belhumeur, J. P. Hespanha, D. J. Kriegman, Eigenfaces vs. Fisherfaces, IEEE PAMI 19(7), 1997 (LDA).
O. Ledoit, M. Wolf, A well-conditioned estimator for large-dimensional covariance matrices, Journal of Multivariate
Analysis 88, 2004 (the shrinkage).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from ..similarity import METRICS, prepared, row_similarities
from .base import PairScore
from .moments import diagonalising, person_moments, shrunk


class WhitenedScore(PairScore):
    """Similarity after whitening within persons.

    Parameters
    ----------
    shrinkage : float, default=0.9
        In [0, 1]: 1 leaves distances as they are.
    n_components : int or None, default=None
        Directions to keep; None for all.
    metric : {"euclidean", "cosine"}, default="euclidean"
        Of whitened vectors; the cosine is that around their mean.
    unit_length : bool, default=True
        Whether vectors are brought to length 1 first.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,), float64
    projection_ : ndarray of shape (n_features, n_directions), float64
    n_features_in_ : int
    """

    fitted_arrays: ClassVar = {"mean_": ("n_features",), "projection_": ("n_features", "n_directions")}

    def __init__(
        self,
        shrinkage: float = 0.9,
        n_components: int | None = None,
        metric: str = "euclidean",
        unit_length: bool = True,
    ) -> None:
        self.shrinkage = shrinkage
        self.n_components = n_components
        self.metric = metric
        self.unit_length = unit_length

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    @property
    def name(self) -> str:
        return "whitened" if self.n_components is None else "lda"

    def check_parameters(self) -> None:
        if self.metric not in METRICS:
            raise ValueError(f"metric must be one of {METRICS}; got {self.metric!r}.")
        if not 0 <= self.shrinkage <= 1 or (self.n_components is not None and self.n_components < 1):
            raise ValueError(
                f"shrinkage must be in [0, 1] and n_components at least 1; got {self.shrinkage}, {self.n_components}."
            )

    def fit(self, X: np.ndarray, y: np.ndarray) -> WhitenedScore:
        """Learn the metric.

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
        directions, _ = diagonalising(shrunk(moments.within, self.shrinkage), moments.between)
        self.mean_, self.projection_ = moments.mean, directions[:, : self.n_components]
        return self

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        return prepared(X, "cosine") if self.unit_length else X

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Whitened vectors, float64 of shape (n_faces, n_directions)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return prepared((self._scaled(X) - self.mean_) @ self.projection_, self.metric)

    def compare(self, probe: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Similarity of whitened vectors row by row, float64 of shape (n_pairs,)."""
        return row_similarities(probe, reference, self.metric)
