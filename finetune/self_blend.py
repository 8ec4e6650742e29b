"""Self-blended images: a photo blended with a slightly changed copy of itself. The identity stays; what a forgery leaves
behind, and no particular forger does, comes in: two colours, two sharpnesses, a seam, features a little out of place.

References
----------
K. Shiohara, T. Yamasaki, Detecting deepfakes with self-blended images, CVPR 2022.
"""

from __future__ import annotations

import cv2
import numpy as np

from .blending import hull_mask, mix, to_uint8
from .face_points import with_forehead
from .face_swap import FacePhoto

#: Shares of the changed copy in the middle of the mask, drawn with these frequencies; the paper's.
_SHARES = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)
#: Largest shift as a share of the face's width, largest change of scale.
_MAX_SHIFT, _MAX_SCALE = 0.03, 0.05


def self_blend(photo: FacePhoto, rng: np.random.Generator) -> np.ndarray:
    """The photo with its own face blended in from a changed copy, uint8 of the same shape.

    Parameters
    ----------
    photo : FacePhoto
    rng : numpy.random.Generator
        Everything is drawn from it.
    """
    inner, outer = photo.rgb, photo.rgb
    if rng.random() < 0.5:
        inner = change_look(inner, rng)
    else:
        outer = change_look(outer, rng)
    face_px = float(np.ptp(photo.points_xy[:, 0]))
    mask = _random_mask(photo.points_xy, photo.rgb.shape[:2], rng)
    move = _small_move(photo.points_xy.mean(axis=0), face_px, rng)
    size_wh = photo.rgb.shape[1::-1]
    inner = cv2.warpAffine(inner, move, size_wh, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return mix(inner, outer, mask * rng.choice(_SHARES))


def change_look(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The photo in slightly other colours, brightness and contrast, and sharper or less sharp than it was."""
    changed = rgb + rng.uniform(-20, 20, 3)
    mean = changed.mean(axis=(0, 1))
    changed = (changed - mean) * rng.uniform(0.9, 1.1) + mean + rng.uniform(-12, 12)
    return _sharpened(to_uint8(changed), rng) if rng.random() < 0.5 else _reduced(to_uint8(changed), rng)


def _sharpened(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    blurred = cv2.GaussianBlur(rgb, (0, 0), 1.5)
    amount = rng.uniform(0.2, 0.8)
    return to_uint8((1 + amount) * rgb.astype(np.float32) - amount * blurred)


def _reduced(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Scaled down to between a half and a quarter, and up again."""
    height, width = rgb.shape[:2]
    factor = rng.uniform(0.25, 0.5)
    small = cv2.resize(
        rgb, (max(1, round(width * factor)), max(1, round(height * factor))), interpolation=cv2.INTER_AREA
    )
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _random_mask(points_xy: np.ndarray, size_hw: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A hull of points that were shaken a little, blurred; float32 in [0, 1]."""
    face_px = float(np.ptp(points_xy[:, 0]))
    points = with_forehead(points_xy, rng.uniform(0.1, 0.5))
    centre = points.mean(axis=0)
    points = centre + (points - centre) * rng.uniform(0.75, 1.0) + rng.normal(0, 0.02 * face_px, points.shape)
    mask = hull_mask(points, size_hw).astype(np.float32) / 255
    return cv2.GaussianBlur(mask, (0, 0), face_px * rng.uniform(0.01, 0.06))


def _small_move(centre_xy: np.ndarray, face_px: float, rng: np.random.Generator) -> np.ndarray:
    """A small shift and change of scale about a point, matrix of shape (2, 3)."""
    scale = rng.uniform(1 - _MAX_SCALE, 1 + _MAX_SCALE, 2)
    shift = rng.uniform(-_MAX_SHIFT, _MAX_SHIFT, 2) * face_px
    return np.column_stack([np.diag(scale), centre_xy - scale * centre_xy + shift])
