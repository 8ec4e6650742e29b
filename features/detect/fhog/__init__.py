"""dlib's frontal face detector in our own code: the same rectangles, several times faster.

dlib's detector slides a window of 80 × 80 pixels over an image at many scales, describes it by histograms of oriented
gradients (31 numbers a cell of 8 × 8 pixels: *fhog*) and weighs them with five linear detectors: frontal, turned left
and right, tilted left and right. This package computes the same with numba, one compiled function from the image to
the rectangles; the weights come from the installed dlib.

The modules, in the order in which an image passes through them: :mod:`.resize`, :mod:`.gradient`, :mod:`.histogram`,
:mod:`.features`, :mod:`.filters`, :mod:`.suppression`; :mod:`.pyramid` joins them, :mod:`.compiled` compiles them.
Importing this package needs neither numba nor dlib; making a :class:`HogKernel` needs numba.
"""

from __future__ import annotations

import importlib.util
import math

import numpy as np

#: Where to say what is missing.
_NEEDS_NUMBA = "HogKernel needs numba, which is not installed. Install faceheads[fast] or use implementation='dlib'."


def is_available() -> bool:
    """Whether numba is installed, so that :class:`HogKernel` works; imports nothing."""
    return importlib.util.find_spec("numba") is not None


class HogKernel:
    """The detector for one setting; one object may serve many threads and be sent to other processes.

    Parameters
    ----------
    upsample : int, default=1
        How often the image is enlarged twofold before faces of at least 80 × 80 pixels are looked for: 0 or more.
    threshold : float, default=0.0
        Faces with at least this score are returned. Lower finds more.

    Raises
    ------
    ImportError
        If numba is not installed.
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rectangles, scores, detectors = HogKernel(upsample=0)(np.zeros((100, 100, 3), np.uint8))
    >>> rectangles.shape, scores.shape, detectors.shape
    ((0, 4), (0,), (0,))
    """

    def __init__(self, upsample: int = 1, threshold: float = 0.0) -> None:
        if not isinstance(upsample, int | np.integer) or isinstance(upsample, bool) or upsample < 0:
            raise ValueError(f"upsample must be a whole number of at least 0; got {upsample!r}.")
        if not math.isfinite(threshold):
            raise ValueError(f"threshold must be finite; got {threshold!r}.")
        if not is_available():
            raise ImportError(_NEEDS_NUMBA)
        self.upsample = int(upsample)
        self.threshold = float(threshold)

    def warm_up(self) -> None:
        """Compile, or load what an earlier process compiled: before work is timed or processes are started."""
        from . import compiled

        compiled.detector()

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Faces of an image, equal to what ``dlib.get_frontal_face_detector().run(...)`` returns.

        Parameters
        ----------
        image : ndarray of shape (height, width, 3), uint8, RGB
            Need not be contiguous.

        Returns
        -------
        rectangles : ndarray of shape (n_faces, 4), int32
            Left, top, right, bottom in pixels of the image, inclusive as dlib's; surest first; may reach beyond the
            image.
        scores : ndarray of shape (n_faces,), float64
            By how much the detector's own threshold is exceeded; within 1e-5 of dlib's.
        detectors : ndarray of shape (n_faces,), int64
            Which of the five detectors found it, 0 to 4.

        Raises
        ------
        ValueError
            If the image has another shape or type, or no pixels.
        """
        from . import compiled

        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise ValueError(
                f"image must be a uint8 array of shape (height, width, 3) with at least one pixel; "
                f"got {image.dtype} of shape {image.shape}. Open it with features.image."
            )
        return compiled.find_faces(image, self.upsample, self.threshold)
