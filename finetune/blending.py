"""Put one face over another: the mask, the colours, and two ways to hide the seam."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu

#: The most that the contrast of a channel may be stretched or pressed when colours are matched.
_MAX_STRETCH = 1.6


#: Pixels at the edge of a hull that its mask leaves out: a face that was bent ends there, and blending looks at neighbours.
_RIM_PX = 2


def hull_mask(points_xy: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """The convex hull of points without a rim of two pixels, uint8 of shape ``size_hw``: 255 inside, 0 outside.

    The frame of the image is free too: what is blended needs a surrounding.
    """
    mask = np.zeros(size_hw, np.uint8)
    hull = cv2.convexHull(np.rint(points_xy).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 255)
    kernel = np.ones((2 * _RIM_PX + 1,) * 2, np.uint8)
    return cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)


def match_colours(face: np.ndarray, target: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The face with the mean and the contrast that the target has below the mask, channel by channel in CIELAB.

    Parameters
    ----------
    face, target : ndarray of shape (height, width, 3), uint8, RGB
    mask : ndarray of shape (height, width), uint8
        Where both are measured: pixels that are not 0.

    References
    ----------
    E. Reinhard et al., Color transfer between images, IEEE Computer Graphics and Applications 21, 2001.
    """
    inside = mask > 0
    if not inside.any():
        return face
    lab, wanted = (cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for image in (face, target))
    have, want = lab[inside], wanted[inside]
    stretch = (want.std(axis=0) + 1) / (have.std(axis=0) + 1)
    stretch = np.clip(stretch, 1 / _MAX_STRETCH, _MAX_STRETCH)
    matched = (lab - have.mean(axis=0)) * stretch + want.mean(axis=0)
    return to_uint8(cv2.cvtColor(matched.astype(np.float32), cv2.COLOR_LAB2RGB) * 255)


def feather_blend(face: np.ndarray, target: np.ndarray, mask: np.ndarray, width_px: float) -> np.ndarray:
    """The face over the target, fading inwards from the mask's edge over about ``width_px`` pixels."""
    return mix(face, target, soft_mask(mask, width_px))


def soft_mask(mask: np.ndarray, width_px: float) -> np.ndarray:
    """A mask whose edge fades inwards, float32 of shape (height, width) in [0, 1]."""
    n = max(1, round(width_px))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * n + 1, 2 * n + 1))
    core = cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return cv2.GaussianBlur(core.astype(np.float32) / 255, (0, 0), width_px / 2)


def mix(face: np.ndarray, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """``weight`` of the face, the rest of the target; uint8.

    Parameters
    ----------
    face, target : ndarray of shape (height, width, 3), uint8
    weight : ndarray of shape (height, width), float in [0, 1]
    """
    weight = weight[:, :, None]
    return to_uint8(weight * face + (1 - weight) * target)


def poisson_blend(face: np.ndarray, target: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The target with the face's differences between neighbours inside the mask; outside and along its edge unchanged.

    The colours inside solve Poisson's equation with the face's Laplacian and the target around the mask, exactly.

    Parameters
    ----------
    face, target : ndarray of shape (height, width, 3), uint8
    mask : ndarray of shape (height, width), uint8
        Not 0 where the face goes; 0 on the outermost pixels of the image. May be empty.

    References
    ----------
    P. Pérez, M. Gangnet, A. Blake, Poisson image editing, SIGGRAPH 2003, equations 7 and 8.
    """
    inside = mask > 0
    out = target.copy()
    if not inside.any():
        return out
    # What is added to the face is harmonic: it fills the mask from the difference at its edge.
    difference = target.astype(np.float64) - face
    out[inside] = to_uint8(face[inside] + _harmonic_inside(difference, inside))
    return out


def _harmonic_inside(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The values of the pixels around a region, continued into it so that each pixel is the mean of its four neighbours.

    Parameters
    ----------
    values : ndarray of shape (height, width, n_channels), float64
    inside : ndarray of shape (height, width), bool
        False on the outermost pixels.

    Returns
    -------
    ndarray of shape (n_pixels_inside, n_channels)
    """
    n = np.count_nonzero(inside)
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(n)
    y, x = np.nonzero(inside)
    known = np.zeros((n, values.shape[2]))
    rows, columns = [np.arange(n)], [np.arange(n)]
    for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        neighbour = number[y + dy, x + dx]
        is_edge = neighbour < 0
        known[is_edge] += values[y[is_edge] + dy, x[is_edge] + dx]
        rows.append(np.flatnonzero(~is_edge))
        columns.append(neighbour[~is_edge])
    entries = np.concatenate([np.full(n, 4.0), np.full(sum(map(len, rows)) - n, -1.0)])
    laplacian = csc_array((entries, (np.concatenate(rows), np.concatenate(columns))), shape=(n, n))
    # Symmetric and positive definite: no pivoting, which keeps the factors sparse and makes it ten times faster.
    factors = splu(laplacian, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    return factors.solve(known)


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Rounded to whole numbers from 0 to 255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
