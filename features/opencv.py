"""OpenCV, or what to install where it is missing."""

from __future__ import annotations

import re
from types import ModuleType


def import_cv2() -> ModuleType:
    """The module ``cv2``.

    Raises
    ------
    ImportError
        If OpenCV is missing or cannot load a system library, with what to install.
    """
    try:
        import cv2
    except ImportError as error:
        if re.search(r"lib(GL|gthread|glib|X|SM|EGL)\S*\.so", str(error)):
            raise ImportError(
                f"OpenCV is installed, but needs a system library that is missing ({error}). Either 'pip install "
                "opencv-python-headless' in place of opencv-python, or 'apt-get install libgl1 libglib2.0-0'."
            ) from error
        raise ImportError(f"OpenCV is needed: pip install opencv-python-headless ({error}).") from error
    return cv2
