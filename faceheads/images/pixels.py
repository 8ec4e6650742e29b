"""What an opened image of any kind becomes: RGB uint8, upright."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .unreadable import DECODER_ERRORS, UnreadableImage

_EXIF_ORIENTATION = 0x0112


def to_rgb(image: Image.Image) -> tuple[np.ndarray, tuple[str, ...]]:
    """Pixels of any mode as RGB, shape (height, width, 3), uint8, and what had to be done for it."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return _gray16_to_rgb(np.asarray(image)), ("16 bits reduced to 8",)
    if image.mode in ("I", "F", "LAB"):
        raise UnreadableImage(f"unsupported format ({image.format} with pixels of type {image.mode})")
    if image.has_transparency_data:
        return _over_white(image.convert("RGBA"))
    return np.array(image if image.mode == "RGB" else image.convert("RGB")), ()


def _gray16_to_rgb(gray: np.ndarray) -> np.ndarray:
    """The high byte, as Pillow itself takes it from 16-bit colour; shape (height, width) in, (…, 3) out."""
    return np.repeat((gray >> 8).astype(np.uint8)[:, :, np.newaxis], 3, axis=2)


def _over_white(rgba: Image.Image) -> tuple[np.ndarray, tuple[str, ...]]:
    """What a viewer shows: the image on a white page. Colours below a transparent pixel are arbitrary."""
    alpha = rgba.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return np.array(rgba.convert("RGB")), ()
    page = Image.new("RGB", rgba.size, "white")
    page.paste(rgba, mask=alpha)
    return np.array(page), ("transparent parts shown white",)


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where it is missing or cannot be read. After ``load``: PNG may say it at the end."""
    try:
        value = image.getexif().get(_EXIF_ORIENTATION, 1)
    except DECODER_ERRORS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright(rgb: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels moved as the EXIF orientation says (Exif 2.32, tag 0x0112), C-contiguous."""
    if orientation >= 5:
        rgb = rgb.transpose(1, 0, 2)
    is_flipped_down = orientation in (3, 4, 7, 8)
    is_flipped_across = orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(rgb[:: -1 if is_flipped_down else 1, :: -1 if is_flipped_across else 1])


def check_rgb(rgb: np.ndarray) -> None:
    """Refuse what is not an RGB image of the project.

    Raises
    ------
    ValueError
        If ``rgb`` is not an array of shape (height, width, 3), uint8, with at least one pixel.
    """
    if not isinstance(rgb, np.ndarray) or rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        got = f"{rgb.dtype} of shape {rgb.shape}" if isinstance(rgb, np.ndarray) else type(rgb).__name__
        raise ValueError(f"an image must be a uint8 array of shape (height, width, 3), RGB; got {got}.")
