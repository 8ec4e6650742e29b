"""Other light, other cameras, and parts that cannot be made out any more.

Light is changed where it adds up: a pixel's level is raised to 2.2 first, as displays do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..opencv import import_cv2
from .blending import blend
from .frame import MOUTH
from .scene import Scene

_GAMMA = 2.2
#: How far light from the side fades across the face: its logarithm per eye distance, and where it stops changing.
_SIDE_FADING, _SIDE_ENDS = 1.0, 1.5
#: Half width and half height of the region around both eyes, in eye distances, and the width of its soft edge.
_EYES_HALF_SIZE, _EDGE = (1.05, 0.36), 0.12
#: Standard deviations of blurs, in eye distances.
_STRONG_BLUR, _WEAK_BLUR = 0.22, 0.06
#: Standard deviation of the noise that nobody sees, in levels.
_NOISE = 2.0


def lit(rgb: np.ndarray, gains: Sequence[float] | np.ndarray) -> np.ndarray:
    """A picture in light that is so many times as strong in red, green and blue; what is too bright becomes white.

    Parameters
    ----------
    rgb : ndarray of shape (height, width, 3), uint8
    gains : array that broadcasts to (height, width, 3)
        Three numbers, or one for each pixel.
    """
    light = (rgb / np.float32(255)) ** _GAMMA * np.array(gains, np.float32)
    return np.rint(255 * np.clip(light, 0, 1) ** (1 / _GAMMA)).astype(np.uint8)


def lit_from_side(scene: Scene, side: int) -> np.ndarray:
    """The scene in light from the left (−1) or the right (1) of the photo."""
    x, _ = scene.coordinates
    gain = np.exp(_SIDE_FADING * (side * np.clip(x, -_SIDE_ENDS, _SIDE_ENDS) - 0.3))[..., None]
    return lit(scene.rgb, gain)


def gray(rgb: np.ndarray) -> np.ndarray:
    """The picture without colour."""
    cv2 = import_cv2()
    return cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def blurred(scene: Scene) -> np.ndarray:
    """The scene out of focus."""
    return import_cv2().GaussianBlur(scene.rgb, (0, 0), _WEAK_BLUR * scene.frame.unit_px)


def blurred_eyes(scene: Scene) -> np.ndarray:
    """The region of the eyes, and of glasses where there are any, so blurred that nothing in it can be made out."""
    return _blurred_at(scene, np.zeros(2))


def blurred_mouth(scene: Scene) -> np.ndarray:
    """The control: a region of the same size around the mouth."""
    return _blurred_at(scene, scene.frame.points[MOUTH].mean(axis=0))


def _blurred_at(scene: Scene, centre: np.ndarray) -> np.ndarray:
    x, y = scene.coordinates
    out_x = np.abs(x - centre[0]) - _EYES_HALF_SIZE[0]
    out_y = np.abs(y - centre[1]) - _EYES_HALF_SIZE[1]
    share = np.clip(-np.maximum(out_x, out_y) / _EDGE + 0.5, 0, 1)
    smooth = import_cv2().GaussianBlur(scene.rgb, (0, 0), _STRONG_BLUR * scene.frame.unit_px)
    return blend(scene.rgb, smooth, share)


def behind(scene: Scene, changed: np.ndarray) -> np.ndarray:
    """A change of the whole scene made to its background only."""
    return blend(scene.rgb, changed, scene.background)


def noisy(scene: Scene) -> np.ndarray:
    """The scene with noise that nobody sees."""
    noise = np.random.default_rng(scene.seed).normal(0, _NOISE, scene.rgb.shape)
    return np.clip(np.rint(scene.rgb + noise), 0, 255).astype(np.uint8)
