"""A face in its photo, ready to be changed: the photo no larger than the changes need, and the part of it around the face."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..face import Face
from ..landmarks import find_landmarks
from ..opencv import import_cv2
from .frame import FaceFrame
from .scene import Scene

#: The outline of a face comes from these landmarks, whatever its embedder takes.
SCHEME = "dlib68"
#: Photos of faces with more pixels between the eyes are shrunk to so many: a crop of 150 pixels has 50 of them.
MAX_UNIT_PX = 75


@dataclass(frozen=True, eq=False)
class Subject:
    """A face in its photo.

    Attributes
    ----------
    photo : ndarray of shape (height, width, 3), uint8, RGB
        Shrunk where the face is large.
    face : Face
        In its pixels, with the landmarks that it came with.
    scene : Scene
        The part of it around the face.
    place : tuple of slice
        Rows and columns that this part is.
    """

    photo: np.ndarray
    face: Face
    scene: Scene
    place: tuple[slice, slice]

    @classmethod
    def of(cls, photo: np.ndarray, face: Face, seed: tuple[int, ...] = (0,)) -> Subject:
        """A face that was found in a photo; ``seed`` is of what is random in changes."""
        bare = face.with_landmarks(np.empty((0, 2)), "none")
        frame = FaceFrame(find_landmarks(photo, [bare], SCHEME)[0].landmarks_xy)
        if frame.unit_px > MAX_UNIT_PX:
            photo, face, frame = _shrunk(photo, face, frame)
        place = frame.box(photo.shape[:2])
        inside = frame.moved((place[1].start, place[0].start))
        return cls(photo, face, Scene(np.ascontiguousarray(photo[place]), inside, seed), place)

    def with_scene(self, changed: np.ndarray) -> np.ndarray:
        """The photo with another picture in place of the scene, of the same shape."""
        photo = self.photo.copy()
        photo[self.place] = changed
        return photo


def _shrunk(photo: np.ndarray, face: Face, frame: FaceFrame) -> tuple[np.ndarray, Face, FaceFrame]:
    height, width = photo.shape[:2]
    wanted = MAX_UNIT_PX / frame.unit_px
    size_wh = max(1, round(width * wanted)), max(1, round(height * wanted))
    scale_xy = np.divide(size_wh, (width, height))
    cv2 = import_cv2()
    smaller = cv2.resize(photo, size_wh, interpolation=cv2.INTER_AREA)
    box, points = face.box_xyxy * np.tile(scale_xy, 2), face.landmarks_xy * scale_xy
    return smaller, replace(face, box_xyxy=box, landmarks_xy=points), FaceFrame(frame.landmarks_xy * scale_xy)
