"""Boxes, labels, numbers: decisions drawn on a photo so that they can be read at any size.

Sizes follow the face within limits that follow the photo, because a photo of 3000 px is looked at in a smaller form.
Labels that do not fit beside their faces without overlap are drawn smaller; when the smallest legible size does not fit
either, every face gets a number and a legend below the photo explains the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

from .colours import RGB, face_colour, text_colour
from .decisions import FaceDecisions
from .layout import LayoutRules, Placement, place_labels
from .legend import LegendEntry, append_legend
from .text import Label

#: Smallest legible font size in pixels, and per pixel of the photo's longer side: 15 px when 3200 are shown on 1600.
MIN_TEXT_PX, MIN_TEXT_SHARE = 12, 0.0094
#: Font size per pixel of the face, and the largest size as a multiple of the smallest one.
TEXT_PER_FACE, MAX_TEXT_RATIO = 0.15, 2.0
#: Text sizes that are tried one after the other, as shares of the preferred size.
TEXT_SCALES = (1.0, 0.8, 0.65, 0.0)
#: Beyond this number of faces, or this share of labels away from their faces, numbers are easier to follow.
MAX_LABELLED_FACES, MAX_LEADER_SHARE = 80, 0.2
#: Line width per pixel of the face, and its limits as multiples of the photo's unit.
LINE_PER_FACE, MIN_LINE, MAX_LINE = 0.022, 2.0, 4.0
#: Faces smaller than this many units have the thinnest line, so that it does not fill them.
SMALL_FACE = 28
#: The photo's unit is one pixel up to this length of the longer side.
UNIT_LENGTH_PX = 1400
#: Between the texts of one face when they share a line.
SEPARATOR = "  ·  "


@dataclass(frozen=True)
class _Style:
    """Sizes for one photo: ``unit_px`` is the thinnest line, ``min_text_px`` the smallest font."""

    unit_px: int
    min_text_px: int
    font_path: str | None

    @classmethod
    def of(cls, image_hw: tuple[int, int], font_path: str | None) -> _Style:
        long_side = max(image_hw)
        unit = max(1, round(long_side / UNIT_LENGTH_PX))
        return cls(unit, max(MIN_TEXT_PX, round(MIN_TEXT_SHARE * long_side)), font_path)

    def text_px(self, face_px: float, scale: float) -> int:
        return round(np.clip(TEXT_PER_FACE * face_px * scale, self.min_text_px, MAX_TEXT_RATIO * self.min_text_px))

    def line_px(self, face_px: float) -> int:
        if face_px < SMALL_FACE * self.unit_px:
            return self.unit_px
        return round(np.clip(LINE_PER_FACE * face_px, MIN_LINE * self.unit_px, MAX_LINE * self.unit_px))


@dataclass(frozen=True)
class _Plan:
    """What is drawn: a label with its place for some of the faces (by index), and the legend's entries."""

    labels: dict[int, tuple[Label, Placement]]
    legend: list[LegendEntry] = field(default_factory=list)


def draw_faces(image: np.ndarray, faces: Sequence[FaceDecisions], *, font_path: str | None = None) -> np.ndarray:
    """The photo with a box and a label for every face.

    Classes are told apart by colours of Okabe and Ito, unsure faces by a gray dashed box; all of it is also said in
    text. The pixels of the photo keep their coordinates: a legend, where one is needed, is appended below (and, next
    to a very narrow photo, white on the right).

    Parameters
    ----------
    image : ndarray of shape (height, width, 3), uint8, RGB
        Not changed.
    faces : sequence of FaceDecisions
        Boxes may reach beyond the image. Numbers count from 1 in this order.
    font_path : str, optional
        A TrueType or OpenType font for scripts that Pillow's own font (Latin) lacks.

    Returns
    -------
    ndarray of shape (height or more, width or more, 3), uint8, RGB

    Raises
    ------
    ValueError
        If the image has another shape or dtype.
    """
    if not (isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3):
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"image must be uint8 RGB of shape (height, width, 3); got {got}.")
    if not faces:
        return image.copy()
    style = _Style.of(image.shape[:2], font_path)
    boxes = [_outer_box(f, image.shape[:2], style) for f in faces]
    plan = _plan(faces, np.array(boxes, float), image.shape[:2], style)
    canvas = Image.fromarray(image)
    _draw_plan(canvas, faces, boxes, plan, style)
    if plan.legend:
        canvas = append_legend(canvas, plan.legend, style.min_text_px, font_path)
    return np.array(canvas)


def _outer_box(face: FaceDecisions, image_hw: tuple[int, int], style: _Style) -> tuple[int, int, int, int]:
    """The outer edge of the line around a face, half-open, kept inside the image."""
    line = style.line_px(face.face.size_px)
    height, width = image_hw
    x0, y0, x1, y1 = np.round(face.face.box_xyxy).astype(int) + [-line, -line, line, line]
    x0, y0 = min(max(x0, 0), width - 1), min(max(y0, 0), height - 1)
    return int(x0), int(y0), int(min(max(x1, x0 + 1), width)), int(min(max(y1, y0 + 1), height))


def _plan(faces: Sequence[FaceDecisions], boxes: np.ndarray, image_hw: tuple[int, int], style: _Style) -> _Plan:
    """Labels beside the faces in the largest size that fits, else numbers."""
    if len(faces) <= MAX_LABELLED_FACES:
        for shapes in _label_shapes(faces, style):
            placed = _fit(shapes, boxes, image_hw, LayoutRules(gap_px=2 * style.unit_px))
            if len(placed) == len(shapes) and _is_easy_to_follow(placed):
                return _Plan(placed)
    numbers = {i: [Label((str(i + 1),), style.min_text_px, style.font_path)] for i in range(len(faces))}
    placed = _fit(numbers, boxes, image_hw, LayoutRules(gap_px=style.unit_px, max_cover=0.3, rings=6))
    return _Plan(placed, [_legend_entry(i, face, i in placed) for i, face in enumerate(faces)])


def _is_easy_to_follow(placed: dict[int, tuple[Label, Placement]]) -> bool:
    n_leaders = sum(place.leader_xyxy is not None for _, place in placed.values())
    return n_leaders <= max(1, MAX_LEADER_SHARE * len(placed))


def _label_shapes(faces: Sequence[FaceDecisions], style: _Style) -> Iterator[dict[int, list[Label]]]:
    """For each text scale the shapes that every label can take: one text a line, or all on one line."""
    before = None
    for scale in TEXT_SCALES:
        shapes = {i: _shapes(face, scale, style) for i, face in enumerate(faces) if face.decisions}
        if shapes != before:
            yield shapes
        before = shapes


def _shapes(face: FaceDecisions, scale: float, style: _Style) -> list[Label]:
    lines = tuple(d.text for d in face.decisions)
    text_px = style.text_px(face.face.size_px, scale)
    forms = [lines] if len(lines) == 1 else [lines, (SEPARATOR.join(lines),)]
    return [Label(form, text_px, style.font_path) for form in forms]


def _fit(
    shapes: dict[int, list[Label]], boxes: np.ndarray, image_hw: tuple[int, int], rules: LayoutRules
) -> dict[int, tuple[Label, Placement]]:
    """The labels that found a place, by face."""
    sizes = [[label.size_wh for label in shapes.get(i, [])] for i in range(len(boxes))]
    places = place_labels(boxes, sizes, image_hw, rules)
    return {i: (shapes[i][p.shape_index], p) for i, p in enumerate(places) if p is not None}


def _legend_entry(i: int, face: FaceDecisions, is_numbered: bool) -> LegendEntry:
    cells = tuple(d.text for d in face.decisions)
    if not cells:
        cells = (face.status.replace("_", " "),)
    if not is_numbered:
        cells = (*cells, "(no room for the number)")
    return LegendEntry(str(i + 1), face_colour(face), cells)


def _draw_plan(
    canvas: Image.Image, faces: Sequence[FaceDecisions], boxes: Sequence[tuple], plan: _Plan, style: _Style
) -> None:
    """Boxes first, then leaders, labels on top."""
    for face, box in zip(faces, boxes, strict=True):
        _draw_box(canvas, box, face, style)
    for i, (_, place) in plan.labels.items():
        if place.leader_xyxy is not None:
            _draw_leader(canvas, place.leader_xyxy, face_colour(faces[i]), style)
    for i, (label, place) in plan.labels.items():
        label.draw(canvas, place.label_xyxy[:2], face_colour(faces[i]))


def _draw_box(canvas: Image.Image, box: tuple[int, int, int, int], face: FaceDecisions, style: _Style) -> None:
    """A line in the face's colour with a thin line of the opposite brightness around it: visible on any ground."""
    pen = ImageDraw.Draw(canvas)
    x0, y0, x1, y1 = box
    colour, line, halo = face_colour(face), style.line_px(face.face.size_px), style.unit_px
    outer = (x0 - halo, y0 - halo, x1 - 1 + halo, y1 - 1 + halo)
    pen.rectangle(outer, outline=text_colour(colour), width=line + halo)
    if any(d.is_unsure for d in face.decisions[:1]):
        _dashed_rectangle(pen, box, colour, line)
    else:
        pen.rectangle((x0, y0, x1 - 1, y1 - 1), outline=colour, width=line)


def _dashed_rectangle(pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], colour: RGB, line: int) -> None:
    """Dashes of equal length with gaps of about the same, starting and ending in the corners."""
    x0, y0, x1, y1 = box
    for a, b in _dashes(x0, x1, 4 * line):
        pen.rectangle((a, y0, b - 1, y0 + line - 1), fill=colour)
        pen.rectangle((a, y1 - line, b - 1, y1 - 1), fill=colour)
    for a, b in _dashes(y0, y1, 4 * line):
        pen.rectangle((x0, a, x0 + line - 1, b - 1), fill=colour)
        pen.rectangle((x1 - line, a, x1 - 1, b - 1), fill=colour)


def _dashes(start: int, end: int, dash_px: int) -> list[tuple[int, int]]:
    n_parts = max(1, round((end - start) / dash_px)) | 1
    edges = np.linspace(start, end, n_parts + 1).round().astype(int)
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]


def _draw_leader(canvas: Image.Image, leader: tuple[float, float, float, float], colour: RGB, style: _Style) -> None:
    pen = ImageDraw.Draw(canvas)
    width = 2 * style.unit_px
    pen.line(leader, fill=text_colour(colour), width=width + 2 * style.unit_px)
    pen.line(leader, fill=colour, width=width)
