"""Pillow without its warnings, log lines and libtiff's messages, and with a pixel limit of our own."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import threading
import warnings
from collections.abc import Callable, Iterator

from PIL import Image


class QuietPillow:
    """Pillow with our pixel limit, and without warnings, log lines and libtiff's messages, while a thread decodes.

    All of these are settings of the process and not of a call, so the first thread that enters sets them and the last
    one that leaves puts them back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0
        self._undo = contextlib.ExitStack()

    @contextlib.contextmanager
    def __call__(self, max_pixels: int) -> Iterator[None]:
        with self._lock:
            self._enter(max_pixels)
        try:
            yield
        finally:
            with self._lock:
                self._leave()

    def _enter(self, max_pixels: int) -> None:
        if self._n_inside == 0:
            self._undo.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            self._undo.callback(setattr, Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
            Image.MAX_IMAGE_PIXELS = max_pixels  # never less for a moment: other threads draw text meanwhile
            logger = logging.getLogger("PIL")
            self._undo.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.CRITICAL + 1)
            for set_handler in _libtiff_handler_setters():
                self._undo.callback(set_handler, set_handler(None))
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, max_pixels)
        self._n_inside += 1

    def _leave(self) -> None:
        self._n_inside -= 1
        if self._n_inside == 0:
            self._undo.close()


@functools.cache
def _libtiff_handler_setters() -> tuple[Callable, ...]:
    """The functions of Pillow's libtiff that replace what prints its messages to stderr and return the one before.

    They are reached through Pillow's compiled module; where the platform hides them, messages stay.
    """
    library = ctypes.CDLL(Image.core.__file__)
    names = ("TIFFSetErrorHandler", "TIFFSetWarningHandler")
    setters = tuple(getattr(library, name) for name in names if hasattr(library, name))
    for setter in setters:
        setter.argtypes, setter.restype = (ctypes.c_void_p,), ctypes.c_void_p
    return setters


#: The one guard of this process.
quiet_pillow = QuietPillow()
