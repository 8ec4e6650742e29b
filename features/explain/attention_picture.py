"""Attention drawn: the crop, where the rollout of all blocks leads, and each head of the last block."""

from __future__ import annotations

import numpy as np

from .attention import Attention
from .overlay import coloured, scaled

_SIDE_PX, _COLUMNS, _GAP_PX = 200, 4, 4


def attention_picture(crop: np.ndarray, attention: Attention) -> np.ndarray:
    """The crop, the rollout, then the heads, in rows of four on white.

    A map is orange where more than the least attended patch is attended to: attention is nowhere 0.

    Parameters
    ----------
    crop : array of shape (height, width, 3), uint8, RGB
    attention : Attention
        Of that crop.

    Returns
    -------
    ndarray of shape (rows, columns, 3), uint8, RGB
    """
    maps = [attention.rollout(), *attention.of_heads()]
    pictures = [crop, *(coloured(crop, values - values.min()) for values in maps)]
    tiles = [scaled(picture, _SIDE_PX) for picture in pictures]
    height, width, _ = tiles[0].shape
    n_rows = -(-len(tiles) // _COLUMNS)
    sheet = np.full((n_rows * (height + _GAP_PX), _COLUMNS * (width + _GAP_PX), 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, _COLUMNS)
        top, left = row * (height + _GAP_PX), column * (width + _GAP_PX)
        sheet[top : top + height, left : left + width] = tile
    return sheet
