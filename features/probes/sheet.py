"""What probes look like: a sheet with some faces as they are and with every change."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ..thumbnails import SIDE_PX, Section, contact_sheet
from .frame import VIEW_ABOVE, VIEW_SIDE, FaceFrame, UprightView

#: Faces on the sheet: one row of it.
N_FACES = 8
#: Pixels of a tile for one distance of the eyes, and how far the middle of a tile is above that of the eyes.
_UNIT_PX, _MIDDLE_ABOVE = 26, 0.15
_QUALITY = 90


def tile_of(rgb: np.ndarray, frame: FaceFrame) -> bytes:
    """The head in a picture, upright and of one size, as a JPEG of SIDE_PX × SIDE_PX pixels."""
    view = UprightView(frame, _UNIT_PX).take(rgb)
    top = round((VIEW_ABOVE - _MIDDLE_ABOVE) * _UNIT_PX) - SIDE_PX // 2
    left = round(VIEW_SIDE * _UNIT_PX) - SIDE_PX // 2
    file = io.BytesIO()
    Image.fromarray(view[top : top + SIDE_PX, left : left + SIDE_PX]).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def probe_sheet(shown: Sequence[tuple[str, Sequence[bytes | None]]], changes: Sequence[str]) -> np.ndarray:
    """The sheet, uint8 RGB: a row for the faces as they are and one for each change; an empty frame where it was not made.

    Parameters
    ----------
    shown : sequence of (str, sequence of bytes or None)
        Of each face its name, and its tiles: as it is, then with every change.
    changes : sequence of str
    """
    titles = ("as it is", *changes)
    return contact_sheet(
        [Section(title, tuple((tiles[row], name) for name, tiles in shown)) for row, title in enumerate(titles)]
    )
