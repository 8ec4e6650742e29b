"""Maps from occlusion: what happens to the decision when a part of the face is hidden. Needs nothing of the network.

References
----------
M. D. Zeiler, R. Fergus, Visualizing and understanding convolutional networks, ECCV 2014, section 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .decision import Decision
from .gradients import PixelMap, blurred

#: Side of the window that hides, and how far it moves, as shares of the crop's side.
WINDOW_SHARE, STRIDE_SHARE = 0.2, 0.1


def occlusion(
    embed: Callable[[np.ndarray], np.ndarray], decision: Decision, crop: np.ndarray, batch_size: int = 32
) -> PixelMap:
    """How much the score falls when a pixel's surroundings are blurred beyond recognition.

    Parameters
    ----------
    embed : callable
        Crops (n, height, width, 3), uint8 → embeddings, such as :meth:`features.embedders.Embedder.embed`.
    decision : Decision
    crop : array of shape (height, width, 3), uint8, RGB
    batch_size : int, default=32
    """
    baseline = np.rint(blurred(crop)).astype(np.uint8)
    score, baseline_score = decision.score(embed(np.stack([crop, baseline])))
    windows = list(_windows(*crop.shape[:2]))
    falls, covered = np.zeros(crop.shape[:2]), np.zeros(crop.shape[:2])
    for start in range(0, len(windows), batch_size):
        batch = windows[start : start + batch_size]
        hidden = np.repeat(crop[None], len(batch), axis=0)
        for copy, window in zip(hidden, batch, strict=True):
            copy[window] = baseline[window]
        for window, other in zip(batch, decision.score(embed(hidden)), strict=True):
            falls[window] += score - other
            covered[window] += 1
    values = (falls / covered).astype(np.float32)
    return PixelMap(values, float(score), float(baseline_score), decision.name, "occlusion")


def _windows(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Overlapping windows that cover the crop, the last ones flush with its edges."""
    rows, columns = ([*_starts(side)] for side in (height, width))
    for top, bottom in rows:
        for left, right in columns:
            yield slice(top, bottom), slice(left, right)


def _starts(side: int) -> Iterator[tuple[int, int]]:
    window, stride = max(1, round(WINDOW_SHARE * side)), max(1, round(STRIDE_SHARE * side))
    for start in range(0, side - window, stride):
        yield start, start + window
    yield side - window, side
