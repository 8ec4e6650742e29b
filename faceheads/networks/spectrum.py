"""How much of each spatial frequency a crop holds, where, and in which colour channel: what gives a forgery away.

A network that was trained to know people again, whatever camera and compression, has learned not to see what a forgery
leaves behind. This is no such network: nothing in it is learned. Bending and blending a face resamples it, which takes away
the finest detail, above all in the two colour channels, where JPEG keeps only half the resolution; the surrounding keeps its
own. So: the energy of the discrete cosine transform of overlapping 8 × 8 blocks, as logarithms, averaged over cells of the
crop; cells that mirror each other count as one. A linear head on these numbers compares inside with outside, fine with
coarse, brightness with colour.

The crop must not be resampled again: every resampling of the image is in the spectrum too.

References
----------
J. Frank et al., Leveraging frequency analysis for deep fake image recognition, ICML 2020.
ITU-T T.81 (JPEG), annex A: blocks and the transform.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

#: Rows and columns of a crop, of a block, and between the starts of blocks, in pixels.
CROP_PX, BLOCK_PX, STEP_PX = 200, 8, 4
#: Cells in a row or a column of the crop; each holds 7 × 7 blocks.
N_CELLS = 7
_N_CHANNELS, _N_COLUMNS = 3, (N_CELLS + 1) // 2
#: Numbers of a crop: channels × rows × mirrored columns of cells × frequencies but the mean.
DIMENSION = _N_CHANNELS * N_CELLS * _N_COLUMNS * (BLOCK_PX**2 - 1)
#: Added to energies, which keeps the logarithm of what is rounded to nothing finite: about that of rounding to whole numbers.
_FLOOR = 0.3


def spectrum(crops: np.ndarray) -> np.ndarray:
    """Logarithms of the energy of each frequency in each cell and channel.

    Parameters
    ----------
    crops : ndarray of shape (n_crops, 200, 200, 3), uint8, RGB

    Returns
    -------
    ndarray of shape (n_crops, 5292), float32
        Ordered by channel (Y, Cb, Cr), row of cells, column of cells from the edge to the middle, frequency.

    Raises
    ------
    ValueError
        If the crops have another shape.
    """
    if crops.ndim != 4 or crops.shape[1:] != (CROP_PX, CROP_PX, 3):
        raise ValueError(f"crops must have the shape (n_crops, {CROP_PX}, {CROP_PX}, 3); got {crops.shape}.")
    out = np.empty((len(crops), DIMENSION), np.float32)
    for i, crop in enumerate(crops):
        out[i] = _spectrum_of(crop)
    return out


def _spectrum_of(crop: np.ndarray) -> np.ndarray:
    channels = np.asarray(Image.fromarray(crop).convert("YCbCr"), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(channels, (BLOCK_PX, BLOCK_PX), axis=(0, 1))
    blocks = np.ascontiguousarray(windows[::STEP_PX, ::STEP_PX].transpose(2, 0, 1, 3, 4))
    cosines = _cosines()
    energy = (cosines @ blocks @ cosines.T) ** 2
    shape = (_N_CHANNELS, N_CELLS, N_CELLS, N_CELLS, N_CELLS, BLOCK_PX**2)
    cells = np.log(energy + _FLOOR).reshape(shape).mean(axis=(2, 4))[..., 1:]
    mirrored = (cells + cells[:, :, ::-1]) / 2
    return mirrored[:, :, :_N_COLUMNS].ravel()


def _cosines() -> np.ndarray:
    """The orthonormal discrete cosine transform (type II) as a matrix, float32 of shape (8, 8): frequencies × pixels."""
    frequency, pixel = np.mgrid[:BLOCK_PX, :BLOCK_PX]
    matrix = np.sqrt(2 / BLOCK_PX) * np.cos(np.pi * frequency * (2 * pixel + 1) / (2 * BLOCK_PX))
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)
