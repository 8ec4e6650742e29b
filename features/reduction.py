"""Faces looked for in a reduced copy of a photo, by who wants large faces only; crops still come from the whole photo.

A detector finds faces from a certain size on. Who asks for larger ones only (``--min_face``) can have the photo made
smaller by as much, and the time that detection takes falls with the number of pixels. The boxes are those of another
image and so not the same to the pixel: the factor is one of the detector's settings and part of every table's digest.
Smaller faces are mostly not seen at all, so that an image of them counts as ``no_face`` rather than ``too_small``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from .face import Detector, Face
from .opencv import import_cv2

#: Side of the window with which a detector finds its smallest faces without upsampling, px (HOG's boxes are a little
#: smaller than the window), and how often it doubles images by default.
_SMALLEST_FACE_PX = {"hog": (80, 1), "cnn": (80, 0)}


def reduction_for(detector: str, settings: Mapping, min_face_px: int) -> int:
    """The whole number by which photos can be reduced so that faces of ``min_face_px`` are still found.

    Raises
    ------
    ValueError
        If it is not at least 2, or the detector is not one that reduction is known for.
    """
    if detector not in _SMALLEST_FACE_PX:
        raise ValueError(f"--reduce goes with --detector {' and '.join(_SMALLEST_FACE_PX)}; got {detector!r}.")
    side_px, upsample = _SMALLEST_FACE_PX[detector]
    smallest_px = side_px / 2 ** settings.get("upsample", upsample)
    factor = int(min_face_px / smallest_px)
    if factor < 2:
        raise ValueError(
            f"--reduce needs --min_face {2 * smallest_px:.0f} or more: {detector!r} finds faces from {smallest_px:.0f} "
            f"px on, so that photos can only be halved when faces below twice that do not count; got {min_face_px}."
        )
    return factor


class ReducedDetector:
    """A detector that sees every image ``factor`` times smaller; its boxes are in pixels of the whole image.

    Parameters
    ----------
    detector : Detector
        One that gives boxes only.
    factor : int
    """

    landmark_scheme = "none"

    def __init__(self, detector: Detector, factor: int) -> None:
        self.name = detector.name
        self.settings = {**detector.settings, "reduction": factor}
        self._detector = detector
        self._factor = factor

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Faces of each image (height, width, 3), uint8, RGB."""
        small = [_reduced(image, self._factor) for image in images]
        found = self._detector.detect(small)
        return [
            [_enlarged(face, one.shape, image.shape) for face in faces]
            for one, image, faces in zip(small, images, found, strict=True)
        ]


def _reduced(image: np.ndarray, factor: int) -> np.ndarray:
    """The image with each side divided by the factor and rounded; each pixel the mean of those that it covers."""
    cv2 = import_cv2()
    height, width = (max(1, round(side / factor)) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _enlarged(face: Face, small_shape: Sequence[int], shape: Sequence[int]) -> Face:
    scale_y, scale_x = shape[0] / small_shape[0], shape[1] / small_shape[1]
    return replace(face, box_xyxy=face.box_xyxy * np.array([scale_x, scale_y, scale_x, scale_y], np.float32))
