"""A map drawn over its crop: orange where pixels speak for the decision, blue where they speak against it.

The two colours differ in hue for every kind of colour vision (Okabe and Ito) and the crop below is gray, so that colour always
means the map.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .faithfulness import smoothed
from .gradients import PixelMap

FOR_RGB, AGAINST_RGB = (230, 159, 0), (0, 114, 178)
#: Weights of red, green and blue in the light of a pixel (ITU-R BT.601).
_LUMA = (0.299, 0.587, 0.114)
#: This quantile of the map's absolute values is drawn in full colour.
_FULL_QUANTILE = 0.99
_STRONGEST = 0.85


def overlay(crop: np.ndarray, pixel_map: PixelMap, side_px: int = 300) -> np.ndarray:
    """The crop with the map, beside the crop itself.

    Parameters
    ----------
    crop : array of shape (height, width, 3), uint8, RGB
    pixel_map : PixelMap of the same height and width
    side_px : int, default=300
        Height of the picture.

    Returns
    -------
    ndarray of shape (side_px, width, 3), uint8, RGB
    """
    return scaled(np.concatenate([crop, coloured(crop, smoothed(pixel_map.values))], axis=1), side_px)


def coloured(crop: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The crop in gray with values over it, orange where they are positive and blue where they are negative.

    Parameters
    ----------
    crop : array of shape (height, width, 3), uint8, RGB
    values : array of shape (height, width)
        Full colour is for the largest absolute values.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8, RGB
    """
    full = np.quantile(np.abs(values), _FULL_QUANTILE)
    strength = np.clip(np.abs(values) / full, 0, 1) if full > 0 else np.zeros(values.shape)
    gray = (crop @ np.array(_LUMA))[..., None].repeat(3, axis=2)
    colour = np.where(values[..., None] > 0, FOR_RGB, AGAINST_RGB)
    share = _STRONGEST * strength[..., None]
    return np.rint(gray * (1 - share) + colour * share).astype(np.uint8)


def scaled(picture: np.ndarray, height_px: int) -> np.ndarray:
    """A picture, uint8 RGB, in another height."""
    image = Image.fromarray(picture)
    return np.asarray(
        image.resize((round(image.width * height_px / image.height), height_px), Image.Resampling.BICUBIC)
    )
