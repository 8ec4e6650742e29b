"""Where dlib's 68 points lie in an aligned crop on average, for what needs an outline but can do without an exact one."""

from __future__ import annotations

import numpy as np

from .crop_face import DLIB_FRAME
from .distortions import Subject

#: Means over 600 photos of UTKFace, dlib's 68 points brought to the frame of :data:`finetune.crop_face.DLIB_FRAME` by its
#: five landmarks; each point's standard deviation is about 0.04. Chin line, brows, nose, eyes, mouth.
# fmt: off
_MEAN_POINTS = (
    (-0.098, 0.228), (-0.094, 0.383), (-0.078, 0.538), (-0.050, 0.690), (0.005, 0.832), (0.097, 0.955),
    (0.213, 1.056), (0.343, 1.135), (0.492, 1.155), (0.640, 1.133), (0.770, 1.054), (0.886, 0.953),
    (0.979, 0.831), (1.036, 0.690), (1.065, 0.538), (1.081, 0.384), (1.086, 0.229),
    (-0.001, 0.110), (0.073, 0.042), (0.179, 0.022), (0.287, 0.037), (0.389, 0.078), (0.588, 0.075),
    (0.692, 0.035), (0.801, 0.021), (0.906, 0.041), (0.980, 0.108),
    (0.490, 0.205), (0.490, 0.305), (0.490, 0.405), (0.490, 0.508), (0.367, 0.576), (0.426, 0.597),
    (0.489, 0.615), (0.552, 0.596), (0.611, 0.577),
    (0.120, 0.218), (0.186, 0.179), (0.265, 0.181), (0.334, 0.234), (0.261, 0.247), (0.181, 0.245),
    (0.647, 0.233), (0.716, 0.180), (0.794, 0.179), (0.859, 0.218), (0.800, 0.244), (0.722, 0.246),
    (0.250, 0.758), (0.339, 0.724), (0.428, 0.708), (0.489, 0.723), (0.553, 0.708), (0.643, 0.725),
    (0.730, 0.757), (0.646, 0.842), (0.559, 0.880), (0.489, 0.887), (0.421, 0.880), (0.334, 0.843),
    (0.286, 0.763), (0.426, 0.759), (0.489, 0.766), (0.554, 0.759), (0.694, 0.762), (0.556, 0.802),
    (0.489, 0.809), (0.425, 0.802),
)
# fmt: on


def mean_face_points(face: Subject) -> np.ndarray:
    """The 68 points of an average face that lies where a face does, float32 of shape (68, 2), px.

    Parameters
    ----------
    face : Subject
        With landmarks; the average one is turned, scaled and shifted so that eyes, nose and mouth come closest.

    Raises
    ------
    ValueError
        If the landmarks are not known.
    """
    # Points as complex numbers: a turn with a scale is one factor, and least squares has a closed form.
    frame, there = (parts @ (1, 1j) for parts in (Subject(1.0, np.array(DLIB_FRAME), "dlib5").parts_xy, face.parts_xy))
    centred = frame - frame.mean()
    factor = np.vdot(centred, there) / np.vdot(centred, centred)
    points = (np.array(_MEAN_POINTS) @ (1, 1j) - frame.mean()) * factor + there.mean()
    return np.column_stack([points.real, points.imag]).astype(np.float32)
