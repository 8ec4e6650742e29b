"""Crops distorted while they are loaded: bad weather, light and cameras, drawn anew in every step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .augment import Augmentation
from .distortions import Subject, distort


@dataclass(frozen=True)
class Distorter:
    """Distorts some crops of a batch; what is drawn depends on the seed, the step and the crop's row alone.

    So a training that was resumed sees the same pictures, and so does one whose batches are shared by several processes.

    Attributes
    ----------
    augmentation : Augmentation
        ``distort``, the probability, and the kinds and severities.
    face : Subject
        The face in a crop.
    seed : int
    """

    augmentation: Augmentation
    face: Subject
    seed: int

    def __call__(self, crops: np.ndarray, rows: np.ndarray, step: int) -> None:
        """Distort crops where they are.

        Parameters
        ----------
        crops : ndarray of shape (n_crops, height, width, 3), uint8, RGB
        rows : ndarray of shape (n_crops,), int64
        step : int
        """
        kinds = self.augmentation.kinds
        for crop, row in zip(crops, rows, strict=True):
            random = np.random.default_rng([self.seed, step, int(row)])
            if random.random() < self.augmentation.distort:
                kind = kinds[random.integers(len(kinds))]
                severity = int(random.integers(1, self.augmentation.distort_severity + 1))
                crop[:] = distort(crop, kind, severity, int(random.integers(2**62)), self.face)
