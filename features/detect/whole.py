"""The detector for images that are faces already: the whole image is the box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from faceheads.images.pixels import check_rgb

from ..face import Face


class WholeImage:
    """Takes every image whole; its score is NaN, for nothing was detected."""

    name = "none"
    landmark_scheme = "none"

    def __init__(self) -> None:
        self.settings: dict = {}

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """One face for each image, of the image's size."""
        return [[_whole(image)] for image in images]


def _whole(image: np.ndarray) -> Face:
    check_rgb(image)
    height, width = image.shape[:2]
    return Face(np.array([0, 0, width, height]), float("nan"), "none")
