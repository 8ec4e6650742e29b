"""Which of overlapping windows is reported, as dlib decides it: greedily, the surest first."""

from __future__ import annotations

import numpy as np

from faceheads.networks.dlib_network import OverlapTest


def _area(ltrb: np.ndarray) -> np.ndarray:
    sides = np.maximum(ltrb[..., 2:] - ltrb[..., :2] + 1, 0)
    return sides[..., 0] * sides[..., 1]


def overlaps(box: np.ndarray, others: np.ndarray, test: OverlapTest) -> np.ndarray:
    """Whether a box overlaps each of the others: dlib compares with the box around both, not with their union.

    Parameters
    ----------
    box : ndarray of shape (4,)
        Left, top, right, bottom; last pixel included.
    others : ndarray of shape (n, 4)
    test : OverlapTest

    Returns
    -------
    ndarray of shape (n,), bool
    """
    inner = _area(np.hstack([np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])]))
    outer = _area(np.hstack([np.minimum(box[:2], others[:, :2]), np.maximum(box[2:], others[:, 2:])]))
    covered = inner / np.minimum(_area(box), _area(others))
    return (inner / outer > test.iou_threshold) | (covered > test.percent_covered_threshold)


def suppress(boxes_ltrb: np.ndarray, test: OverlapTest) -> np.ndarray:
    """Indices of the boxes that overlap none kept before them; boxes come surest first, last pixel included.

    Parameters
    ----------
    boxes_ltrb : ndarray of shape (n, 4)
    test : OverlapTest

    Returns
    -------
    ndarray of shape (n_kept,), int
    """
    remaining = np.arange(len(boxes_ltrb))
    kept: list[int] = []
    while remaining.size:
        first, remaining = remaining[0], remaining[1:]
        kept.append(first)
        remaining = remaining[~overlaps(boxes_ltrb[first], boxes_ltrb[remaining], test)]
    return np.array(kept, int)


def undecided(
    boxes_ltrb: np.ndarray, scores: np.ndarray, test: OverlapTest, threshold: float, error: float
) -> np.ndarray:
    """Indices of the boxes whose fate or place depends on scores that are known to ``error`` only.

    That is: no box that is surer by more than ``error`` suppresses it, and either its score is that near to the
    threshold, or another such box is that near.

    Parameters
    ----------
    boxes_ltrb : ndarray of shape (n, 4)
        Surest first.
    scores : ndarray of shape (n,)
        Descending.
    test : OverlapTest
    threshold, error : float

    Returns
    -------
    ndarray of shape (n_undecided,), int
    """
    kept = suppress(boxes_ltrb, test)
    is_open = np.zeros(len(scores), bool)
    for i, box in enumerate(boxes_ltrb):
        surer = kept[scores[kept] > scores[i] + error]
        is_open[i] = not overlaps(box, boxes_ltrb[surer], test).any()
    positions = np.flatnonzero(is_open)
    gaps = -np.diff(scores[positions], prepend=np.inf, append=-np.inf)
    is_near = (gaps[:-1] <= error) | (gaps[1:] <= error) | (np.abs(scores[positions] - threshold) <= error)
    return positions[is_near]
