"""Landmarks of faces: dlib's shape predictors, and the one conversion between schemes that their points determine."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import dlib
import numpy as np

from faceheads.images.pixels import check_rgb
from faceheads.weights import find_weights

from .face import LANDMARK_SCHEMES, Face

#: Points of iBUG 300-W whose means are ArcFace's five.
_ARCFACE5_FROM_DLIB68 = (range(36, 42), range(42, 48), (30,), (48,), (54,))

#: How far below the centre of MTCNN's box dlib's HOG detector has its own, as a share of its side, which is the root
#: of MTCNN's area: the median over photos of LFW's DevTrain people.
_MTCNN_TO_HOG_SHIFT = 0.05

_predictors = threading.local()


def find_landmarks(image: np.ndarray, faces: Sequence[Face], scheme: str) -> list[Face]:
    """The faces with landmarks of a scheme, in the same order.

    Landmarks that a face has already in that scheme are kept. Those of ``dlib5`` and ``dlib68`` are predicted inside
    the face's box by dlib's regression trees (Kazemi & Sullivan 2014). They were trained on boxes of its HOG detector,
    so MTCNN's narrow boxes are made square first. Those of ``arcface5`` are computed from ``dlib68``, which is
    predicted first where a face has no landmarks.

    Parameters
    ----------
    image : ndarray of shape (height, width, 3), uint8, RGB
    faces : sequence of Face
    scheme : {"none", "dlib5", "dlib68", "arcface5"}

    Raises
    ------
    ValueError
        If the scheme is unknown or a face's own landmarks cannot be converted to it.
    """
    check_rgb(image)
    if scheme not in LANDMARK_SCHEMES:
        raise ValueError(f"scheme must be one of {sorted(LANDMARK_SCHEMES)}; got {scheme!r}.")
    image = np.ascontiguousarray(image)
    return [_with_scheme(image, face, scheme) for face in faces]


def _with_scheme(image: np.ndarray, face: Face, scheme: str) -> Face:
    if face.landmark_scheme == scheme:
        return face
    if scheme == "none":
        return face.with_landmarks(np.empty((0, 2)), "none")
    if scheme == "arcface5":
        source = _with_scheme(image, face, "dlib68") if face.landmark_scheme == "none" else face
        return source.with_landmarks(convert_landmarks(source.landmarks_xy, source.landmark_scheme, scheme), scheme)
    return face.with_landmarks(_predict(image, face, scheme), scheme)


def convert_landmarks(landmarks_xy: np.ndarray, source: str, target: str) -> np.ndarray:
    """Landmarks of one scheme from those of another, shape (n_landmarks, 2), float32.

    Only ``dlib68`` to ``arcface5`` exists: eye centres are the means of the six points of each eye.

    Raises
    ------
    ValueError
        For any other pair of schemes: their points are not determined by each other.
    """
    if source == target:
        return np.array(landmarks_xy, np.float32)
    if (source, target) != ("dlib68", "arcface5"):
        raise ValueError(
            f"landmarks of scheme {target!r} cannot be computed from {source!r}; the only conversion is 'dlib68' to "
            "'arcface5'. Choose a detector or a landmark predictor that gives them."
        )
    points = np.asarray(landmarks_xy, np.float32)
    return np.array([points[list(group)].mean(axis=0) for group in _ARCFACE5_FROM_DLIB68], np.float32)


def _predict(image: np.ndarray, face: Face, scheme: str) -> np.ndarray:
    """dlib's landmarks inside the face's box, shape (n_landmarks, 2), float32."""
    box_xyxy = _hog_like_box(face.box_xyxy) if face.detector == "mtcnn" else face.box_xyxy
    parts = _predictor(scheme)(image, dlib_rectangle(box_xyxy)).parts()
    return np.array([(point.x, point.y) for point in parts], np.float32)


def _hog_like_box(box_xyxy: np.ndarray) -> np.ndarray:
    """The square that dlib's HOG detector would have given for a box of MTCNN, shape (4,)."""
    x0, y0, x1, y1 = box_xyxy.astype(np.float64)
    side = np.sqrt((x1 - x0) * (y1 - y0))
    centre_x, centre_y = (x0 + x1) / 2, (y0 + y1) / 2 + _MTCNN_TO_HOG_SHIFT * side
    return np.array([centre_x - side / 2, centre_y - side / 2, centre_x + side / 2, centre_y + side / 2])


def dlib_rectangle(box_xyxy: np.ndarray) -> dlib.rectangle:
    """The whole, untrimmed box as dlib counts: integers, the last pixel included."""
    x0, y0, x1, y1 = (int(v) for v in np.rint(box_xyxy))
    return dlib.rectangle(x0, y0, x1 - 1, y1 - 1)


def _predictor(scheme: str) -> dlib.shape_predictor:
    """This thread's predictor of a scheme, read from disk when it is first needed."""
    if not hasattr(_predictors, scheme):
        path = find_weights({"dlib5": "dlib_landmarks5", "dlib68": "dlib_landmarks68"}[scheme])
        setattr(_predictors, scheme, dlib.shape_predictor(str(path)))
    return getattr(_predictors, scheme)
