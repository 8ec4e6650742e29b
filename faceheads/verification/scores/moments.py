"""How vectors vary within a person and between persons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """Means and covariances of vectors of people.

    Attributes
    ----------
    mean : ndarray of shape (n_features,)
        Of all vectors.
    person_means : ndarray of shape (n_people, n_features)
    counts : ndarray of shape (n_people,), int64
        Vectors of each person.
    within : ndarray of shape (n_features, n_features)
        Covariance of the vectors of one person around his mean, pooled over people with two or more.
    total : ndarray of shape (n_features, n_features)
        Covariance of all vectors.
    """

    mean: np.ndarray
    person_means: np.ndarray
    counts: np.ndarray
    within: np.ndarray
    total: np.ndarray

    @property
    def between(self) -> np.ndarray:
        """What the total varies more than single persons do; a matrix that need not be positive."""
        return self.total - self.within


def person_moments(X: np.ndarray, y: np.ndarray) -> Moments:
    """The moments of vectors.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features), float64
    y : ndarray of shape (n_faces,)
        Identities.

    Raises
    ------
    ValueError
        If nobody has two vectors.
    """
    person, counts = np.unique(y, return_inverse=True, return_counts=True)[1:]
    if counts.max() < 2 or len(counts) < 2:
        raise ValueError(
            f"a metric is learned from two or more people, one of them at least with two faces; got {len(y)} faces of "
            f"{len(counts)} people (1 sample or 1 class tells nothing)."
        )
    sums = np.zeros((len(counts), X.shape[1]))
    np.add.at(sums, person, X)
    means = sums / counts[:, None]
    apart = X - means[person]
    within = apart.T @ apart / (counts - 1).sum()
    return Moments(X.mean(axis=0), means, counts, within, np.atleast_2d(np.cov(X.T)))


def shrunk(covariance: np.ndarray, shrinkage: float) -> np.ndarray:
    """The covariance moved towards a multiple of the identity, the mean variance kept (Ledoit and Wolf 2004, eq. 1)."""
    size = len(covariance)
    return (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / size * np.eye(size)


def diagonalising(within: np.ndarray, between: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Directions in which both covariances are diagonal, the first the identity.

    Returns
    -------
    projection : ndarray of shape (n_features, n_directions)
        Transposed · within · projection is the identity; directions without variance within persons are left out.
    ratio : ndarray of shape (n_directions,)
        Variance between persons over variance within in each direction, the largest first, at least 0.
    """
    variance, axes = np.linalg.eigh(within)
    kept = variance > variance.max() * len(variance) * np.finfo(np.float64).eps
    if not kept.any():
        raise ValueError("the faces of one person must differ; they are all equal.")
    whitening = axes[:, kept] / np.sqrt(variance[kept])
    ratio, rotation = np.linalg.eigh(whitening.T @ between @ whitening)
    return whitening @ rotation[:, ::-1], np.maximum(ratio[::-1], 0)
