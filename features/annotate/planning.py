"""What is drawn where: text sizes, boxes, labels beside the faces or numbers with a legend.

Sizes follow the face within limits that follow the photo, because a photo of 3000 px is looked at in a smaller form.
Labels that do not fit beside their faces without overlap are made smaller; when the smallest legible size does not fit
either, every face gets a number and a legend below the photo explains the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from .colours import face_colour
from .decisions import FaceDecisions
from .layout import LayoutRules, Placement, place_labels
from .legend import LegendEntry
from .text import Label, drawable

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
class Style:
    """Sizes for one photo: ``unit_px`` is the thinnest line, ``min_text_px`` the smallest font."""

    unit_px: int
    min_text_px: int
    font_path: str | None

    @classmethod
    def of(cls, image_hw: tuple[int, int], font_path: str | None) -> Style:
        """The sizes for a photo of this height and width."""
        long_side = max(image_hw)
        unit = max(1, round(long_side / UNIT_LENGTH_PX))
        return cls(unit, max(MIN_TEXT_PX, round(MIN_TEXT_SHARE * long_side)), font_path)

    def text_px(self, face_px: float, scale: float) -> int:
        """Font size for a face of this size; ``scale`` 0 gives the smallest one."""
        return round(np.clip(TEXT_PER_FACE * face_px * scale, self.min_text_px, MAX_TEXT_RATIO * self.min_text_px))

    def line_px(self, face_px: float) -> int:
        """Width of the line around a face of this size."""
        if face_px < SMALL_FACE * self.unit_px:
            return self.unit_px
        return round(np.clip(LINE_PER_FACE * face_px, MIN_LINE * self.unit_px, MAX_LINE * self.unit_px))


@dataclass(frozen=True)
class LabelPlan:
    """What is drawn: a label with its place for some of the faces (by index), and the legend's entries."""

    labels: dict[int, tuple[Label, Placement]]
    legend: list[LegendEntry] = field(default_factory=list)


def outer_box(face: FaceDecisions, image_hw: tuple[int, int], style: Style) -> tuple[int, int, int, int]:
    """The outer edge of the line around a face, half-open, kept inside the image."""
    line = style.line_px(face.face.size_px)
    height, width = image_hw
    box = np.clip(np.round(face.face.box_xyxy), -line, [width + line, height + line] * 2)
    x0, y0, x1, y1 = (int(v) for v in box + [-line, -line, line, line])
    x0, y0 = min(max(x0, 0), width - 1), min(max(y0, 0), height - 1)
    return x0, y0, min(max(x1, x0 + 1), width), min(max(y1, y0 + 1), height)


def plan_labels(
    faces: Sequence[FaceDecisions], boxes: np.ndarray, image_hw: tuple[int, int], style: Style
) -> LabelPlan:
    """Labels beside the faces in the largest size that fits, else numbers."""
    if len(faces) <= MAX_LABELLED_FACES:
        for shapes in _label_shapes(faces, style):
            placed = _fit(shapes, boxes, image_hw, LayoutRules(gap_px=2 * style.unit_px))
            if len(placed) == len(shapes) and _is_easy_to_follow(placed):
                return LabelPlan(placed)
    numbers = {i: [Label((str(i + 1),), style.min_text_px, style.font_path)] for i in range(len(faces))}
    placed = _fit(numbers, boxes, image_hw, LayoutRules(gap_px=style.unit_px, max_cover=0.3, rings=6))
    return LabelPlan(placed, [_legend_entry(i, face, i in placed, style) for i, face in enumerate(faces)])


def _is_easy_to_follow(placed: dict[int, tuple[Label, Placement]]) -> bool:
    n_leaders = sum(place.leader_xyxy is not None for _, place in placed.values())
    return n_leaders <= max(1, MAX_LEADER_SHARE * len(placed))


def _label_shapes(faces: Sequence[FaceDecisions], style: Style) -> Iterator[dict[int, list[Label]]]:
    """For each text scale the shapes that every label can take: one text a line, or all on one line."""
    before = None
    for scale in TEXT_SCALES:
        shapes = {i: _shapes(face, scale, style) for i, face in enumerate(faces) if face.decisions}
        if shapes != before:
            yield shapes
        before = shapes


def _shapes(face: FaceDecisions, scale: float, style: Style) -> list[Label]:
    lines = tuple(drawable(d.text, style.font_path) for d in face.decisions)
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


def _legend_entry(i: int, face: FaceDecisions, is_numbered: bool, style: Style) -> LegendEntry:
    cells = tuple(drawable(d.text, style.font_path) for d in face.decisions)
    if not cells:
        cells = (str(face.status).replace("_", " "),)
    if not is_numbered:
        cells = (*cells, "(no room for the number)")
    return LegendEntry(str(i + 1), face_colour(face), cells)
