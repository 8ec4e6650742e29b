"""Rectangles and segments, many at a time: which overlap, by how much, which cross.

Rectangles are half-open ``x0, y0, x1, y1``; segments are two points ``xa, ya, xb, yb``, all zeros of length included.
A segment of NaN stands for "no segment" and crosses nothing.
"""

from __future__ import annotations

import numpy as np


def overlap_areas(a_xyxy: np.ndarray, b_xyxy: np.ndarray) -> np.ndarray:
    """Area, shape (n_a, n_b), that each rectangle of ``a`` shares with each of ``b``."""
    top_left = np.maximum(a_xyxy[:, None, :2], b_xyxy[None, :, :2])
    bottom_right = np.minimum(a_xyxy[:, None, 2:], b_xyxy[None, :, 2:])
    return np.clip(bottom_right - top_left, 0, None).prod(axis=2)


def areas(rectangles_xyxy: np.ndarray) -> np.ndarray:
    """Area, shape (n,), of each rectangle."""
    return (rectangles_xyxy[:, 2] - rectangles_xyxy[:, 0]) * (rectangles_xyxy[:, 3] - rectangles_xyxy[:, 1])


def grown(rectangles_xyxy: np.ndarray, by_px: float) -> np.ndarray:
    """The rectangles with each side moved outwards."""
    return rectangles_xyxy + np.array([-by_px, -by_px, by_px, by_px])


def segments_meet_rectangles(segments_xyxy: np.ndarray, rectangles_xyxy: np.ndarray) -> np.ndarray:
    """Whether, shape (n_segments, n_rectangles), a segment passes through the inside of a rectangle (slab method)."""
    start, step = segments_xyxy[:, None, :2], (segments_xyxy[:, 2:] - segments_xyxy[:, :2])[:, None]
    low, high = rectangles_xyxy[None, :, :2], rectangles_xyxy[None, :, 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (low - start) / step, (high - start) / step
    inside = (start > low) & (start < high)
    parallel = step == 0
    enter = np.where(parallel, np.where(inside, -np.inf, np.inf), np.minimum(first, second)).max(axis=2)
    leave = np.where(parallel, np.where(inside, np.inf, -np.inf), np.maximum(first, second)).min(axis=2)
    return np.maximum(enter, 0) < np.minimum(leave, 1)


def segments_cross(a_xyxy: np.ndarray, b_xyxy: np.ndarray) -> np.ndarray:
    """Whether, shape (n_a, n_b), two segments cross at a point inside both."""
    a, b = a_xyxy[:, None], b_xyxy[None, :]
    return (_side(a, b[..., :2]) * _side(a, b[..., 2:]) < 0) & (_side(b, a[..., :2]) * _side(b, a[..., 2:]) < 0)


def _side(segments_xyxy: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
    """On which side of the segments' lines the points lie: the sign of the cross product."""
    along = segments_xyxy[..., 2:] - segments_xyxy[..., :2]
    to_point = points_xy - segments_xyxy[..., :2]
    return along[..., 0] * to_point[..., 1] - along[..., 1] * to_point[..., 0]


def shortest_links(from_xyxy: np.ndarray, to_xyxy: np.ndarray) -> np.ndarray:
    """The shortest segments, shape (n, 4), between rectangles ``from`` and ``to``, pair by pair.

    Where two rectangles face each other along a stretch, the segment leaves at its middle.
    """
    low = np.maximum(from_xyxy[:, :2], to_xyxy[:, :2])
    high = np.minimum(from_xyxy[:, 2:], to_xyxy[:, 2:])
    middle = (low + high) / 2
    from_is_before = from_xyxy[:, 2:] <= to_xyxy[:, :2]
    start = np.where(low <= high, middle, np.where(from_is_before, from_xyxy[:, 2:], from_xyxy[:, :2]))
    end = np.where(low <= high, middle, np.where(from_is_before, to_xyxy[:, :2], to_xyxy[:, 2:]))
    return np.concatenate([start, end], axis=1)
