"""Face detectors behind one protocol, :class:`features.face.Detector`.

========= =============================================================== ==========================
name      what it is                                                      landmarks that it gives
========= =============================================================== ==========================
``hog``   dlib's histogram-of-gradients detector: fast, frontal faces     none
``cnn``   dlib's max-margin CNN: turned and partly hidden faces, slower   none
``mtcnn`` three cascaded networks                                         arcface5
``none``  the whole image is the face: for crops made elsewhere           none
========= =============================================================== ==========================

A detector is imported when it is made, for ``cnn`` and ``mtcnn`` need torch and the others do not.
"""

from __future__ import annotations

import importlib
import inspect

from ..face import Detector

#: Name → module of this package and class.
_DETECTORS = {
    "hog": ("hog", "HogDetector"),
    "cnn": ("cnn", "CnnDetector"),
    "mtcnn": ("mtcnn", "MtcnnDetector"),
    "none": ("whole", "WholeImage"),
}

#: Names that :func:`make_detector` takes.
DETECTORS = tuple(_DETECTORS)


def make_detector(name: str, **settings) -> Detector:
    """A detector by its name.

    Parameters
    ----------
    name : {"hog", "cnn", "mtcnn", "none"}
    **settings
        Arguments of the detector's class.

    Raises
    ------
    ValueError
        If the name, or a setting of that detector, is unknown.
    """
    if name not in _DETECTORS:
        raise ValueError(f"detector must be one of {list(DETECTORS)}; got {name!r}.")
    module, class_name = _DETECTORS[name]
    detector = getattr(importlib.import_module(f".{module}", __name__), class_name)
    known = set(inspect.signature(detector).parameters)
    if unknown := sorted(set(settings) - known):
        raise ValueError(f"detector {name!r} takes the settings {sorted(known)}; got {unknown}.")
    return detector(**settings)
