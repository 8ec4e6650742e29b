"""The compiled detector: made when first needed, kept on disk for the next process."""

from __future__ import annotations

import functools
import hashlib
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np

from . import pyramid
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
    def find_faces(image, upsample, threshold, model, work):
        digest  # noqa: B018
        return pyramid.find_faces(image, upsample, threshold, model, work)

    find_faces.compile(signature)
    return find_faces


@functools.lru_cache(maxsize=1)
def _model() -> Model:
    return flat_model(frontal_face_weights())


@functools.lru_cache(maxsize=1)
def _detector() -> Callable:
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


def detector() -> Callable:
    """The compiled function; the first call of a process loads it (0.5 s) or compiles it (some 20 s)."""
    with _LOCK:
        return _detector()


def find_faces(image: np.ndarray, upsample: int, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rectangles, scores and detector numbers of an image; any number of threads may call this at once."""
    find = detector()
    pixels = np.ascontiguousarray(image).view()
    pixels.flags.writeable = False
    model = _model()
    work = _WORKSPACES.fitting(image.shape[0], image.shape[1], upsample, model)
    return find(pixels, upsample, threshold, model, work)
