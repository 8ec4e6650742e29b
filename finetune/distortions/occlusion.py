"""Something in front of the eyes, the nose or the mouth: a flat patch of one colour, found by the landmarks."""

from __future__ import annotations

import numpy as np

from .camera import to_uint8
from .subject import Subject

#: Colours of dark glasses, masks, scarves and hands, levels of RGB.
_COLOURS = ((28, 28, 32), (70, 74, 82), (168, 196, 214), (226, 228, 230), (122, 46, 44), (196, 158, 132))
#: How much lighter the upper edge of a patch is than the lower, levels: light comes from above.
_SHADING = 24
_SUBPIXEL_BITS = 4


def occlude_eyes(
    rgb: np.ndarray, rng: np.random.Generator, subject: Subject, *, width: float, height: float
) -> np.ndarray:
    """A bar over both eyes; sides as shares of the distance between the eyes."""
    eye, other_eye, *_ = subject.parts_xy
    return _covered(rgb, rng, subject, (eye + other_eye) / 2, _rectangle(width, height))


def occlude_nose(
    rgb: np.ndarray, rng: np.random.Generator, subject: Subject, *, width: float, height: float
) -> np.ndarray:
    """An oval over the nose; axes as shares of the distance between the eyes."""
    return _covered(rgb, rng, subject, subject.parts_xy[2], _oval(width, height))


def occlude_mouth(
    rgb: np.ndarray, rng: np.random.Generator, subject: Subject, *, width: float, height: float
) -> np.ndarray:
    """An oval over the mouth; axes as shares of the distance between the eyes."""
    return _covered(rgb, rng, subject, subject.parts_xy[3], _oval(width, height))


def _rectangle(width: float, height: float) -> np.ndarray:
    """Corners around the origin, shape (4, 2)."""
    return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, height / 2]


def _oval(width: float, height: float) -> np.ndarray:
    """Points on an ellipse around the origin, shape (48, 2)."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return np.stack([np.cos(angle) * width / 2, np.sin(angle) * height / 2], axis=1)


def _covered(
    rgb: np.ndarray, rng: np.random.Generator, subject: Subject, centre_xy: np.ndarray, outline: np.ndarray
) -> np.ndarray:
    """The photo with a patch; its outline is in distances between the eyes, turned as the face is."""
    import cv2

    across = subject.parts_xy[1] - subject.parts_xy[0]
    points = centre_xy + outline @ np.array([across, [-across[1], across[0]]])
    if not np.isfinite(points).all() or not across.any():
        raise ValueError("the landmarks coincide or are not finite")
    cover = np.zeros(rgb.shape[:2], np.uint8)
    corners = np.clip(np.rint(points * 2**_SUBPIXEL_BITS), -(2**24), 2**24).astype(np.int32)
    cv2.fillPoly(cover, [corners], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    top, bottom = points[:, 1].min(), points[:, 1].max()
    down = (np.arange(rgb.shape[0]) - top) / (bottom - top)
    patch = np.array(_COLOURS[rng.integers(len(_COLOURS))]) + (_SHADING * (0.5 - down))[:, None, None]
    share = cover[:, :, None] / 255
    return to_uint8(rgb * (1 - share) + patch * share)
