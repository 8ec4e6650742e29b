"""Too little light, and the sun in the lens."""

from __future__ import annotations

import numpy as np

from .camera import to_uint8
from .subject import Subject

#: Exponent between a pixel's level and the light it stands for, as displays have it.
_GAMMA = 2.2
#: Colours of sun and halo, linear light of RGB.
_SUN = np.array([1.0, 0.96, 0.86], np.float32)
_HALO = np.array([1.0, 0.86, 0.62], np.float32)
#: Reflections between the lenses: where on the line from the sun through the middle of the photo (1: the middle, 2: as far
#: beyond it), radius as a share of the face, linear light of RGB.
_GHOSTS = (
    (0.55, 0.10, (0.10, 0.05, 0.02)),
    (1.35, 0.22, (0.02, 0.06, 0.05)),
    (1.75, 0.13, (0.03, 0.03, 0.09)),
    (2.10, 0.32, (0.06, 0.03, 0.05)),
)
_N_RAYS = 7


def low_light(
    rgb: np.ndarray,
    rng: np.random.Generator,
    subject: Subject,
    *,
    gain: float,
    electrons_at_white: float,
    read_noise: float,
) -> np.ndarray:
    """Underexposed: every level times ``gain``, with the noise of a sensor that counts few electrons.

    White holds ``electrons_at_white``, whose number varies by its root; reading adds ``read_noise`` levels.
    """
    levels = rgb * np.float32(gain)
    sigma = np.sqrt(levels * (255 / electrons_at_white) + read_noise**2)
    return to_uint8(levels + sigma * rng.standard_normal(rgb.shape, np.float32))


def sun(
    rgb: np.ndarray,
    rng: np.random.Generator,
    subject: Subject,
    *,
    disc: float,
    halo: float,
    veil: float,
    exposure: float,
) -> np.ndarray:
    """Against the sun: its disc in the upper part of the photo, halo, rays, reflections between the lenses, and a veil.

    ``disc`` is the radius of the sun as a share of the face, ``halo`` the light of its halo one face away from it (white
    is 1), ``veil`` the light that the lens scatters everywhere, ``exposure`` what the camera leaves of the photo's light.
    """
    height, width = rgb.shape[:2]
    sun_xy = np.array([rng.uniform(0.05, 0.95) * width, rng.uniform(0.02, 0.2) * height])
    light = exposure * (rgb / np.float32(255)) ** _GAMMA + np.float32(veil) * _SUN
    light += _glow(rng, (height, width), sun_xy, disc, halo, subject.face_px)
    for place, radius, colour in _GHOSTS:
        centre = sun_xy + place * (np.array([width, height]) / 2 - sun_xy)
        distance = _distance((height, width), centre) / (radius * subject.face_px)
        light += _edge(distance, 12)[:, :, None] * np.array(colour, np.float32) * np.float32(halo * 2)
    return to_uint8(255 * np.clip(light, 0, 1) ** (1 / _GAMMA))


def _glow(
    rng: np.random.Generator, image_hw: tuple[int, int], sun_xy: np.ndarray, disc: float, halo: float, face_px: float
) -> np.ndarray:
    """Light of the sun's disc, its halo and rays, float32 of shape (height, width, 3)."""
    distance = _distance(image_hw, sun_xy) / face_px
    core = 8 * _edge(distance / disc, 6)
    fall = halo * (1 + disc) ** 2 / (distance + disc) ** 2
    rays = fall * 0.5 * _rays(rng, image_hw, sun_xy)
    return core[:, :, None] * _SUN + (fall + rays)[:, :, None] * _HALO


def _rays(rng: np.random.Generator, image_hw: tuple[int, int], sun_xy: np.ndarray) -> np.ndarray:
    """Rays from the sun, narrow and of different strength, float32 of shape (height, width), 0 to 1."""
    y, x = np.ogrid[: image_hw[0], : image_hw[1]]
    angle = np.arctan2(y - sun_xy[1], x - sun_xy[0]).astype(np.float32)
    rays = np.zeros(image_hw, np.float32)
    for direction in rng.uniform(-np.pi, np.pi) + np.arange(_N_RAYS) * 2 * np.pi / _N_RAYS:
        off = np.cos(angle - np.float32(direction + rng.normal(0, 0.1)))
        rays += np.float32(rng.uniform(0.4, 1.0)) * np.exp(np.float32(rng.uniform(60, 400)) * (off - 1))
    return np.minimum(rays, 1)


def _distance(image_hw: tuple[int, int], centre_xy: np.ndarray) -> np.ndarray:
    """Distance of each pixel from a point, float32 of shape (height, width), px."""
    y, x = np.ogrid[: image_hw[0], : image_hw[1]]
    return np.hypot(x - centre_xy[0], y - centre_xy[1]).astype(np.float32)


def _edge(distance: np.ndarray, sharpness: float) -> np.ndarray:
    """1 inside distance 1, 0 outside, with a soft edge."""
    return 1 / (1 + np.exp(np.clip(sharpness * (distance - 1), -30, 30)))
