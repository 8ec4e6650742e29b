"""Photos whose faces are known before they are drawn: from a feature table, with decisions about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faceheads.table import FaceTable, Status

from ..face import Face
from .decisions import Decision, FaceDecisions


@dataclass(frozen=True)
class KnownPhoto:
    """One photo of a feature table.

    Attributes
    ----------
    status : Status
    reason : str
    faces : tuple of FaceDecisions
        In the order of the table.
    """

    status: Status
    reason: str = ""
    faces: tuple[FaceDecisions, ...] = ()


def known_photos(table: FaceTable, decisions: Sequence[tuple[Decision, ...]]) -> dict[str, KnownPhoto]:
    """The photos of a table by path.

    Parameters
    ----------
    table : FaceTable
        With a specification.
    decisions : sequence of tuple of Decision, of length n_rows
        About each row; those of rows without a face are left out.
    """
    faces: dict[str, list[FaceDecisions]] = {}
    first: dict[str, int] = {}
    has_face = table.has_embedding
    for row, path in enumerate(table.path):
        first.setdefault(path, row)
        if has_face[row]:
            faces.setdefault(path, []).append(FaceDecisions(_face(table, row), decisions[row]))
    return {
        path: KnownPhoto(Status(table.status[row]), table.reason[row], tuple(faces.get(path, ())))
        for path, row in first.items()
    }


def _face(table: FaceTable, row: int) -> Face:
    score = float(table.detection_score[row])
    scheme = table.spec.embedder.landmark_scheme
    return Face(table.box_xyxy[row], score, table.spec.detector, table.landmarks_xy[row], scheme)
