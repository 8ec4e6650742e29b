"""Fog and rain."""

from __future__ import annotations

import numpy as np

from .camera import gaussian, to_uint8
from .subject import Subject

#: Light that fog scatters towards the camera, levels of RGB: a bright, slightly bluish gray.
_AIRLIGHT = np.array([214, 219, 224], np.float32)
#: How uneven fog is: the share by which its density varies from place to place.
_UNEVENNESS = 0.2
#: Light that drops show, levels of RGB: they mirror the sky.
_DROPS = np.array([214, 220, 228], np.float32)
#: Rain near to far: drops for each of the table's, their length for its, brightness, width of the streak in px.
_LAYERS = ((0.1, 2.2, 0.95, 1.5), (0.5, 1.0, 0.75, 0.9), (2.0, 0.5, 0.55, 0.6))


def fog(
    rgb: np.ndarray, rng: np.random.Generator, subject: Subject, *, transmission: float, sigma_px: float
) -> np.ndarray:
    """A smooth veil: of the photo's light a share ``transmission`` comes through, the rest is scattered light.

    Drops scatter sideways too, which blurs by ``sigma_px`` on a face of the reference size.

    References
    ----------
    Koschmieder's law, as in S. G. Narasimhan, S. K. Nayar, Vision and the atmosphere, IJCV 2002: density times path is
    the logarithm of the transmission.
    """
    density = -np.log(transmission) * (1 + _UNEVENNESS * smooth_map(rng, rgb.shape[:2]))
    through = np.exp(-density)[:, :, None]
    return to_uint8(gaussian(rgb, sigma_px * subject.scale) * through + _AIRLIGHT * (1 - through))


def smooth_map(rng: np.random.Generator, image_hw: tuple[int, int], n_patches: int = 5) -> np.ndarray:
    """A map of values between -1 and 1 that changes slowly over the image, float32 of shape (height, width)."""
    import cv2

    coarse = rng.uniform(-1, 1, (n_patches, n_patches)).astype(np.float32)
    return np.clip(cv2.resize(coarse, image_hw[::-1], interpolation=cv2.INTER_CUBIC), -1, 1)


def rain(
    rgb: np.ndarray,
    rng: np.random.Generator,
    subject: Subject,
    *,
    n_drops: float,
    length_px: float,
    transmission: float,
) -> np.ndarray:
    """Streaks of drops at three distances under a dull sky.

    ``n_drops`` at the middle distance on the area of a face, streaks of ``length_px`` on a face of the reference size,
    and a share ``transmission`` of the light that comes through the far drops, which cannot be told apart.
    """
    angle = rng.uniform(-15, 15)
    gray = rgb.mean(axis=2, keepdims=True)
    dull = transmission * (0.75 * rgb + 0.25 * gray) + (1 - transmission) * 0.8 * _DROPS
    for share, length, brightness, width_px in _LAYERS:
        n_streaks = n_drops * share * rgb.shape[0] * rgb.shape[1] / subject.face_px**2
        streaks = _streaks(rng, rgb.shape[:2], n_streaks, length * length_px, width_px, angle, subject.scale)
        cover = brightness * streaks[:, :, None]
        dull = dull * (1 - cover) + _DROPS * cover
    return to_uint8(dull)


def _streaks(
    rng: np.random.Generator,
    image_hw: tuple[int, int],
    n_streaks: float,
    length_px: float,
    width_px: float,
    angle_deg: float,
    scale: float,
) -> np.ndarray:
    """How much of each pixel falling drops cover, float32 of shape (height, width), 0 to 1; lengths grow with ``scale``."""
    import cv2

    height, width = image_hw
    cover = np.zeros(image_hw, np.float32)
    n_subpixel_bits = 4
    for _ in range(rng.poisson(n_streaks)):
        x, y = rng.uniform(0, width), rng.uniform(-length_px * scale, height)
        length, tilt = length_px * scale * rng.uniform(0.6, 1.4), np.deg2rad(angle_deg + rng.normal(0, 1.5))
        ends = np.array([[x, y], [x + length * np.sin(tilt), y + length * np.cos(tilt)]]) * 2**n_subpixel_bits
        one, other = (tuple(int(v) for v in end) for end in ends)
        thickness = max(1, round(width_px * scale))
        cv2.line(cover, one, other, rng.uniform(0.3, 1.0), thickness, cv2.LINE_AA, n_subpixel_bits)
    return gaussian(cover, max(0.4, 0.5 * width_px * scale))
