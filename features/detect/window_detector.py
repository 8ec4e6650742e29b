"""What dlib's two detectors have in common, which slide a window of 80 × 80 pixels over an image at every scale."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from faceheads.images.pixels import check_rgb

from ..face import Face

#: Each upsampling doubles both sides.
_MAX_UPSAMPLE = 4


class WindowDetector:
    """Settings of a detector with a window, and the images that it accepts.

    Parameters
    ----------
    upsample : int
        How often the image is doubled before it is scanned, 0 to 4. The smallest face found is about 80 px without,
        40 px with one upsampling.
    threshold : float
        Least score of a face: below 0 more faces are found, and more that are none.

    Raises
    ------
    ValueError
        If a setting is out of range.
    """

    name: str
    landmark_scheme = "none"
    #: Most pixels that are scanned, after upsampling.
    max_scanned_pixels: int

    def __init__(self, upsample: int, threshold: float) -> None:
        if isinstance(upsample, bool) or not isinstance(upsample, int) or not 0 <= upsample <= _MAX_UPSAMPLE:
            raise ValueError(f"upsample must be a whole number from 0 to {_MAX_UPSAMPLE}; got {upsample!r}.")
        if not np.isfinite(threshold):
            raise ValueError(f"threshold must be a finite number; got {threshold!r}.")
        self.upsample = upsample
        self.threshold = float(threshold)

    @property
    def settings(self) -> dict:
        """What changes the boxes: ``upsample`` and ``threshold``."""
        return {"upsample": self.upsample, "threshold": self.threshold}

    def check(self, image: np.ndarray) -> None:
        """Refuse what cannot be scanned.

        Raises
        ------
        ValueError
            If an array is no RGB image, or too large to be scanned after upsampling.
        """
        check_rgb(image)
        height, width = image.shape[:2]
        scanned = height * width * 4**self.upsample
        if scanned > self.max_scanned_pixels:
            raise ValueError(
                f"an image to be scanned must have at most {self.max_scanned_pixels} pixels after upsampling; got "
                f"{width} x {height}, upsampled {self.upsample} times: {scanned}. Use a lower upsample or smaller images."
            )

    def faces(self, boxes_ltrb: np.ndarray, scores: Iterable[float]) -> list[Face]:
        """The faces of an image, from boxes (n, 4) whose last pixel belongs to them."""
        half_open = np.asarray(boxes_ltrb, np.float32).reshape(-1, 4) + np.array([0, 0, 1, 1], np.float32)
        return [Face(box, float(score), self.name) for box, score in zip(half_open, scores, strict=True)]
