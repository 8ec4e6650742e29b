"""Small pictures of faces cut out of their photos, and sheets of many of them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from faceheads.images.reading import read_image
from faceheads.images.unreadable import UnreadableImage
from faceheads.pool import OrderedPool
from faceheads.table import FaceTable

from .annotate.text import drawable, load_font

#: Side of a thumbnail in pixels.
SIDE_PX = 128
#: How much is shown around a face, as a share of its longer side on each of the four.
MARGIN = 0.25
_TILES_A_ROW = 8
_TEXT_PX, _TITLE_PX, _GAP_PX = 12, 16, 8
_QUALITY = 90
_GRAY = (128, 128, 128)


@dataclass(frozen=True)
class Section:
    """Part of a sheet: a heading, and thumbnails with a text below each.

    Attributes
    ----------
    title : str
    tiles : tuple of (bytes or None, str)
        A thumbnail as :func:`cut_faces` gives it, None where there is none, and its text.
    """

    title: str
    tiles: tuple[tuple[bytes | None, str], ...]


def cut_faces(root: Path, table: FaceTable, rows: Iterable[int], jobs: int = 1) -> dict[int, bytes]:
    """Thumbnails of faces: square JPEG files by row of the table, so that thousands fit in memory.

    Photos that cannot be read (any more) have none. Where a row has no box the whole photo is shown.

    Parameters
    ----------
    root : Path
        The data folder.
    table : FaceTable
    rows : iterable of int
    jobs : int, default=1
        Worker processes.
    """
    wanted: dict[str, list[tuple[int, np.ndarray]]] = {}
    for row in rows:
        wanted.setdefault(table.path[row], []).append((int(row), table.box_xyxy[row]))
    with OrderedPool(partial(_cut, root), lambda item: {}, jobs) as pool:
        return {row: picture for some in pool.map(wanted.items()) for row, picture in some.items()}


def _cut(root: Path, item: tuple[str, list[tuple[int, np.ndarray]]]) -> dict[int, bytes]:
    path, boxes = item
    try:
        image = Image.fromarray(read_image(root / path).rgb)
    except UnreadableImage:
        return {}
    return {row: thumbnail(image, box) for row, box in boxes}


def thumbnail(image: Image.Image, box_xyxy: np.ndarray) -> bytes:
    """A square JPEG file of a face with its surroundings, gray beyond the photo.

    Parameters
    ----------
    image : RGB image
        The photo.
    box_xyxy : ndarray of shape (4,)
        Pixels; NaN for the whole photo.
    """
    return _encoded(_square(image, box_xyxy))


def _square(image: Image.Image, box_xyxy: np.ndarray) -> Image.Image:
    """The face with its surroundings, gray beyond the photo."""
    box = np.array([0, 0, *image.size], float) if np.isnan(box_xyxy).any() else np.asarray(box_xyxy, float)
    half = (0.5 + (0 if np.isnan(box_xyxy).any() else MARGIN)) * max(box[2] - box[0], box[3] - box[1])
    x, y = (box[:2] + box[2:]) / 2
    frame = tuple(round(float(v)) for v in (x - half, y - half, x + half, y + half))
    inside = (max(frame[0], 0), max(frame[1], 0), min(frame[2], image.width), min(frame[3], image.height))
    out = Image.new("RGB", (frame[2] - frame[0], frame[3] - frame[1]), _GRAY)
    out.paste(image.crop(inside), (inside[0] - frame[0], inside[1] - frame[1]))
    return out.resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def contact_sheet(sections: Sequence[Section], font_path: str | None = None) -> np.ndarray:
    """A white sheet with the sections below each other, uint8 RGB array of shape (height, width, 3).

    Parameters
    ----------
    sections : sequence of Section
    font_path : str, optional
        See :func:`features.annotate.draw_faces`.
    """
    width = _GAP_PX + _TILES_A_ROW * (SIDE_PX + _GAP_PX)
    sheet = Image.new("RGB", (width, sum(map(_height, sections)) + _GAP_PX), "white")
    top = _GAP_PX
    for section in sections:
        _draw_section(sheet, section, top, font_path)
        top += _height(section)
    return np.array(sheet)


def _height(section: Section) -> int:
    n_rows = -(-len(section.tiles) // _TILES_A_ROW)
    return 2 * _TITLE_PX + n_rows * (SIDE_PX + 2 * _TEXT_PX + _GAP_PX)


def _draw_section(sheet: Image.Image, section: Section, top: int, font_path: str | None) -> None:
    pen = ImageDraw.Draw(sheet)
    pen.text((_GAP_PX, top), drawable(section.title, font_path), fill="black", font=load_font(_TITLE_PX, font_path))
    for number, (picture, text) in enumerate(section.tiles):
        row, column = divmod(number, _TILES_A_ROW)
        x = _GAP_PX + column * (SIDE_PX + _GAP_PX)
        y = top + 2 * _TITLE_PX - _GAP_PX + row * (SIDE_PX + 2 * _TEXT_PX + _GAP_PX)
        if picture is None:
            pen.rectangle((x, y, x + SIDE_PX - 1, y + SIDE_PX - 1), outline=_GRAY)
        else:
            sheet.paste(Image.open(io.BytesIO(picture)), (x, y))
        pen.text((x, y + SIDE_PX), _fitting(text, font_path), fill="black", font=load_font(_TEXT_PX, font_path))


def _fitting(text: str, font_path: str | None) -> str:
    """As much of the end of a text as fits below a thumbnail: file names differ at their ends."""
    font, shown = load_font(_TEXT_PX, font_path), drawable(text, font_path)
    while font.getlength(shown) > SIDE_PX:
        shown = "…" + shown.lstrip("…")[1:]
    return shown


def tiles_of(rows: Iterable[int], pictures: Mapping[int, bytes], texts: Mapping[int, str]) -> tuple:
    """The tiles of some rows."""
    return tuple((pictures.get(int(row)), texts[int(row)]) for row in rows)
