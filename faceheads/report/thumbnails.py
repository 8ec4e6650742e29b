"""Small pictures of the faces of a table, cut from its photos: for people who look at results."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from ..images.reading import read_image
from ..images.unreadable import UnreadableImage
from ..table import FaceTable

#: Rows of a table → for each a small JPEG of the face, None where the photo is missing or another one.
PhotoReader = Callable[[FaceTable], list[bytes | None]]
#: Pixels a side; pages show it at half of that on dense screens.
SIZE_PX = 160
#: How much of the box's longer side is shown beyond the box, on each side.
_MARGIN = 0.25
_QUALITY = 85


def face_thumbnails(table: FaceTable, folder: Path, size_px: int = SIZE_PX) -> list[bytes | None]:
    """A square JPEG of each row's face, or of the whole photo where no face was found.

    Parameters
    ----------
    table : FaceTable
        Its paths are relative to ``folder``.
    folder : Path
        Of the photos.
    size_px : int

    Returns
    -------
    list of bytes or None
        None where the photo is missing, unreadable, outside the folder, or not the one that the table was made from.
    """
    columns = zip(table.path, table.sha256, table.box_xyxy, strict=True)
    return [_thumbnail(folder, path, sha256, box, size_px) for path, sha256, box in columns]


def _thumbnail(folder: Path, path: str, sha256: str, box_xyxy: np.ndarray, size_px: int) -> bytes | None:
    relative = PurePosixPath(path)
    if relative.is_absolute() or ".." in relative.parts:  # a table may come from anybody
        return None
    try:
        image = read_image(folder / relative)
    except UnreadableImage:
        return None
    if sha256 not in ("", image.sha256):
        return None
    square = Image.fromarray(image.rgb).crop(_square(box_xyxy, image.rgb.shape[:2]))  # black beside the photo
    buffer = io.BytesIO()
    square.resize((size_px, size_px), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def _square(box_xyxy: np.ndarray, image_hw: tuple[int, int]) -> tuple[int, int, int, int]:
    """A square around the box, with as much margin as the photo allows; around the photo where there is no box."""
    height, width = image_hw
    x0, y0, x1, y1 = np.clip(box_xyxy, 0, [width, height, width, height]).tolist()
    if not (x1 - x0 >= 1 and y1 - y0 >= 1):  # so for NaN too
        x0, y0, x1, y1 = 0, 0, width, height
    longer = max(x1 - x0, y1 - y0)
    side = min(longer * (1 + 2 * _MARGIN), max(longer, min(height, width)))
    left, top = _start((x0 + x1) / 2, side, width), _start((y0 + y1) / 2, side, height)
    return round(left), round(top), round(left + side), round(top + side)


def _start(centre: float, side: float, length: int) -> float:
    """Where a stretch begins that lies inside the photo, or around it where it is longer than the photo."""
    if side > length:
        return (length - side) / 2
    return min(max(centre - side / 2, 0), length - side)
