"""What a change is made to: a face with its surroundings, and which pixels are hair or background."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .frame import FaceFrame
from .hair import find_hair, head_radius

#: Radii between which the head ends, where no hair is found.
_HEAD_ENDS = (1.0, 1.12)


@dataclass(frozen=True, eq=False)
class Scene:
    """One face in the part of a photo around it.

    Attributes
    ----------
    rgb : ndarray of shape (height, width, 3), uint8
        That part.
    frame : FaceFrame
        In its pixels.
    seed : tuple of int
        Of what is random in changes.
    """

    rgb: np.ndarray
    frame: FaceFrame
    seed: tuple[int, ...] = (0,)

    @property
    def image_hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.rgb.shape[:2]

    @cached_property
    def coordinates(self) -> tuple[np.ndarray, np.ndarray]:
        """x and y of every pixel in the face's coordinates, float32 arrays of shape (height, width)."""
        return self.frame.coordinates(self.image_hw)

    @cached_property
    def hair(self) -> np.ndarray | None:
        """How much of each pixel is hair, float32 of shape (height, width), 0 to 1; None where none is found."""
        return find_hair(self.rgb, self.frame)

    @cached_property
    def background(self) -> np.ndarray:
        """How much of each pixel is neither face nor hair, float32 of shape (height, width), 0 to 1."""
        low, high = _HEAD_ENDS
        radius = head_radius(self.frame, *self.coordinates)
        beyond = np.clip((radius - low) / (high - low), 0, 1).astype(np.float32)
        return beyond if self.hair is None else beyond * (1 - self.hair)

    @cached_property
    def background_like_hair(self) -> np.ndarray | None:
        """As much of the background as there is hair, what is nearest to the head; None where there is less than half."""
        if self.hair is None:
            return None
        radius = head_radius(self.frame, *self.coordinates)
        order = np.argsort(radius, axis=None, kind="stable")
        covered = np.cumsum(self.background.ravel()[order])
        wanted = self.hair.sum()
        if covered[-1] < wanted / 2:
            return None
        end = min(int(np.searchsorted(covered, wanted)), len(order) - 1)
        return np.where(radius <= radius.flat[order[end]], self.background, 0)
