"""Non-maximum suppression: of boxes that overlap, the one with the highest score stays."""

from __future__ import annotations

import numpy as np

#: Boxes judged at a time; bounds the memory and keeps the work in numpy.
CHUNK = 128


def kept_by_union(boxes_xyxy: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """Indices of the boxes that stay, highest score first; overlap is intersection over union.

    Parameters
    ----------
    boxes_xyxy : ndarray of shape (n, 4), float32
    scores : ndarray of shape (n,)
        Among equal scores the earlier box comes first.
    threshold : float
        A box goes when it overlaps a kept one by more than this.
    """
    order = np.argsort(-scores, kind="stable")
    return order[_greedy(boxes_xyxy[order], threshold, _over_union, 0)]


def kept_by_smaller(boxes_xyxy: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """As :func:`kept_by_union` for boxes whose last pixel belongs to them; overlap is relative to the smaller box.

    A box inside another one goes, however small it is. Among equal scores the later box comes first, as in
    facenet-pytorch (where, from 17 boxes on, it depends on the processor: numpy's default sort is not stable).
    """
    order = np.argsort(scores, kind="stable")[::-1]
    return order[_greedy(boxes_xyxy[order], threshold, _over_smaller, 1)]


def _over_union(intersection: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return intersection / (first + second - intersection)


def _over_smaller(intersection: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return intersection / np.minimum(first, second)


def _greedy(boxes: np.ndarray, threshold: float, ratio, border: int) -> np.ndarray:
    """Positions of the kept ones among boxes in falling order of their score."""
    kept = []
    remaining = np.arange(len(boxes))
    while len(remaining):
        chunk, remaining = remaining[:CHUNK], remaining[CHUNK:]
        chunk = chunk[_first_come(_overlaps(boxes[chunk], boxes[chunk], ratio, border) > threshold)]
        kept.append(chunk)
        hit = _overlaps(boxes[chunk], boxes[remaining], ratio, border) > threshold
        remaining = remaining[~hit.any(0)]
    return np.concatenate(kept) if kept else remaining


def _first_come(hits: np.ndarray) -> np.ndarray:
    """Which of n boxes stay when each kept one removes the later ones it hits; ``hits`` is (n, n)."""
    stays = np.ones(len(hits), bool)
    for i in range(len(hits)):
        if stays[i]:
            stays[i + 1 :] &= ~hits[i, i + 1 :]
    return stays


def _overlaps(first: np.ndarray, second: np.ndarray, ratio, border: int) -> np.ndarray:
    """Overlap of every box of one array with every box of another, float64 of float32 quotients, shape (n, m).

    ``border`` is added to every side: 1 where the last pixel belongs to the box.
    """
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.maximum(high - low + border, 0)
    with np.errstate(invalid="ignore", divide="ignore"):  # boxes without area overlap nothing
        overlap = ratio(sides[..., 0] * sides[..., 1], _area(first, border)[:, None], _area(second, border)[None])
    return overlap.astype(np.float64)


def _area(boxes: np.ndarray, border: int) -> np.ndarray:
    return (boxes[:, 2] - boxes[:, 0] + border) * (boxes[:, 3] - boxes[:, 1] + border)
