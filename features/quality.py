"""How bright and how sharp a face is, measured on its aligned crop, because errors depend on both.

Only the middle of the crop counts, half of its height and half of its width: in every kind of crop that is face (eyes,
nose, in most also the mouth), while background, hair and the black parts outside the image stay out. Luma is
``0.299 R + 0.587 G + 0.114 B`` (ITU-R BT.601), from 0 to 255.

``brightness`` is the mean luma: light and skin tone together. ``sharpness`` is the variance of the Laplacian of the
luma, which is small where edges are soft. It is measured at the size of the crop, so that a small face that was enlarged
counts as blurred however sharp its photo is; it grows with contrast and noise, and values of crops of different sizes
cannot be compared.

References
----------
Pech-Pacheco, Cristóbal, Chamorro-Martínez, Fernández-Valdivia, "Diatom autofocusing in brightfield microscopy: a
comparative study", ICPR 2000 (variance of the Laplacian).
"""

from __future__ import annotations

import numpy as np

#: Weights of red, green and blue in luma (ITU-R BT.601).
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def measure_quality(crop: np.ndarray) -> dict[str, float]:
    """``brightness`` and ``sharpness`` of one face.

    Parameters
    ----------
    crop : ndarray of shape (height, width, 3), uint8, RGB

    Returns
    -------
    dict
        ``brightness`` from 0 to 255; ``sharpness`` at least 0, NaN where the middle has fewer than 3 pixels a side.
    """
    luma = _middle(crop) @ _LUMA
    return {"brightness": float(luma.mean()), "sharpness": _variance_of_laplacian(luma)}


def _middle(crop: np.ndarray) -> np.ndarray:
    """The rows and columns from one quarter to three quarters, at least one of each."""
    rows, columns = (slice(n // 4, n - n // 4) for n in crop.shape[:2])
    return crop[rows, columns].astype(np.float32)


def _variance_of_laplacian(luma: np.ndarray) -> float:
    """Of the pixels that have four neighbours; NaN where there is none."""
    if min(luma.shape) < 3:
        return float("nan")
    inner = luma[1:-1, 1:-1]
    neighbours = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    return float(np.var(neighbours - 4 * inner))
