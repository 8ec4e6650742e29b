"""Maps from gradients: integrated gradients through the network and into the decision.

A pixel's share is its difference from a *baseline*, a crop so blurred that nothing can be recognised, times the mean
gradient on the straight way from there to the crop. The shares of all pixels add up to the difference of the decision's
score between crop and baseline, which tests check.

References
----------
M. Sundararajan, A. Taly, Q. Yan, Axiomatic attribution for deep networks, ICML 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..opencv import import_cv2
from .decision import Decision
from .network import DifferentiableNetwork

N_STEPS = 16
#: Standard deviation of the baseline's blur, as a share of the crop's side.
BLUR_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class PixelMap:
    """What each pixel does to a decision.

    Attributes
    ----------
    values : ndarray of shape (height, width), float32
        Positive where the pixel raises the score (log-odds, or the number's unit), negative where it lowers it.
    score, baseline_score : float
        Of the crop, and of the blurred crop.
    decision : str
        Name of what is explained.
    method : str
    """

    values: np.ndarray
    score: float
    baseline_score: float
    decision: str
    method: str


def blurred(crop: np.ndarray) -> np.ndarray:
    """The baseline: a crop in which no feature of a face is left, float32 of the same shape."""
    sigma = BLUR_SHARE * max(crop.shape[:2])
    return import_cv2().GaussianBlur(np.asarray(crop, np.float32), (0, 0), sigma)


def integrated_gradients(
    network: DifferentiableNetwork, decision: Decision, crop: np.ndarray, n_steps: int = N_STEPS
) -> PixelMap:
    """Integrated gradients of a decision.

    Parameters
    ----------
    network : DifferentiableNetwork
    decision : Decision
    crop : array of shape (height, width, 3), uint8, RGB
    n_steps : int, default=16
        Points on the way from the baseline.

    Raises
    ------
    ValueError
        If ``n_steps`` is not positive.
    """
    if n_steps < 1:
        raise ValueError(f"n_steps must be at least 1; got {n_steps}.")
    crop = np.asarray(crop, np.float32)
    baseline = blurred(crop)
    at = ((np.arange(n_steps) + 0.5) / n_steps).astype(np.float32)
    way = baseline + at[:, None, None, None] * (crop - baseline)
    _, gradients = network.embed_and_pull_back(way, decision.gradient)
    ends = decision.score(network.embed(np.stack([crop, baseline])))
    values = ((crop - baseline) * gradients.mean(axis=0)).sum(axis=2)
    return PixelMap(values, float(ends[0]), float(ends[1]), decision.name, "integrated gradients")
