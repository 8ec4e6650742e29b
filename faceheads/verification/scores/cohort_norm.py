"""Similarities measured against those with other people: z-, t- and s-norm with an adaptive cohort.

A similarity of 0.9 says little about a face that is that similar to hundreds of people. With the mean μ and the standard
deviation σ of a face's similarities with the ``n_top`` most alike of a cohort of other people, the score is

==========  ============================================
``"z"``     (s − μ) / σ of the reference
``"t"``     (s − μ) / σ of the probe
``"s"``     the mean of both, which is symmetric
==========  ============================================

References
----------
R. Auckenthaler, M. Carey, H. Lloyd-Thomas, Score normalization for text-independent speaker verification systems, Digital
Signal Processing 10, 2000 (z-norm and t-norm).
P. Matějka et al., Analysis of score normalization in multilingual speaker recognition, Interspeech 2017 (adaptive s-norm:
only the most alike of the cohort).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from ..similarity import METRICS, prepared, row_similarities, similarity_matrix
from .base import PairScore

KINDS = ("s", "z", "t")
#: Faces of one block of similarities with the cohort.
_BLOCK = 1024
#: Standard deviations of the cohort's similarities are not put lower.
_SMALLEST = 1e-6


class CohortNormScore(PairScore):
    """Similarity in standard deviations of similarities with other people.

    Parameters
    ----------
    metric : {"cosine", "euclidean"}, default="cosine"
    kind : {"s", "z", "t"}, default="s"
    n_top : int, default=200
        Members of the cohort that count for a face, the most alike.
    cohort_size : int, default=1000
        People of the cohort, one face each, drawn when there are more.
    random_state : int, default=0

    Attributes
    ----------
    cohort_ : ndarray of shape (n_cohort, n_features), float32
        Prepared vectors.
    n_features_in_ : int
    """

    fitted_arrays: ClassVar = {"cohort_": ("n_cohort", "n_features")}

    def __init__(
        self,
        metric: str = "cosine",
        kind: str = "s",
        n_top: int = 200,
        cohort_size: int = 1000,
        random_state: int = 0,
    ) -> None:
        self.metric = metric
        self.kind = kind
        self.n_top = n_top
        self.cohort_size = cohort_size
        self.random_state = random_state

    @property
    def name(self) -> str:
        return f"{self.kind}_norm"

    def check_parameters(self) -> None:
        if self.metric not in METRICS or self.kind not in KINDS:
            raise ValueError(f"metric must be one of {METRICS}, kind of {KINDS}; got {self.metric!r}, {self.kind!r}.")
        if self.n_top < 2 or self.cohort_size < 2:
            raise ValueError(f"n_top and cohort_size must be at least 2; got {self.n_top}, {self.cohort_size}.")

    def fit(self, X: np.ndarray, y: np.ndarray | None = None) -> CohortNormScore:
        """Draw the cohort.

        Parameters
        ----------
        X : array of shape (n_faces, n_features)
        y : array of shape (n_faces,), optional
            Identities; without them every face is a person.

        Raises
        ------
        ValueError
            If a parameter is out of range or there are fewer than two people.
        """
        self.check_parameters()
        X = validate_data(self, X, dtype=[np.float32, np.float64], ensure_min_samples=2)
        rng = np.random.default_rng(self.random_state)
        order = rng.permutation(len(X))
        people = order if y is None else order[np.unique(np.asarray(y)[order], return_index=True)[1]]
        chosen = np.sort(rng.permutation(people)[: self.cohort_size])
        self.cohort_ = prepared(X[chosen].astype(np.float32), self.metric)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Templates, float64 of shape (n_faces, n_features + 2): vector, mean and deviation against the cohort."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float32, np.float64], reset=False)
        vectors = prepared(X.astype(np.float64), self.metric)
        blocks = [self._moments(vectors[start : start + _BLOCK]) for start in range(0, len(X), _BLOCK)]
        return np.hstack([vectors, np.concatenate(blocks)])

    def _moments(self, vectors: np.ndarray) -> np.ndarray:
        """Mean and deviation of the similarities with the most alike of the cohort, shape (n_faces, 2)."""
        similarity = similarity_matrix(vectors, self.cohort_, self.metric)
        n_top = min(self.n_top, len(self.cohort_))
        most_alike = np.partition(similarity, len(self.cohort_) - n_top, axis=1)[:, -n_top:]
        return np.stack([most_alike.mean(axis=1), np.maximum(most_alike.std(axis=1), _SMALLEST)], axis=1)

    def compare(self, probe: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Normalised similarity of templates row by row, float64 of shape (n_pairs,)."""
        similarity = row_similarities(probe[:, :-2], reference[:, :-2], self.metric)
        of_probe, of_reference = ((similarity - side[:, -2]) / side[:, -1] for side in (probe, reference))
        return {"s": (of_probe + of_reference) / 2, "z": of_reference, "t": of_probe}[self.kind]
