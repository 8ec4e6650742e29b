"""Mixtures of normal distributions of colours, in CIE L*a*b*: what is skin, hair or background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..opencv import import_cv2

#: No distribution is narrower than this in L*, a*, b*: what is seen of a surface is a sample.
_FLOOR_LAB = np.array([5.0, 3.0, 3.0])
#: Colours that a mixture is fitted to, at most, and at least for each part of it.
_MAX_COLOURS, _MIN_PER_PART = 800, 20
#: Density of a colour that a mixture knows nothing of.
_LOG_UNKNOWN = -14.0


@dataclass(frozen=True, eq=False)
class Normal:
    """One normal distribution of colours with a weight.

    Attributes
    ----------
    log_weight : float
    mean : ndarray of shape (3,)
    covariance : ndarray of shape (3, 3)
    """

    log_weight: float
    mean: np.ndarray
    covariance: np.ndarray

    @classmethod
    def fit(cls, lab: np.ndarray, weights: np.ndarray, weight: float = 1.0) -> Normal:
        """Of colours (n, 3) that count as much as their weights (n,) say."""
        share = weights / weights.sum()
        mean = share @ lab
        off = lab - mean
        return cls(float(np.log(weight)), mean, (off * share[:, None]).T @ off + np.diag(_FLOOR_LAB**2))

    def log_density(self, lab: np.ndarray) -> np.ndarray:
        """Logarithm of weight times density of colours (n, 3), shape (n,), up to a constant that all share."""
        root = np.linalg.cholesky(self.covariance)
        off = np.linalg.solve(root, (lab - self.mean).T)
        return self.log_weight - 0.5 * (off**2).sum(axis=0) - np.log(np.diag(root)).sum()


def log_density(parts: list[Normal], lab: np.ndarray, unknown: float = _LOG_UNKNOWN) -> np.ndarray:
    """Logarithm of the density of a mixture for colours of shape (..., 3); at least ``unknown``, for nothing is impossible."""
    flat = lab.reshape(-1, 3)
    values = np.logaddexp.reduce([part.log_density(flat) for part in parts]) if parts else np.full(len(flat), -np.inf)
    return np.logaddexp(values, unknown).reshape(lab.shape[:-1])


def clustered(lab: np.ndarray, n_parts: int, seed: int = 0) -> list[Normal]:
    """A mixture of colours (n, 3): one distribution for each cluster of k-means; of few colours fewer, of none none."""
    cv2 = import_cv2()
    some = lab[np.random.default_rng(seed).permutation(len(lab))[:_MAX_COLOURS]]
    n_parts = min(n_parts, len(some) // _MIN_PER_PART)
    if n_parts < 1:
        return []
    cv2.setRNGSeed(seed)
    until = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 15, 0.5)
    _, labels, _ = cv2.kmeans(some.astype(np.float32), n_parts, None, until, 1, cv2.KMEANS_PP_CENTERS)
    members = [labels[:, 0] == part for part in range(n_parts)]
    return [Normal.fit(some[of], np.ones(of.sum()), of.mean()) for of in members if of.sum() > 1]


def halved(lab: np.ndarray, weights: np.ndarray) -> list[Normal]:
    """A mixture of two: colours (n, 3) with weights (n,) parted at their mean, along the direction in which they differ most."""
    whole = Normal.fit(lab, weights)
    _, directions = np.linalg.eigh(whole.covariance)
    is_beyond = (lab - whole.mean) @ directions[:, -1] >= 0
    total = weights.sum()
    sides = [(lab[side], weights[side]) for side in (is_beyond, ~is_beyond)]
    return [Normal.fit(colours, w, w.sum() / total) for colours, w in sides if w.sum() > 1e-3 * total]


def lab_of(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of an image, uint8 RGB → float32 of the same shape: L* from 0 to 100."""
    return import_cv2().cvtColor(rgb.astype(np.float32) / 255, import_cv2().COLOR_RGB2LAB)


def rgb_of(lab: np.ndarray) -> np.ndarray:
    """RGB uint8 of CIE L*a*b*; colours that a screen cannot show are cut."""
    cv2 = import_cv2()
    rgb = cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB)
    return np.rint(255 * np.clip(rgb, 0, 1)).astype(np.uint8)
