"""A contact sheet of distortions: a row a kind, some photos side by side, each as it was and in its severities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from faceheads.images.reading import read_image

from .contact_sheet import write_sheet
from .picture import Picture

_N_PHOTOS = 3
_TILE_PX = 180


def distortion_sheet(path: Path, root: Path, output: Path, pictures: Sequence[Picture]) -> None:
    """Write the sheet of pictures that are in the output folder, as PNG or JPEG.

    Raises
    ------
    ValueError
        If there is no picture.
    """
    photos = list(dict.fromkeys(picture.source for picture in pictures))
    chosen = photos[:: max(1, len(photos) // _N_PHOTOS)][:_N_PHOTOS]
    kinds = dict.fromkeys(picture.labels["kind"] for picture in pictures)
    originals = {photo: _tile(root / photo) for photo in chosen}
    rows = []
    for kind in kinds:
        row = [_name(kind)]
        for photo in chosen:
            of_photo = [p for p in pictures if p.source == photo and p.labels["kind"] == kind]
            row += [originals[photo], *(_tile(output / p.path) for p in of_photo)]
        rows.append(row)
    write_sheet(path, rows)


def _tile(path: Path) -> np.ndarray:
    """The picture in a square, uint8 of shape (_TILE_PX, _TILE_PX, 3)."""
    import cv2

    rgb = read_image(path).rgb
    scale = _TILE_PX / max(rgb.shape[:2])
    width, height = (max(1, round(side * scale)) for side in (rgb.shape[1], rgb.shape[0]))
    tile = np.full((_TILE_PX, _TILE_PX, 3), 255, np.uint8)
    tile[:height, :width] = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    return tile


def _name(kind: str) -> np.ndarray:
    """The kind's name as a picture of the same shape."""
    import cv2

    tile = np.full((_TILE_PX, _TILE_PX, 3), 255, np.uint8)
    for i, word in enumerate(kind.split("_")):
        cv2.putText(tile, word, (8, _TILE_PX // 2 + 26 * i), cv2.FONT_HERSHEY_SIMPLEX, 0.75, (0, 0, 0), 1, cv2.LINE_AA)
    return tile
