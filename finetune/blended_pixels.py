"""Crops and, as many again, the same blended with themselves while they are read: fakes without files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class BlendedPixels:
    """Twice as many crops as there are: the second half are those of the first, blended with themselves.

    Attributes
    ----------
    pixels : ndarray of shape (n_crops, height, width, 3), uint8
    points_xy : ndarray of shape (68, 2), float32
        Of the face in every crop, on average.
    seed : int
    """

    pixels: np.ndarray
    points_xy: np.ndarray
    seed: int

    @property
    def shape(self) -> tuple[int, ...]:
        """As an array of all crops would have it."""
        return 2 * len(self.pixels), *self.pixels.shape[1:]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """The crops of rows, the blended ones the same every time; uint8 of shape (n_rows, height, width, 3)."""
        return self.at_step(rows, 0)

    def at_step(self, rows: np.ndarray, step: int) -> np.ndarray:
        """The crops of rows, blended anew for each step; what is drawn depends on the seed, the step and the row alone."""
        from .face_swap import FacePhoto
        from .self_blend import self_blend

        crops = np.take(self.pixels, rows % len(self.pixels), axis=0)
        for position in np.flatnonzero(rows >= len(self.pixels)):
            random = np.random.default_rng([self.seed, step, int(rows[position])])
            crops[position] = self_blend(FacePhoto(crops[position], self.points_xy), random)
        return crops
