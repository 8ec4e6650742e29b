"""RGB images to PNG and JPEG files, each whole or not there at all."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import numpy as np
from PIL import Image

from .pixels import check_rgb

#: Extension → Pillow's name of the formats that are written, and the longest side that each can hold.
_WRITERS = {".png": ("PNG", 2**31 - 1), ".jpg": ("JPEG", 65_500), ".jpeg": ("JPEG", 65_500)}


def write_image(path: str | os.PathLike, rgb: np.ndarray, quality: int = 92) -> None:
    """Write an image as PNG or JPEG, by the extension; the file appears whole or not at all.

    Parameters
    ----------
    path : path
        Ends in ``.png``, ``.jpg`` or ``.jpeg``, in any case. Its folder must exist.
    rgb : ndarray of shape (height, width, 3), uint8
    quality : int
        Of JPEG, 1 to 95; colour is kept at full resolution from 90 on.

    Raises
    ------
    ValueError
        If the extension, the array or the quality cannot be written.
    """
    path = Path(path)
    check_rgb(rgb)
    if path.suffix.lower() not in _WRITERS:
        raise ValueError(f"an image must be written as one of {sorted(_WRITERS)}; got {path.name!r}.")
    if not 1 <= quality <= 95:
        raise ValueError(f"quality must be 1 to 95; got {quality}.")
    name, longest_px = _WRITERS[path.suffix.lower()]
    if max(rgb.shape[:2]) > longest_px:
        raise ValueError(f"{name} holds at most {longest_px} px a side; got {rgb.shape[:2]}. Write a .png instead.")
    settings = {"quality": quality, "subsampling": 0 if quality >= 90 else 2} if name == "JPEG" else {}
    _write_atomically(path, Image.fromarray(rgb), name, settings)


def _write_atomically(path: Path, image: Image.Image, name: str, settings: dict) -> None:
    temporary = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        with open(temporary, "xb") as file:
            image.save(file, name, **settings)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
