"""The strip below a picture that says what the numbers on it mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from .colours import BLACK, RGB, WHITE
from .text import Label, load_font


@dataclass(frozen=True)
class LegendEntry:
    """One row: the number on the picture, its colour, and one text for each decision."""

    number: str
    colour: RGB
    cells: tuple[str, ...]


def append_legend(
    image: Image.Image, entries: Sequence[LegendEntry], text_px: int, font_path: str | None = None
) -> Image.Image:
    """The picture with a white strip below it; pixels of the picture keep their coordinates.

    Entries run down as many columns as fit side by side. Where one column is wider than the picture, white is added
    on the right.
    """
    grid = _Grid.of(entries, image.width, text_px, font_path)
    canvas = Image.new("RGB", (max(image.width, grid.width_px), image.height + grid.height_px), WHITE)
    canvas.paste(image)
    for position, entry in enumerate(entries):
        column, row = divmod(position, grid.n_rows)
        x = grid.margin_px + column * grid.column_px
        grid.draw_entry(canvas, entry, (x, image.height + grid.margin_px + row * grid.row_px))
    return canvas


@dataclass(frozen=True)
class _Grid:
    """Sizes of a legend in pixels: where its columns, rows and cells begin."""

    text_px: int
    font_path: str | None
    cell_starts_px: tuple[int, ...]
    column_px: int
    row_px: int
    n_rows: int
    n_columns: int

    @classmethod
    def of(cls, entries: Sequence[LegendEntry], width_px: int, text_px: int, font_path: str | None) -> _Grid:
        font = load_font(text_px, font_path)
        space = text_px
        starts = [max(Label((e.number,), text_px, font_path).size_wh[0] for e in entries) + space // 2]
        for cell in range(max(len(e.cells) for e in entries)):
            widest = max((font.getlength(e.cells[cell]) for e in entries if cell < len(e.cells)), default=0)
            starts.append(starts[-1] + math.ceil(widest) + space)
        column_px = starts[-1] + space
        row_px = round(1.25 * Label(("0",), text_px, font_path).size_wh[1])
        n_columns = max(1, min(len(entries), (width_px - space) // column_px))
        n_rows = math.ceil(len(entries) / n_columns)
        return cls(text_px, font_path, tuple(starts), column_px, row_px, n_rows, n_columns)

    @property
    def margin_px(self) -> int:
        return self.text_px

    @property
    def width_px(self) -> int:
        return self.margin_px + self.n_columns * self.column_px

    @property
    def height_px(self) -> int:
        return 2 * self.margin_px + self.n_rows * self.row_px

    def draw_entry(self, canvas: Image.Image, entry: LegendEntry, xy: tuple[int, int]) -> None:
        """One row: the number as it looks on the picture, then the cells in line with those of other rows."""
        tag = Label((entry.number,), self.text_px, self.font_path)
        right = self.cell_starts_px[0] - self.text_px // 2
        tag.draw(canvas, (xy[0] + right - tag.size_wh[0], xy[1]), entry.colour)
        pen = ImageDraw.Draw(canvas)
        middle = xy[1] + tag.size_wh[1] / 2
        for start, cell in zip(self.cell_starts_px, entry.cells, strict=False):
            pen.text((xy[0] + start, middle), cell, fill=BLACK, font=tag.font, anchor="lm")
