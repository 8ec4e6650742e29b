"""Rows of an earlier run, found again by the content of the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from faceheads.table import QUALITY_COLUMNS, FaceRow, FaceTable, Status, TableError
from faceheads.table_io import iterate_table

#: Pieces of a table kept in memory; neighbouring images mostly lie in the same one.
_N_PIECES_HELD = 4
_RETRIED = (Status.UNREADABLE.value, Status.FAILED.value)


class EarlierRows:
    """Rows by the sha256 of their image; only their places are held, the rows are read when they are needed.

    Parameters
    ----------
    sources : sequence of Path
        Feature tables of one specification, in any form.
    retry_failed : bool
        Whether images that were unreadable or failed count as not computed.
    """

    def __init__(self, sources: Sequence[Path], retry_failed: bool) -> None:
        self._place: dict[str, tuple[Path, int]] = {}
        self._contents: dict[tuple[str, str], tuple[Path, list[tuple[str, str]]]] = {}
        self._moved: dict[Path, Path] = {}
        self._piece = lru_cache(maxsize=_N_PIECES_HELD)(_read_piece)
        for source in sources:
            self._add(source, retry_failed)

    def _add(self, source: Path, retry_failed: bool) -> None:
        images: list[tuple[str, str]] = []
        for number, piece in enumerate(table_pieces(source)):
            for path, sha256, status in zip(piece.path, piece.sha256, piece.status, strict=True):
                if not images or images[-1] != (path, sha256):
                    images.append((path, sha256))
                if sha256 and not (retry_failed and status in _RETRIED):
                    self._place.setdefault(sha256, (source, number))
        if images:
            self._contents[images[0]] = (source, images)

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._place

    def __bool__(self) -> bool:
        return bool(self._place)

    def file_of_exactly(self, images: Sequence[tuple[str, str]]) -> Path | None:
        """The file that has the rows of these (path, sha256), in this order, and no others."""
        source, there = self._contents.get(images[0], (None, None))
        return source if there == list(images) and all(sha256 in self for _, sha256 in images) else None

    def rename(self, source: Path, target: Path) -> None:
        """Give a file of earlier rows another name on disk; its rows are found there from now on."""
        source.rename(target)
        self._moved[source] = target

    def rows(self, path: str, sha256: str) -> list[FaceRow]:
        """The earlier rows of an image's content, under the image's present path."""
        source, number = self._place[sha256]
        piece = self._piece(self._moved.get(source, source), number)
        wanted = np.flatnonzero(piece.sha256 == sha256)
        first = wanted[piece.path[wanted] == piece.path[wanted[0]]]
        return [_row_of(piece, i, path) for i in first]


def table_pieces(source: Path) -> Iterator[FaceTable]:
    """Pieces that never part the faces of one image."""
    held: FaceTable | None = None
    for piece in iterate_table(source):
        joined = piece if held is None else FaceTable.concatenate([held, piece])
        last = joined.path == joined.path[-1]
        held = joined[last]
        if not last.all():
            yield joined[~last]
    if held is not None:
        yield held


def _read_piece(source: Path, number: int) -> FaceTable:
    for i, piece in enumerate(table_pieces(source)):
        if i == number:
            return piece
    raise TableError(f"{source} changed while it was being read.")


def _row_of(table: FaceTable, i: int, path: str) -> FaceRow:
    has_vector = Status(table.status[i]).has_embedding
    return FaceRow(
        path=path,
        sha256=table.sha256[i],
        status=Status(table.status[i]),
        reason=table.reason[i],
        face_index=int(table.face_index[i]),
        n_faces=int(table.n_faces[i]),
        image_hw=tuple(int(v) for v in table.image_hw[i]),
        box_xyxy=table.box_xyxy[i] if has_vector else None,
        landmarks_xy=table.landmarks_xy[i] if has_vector else None,
        detection_score=float(table.detection_score[i]),
        embedding=table.embedding[i] if has_vector else None,
        **{name: float(getattr(table, name)[i]) for name in QUALITY_COLUMNS},
    )
