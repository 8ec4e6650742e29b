"""dlib's frontal face detector: a sliding window over histograms of oriented gradients.

Two implementations give the same boxes: dlib's own, and a faster one compiled by numba where that is installed.

References
----------
King, "Max-Margin Object Detection", arXiv 1502.00046; features: Felzenszwalb et al., PAMI 2010.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import dlib
import numpy as np

from ..face import Face
from .window_detector import WindowDetector

#: What an implementation returns: boxes of shape (n, 4) as left, top, right, bottom with the last pixel included,
#: their scores of shape (n,), surest first.
_Scan = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class HogDetector(WindowDetector):
    """dlib's HOG face detector; boxes equal to dlib's to the pixel.

    Each thread gets its own scanner, and a pickled detector makes a new one: dlib's corrupts the heap when shared.

    Parameters
    ----------
    upsample, threshold
        See :class:`~features.detect.window_detector.WindowDetector`.
    implementation : {"auto", "numba", "dlib"}
        ``"auto"`` takes numba where it is installed. Does not change what is found.

    Attributes
    ----------
    implementation : {"numba", "dlib"}
        The one that runs.
    """

    name = "hog"
    #: dlib holds the features of all levels at once, a dozen bytes for each pixel.
    max_scanned_pixels = 400_000_000

    def __init__(self, upsample: int = 1, threshold: float = 0.0, implementation: str = "auto") -> None:
        super().__init__(upsample, threshold)
        self.implementation = _resolve(implementation)
        self._local = threading.local()

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Faces of each image, surest first.

        Parameters
        ----------
        images : sequence of ndarray of shape (height, width, 3), uint8, RGB
            May differ in size.

        Raises
        ------
        ValueError
            If an array is no RGB image, or too large to be scanned after upsampling.
        """
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: np.ndarray) -> list[Face]:
        self.check(image)
        return self.faces(*self._scan(np.ascontiguousarray(image)))

    @property
    def _scan(self) -> _Scan:
        """This thread's scanner."""
        if not hasattr(self._local, "scan"):
            make = _numba_scanner if self.implementation == "numba" else _dlib_scanner
            self._local.scan = make(self.upsample, self.threshold)
        return self._local.scan

    def __getstate__(self) -> dict:
        return {name: value for name, value in vars(self).items() if name != "_local"}

    def __setstate__(self, state: dict) -> None:
        vars(self).update(state, _local=threading.local())


def _resolve(implementation: str) -> str:
    """The implementation that runs, for one that is wished."""
    if implementation not in ("auto", "numba", "dlib"):
        raise ValueError(f"implementation must be 'auto', 'numba' or 'dlib'; got {implementation!r}.")
    if implementation == "dlib":
        return "dlib"
    try:
        from .fhog import HogKernel  # noqa: F401
    except ImportError as error:
        if implementation == "numba":
            raise ImportError(f"implementation='numba' needs numba: pip install faceheads[fast] ({error}).") from error
        return "dlib"
    return "numba"


def _dlib_scanner(upsample: int, threshold: float) -> _Scan:
    detector = dlib.get_frontal_face_detector()

    def scan(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rectangles, scores, _ = detector.run(image, upsample, threshold)
        return np.array([(r.left(), r.top(), r.right(), r.bottom()) for r in rectangles], np.int32), np.array(scores)

    return scan


def _numba_scanner(upsample: int, threshold: float) -> _Scan:
    from .fhog import HogKernel

    kernel = HogKernel(upsample, threshold)

    def scan(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rectangles, scores, _ = kernel(image)
        return rectangles, scores

    return scan
