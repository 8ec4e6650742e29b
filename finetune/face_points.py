"""dlib's 68 points of a face, where a feature table says that there is one."""

from __future__ import annotations

import threading

import numpy as np

from faceheads.weights import find_weights

#: Points of the iBUG 300-W scheme: chin line from ear to ear, brows, nose, eyes, mouth.
N_POINTS = 68
JAW, BROWS, NOSE, EYES, MOUTH = range(17), range(17, 27), range(27, 36), range(36, 48), range(48, 68)

_predictors = threading.local()


def find_face_points(rgb: np.ndarray, box_xyxy: np.ndarray) -> np.ndarray:
    """The 68 points of the face in a box, float32 of shape (68, 2), pixels of the image.

    Parameters
    ----------
    rgb : ndarray of shape (height, width, 3), uint8
    box_xyxy : ndarray of shape (4,), float
        Half-open, as dlib's detectors ``hog`` and ``cnn`` give it: the predictor was trained on such boxes.

    Raises
    ------
    WeightsError
        If the predictor's file is not on this machine; says how to get it.

    References
    ----------
    V. Kazemi, J. Sullivan, One millisecond face alignment with an ensemble of regression trees, CVPR 2014.
    """
    import dlib

    x0, y0, x1, y1 = (int(v) for v in np.rint(box_xyxy))
    shape = _predictor()(np.ascontiguousarray(rgb), dlib.rectangle(x0, y0, x1 - 1, y1 - 1))
    return np.array([(point.x, point.y) for point in shape.parts()], np.float32)


def _predictor():
    """This thread's predictor, read from disk (100 MB) when it is first needed."""
    if not hasattr(_predictors, "dlib68"):
        import dlib

        _predictors.dlib68 = dlib.shape_predictor(str(find_weights("dlib_landmarks68")))
    return _predictors.dlib68


def with_forehead(points_xy: np.ndarray, rise: float = 0.2) -> np.ndarray:
    """The points and ten more on the forehead, float32 of shape (n_points + 10, 2).

    The 68 points end at the brows. Each brow point is lifted along the face's own upward direction, from the base of the
    nose to the middle of the brows, by a share ``rise`` of that length.
    """
    brows = points_xy[list(BROWS)]
    up = brows.mean(axis=0) - points_xy[33]
    return np.concatenate([points_xy, brows + rise * up]).astype(np.float32)
