"""dlib's doubling of images before they are scanned, so that smaller faces are found, and the way back for the boxes."""

from __future__ import annotations

import dlib
import numpy as np

#: What a coordinate of the doubled image loses after it was halved: left, top, right, bottom, in pixels.
_SHIFT_PX = (1.25, 0.75, 1.25, 0.75)


def round_half_away(values: np.ndarray) -> np.ndarray:
    """The nearest whole number, the one farther from zero where two are equally near: as C's ``lround``."""
    return np.copysign(np.floor(np.abs(values) + 0.5), values)


def upsampled_hw(height: int, width: int) -> tuple[int, int]:
    """Size of an image after dlib's ``pyramid_up`` by two."""
    return 2 * height + 1, 2 * width + 2


def upsample(image: np.ndarray, n_times: int) -> np.ndarray:
    """The image, uint8, doubled ``n_times`` as dlib does it."""
    for _ in range(n_times):
        image = dlib.resize_image(np.ascontiguousarray(image), *upsampled_hw(*image.shape[:2]))
    return image


def downsample(boxes_ltrb: np.ndarray, n_times: int) -> np.ndarray:
    """Rounded boxes (n, 4) of an upsampled image in the pixels of the image before ``n_times`` doublings."""
    for _ in range(n_times):
        boxes_ltrb = boxes_ltrb / 2 - _SHIFT_PX
    return round_half_away(boxes_ltrb)
