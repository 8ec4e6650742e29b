"""Face swaps without a network: the face of one photo bent onto that of another, its colours matched, its seam hidden."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .blending import feather_blend, hull_mask, match_colours, poisson_blend
from .face_points import with_forehead
from .warp import moved_like, warp_points

BLENDS = ("poisson", "feather")
#: Width over which a feathered seam fades, as a share of the face's width.
_FEATHER = 0.09


@dataclass(frozen=True, eq=False)
class FacePhoto:
    """A photo and the points of the face in it.

    Attributes
    ----------
    rgb : ndarray of shape (height, width, 3), uint8
    points_xy : ndarray of shape (68, 2), float32
        As :func:`finetune.face_points.find_face_points` gives them.
    """

    rgb: np.ndarray
    points_xy: np.ndarray


def swap_face(source: FacePhoto, target: FacePhoto, blend: str, own_shape: float = 0.5) -> np.ndarray:
    """The target's photo with the source's face, uint8 of the target's shape.

    Parameters
    ----------
    source : FacePhoto
        Gives the face, and with it the identity that the fake claims.
    target : FacePhoto
        Gives everything around the face, and its pose.
    blend : {"poisson", "feather"}
    own_shape : float, default=0.5
        From 0, the features come to lie where the target has them, to 1, the face keeps its own proportions and is only
        turned, scaled and shifted.

    Raises
    ------
    ValueError
        If the blend is unknown or ``own_shape`` is not in [0, 1].
    """
    if blend not in BLENDS or not 0 <= own_shape <= 1:
        raise ValueError(f"blend must be one of {BLENDS} and own_shape in [0, 1]; got {blend!r} and {own_shape}.")
    size_hw = target.rgb.shape[:2]
    placed = _placed(source.points_xy, target.points_xy, own_shape)
    to_xy = with_forehead(placed)
    face = warp_points(source.rgb, with_forehead(source.points_xy), to_xy, size_hw)
    mask = hull_mask(to_xy, size_hw)
    face = match_colours(face, target.rgb, mask)
    if blend == "poisson":
        return poisson_blend(face, target.rgb, mask)
    return feather_blend(face, target.rgb, mask, _FEATHER * float(np.ptp(to_xy[:, 0])))


def _placed(source_xy: np.ndarray, target_xy: np.ndarray, own_shape: float) -> np.ndarray:
    """Where the source's points come to lie in the target."""
    return own_shape * moved_like(source_xy, target_xy) + (1 - own_shape) * target_xy
