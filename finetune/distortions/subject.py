"""The face that a photo is of: how large it is, and where its parts are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

#: Side of the face for which lengths in the table of parameters are given, px.
REFERENCE_FACE_PX = 150.0

#: Where dlib's five landmarks have no point: nose tip and mouth as shares of the way from the middle of the eyes to the
#: base of the nose. From the mean shapes of dlib's predictor and of ArcFace's template, brought to one distance of eyes.
_NOSE_TIP, _MOUTH = 0.74, 1.50

#: Points of each landmark scheme whose means are the centres of both eyes, the nose tip and both mouth corners.
_PARTS = {
    "arcface5": ((0,), (1,), (2,), (3,), (4,)),
    "dlib68": (range(36, 42), range(42, 48), (30,), (48,), (54,)),
}


@dataclass(frozen=True, eq=False)
class Subject:
    """The face in a photo.

    Attributes
    ----------
    face_px : float
        Side of the face: the root of its box's area. Lengths of distortions grow with it.
    landmarks_xy : ndarray of shape (n_landmarks, 2), float, px
        Empty when they are not known.
    landmark_scheme : {"none", "dlib5", "dlib68", "arcface5"}

    Raises
    ------
    ValueError
        If the size is not positive.
    """

    face_px: float = REFERENCE_FACE_PX
    landmarks_xy: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    landmark_scheme: str = "none"

    def __post_init__(self) -> None:
        if not 0 < self.face_px < float("inf"):
            raise ValueError(f"face_px must be positive; got {self.face_px}.")

    @property
    def scale(self) -> float:
        """How much larger than the reference the face is."""
        return self.face_px / REFERENCE_FACE_PX

    @property
    def parts_xy(self) -> np.ndarray:
        """Centres of the two eyes (the left one in the photo first), the nose and the mouth, float64 of shape (4, 2).

        Raises
        ------
        ValueError
            If the landmarks are not known or do not tell.
        """
        points = np.asarray(self.landmarks_xy, np.float64)
        if self.landmark_scheme == "dlib5":
            eyes = points[[2, 3]].mean(axis=0), points[[0, 1]].mean(axis=0)
            middle = (eyes[0] + eyes[1]) / 2
            return np.array([*eyes, *(middle + share * (points[4] - middle) for share in (_NOSE_TIP, _MOUTH))])
        if self.landmark_scheme in _PARTS:
            eye, other_eye, nose, *corners = (
                points[list(group)].mean(axis=0) for group in _PARTS[self.landmark_scheme]
            )
            return np.array([eye, other_eye, nose, np.mean(corners, axis=0)])
        raise ValueError("the parts of a face need landmarks of scheme dlib5, dlib68 or arcface5; there are none.")
