"""FairCal: a calibration for each region of faces that look alike, without a word on who they are.

Regions are clusters of the vectors (k-means). Cohorts gather in different clusters, so that similarities come to mean the
same in each, and nobody has to say, at any time, which cohort a face belongs to.

References
----------
T. Salvador, S. Cairns, V. Voleti, N. Marshall, A. Oberman, FairCal: fairness calibration for face verification, ICLR 2022.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.cluster import KMeans

from .calibrated import CalibratedScore

#: Faces of one block of distances to the centres.
_BLOCK = 4096


class ClusterCalibratedScore(CalibratedScore):
    """Log-odds of one person by curves of clusters of faces.

    Parameters
    ----------
    metric : {"cosine", "euclidean"}, default="cosine"
    n_clusters : int, default=20
        At most; no more than one for 10 faces.
    prior_pairs : float, default=10
        Pairs that the curve of all counts for in the curve of a cluster.
    max_pairs : int, default=100,000
        Pairs to learn from.
    random_state : int, default=0

    Attributes
    ----------
    centres_ : ndarray of shape (n_parts, n_features), float64
    slopes_, intercepts_, sizes_ : ndarrays of shape (n_parts,), float64
    n_features_in_ : int
    """

    fitted_arrays: ClassVar = {"centres_": ("n_parts", "n_features"), **CalibratedScore.fitted_arrays}

    def __init__(
        self,
        metric: str = "cosine",
        n_clusters: int = 20,
        prior_pairs: float = 10.0,
        max_pairs: int = 100_000,
        random_state: int = 0,
    ) -> None:
        self.metric = metric
        self.n_clusters = n_clusters
        self.prior_pairs = prior_pairs
        self.max_pairs = max_pairs
        self.random_state = random_state

    @property
    def name(self) -> str:
        return "faircal"

    def check_parameters(self) -> None:
        super().check_parameters()
        if self.n_clusters < 1:
            raise ValueError(f"n_clusters must be at least 1; got {self.n_clusters}.")

    @property
    def _n_parts(self) -> int:
        return len(self.centres_)

    def _fit_parts(self, X: np.ndarray) -> np.ndarray:
        vectors = self._vectors(X)
        n_clusters = max(1, min(self.n_clusters, len(vectors) // 10))
        found = KMeans(n_clusters, n_init=1, random_state=self.random_state).fit(vectors)
        self.centres_ = found.cluster_centers_
        return self._parts(X)

    def _parts(self, X: np.ndarray) -> np.ndarray:
        vectors = self._vectors(X)
        squares = (self.centres_**2).sum(axis=1)
        blocks = (vectors[start : start + _BLOCK] for start in range(0, len(vectors), _BLOCK))
        return np.concatenate([(squares - 2 * block @ self.centres_.T).argmin(axis=1) for block in blocks])
