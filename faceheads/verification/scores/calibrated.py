"""Similarities turned into log-odds by curves that differ between parts of the faces.

The same similarity can mean more in one part of the population than in another. Each part has its own logistic curve from
similarity to log-odds, fitted to pairs with a face in it; where these are few it stays near the curve of all. A pair is
given the mean of the probabilities of its two faces' curves, weighted by the sizes of their parts.

References
----------
T. Salvador, S. Cairns, V. Voleti, N. Marshall, A. Oberman, FairCal: fairness calibration for face verification, ICLR 2022,
section 3 (parts are clusters; the weighted mean).
J. C. Platt, Probabilistic outputs for support vector machines, Advances in Large Margin Classifiers, 1999.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.optimize
from scipy.special import expit, log_expit, logsumexp
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from ..pairing import pair_identities
from ..similarity import METRICS, prepared, row_similarities
from .base import PairScore

#: Strength of the prior of the curve of all pairs, in pairs.
_WEAK = 1e-3


@dataclass(frozen=True)
class _Curve:
    """Log-odds = slope · similarity + intercept."""

    slope: float
    intercept: float

    @classmethod
    def fit(cls, similarity: np.ndarray, is_mated: np.ndarray, prior: _Curve, strength: float) -> _Curve:
        """The likeliest curve, both kinds of pairs weighing as much as the rarer has pairs, and ``prior`` as ``strength``."""
        counts = np.array([(~is_mated).sum(), is_mated.sum()])
        if not counts.all():
            return prior
        weight = counts.min() / counts[is_mated.astype(int)]
        sign = np.where(is_mated, 1.0, -1.0)
        centre = np.array([prior.slope, prior.intercept])
        terms = np.stack([similarity, np.ones(len(similarity))], axis=1)

        def loss(curve: np.ndarray) -> tuple[float, np.ndarray]:
            margin = sign * (terms @ curve)
            away = curve - centre
            value = -(weight * log_expit(margin)).sum() + strength / 2 * (away @ away)
            return value, -(weight * sign * expit(-margin)) @ terms + strength * away

        return cls(*map(float, scipy.optimize.minimize(loss, centre, jac=True, method="BFGS").x))


class CalibratedScore(PairScore):
    """What scores with a curve for each part have in common; subclasses say which part a face is in.

    Attributes
    ----------
    slopes_, intercepts_, sizes_ : ndarrays of shape (n_parts,), float64
        The curve of each part, of the similarity as it is, and faces that it was fitted to.
    n_features_in_ : int
    """

    fitted_arrays: ClassVar = {name: ("n_parts",) for name in ("slopes_", "intercepts_", "sizes_")}

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def check_parameters(self) -> None:
        if self.metric not in METRICS:
            raise ValueError(f"metric must be one of {METRICS}; got {self.metric!r}.")
        if self.max_pairs < 2 or not self.prior_pairs > 0:
            raise ValueError(
                f"max_pairs must be at least 2 and prior_pairs above 0; got {self.max_pairs}, {self.prior_pairs}."
            )

    def check_arrays(self) -> None:
        if (self.sizes_ < 0).any():
            raise ValueError("parts must have 0 faces or more.")

    def _fit_parts(self, X: np.ndarray) -> np.ndarray:
        """Learn the parts; returns the part of each face."""
        raise NotImplementedError

    def _parts(self, X: np.ndarray) -> np.ndarray:
        """The part of each face, int array of shape (n_faces,)."""
        raise NotImplementedError

    def _vectors(self, X: np.ndarray) -> np.ndarray:
        """Prepared vectors of faces."""
        return prepared(X, self.metric)

    def fit(self, X: np.ndarray, y: np.ndarray) -> CalibratedScore:
        """Learn parts and curves from pairs of the faces.

        Parameters
        ----------
        X : array of shape (n_faces, n_features)
        y : array of shape (n_faces,)
            Identities.

        Raises
        ------
        ValueError
            If a parameter is out of range, or the faces make no mated or no non-mated pair.
        """
        self.check_parameters()
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2, ensure_min_features=2)
        pairs = pair_identities(y, self.max_pairs, self.random_state)
        vectors, part = self._vectors(X), self._fit_parts(X)
        similarity = row_similarities(vectors[pairs.probe], vectors[pairs.reference], self.metric)
        curves = self._curves(similarity, pairs.is_mated, part[pairs.probe], part[pairs.reference])
        self.slopes_, self.intercepts_ = np.array([(one.slope, one.intercept) for one in curves]).T
        self.sizes_ = np.bincount(part, minlength=self._n_parts).astype(np.float64)
        return self

    def _curves(
        self, similarity: np.ndarray, is_mated: np.ndarray, one: np.ndarray, other: np.ndarray
    ) -> list[_Curve]:
        """The curve of each part, from pairs with a face in it."""
        centre, scale = similarity.mean(), max(similarity.std(), np.finfo(np.float64).tiny)
        standard = (similarity - centre) / scale
        of_all = _Curve.fit(standard, is_mated, _Curve(1.0, 0.0), _WEAK)
        curves = []
        for part in range(self._n_parts):
            chosen = (one == part) | (other == part)
            found = _Curve.fit(standard[chosen], is_mated[chosen], of_all, self.prior_pairs)
            curves.append(_Curve(found.slope / scale, found.intercept - found.slope * centre / scale))
        return curves

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Templates, float64 of shape (n_faces, dimension + 3): prepared vector, slope, intercept, size of the part."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        part = self._parts(X)
        of_part = np.stack([self.slopes_, self.intercepts_, self.sizes_], axis=1)[part]
        return np.hstack([self._vectors(X), of_part])

    def compare(self, probe: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Log-odds of templates row by row, float64 of shape (n_pairs,), if half of all pairs were mated."""
        similarity = row_similarities(probe[:, :-3], reference[:, :-3], self.metric)
        log_odds = np.stack([side[:, -3] * similarity + side[:, -2] for side in (probe, reference)])
        # half a face more: parts without a face must not divide by 0
        size = np.stack([side[:, -1] for side in (probe, reference)]) + 0.5
        share = size / size.sum(axis=0)
        yes, no = (logsumexp(log_expit(sign * log_odds), axis=0, b=share) for sign in (1, -1))
        return yes - no
