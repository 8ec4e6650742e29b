"""Photos of held-out rows that a head had right, and of its worst mistakes."""

from __future__ import annotations

import numpy as np

from ...measuring import Answers
from ...table import FaceTable
from ...targets import MULTILABEL, REGRESSION
from ...training import TrainingResult
from ..document import Block, Gallery, Heading, Note, Text, Tile
from ..thumbnails import PhotoReader
from .example_choice import right_rows, wrong_rows
from .sources import Sources

_NO_PHOTOS = (
    "Examples are not shown, because the photos were not given: --data_dir DIR names the folder that the table was "
    "extracted from."
)
_NOT_FOUND = (
    "No photo of these rows was found in the folder of --data_dir as the table knows it (same path, same content)."
)
_ATTRIBUTES = "Examples are shown of heads for one target only."


def example_blocks(result: TrainingResult, sources: Sources, position: int, name: str) -> list[Block]:
    """Two galleries, or a sentence that says why there are none."""
    held, seed = result.held_out[position], result.file.training["seed"]
    if held.answers.head.target.task == MULTILABEL:
        return [Heading("Examples"), Text(_ATTRIBUTES)]
    if sources.photos is None:
        return [Heading("Examples"), Note(_NO_PHOTOS)]
    table, groups = result.samples.table[held.rows], result.samples.groups[held.rows]
    right = right_rows(held.answers, table.has_embedding, groups, seed)
    wrong = wrong_rows(held.answers, table.has_embedding, groups)
    return [
        Heading("Right, drawn at random"),
        *_gallery(sources.photos, table, held.answers, right, f"{name}_right"),
        Heading("Worst mistakes"),
        Text("A label may be wrong too: look before blaming the head."),
        *_gallery(sources.photos, table, held.answers, wrong, f"{name}_mistake"),
    ]


def _gallery(photos: PhotoReader, table: FaceTable, answers: Answers, rows: np.ndarray, name: str) -> list[Block]:
    if not len(rows):
        return [Text("There are none.")]
    pictures = photos(table[rows])
    if all(picture is None for picture in pictures):
        return [Note(_NOT_FOUND)]
    tiles = [
        Tile(picture, (*_lines(answers, row), str(table.keys[row])))
        for picture, row in zip(pictures, rows, strict=True)
    ]
    return [Gallery(name, tuple(tiles))]


def _lines(answers: Answers, row: int) -> tuple[str, ...]:
    target = answers.head.target
    if target.task == REGRESSION:
        return f"true {answers.y[row]:.4g}", f"predicted {answers.raw[row]:.1f}"
    decided, truth = answers.decided[row], answers.y[row]
    told = f"{target.classes[decided]}, {100 * answers.raw[row, decided]:.0f} %"
    return (told,) if decided == truth else (f"true: {target.classes[truth]}", f"said: {told}")
