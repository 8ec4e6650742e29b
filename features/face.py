"""What a detector returns: a face, where it is and how sure the detector was.

Pixel conventions of the whole project: origin at the top left corner of the image, x to the right, y down, boxes
half-open (a face that covers the pixel columns 10 to 19 has ``x0 = 10`` and ``x1 = 20``), images RGB uint8 of shape
(height, width, 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

#: Landmark schemes and their number of points. ``none``: the detector gives a box only.
LANDMARK_SCHEMES = {"none": 0, "dlib5": 5, "dlib68": 68, "arcface5": 5}


def _no_landmarks() -> np.ndarray:
    return np.empty((0, 2), np.float32)


@dataclass(frozen=True, eq=False, slots=True)
class Face:
    """One detection.

    Attributes
    ----------
    box_xyxy : ndarray of shape (4,), float32
        ``x0, y0, x1, y1`` in pixels of the full image, half-open; may reach beyond the image.
    detection_score : float
        The detector's own confidence: higher is surer, no common scale between detectors. NaN where nothing was
        detected and the whole image was taken instead.
    detector : str
        Name of the detector that found it.
    landmarks_xy : ndarray of shape (n_landmarks, 2), float32
        Pixels of the full image; empty while ``landmark_scheme`` is ``"none"``.
    landmark_scheme : {"none", "dlib5", "dlib68", "arcface5"}
        ``dlib5``: outer and inner corner of the eye on the image's right, the same for the one on its left, base of the nose
        (the order of dlib's 5-point predictor); ``dlib68``: iBUG 300-W; ``arcface5``: centre of the eye on the
        image's left, of the one on its right, nose tip, mouth corners left and right (MTCNN's order).

    Raises
    ------
    ValueError
        If an array has another shape, the box is not finite or empty, or the scheme is unknown.
    """

    box_xyxy: np.ndarray
    detection_score: float
    detector: str
    landmarks_xy: np.ndarray = field(default_factory=_no_landmarks)
    landmark_scheme: str = "none"

    def __post_init__(self) -> None:
        box = np.array(self.box_xyxy, np.float32)
        points = np.array(self.landmarks_xy, np.float32)
        if box.shape != (4,) or not np.isfinite(box).all() or box[2] <= box[0] or box[3] <= box[1]:
            raise ValueError(f"box_xyxy must be four finite numbers x0 < x1, y0 < y1; got {self.box_xyxy!r}.")
        if self.landmark_scheme not in LANDMARK_SCHEMES:
            raise ValueError(
                f"landmark_scheme must be one of {sorted(LANDMARK_SCHEMES)}; got {self.landmark_scheme!r}."
            )
        if points.shape != (LANDMARK_SCHEMES[self.landmark_scheme], 2):
            raise ValueError(
                f"landmarks_xy of scheme {self.landmark_scheme!r} must have shape "
                f"({LANDMARK_SCHEMES[self.landmark_scheme]}, 2); got {points.shape}."
            )
        box.setflags(write=False)
        points.setflags(write=False)
        object.__setattr__(self, "box_xyxy", box)
        object.__setattr__(self, "landmarks_xy", points)

    @property
    def size_px(self) -> float:
        """The shorter side of the box, in pixels."""
        x0, y0, x1, y1 = self.box_xyxy
        return float(min(x1 - x0, y1 - y0))

    def with_landmarks(self, landmarks_xy: np.ndarray, landmark_scheme: str) -> Face:
        """The same face with landmarks, shape (n_landmarks, 2), of a scheme."""
        return replace(self, landmarks_xy=landmarks_xy, landmark_scheme=landmark_scheme)


class Detector(Protocol):
    """What every detector offers; ``hog``, ``cnn`` and ``mtcnn`` in :mod:`features.detect`.

    One detector object belongs to one thread: dlib's corrupts the heap when two threads share it.
    """

    name: str
    #: Settings that change what is found (upsampling, thresholds), as JSON values; part of the table digest.
    settings: dict
    #: Scheme of the landmarks that the detector itself gives, ``"none"`` if it gives boxes only.
    landmark_scheme: str

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Faces of each image, in the detector's own order (surest first).

        Parameters
        ----------
        images : sequence of ndarray of shape (height, width, 3), uint8, RGB
            May differ in size.
        """
        ...
