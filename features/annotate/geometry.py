"""Rectangles and segments, many at a time: which overlap, by how much, which cross.

Rectangles are half-open ``x0, y0, x1, y1``; segments are two points ``xa, ya, xb, yb``, all zeros of length included.
A segment of NaN stands for "no segment" and crosses nothing.
"""

from __future__ import annotations

import numpy as np


def overlap_areas(a_xyxy: np.ndarray, b_xyxy: np.ndarray) -> np.ndarray:
    """Area, shape (n_a, n_b), that each rectangle of ``a`` shares with each of ``b``."""
    a, b = a_xyxy[:, None], b_xyxy[None]
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    return np.maximum(width, 0) * np.maximum(height, 0)


def areas(rectangles_xyxy: np.ndarray) -> np.ndarray:
    """Area, shape (n,), of each rectangle."""
    return (rectangles_xyxy[:, 2] - rectangles_xyxy[:, 0]) * (rectangles_xyxy[:, 3] - rectangles_xyxy[:, 1])


def distances(a_xyxy: np.ndarray, b_xyxy: np.ndarray) -> np.ndarray:
    """Distance, shape (n_a, n_b), between each rectangle of ``a`` and each of ``b``; 0 where they touch or overlap."""
    a, b = a_xyxy[:, None], b_xyxy[None]
    apart_x = np.maximum(a[..., 0] - b[..., 2], b[..., 0] - a[..., 2])
    apart_y = np.maximum(a[..., 1] - b[..., 3], b[..., 1] - a[..., 3])
    return np.hypot(np.maximum(apart_x, 0), np.maximum(apart_y, 0))


def grown(rectangles_xyxy: np.ndarray, by_px: float) -> np.ndarray:
    """The rectangles with each side moved outwards."""
    return rectangles_xyxy + np.array([-by_px, -by_px, by_px, by_px])


def segments_meet_rectangles(segments_xyxy: np.ndarray, rectangles_xyxy: np.ndarray) -> np.ndarray:
    """Whether, shape (n_segments, n_rectangles), a segment passes through the inside of a rectangle (slab method)."""
    meets = np.zeros((len(segments_xyxy), len(rectangles_xyxy)), bool)
    drawn = np.flatnonzero(~np.isnan(segments_xyxy[:, 0]))
    segments = segments_xyxy[drawn, None]
    enter, leave = _slab(segments[..., 0], segments[..., 2], rectangles_xyxy[:, 0], rectangles_xyxy[:, 2])
    enter_y, leave_y = _slab(segments[..., 1], segments[..., 3], rectangles_xyxy[:, 1], rectangles_xyxy[:, 3])
    meets[drawn] = np.maximum(np.maximum(enter, enter_y), 0) < np.minimum(np.minimum(leave, leave_y), 1)
    return meets


def _slab(start: np.ndarray, end: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the way from ``start`` to ``end`` at which the open interval from low to high is entered and left."""
    step = end - start
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (low - start) / step, (high - start) / step
    enter, leave = np.minimum(first, second), np.maximum(first, second)
    inside = (start > low) & (start < high)
    enter = np.where(step == 0, np.where(inside, -np.inf, np.inf), enter)
    return enter, np.where(step == 0, np.where(inside, np.inf, -np.inf), leave)


def segments_cross(a_xyxy: np.ndarray, b_xyxy: np.ndarray) -> np.ndarray:
    """Whether, shape (n_a, n_b), two segments cross at a point inside both."""
    crosses = np.zeros((len(a_xyxy), len(b_xyxy)), bool)
    rows, columns = (np.flatnonzero(~np.isnan(segments[:, 0])) for segments in (a_xyxy, b_xyxy))
    a, b = a_xyxy[rows, None], b_xyxy[None, columns]
    a_splits_b = _side(a, b[..., :2]) * _side(a, b[..., 2:]) < 0
    crosses[np.ix_(rows, columns)] = a_splits_b & (_side(b, a[..., :2]) * _side(b, a[..., 2:]) < 0)
    return crosses


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
