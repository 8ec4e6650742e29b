"""How far a map can be believed: deletion and insertion curves.

Deletion blurs the most important pixels first: of a faithful map the decision gives way soon. Insertion starts from the
blurred crop and brings the most important pixels back first: the decision should come back soon.

References
----------
V. Petsiuk, A. Das, K. Saenko, RISE: randomized input sampling for explanation of black-box models, BMVC 2018 (both curves).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..opencv import import_cv2
from .gradients import blurred

#: Points of a curve, both ends included.
N_POINTS = 11
#: Standard deviation of the smoothing that a map gets before its pixels are ranked, as a share of the crop's side.
SMOOTHING_SHARE = 0.04


@dataclass(frozen=True, eq=False)
class Curves:
    """What remains of a decision while pixels go or come.

    Attributes
    ----------
    deletion, insertion : ndarray of shape (n_points,), float64
    """

    deletion: np.ndarray
    insertion: np.ndarray

    @property
    def deletion_area(self) -> float:
        """Mean of the deletion curve; low is good."""
        return _area(self.deletion)

    @property
    def insertion_area(self) -> float:
        """Mean of the insertion curve; high is good."""
        return _area(self.insertion)


def _area(curve: np.ndarray) -> float:
    """Area by the trapezoidal rule over the unit interval."""
    return float(((curve[:-1] + curve[1:]) / 2).mean())


def curves(
    embed: Callable[[np.ndarray], np.ndarray],
    supports: Sequence[Callable[[np.ndarray], np.ndarray]],
    crop: np.ndarray,
    importance: np.ndarray,
    n_points: int = N_POINTS,
) -> list[Curves]:
    """Deletion and insertion curves of a map, for one decision or several about the same embeddings.

    Parameters
    ----------
    embed : callable
        Crops (n, height, width, 3), uint8 → embeddings.
    supports : sequence of callable
        Embeddings → how much of a decision is left, shape (n,), such as its probability.
    crop : array of shape (height, width, 3), uint8, RGB
    importance : array of shape (height, width)
        The map; it is smoothed before its pixels are ranked.
    n_points : int, default=11

    Returns
    -------
    list of Curves, one for each of ``supports``
    """
    baseline = np.rint(blurred(crop)).astype(np.uint8)
    rank = _ranks(smoothed(importance))
    shares = np.linspace(0, 1, n_points)
    is_changed = (rank[None] < np.rint(shares * rank.size)[:, None, None])[..., None]
    embeddings = embed(np.concatenate([np.where(is_changed, baseline, crop), np.where(is_changed, crop, baseline)]))
    left = [support(embeddings) for support in supports]
    return [Curves(values[:n_points], values[n_points:]) for values in left]


def smoothed(importance: np.ndarray) -> np.ndarray:
    """A map without its single-pixel noise, float32 of the same shape."""
    sigma = SMOOTHING_SHARE * max(importance.shape)
    return import_cv2().GaussianBlur(np.asarray(importance, np.float32), (0, 0), sigma)


def _ranks(values: np.ndarray) -> np.ndarray:
    """0 for the largest value, size − 1 for the smallest."""
    rank = np.empty(values.size, np.int64)
    rank[np.argsort(-values, axis=None, kind="stable")] = np.arange(values.size)
    return rank.reshape(values.shape)
