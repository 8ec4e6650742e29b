"""Two pictures into one."""

from __future__ import annotations

import numpy as np


def blend(rgb: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    """A picture that is another one where ``share`` is 1.

    Parameters
    ----------
    rgb, other : ndarray of shape (height, width, 3), uint8
    share : ndarray of shape (height, width), float
        Of the other, 0 to 1.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8; exactly ``rgb`` where ``share`` is 0
    """
    share = share[..., None].astype(np.float32)
    return np.rint(rgb + share * (other.astype(np.float32) - rgb)).astype(np.uint8)
