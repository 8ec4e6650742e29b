"""Boxes, labels, numbers: decisions drawn on a photo so that they can be read at any size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from faceheads.images.pixels import check_rgb

from .colours import GRAY, RGB, face_colour, text_colour
from .decisions import FaceDecisions
from .legend import append_legend
from .planning import LabelPlan, Style, outer_box, plan_labels


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
        If the image has another shape or dtype, or no pixel.
    """
    check_rgb(image)
    if not faces:
        return image.copy()
    style = Style.of(image.shape[:2], font_path)
    boxes = [outer_box(f, image.shape[:2], style) for f in faces]
    plan = plan_labels(faces, np.array(boxes, float), image.shape[:2], style)
    canvas = Image.fromarray(image)
    _draw_plan(canvas, faces, boxes, plan, style)
    if plan.legend:
        canvas = append_legend(canvas, plan.legend, style.min_text_px, font_path)
    return np.array(canvas)


def _draw_plan(
    canvas: Image.Image, faces: Sequence[FaceDecisions], boxes: Sequence[tuple], plan: LabelPlan, style: Style
) -> None:
    """Boxes first, then leaders, labels on top."""
    for face, box in zip(faces, boxes, strict=True):
        _draw_box(canvas, box, face, style)
    for i, (_, place) in plan.labels.items():
        if place.leader_xyxy is not None:
            _draw_leader(canvas, place.leader_xyxy, face_colour(faces[i]), style)
    for i, (label, place) in plan.labels.items():
        label.draw(canvas, place.label_xyxy[:2], face_colour(faces[i]))


def _draw_box(canvas: Image.Image, box: tuple[int, int, int, int], face: FaceDecisions, style: Style) -> None:
    """A line in the face's colour with a thin line of the opposite brightness around it: visible on any ground."""
    pen = ImageDraw.Draw(canvas)
    x0, y0, x1, y1 = box
    colour, line, halo = face_colour(face), style.line_px(face.face.size_px), style.unit_px
    outer = (x0 - halo, y0 - halo, x1 - 1 + halo, y1 - 1 + halo)
    pen.rectangle(outer, outline=text_colour(colour), width=line + halo)
    if colour == GRAY:
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


def _draw_leader(canvas: Image.Image, leader: tuple[float, float, float, float], colour: RGB, style: Style) -> None:
    pen = ImageDraw.Draw(canvas)
    width = 2 * style.unit_px
    pen.line(leader, fill=text_colour(colour), width=width + 2 * style.unit_px)
    pen.line(leader, fill=colour, width=width)
