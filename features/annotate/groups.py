"""Faces that nobody named, grouped by person across the photos of a folder: decisions, a table, contact sheets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.atomic import atomic_path
from faceheads.identification.grouping import group_faces, similarity_to_group
from faceheads.images.writing import write_image
from faceheads.table import FaceTable

from ..thumbnails import Section, contact_sheet, cut_faces, tiles_of
from .decisions import Decision
from .names import GROUPS_CSV

PERSON = "person"
#: Folder of the contact sheets inside the output folder, and the sheet of those who were seen once.
SHEETS, ALONE = "groups", "seen_once.jpg"
#: Faces on a contact sheet; of more, evenly spaced ones are shown.
MAX_TILES = 96


@dataclass(frozen=True, eq=False)
class GroupedFaces:
    """Groups of faces of a table.

    Attributes
    ----------
    rows : ndarray of shape (n_faces,), int64
        Rows of the table that were grouped.
    number : ndarray of shape (n_faces,), int64
        Of the person, from 1; those with most faces first.
    similarity : ndarray of shape (n_faces,), float64
        To the other faces of the person on average; NaN for a face alone.
    threshold : float
    """

    rows: np.ndarray
    number: np.ndarray
    similarity: np.ndarray
    threshold: float

    @classmethod
    def of(cls, table: FaceTable, rows: np.ndarray, metric: str, threshold: float) -> GroupedFaces:
        """Group some rows of a table, which have an embedding."""
        embedding = table.embedding[rows]
        group = group_faces(embedding, table.path[rows], metric, threshold)
        return cls(rows, group + 1, similarity_to_group(embedding, group, metric), threshold)

    @property
    def n_faces_of(self) -> np.ndarray:
        """Faces of each person, int64 array of shape (n_people,)."""
        return np.bincount(self.number)[1:]

    def decisions(self) -> dict[int, Decision]:
        """What is said about each grouped row."""
        n_faces = self.n_faces_of[self.number - 1]
        return {
            int(row): _decision(int(number), float(n), float(similarity))
            for row, number, n, similarity in zip(self.rows, self.number, n_faces, self.similarity, strict=True)
        }

    def summary(self) -> dict:
        """JSON values."""
        n_faces = self.n_faces_of
        return {
            "faces_grouped": len(self.rows),
            "people": len(n_faces),
            "seen_once": int((n_faces == 1).sum()),
            "threshold": self.threshold,
        }


def _decision(number: int, n_faces: float, similarity: float) -> Decision:
    name = f"{PERSON} {number}"
    details = {"faces": n_faces}
    if np.isfinite(similarity):
        details["similarity"] = similarity
    return Decision(PERSON, name, predicted=name, details=details, palette_position=number)


def write_groups(output: Path, root: Path, table: FaceTable, groups: GroupedFaces, jobs: int) -> None:
    """Write ``groups.csv``, and a contact sheet of each person who was seen more than once; replaces earlier sheets."""
    order = np.lexsort((groups.rows, groups.number))
    frame = _frame(table, groups).iloc[order]
    with atomic_path(output / GROUPS_CSV) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")
    shown = {number: _spread(groups.rows[groups.number == number]) for number in range(1, len(groups.n_faces_of) + 1)}
    alone = _spread(np.array([rows[0] for rows in shown.values() if len(rows) == 1], np.int64))
    sheets = {f"{PERSON}_{number:04d}.jpg": rows for number, rows in shown.items() if len(rows) > 1}
    sheets |= {ALONE: alone} if len(alone) else {}
    pictures = cut_faces(root, table, np.unique(np.concatenate([*sheets.values(), np.empty(0, np.int64)])), jobs)
    folder = output / SHEETS
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in [*folder.glob(f"{PERSON}_[0-9]*.jpg"), folder / ALONE]:
        earlier.unlink(missing_ok=True)
    for name, rows in sheets.items():
        write_image(folder / name, contact_sheet([_section(name, rows, groups, table, pictures)]))


def _frame(table: FaceTable, groups: GroupedFaces) -> pd.DataFrame:
    rows = groups.rows
    columns = {PERSON: groups.number, "path": table.path[rows], "face_number": table.face_index[rows] + 1}
    columns |= {name: table.box_xyxy[rows, side] for side, name in enumerate(("x0", "y0", "x1", "y1"))}
    return pd.DataFrame({**columns, "similarity": groups.similarity})


def _spread(rows: np.ndarray) -> np.ndarray:
    if len(rows) <= MAX_TILES:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MAX_TILES).astype(int)]


def _section(name: str, rows: np.ndarray, groups: GroupedFaces, table: FaceTable, pictures: dict) -> Section:
    texts = {int(row): table.keys[row] for row in rows}
    if name == ALONE:
        return Section(f"{int((groups.n_faces_of == 1).sum())} people seen once", tiles_of(rows, pictures, texts))
    number = int(groups.number[np.flatnonzero(groups.rows == rows[0])[0]])
    return Section(f"{PERSON} {number}: {groups.n_faces_of[number - 1]} faces", tiles_of(rows, pictures, texts))
