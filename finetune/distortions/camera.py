"""What lenses, sensors and files do to a photo: blur, noise, few pixels, JPEG."""

from __future__ import annotations

import numpy as np

from .subject import Subject


def blur(rgb: np.ndarray, rng: np.random.Generator, subject: Subject, *, sigma_px: float) -> np.ndarray:
    """Out of focus: a Gaussian of ``sigma_px`` on a face of the reference size."""
    return gaussian(rgb, sigma_px * subject.scale)


def noise(rgb: np.ndarray, rng: np.random.Generator, subject: Subject, *, sigma: float) -> np.ndarray:
    """Gaussian noise of ``sigma`` levels, each pixel and colour on its own."""
    return to_uint8(rgb + sigma * rng.standard_normal(rgb.shape, np.float32))


def resize(rgb: np.ndarray, rng: np.random.Generator, subject: Subject, *, face_px: float) -> np.ndarray:
    """Taken from afar: the photo as small as makes the face ``face_px`` large, and enlarged again to its size.

    A photo whose face is smaller already stays as it is.
    """
    import cv2

    height, width = rgb.shape[:2]
    factor = face_px / subject.face_px
    if factor >= 1:
        return rgb.copy()
    small_wh = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(rgb, small_wh, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def jpeg(rgb: np.ndarray, rng: np.random.Generator, subject: Subject, *, quality: int) -> np.ndarray:
    """Compressed as JPEG of a quality from 1 to 100, colours at half resolution as cameras have it."""
    import cv2

    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), settings)
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def gaussian(image: np.ndarray, sigma_px: float) -> np.ndarray:
    """The image or map blurred; mirrored at its border."""
    import cv2

    return cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT_101)


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Levels of 0 to 255, rounded and cut."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
