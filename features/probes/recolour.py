"""Hair in other colours.

The colour of hair is replaced in CIE L*a*b*: its mean becomes that of the wanted colour, its light and dark strands stay,
stretched where dark hair becomes light and pressed where light hair becomes dark.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .blending import blend
from .colours import lab_of, rgb_of
from .scene import Scene


@dataclass(frozen=True)
class HairColour:
    """Mean lightness L* (0 to 100), a* and b* of hair, and how much its lightness varies (standard deviation)."""

    lightness: float
    a: float
    b: float
    variation: float


#: Chosen by eye from photos of LFW with hair of each colour, in ordinary light.
HAIR_COLOURS = {
    "blond": HairColour(66, 5, 28, 12),
    "black": HairColour(10, 0, 0, 6),
    "brown": HairColour(27, 8, 13, 9),
    "red": HairColour(38, 26, 30, 11),
    "gray": HairColour(62, 0, 1, 12),
}
#: Strands are stretched at most so much: more makes noise of dark hair.
_MAX_STRETCH = 1.8
#: Strands that are darker than the mean have less colour, as in photos, but at least this share of it.
_LEAST_DEPTH = 0.25


def recoloured_hair(scene: Scene, name: str) -> np.ndarray | None:
    """The scene with hair of a colour of :data:`HAIR_COLOURS`; None where no hair is found."""
    if scene.hair is None:
        return None
    return blend(scene.rgb, _recoloured(scene, HAIR_COLOURS[name]), scene.hair)


def recoloured_background(scene: Scene, name: str) -> np.ndarray | None:
    """The control: as much of the background as there is hair, changed by the same arithmetic."""
    if scene.background_like_hair is None:
        return None
    return blend(scene.rgb, _recoloured(scene, HAIR_COLOURS[name]), scene.background_like_hair)


def _recoloured(scene: Scene, colour: HairColour) -> np.ndarray:
    """Every pixel changed as hair of the scene would have to be, to have the colour."""
    lab = lab_of(scene.rgb)
    weights = scene.hair / scene.hair.sum()
    mean = (lab * weights[..., None]).sum(axis=(0, 1))
    variation = np.sqrt((weights * (lab[..., 0] - mean[0]) ** 2).sum())
    stretch = min(colour.variation / max(variation, 1.0), _MAX_STRETCH)
    lightness = np.clip(colour.lightness + stretch * (lab[..., 0] - mean[0]), 1, 98)
    depth = np.clip(lightness / colour.lightness, _LEAST_DEPTH, 1)
    return rgb_of(np.stack([lightness, colour.a * depth, colour.b * depth], axis=-1))
