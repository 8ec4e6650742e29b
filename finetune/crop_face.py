"""Where the face lies in a crop: crops that are aligned by landmarks show them all at the same places."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .distortions import Subject

#: The corners of both eyes (outer before inner, the right one in the picture first) and the base of the nose in the frame
#: that dlib aligns to, as dlib's ``get_face_chip_details`` has them for five landmarks; a chip shows the frame from
#: ``-padding`` to ``1 + padding``.
DLIB_FRAME = (
    (0.8595674595992, 0.2134981538014),
    (0.6460604764104, 0.2289674387677),
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.4901123135679, 0.6277975316475),
)
#: Side of a detection in distances between the eyes: the median over UTKFace with dlib's CNN detector.
_FACE_IN_EYE_DISTANCES = 2.2


def face_in_crop(crop: Mapping, size_px: int) -> Subject:
    """The face in a crop, in pixels of the crop.

    Parameters
    ----------
    crop : mapping
        How crops were cut out, as in :class:`faceheads.spec.EmbedderSpec`.
    size_px : int
        Height of the crop.

    Returns
    -------
    Subject
        Without landmarks where the kind of crop does not align them; the face then counts as large as the crop.
    """
    if crop.get("kind") == "dlib_chip":
        points = (np.array(DLIB_FRAME) + crop["padding"]) / (1 + 2 * crop["padding"]) * size_px
        return _with_size(points, "dlib5")
    if crop.get("kind") == "similarity":
        return _with_size(np.array(crop["template"], np.float64), "arcface5")
    return Subject(float(size_px))


def _with_size(landmarks_xy: np.ndarray, scheme: str) -> Subject:
    left, right = Subject(1.0, landmarks_xy, scheme).parts_xy[:2]
    return Subject(_FACE_IN_EYE_DISTANCES * float(np.linalg.norm(right - left)), landmarks_xy, scheme)
