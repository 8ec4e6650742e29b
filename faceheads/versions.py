"""The software that a file was written with."""

from __future__ import annotations

import platform
from importlib.metadata import version

from . import __version__


def software_versions() -> dict[str, str]:
    """Versions that decide whether a file gives the same results."""
    return {
        "python": platform.python_version(),
        "faceheads": __version__,
        **{name: version(name) for name in ("numpy", "scikit-learn", "skops")},
    }
