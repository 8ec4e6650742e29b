"""Similarity corrected by how good the photos are: a logistic regression on both.

Blurred, dark and small faces are more alike than they should be, whoever they are of. The log-odds of one person are linear
in the similarity, and for each number of quality in that of the worse photo, in the distance of the two, and in the product
of similarity and worse.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from ..pairing import pair_identities
from ..similarity import METRICS, prepared, row_similarities
from .base import PairScore


class QualityScore(PairScore):
    """Log-odds that two faces are of one person if half of all pairs were, from similarity and quality.

    Parameters
    ----------
    metric : {"cosine", "euclidean"}, default="cosine"
    n_qualities : int, default=0
        The last columns of the input, which are no part of the vector; higher is better. NaN where one is not known.
    max_pairs : int, default=200,000
        Pairs to learn from.
    C : float, default=1.0
        Inverse strength of the penalty on standardised numbers.
    random_state : int, default=0

    Attributes
    ----------
    typical_ : ndarray of shape (n_qualities,), float64
        Medians, which stand in for numbers that are not known.
    weights_ : ndarray of shape (n_terms,), float64
        Of the similarity, and of the worse, the distance and the product of each quality.
    intercept_ : ndarray of shape (1,), float64
    n_features_in_ : int
    """

    fitted_arrays: ClassVar = {"typical_": ("n_qualities",), "weights_": ("n_terms",), "intercept_": ("one",)}

    def __init__(
        self,
        metric: str = "cosine",
        n_qualities: int = 0,
        max_pairs: int = 200_000,
        C: float = 1.0,
        random_state: int = 0,
    ) -> None:
        self.metric = metric
        self.n_qualities = n_qualities
        self.max_pairs = max_pairs
        self.C = C
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = self.n_qualities > 0
        return tags

    @property
    def name(self) -> str:
        return "quality"

    @property
    def fixed_sizes(self) -> dict[str, int]:
        return {"n_qualities": self.n_qualities, "n_terms": 1 + 3 * self.n_qualities, "one": 1}

    def check_parameters(self) -> None:
        if self.metric not in METRICS:
            raise ValueError(f"metric must be one of {METRICS}; got {self.metric!r}.")
        if self.n_qualities < 0 or self.max_pairs < 2 or not self.C > 0:
            raise ValueError(
                "n_qualities must be at least 0, max_pairs at least 2 and C above 0; got "
                f"{self.n_qualities}, {self.max_pairs}, {self.C}."
            )

    def fit(self, X: np.ndarray, y: np.ndarray) -> QualityScore:
        """Learn from pairs of the faces.

        Parameters
        ----------
        X : array of shape (n_faces, dimension + n_qualities)
        y : array of shape (n_faces,)
            Identities.

        Raises
        ------
        ValueError
            If a parameter is out of range, or the faces make no mated or no non-mated pair.
        """
        self.check_parameters()
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite=self._finite, ensure_min_samples=2)
        known = np.isfinite(X[:, self._dimension :])
        middle = np.nanmedian(np.where(known.any(axis=0), X[:, self._dimension :], 0), axis=0)
        self.typical_ = middle.reshape(self.n_qualities)
        pairs = pair_identities(y, self.max_pairs, self.random_state)
        templates = self._templates(X)
        terms = self._terms(templates[pairs.probe], templates[pairs.reference])
        centre, scale = terms.mean(axis=0), terms.std(axis=0)
        scale[scale == 0] = 1
        model = LogisticRegression(C=self.C, class_weight="balanced", max_iter=1000)
        model.fit((terms - centre) / scale, pairs.is_mated)
        self.weights_ = model.coef_[0] / scale
        self.intercept_ = model.intercept_ - self.weights_ @ centre
        return self

    @property
    def _finite(self) -> bool | str:
        return "allow-nan" if self.n_qualities else True

    @property
    def _dimension(self) -> int:
        return self.n_features_in_ - self.n_qualities

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Templates, float64 of shape (n_faces, n_features): prepared vectors and qualities, all known."""
        check_is_fitted(self)
        return self._templates(validate_data(self, X, dtype=np.float64, reset=False, ensure_all_finite=self._finite))

    def _templates(self, X: np.ndarray) -> np.ndarray:
        quality = X[:, self._dimension :]
        vectors = prepared(X[:, : self._dimension], self.metric)
        return np.hstack([vectors, np.where(np.isfinite(quality), quality, self.typical_)])

    def _terms(self, probe: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """What the log-odds are linear in, shape (n_pairs, 1 + 3 n_qualities)."""
        d = self._dimension
        similarity = row_similarities(probe[:, :d], reference[:, :d], self.metric)[:, None]
        worse = np.minimum(probe[:, d:], reference[:, d:])
        return np.hstack([similarity, worse, np.abs(probe[:, d:] - reference[:, d:]), similarity * worse])

    def compare(self, probe: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Log-odds of templates row by row, float64 of shape (n_pairs,)."""
        return self._terms(probe, reference) @ self.weights_ + self.intercept_[0]
