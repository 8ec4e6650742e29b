"""dlib's frontal face detector in our own code: the same rectangles, several times faster.

dlib's detector slides a window of 80 × 80 pixels over an image at many scales, describes it by histograms of oriented
gradients (31 numbers a cell of 8 × 8 pixels: *fhog*) and weighs them with five linear detectors: frontal, turned left
and right, tilted left and right. This package computes the same with numba, one compiled function from the image to
the rectangles; the weights come from the installed dlib.

The modules, in the order in which an image passes through them: :mod:`.resize`, :mod:`.gradient`, :mod:`.histogram`,
:mod:`.features`, :mod:`.filters`, :mod:`.rectangles`; :mod:`.pyramid` joins them, :mod:`.kernel` compiles them.
Importing this package needs neither numba nor dlib; ``from features.detect.fhog import HogKernel`` raises ImportError
where numba is missing or does not work.
"""

from __future__ import annotations

import importlib

__all__ = ["HogKernel"]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(".kernel", __name__), name)
