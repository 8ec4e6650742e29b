"""Many pictures on one, to look at."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from faceheads.images.writing import write_image

#: White pixels around each picture.
_GAP_PX = 4


def contact_sheet(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Rows of pictures on white, RGB uint8.

    Parameters
    ----------
    rows : sequence of sequences of ndarray of shape (height, width, 3), uint8
        All pictures of one size; rows may differ in length.

    Raises
    ------
    ValueError
        If there is no picture, or they differ in size.
    """
    shapes = {picture.shape for row in rows for picture in row}
    if len(shapes) != 1:
        raise ValueError(f"a contact sheet needs pictures of one size; got {sorted(shapes)}.")
    height, width, _ = shapes.pop()
    step_y, step_x = height + _GAP_PX, width + _GAP_PX
    n_columns = max(len(row) for row in rows)
    sheet = np.full((len(rows) * step_y + _GAP_PX, n_columns * step_x + _GAP_PX, 3), 255, np.uint8)
    for r, row in enumerate(rows):
        for c, picture in enumerate(row):
            y, x = _GAP_PX + r * step_y, _GAP_PX + c * step_x
            sheet[y : y + height, x : x + width] = picture
    return sheet


def write_sheet(path: str | os.PathLike, rows: Sequence[Sequence[np.ndarray]]) -> None:
    """Write a contact sheet as PNG or JPEG."""
    write_image(path, contact_sheet(rows))
