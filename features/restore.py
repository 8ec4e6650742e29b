"""Images made clearer before a network sees them: noise and rain taken out, fog and darkness stretched.

The two steps were chosen on LFW's DevTrain people, among medians, Gaussians, sharpening, levels and averages of them:
what they do is printed by ``python -m benchmarks.facecom_like --part Train``.
"""

from __future__ import annotations

import numpy as np

from .opencv import import_cv2

#: Side of the median's window, px.
_MEDIAN_PX = 3
#: Share of all levels of an image that may become black, and as many white.
_CLIPPED = 0.01
#: An image whose levels span less than this is stretched as if they spanned so much: it would only show its noise.
_SMALLEST_SPAN = 10


def restored(rgb: np.ndarray) -> np.ndarray:
    """The image after a median over 3 × 3 pixels of each colour, its levels stretched from black to white.

    The levels of the three colours are stretched together, so that hues stay.

    Parameters
    ----------
    rgb : ndarray of shape (height, width, 3), uint8

    Returns
    -------
    ndarray of the same shape, uint8
    """
    return _stretched(import_cv2().medianBlur(rgb, _MEDIAN_PX))


def _stretched(rgb: np.ndarray) -> np.ndarray:
    counts = np.cumsum(np.bincount(rgb.ravel(), minlength=256))
    low, high = np.searchsorted(counts, [_CLIPPED * rgb.size, (1 - _CLIPPED) * rgb.size])
    levels = (np.arange(256) - low) * (255 / max(high - low, _SMALLEST_SPAN))
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)[rgb]
