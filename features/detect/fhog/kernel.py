"""The compiled detector: made when first needed, kept on disk for the next process."""

from __future__ import annotations

import functools
import hashlib
import math
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np

from faceheads.images.pixels import check_rgb

from ..upsampling import downsample
from . import pyramid
from .filters import HIT_FLOATS
from .rectangles import surest, window_rectangles
from .weights import frontal_face_weights
from .workspace import Model, Work, Workspaces, flat_model

_LOCK = threading.Lock()
_WORKSPACES = Workspaces()


def _source_digest() -> str:
    """Changes whenever a file of this package does.

    numba's own cache only looks at the file of the function it keeps, not at those of the functions compiled into it.
    """
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


def _signature(model: Model, work: Work) -> tuple[numba.types.Type, ...]:
    image = numba.types.Array(numba.uint8, 3, "C", readonly=True)
    return image, numba.int64, numba.float64, numba.typeof(model), numba.typeof(work)


def _compile(is_cached: bool, digest: str, signature: tuple[numba.types.Type, ...]) -> Callable:
    # What a closure holds is part of the key under which numba keeps it: another digest, another entry.
    @numba.njit(cache=is_cached, nogil=True)
    def scan(image, upsample, threshold, model, work):
        digest  # noqa: B018
        return pyramid.scan_pyramid(image, upsample, threshold, model, work)

    scan.compile(signature)
    return scan


@functools.cache
def _model() -> Model:
    return flat_model(frontal_face_weights())


@functools.cache
def _scan() -> Callable:
    model = _model()
    signature = _signature(model, _WORKSPACES.fitting(1, 1, 0, model))
    digest = _source_digest()
    try:
        return _compile(True, digest, signature)
    except (OSError, RuntimeError) as error:
        warnings.warn(
            f"The compiled face detector cannot be kept for the next process: {error}. "
            f"Set NUMBA_CACHE_DIR to a folder that can be written to.",
            RuntimeWarning,
            stacklevel=2,
        )
        return _compile(False, digest, signature)


def compiled_scan() -> Callable:
    """The compiled function; the first call of a process loads it or, which takes seconds, compiles it."""
    with _LOCK:
        return _scan()


def _hits(image: np.ndarray, upsample: int, threshold: float) -> np.ndarray:
    """Windows above the threshold: (n, 5) float64, detector, level, row, column, score."""
    scan, model = compiled_scan(), _model()
    pixels = np.ascontiguousarray(image)
    work = _WORKSPACES.fitting(image.shape[0], image.shape[1], upsample, model)
    scan(pixels, upsample, threshold, model, work)
    n_hits = int(work.n_hits[0])
    if n_hits * HIT_FLOATS > work.hits.size:
        work = _WORKSPACES.fitting(image.shape[0], image.shape[1], upsample, model, n_hits)
        scan(pixels, upsample, threshold, model, work)
    return work.hits[: n_hits * HIT_FLOATS].reshape(n_hits, HIT_FLOATS).copy()


def find_faces(image: np.ndarray, upsample: int, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rectangles, scores and detector numbers of an image; any number of threads may call this at once."""
    hits = _hits(image, upsample, threshold)
    detectors, levels, rows, columns = hits[:, :4].astype(np.int64).T
    scores = hits[:, 4]
    rectangles = window_rectangles(rows, columns, levels)
    kept = surest(rectangles, scores, detectors, frontal_face_weights().overlaps_nms)
    return downsample(rectangles[kept], upsample).astype(np.int32), scores[kept], detectors[kept]


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
        self.upsample = int(upsample)
        self.threshold = float(threshold)

    def warm_up(self) -> None:
        """Compile, or load what an earlier process compiled: before work is timed or processes are started."""
        compiled_scan()

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
        check_rgb(image)
        return find_faces(image, self.upsample, self.threshold)
