"""Move a face onto the points of another: one affine map in each triangle between points."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import Delaunay


def warp_points(rgb: np.ndarray, source_xy: np.ndarray, target_xy: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """An image bent so that its points come to lie on others; black outside of their convex hull.

    Parameters
    ----------
    rgb : ndarray of shape (height, width, 3), uint8
    source_xy : ndarray of shape (n_points, 2), float
        Points in the image, in pixels.
    target_xy : ndarray of shape (n_points, 2), float
        Where they come to lie; they are the corners of the triangles (Delaunay's), and must not all be on one line.
    size_hw : tuple of int
        Height and width of the result.

    Returns
    -------
    ndarray of shape (*size_hw, 3), uint8
        Bilinear; beyond the image's edge its last pixels are repeated.
    """
    x0, y0, x1, y1 = _bounds(target_xy, size_hw)
    grid = np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), axis=-1).reshape(-1, 2)
    triangles = Delaunay(np.asarray(target_xy, np.float64))
    triangle = triangles.find_simplex(grid)
    inside = triangle >= 0
    from_xy = np.full((len(grid), 2), -1.0, np.float32)
    from_xy[inside] = _mapped(triangles, triangle[inside], grid[inside], np.asarray(source_xy, np.float64))
    from_xy = from_xy.reshape(y1 - y0, x1 - x0, 2)
    moved = cv2.remap(rgb, from_xy, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    out = np.zeros((*size_hw, 3), np.uint8)
    out[y0:y1, x0:x1] = np.where(inside.reshape(y1 - y0, x1 - x0, 1), moved, 0)
    return out


def _bounds(points_xy: np.ndarray, size_hw: tuple[int, int]) -> tuple[int, int, int, int]:
    """The whole pixels around points, inside the image; at least one."""
    height, width = size_hw
    low, high = np.floor(points_xy.min(axis=0)), np.ceil(points_xy.max(axis=0)) + 1
    x0, y0 = np.clip(low, 0, (width - 1, height - 1)).astype(int)
    x1, y1 = np.clip(high, (x0 + 1, y0 + 1), (width, height)).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def _mapped(triangles: Delaunay, triangle: np.ndarray, xy: np.ndarray, source_xy: np.ndarray) -> np.ndarray:
    """Points by their barycentric coordinates: the same mixture of the triangle's corners, in the source."""
    transform = triangles.transform[triangle]
    first_two = np.einsum("nij,nj->ni", transform[:, :2], xy - transform[:, 2])
    weights = np.column_stack([first_two, 1 - first_two.sum(axis=1)])
    return np.einsum("ni,nij->nj", weights, source_xy[triangles.simplices[triangle]])


def moved_like(source_xy: np.ndarray, target_xy: np.ndarray) -> np.ndarray:
    """The source's points turned, scaled and shifted to lie as close to the target's as that allows (least squares).

    References
    ----------
    S. Umeyama, Least-squares estimation of transformation parameters between two point patterns, PAMI 1991.
    """
    source, target = (np.asarray(points, np.float64) for points in (source_xy, target_xy))
    centred, aim = source - source.mean(axis=0), target - target.mean(axis=0)
    # In the plane a rotation and a scale are one complex factor; its least-squares value is <source, target> / <source, source>.
    s, t = centred @ (1, 1j), aim @ (1, 1j)
    moved = s * (np.vdot(s, t) / np.vdot(s, s))
    return np.column_stack([moved.real, moved.imag]) + target.mean(axis=0)
