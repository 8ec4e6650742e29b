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
from ..pixels import check_rgb

#: What an implementation returns: boxes of shape (n, 4) as left, top, right, bottom with the last pixel included,
#: their scores of shape (n,), surest first.
_Scan = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

#: Most pixels that are scanned, after upsampling. dlib holds the features of all levels at once, 8 to 12 bytes a pixel
#: as measured: 4.6 GB for this many.
MAX_SCANNED_PIXELS = 400_000_000

#: Each upsampling doubles both sides.
_MAX_UPSAMPLE = 4


class HogDetector:
    """dlib's HOG face detector; boxes equal to dlib's to the pixel.

    Each thread gets its own scanner, and a pickled detector makes a new one: dlib's corrupts the heap when shared.

    Parameters
    ----------
    upsample : int
        How often the image is doubled before it is scanned, 0 to 4. The smallest face found is about 80 px without,
        40 px with one upsampling.
    threshold : float
        Least score of a face: below 0 more faces are found, and more that are none.
    implementation : {"auto", "numba", "dlib"}
        ``"auto"`` takes numba where it is installed. Does not change what is found.

    Attributes
    ----------
    implementation : {"numba", "dlib"}
        The one that runs.
    """

    name = "hog"
    landmark_scheme = "none"

    def __init__(self, upsample: int = 1, threshold: float = 0.0, implementation: str = "auto") -> None:
        if isinstance(upsample, bool) or not isinstance(upsample, int) or not 0 <= upsample <= _MAX_UPSAMPLE:
            raise ValueError(f"upsample must be a whole number from 0 to {_MAX_UPSAMPLE}; got {upsample!r}.")
        if not np.isfinite(threshold):
            raise ValueError(f"threshold must be a finite number; got {threshold!r}.")
        self.upsample = upsample
        self.threshold = float(threshold)
        self.implementation = _resolve(implementation)
        self._local = threading.local()

    @property
    def settings(self) -> dict:
        """What changes the boxes: ``upsample`` and ``threshold``."""
        return {"upsample": self.upsample, "threshold": self.threshold}

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
        check_rgb(image)
        self._check_memory(image.shape[:2])
        rectangles, scores = self._scan(np.ascontiguousarray(image))
        boxes = np.asarray(rectangles, np.float32).reshape(-1, 4) + np.array([0, 0, 1, 1], np.float32)
        return [Face(box, float(score), self.name) for box, score in zip(boxes, scores, strict=True)]

    def _check_memory(self, image_hw: Sequence[int]) -> None:
        height, width = image_hw
        scanned = height * width * 4**self.upsample
        if scanned > MAX_SCANNED_PIXELS:
            raise ValueError(
                f"an image to be scanned must have at most {MAX_SCANNED_PIXELS} pixels after upsampling; got "
                f"{width} x {height}, upsampled {self.upsample} times: {scanned}. Use a lower upsample or smaller "
                "images."
            )

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
