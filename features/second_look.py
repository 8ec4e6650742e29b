"""A second look, at a clearer copy, into photos in which a detector finds nobody: for fog, darkness and glare.

Boxes and landmarks are those of the photo, for the copy has its size; crops still come from the photo itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .face import Detector, Face
from .restore import restored


class SecondLook:
    """A detector that is shown a restored copy of each photo in which it found no face.

    Parameters
    ----------
    detector : Detector
    """

    def __init__(self, detector: Detector) -> None:
        self.name = detector.name
        self.landmark_scheme = detector.landmark_scheme
        self.settings = {**detector.settings, "restore": True}
        self._detector = detector

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Faces of each image (height, width, 3), uint8, RGB."""
        found = list(self._detector.detect(images))
        empty = [i for i, faces in enumerate(found) if not faces]
        if empty:
            again = self._detector.detect([restored(images[i]) for i in empty])
            for i, faces in zip(empty, again, strict=True):
                found[i] = faces
        return found
