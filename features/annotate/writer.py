"""Annotated photos and their tables, photo by photo; memory does not grow with the number of photos.

=====================  ================================================================================================
``SUB/team.jpg``       the annotated photo; the photo itself where it has no face
``SUB/team.csv``       its faces, with the columns of the original ``pred.py`` where the heads have them
``photos.csv``         one row a photo, also for those that could not be read: status and counts of each class
``faces.csv``          one row a face
``faces.parquet``      the same
``faces.json``         the same nested, with the texts that were drawn and where the decisions come from
=====================  ================================================================================================

Every file appears complete or not at all. The tables about all photos are made in :meth:`AnnotationWriter.close` from
a journal that lies in the output folder until then.
"""

from __future__ import annotations

import csv
import functools
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from faceheads.atomic import atomic_path, write_text
from faceheads.images.writing import write_image

from .decisions import FaceDecisions
from .drawing import draw_faces
from .names import FACES_CSV, FACES_JSON, FACES_PARQUET, PHOTOS_CSV, plan_names
from .records import Columns, PhotoRecord, face_rows, own_rows, photo_json, photo_row

#: Raised when the meaning of a field of faces.json changes.
FORMAT_VERSION = 1
#: Photos that are turned into rows at a time.
BATCH = 512
_PROVENANCE_KEY = b"faceheads.provenance"


class AnnotationWriter:
    """Writes annotated photos and tables into a folder; use it as a context manager.

    Parameters
    ----------
    output_dir : path
        Made if need be; files of earlier runs are replaced. Must not be where the photos are.
    input_dir : path
        Folder of the photos.
    paths : iterable of str
        All photos, relative to ``input_dir`` with forward slashes. Those that are never added are listed as ``failed``.
    provenance : mapping, optional
        JSON values that say where the decisions come from: heads, embedder digest, detector, versions.
    font_path : str, optional
        See :func:`draw_faces`.

    Raises
    ------
    ValueError
        If an output file would replace a photo, or a path leads out of the folder.
    """

    def __init__(
        self,
        output_dir: str | os.PathLike,
        input_dir: str | os.PathLike,
        paths: Iterable[str],
        *,
        provenance: Mapping | None = None,
        font_path: str | None = None,
    ) -> None:
        self.output_dir, self.input_dir = Path(output_dir), Path(input_dir)
        self._names = plan_names(paths)
        self._check_no_photo_is_replaced()
        self._provenance = json.dumps(
            {} if provenance is None else dict(provenance), ensure_ascii=False, allow_nan=False
        )
        self._font_path = font_path
        self._added: set[str] = set()
        self._columns = Columns()
        self._journal = _open_journal(self.output_dir)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def add_photo(
        self,
        path: str,
        image: np.ndarray | None = None,
        faces: Sequence[FaceDecisions] = (),
        status: str = "ok",
        reason: str = "",
    ) -> None:
        """Draws and writes one photo.

        Parameters
        ----------
        path : str
            One of ``paths``, once.
        image : ndarray of shape (height, width, 3), uint8, RGB, optional
            The decoded photo, upright; without it the photo is only listed, because it could not be read.
        faces : sequence of FaceDecisions
            In the order of the detector; without faces the file is copied as it is.
        status, reason : str
            See :class:`PhotoRecord`.

        Raises
        ------
        ValueError
            If the path was not announced or is added twice, if there are faces without an image, or if two tasks would
            share a column.
        OSError
            If a file cannot be written, or the photo cannot be copied.
        """
        record = PhotoRecord(path, image, tuple(faces), status, reason)
        self._check(record)
        for face in record.faces:
            self._columns.add(face)
        picture, table = self._write_files(record)
        self._log(photo_json(record, picture, table))

    def close(self) -> None:
        """Writes the tables about all photos; does nothing the second time."""
        if self._journal.closed:
            return
        try:
            for path in self._names:
                if path not in self._added:
                    reason = "the run ended before this photo"
                    self._log(photo_json(PhotoRecord(path, status="failed", reason=reason), "", ""))
            self._write_tables()
        finally:
            self._journal.close()

    def _check(self, record: PhotoRecord) -> None:
        if self._journal.closed:
            raise ValueError(f"photos must be added before close(); got {record.path!r} afterwards.")
        if record.path not in self._names:
            raise ValueError(f"path must be one of the announced photos; got {record.path!r}.")
        if record.path in self._added:
            raise ValueError(f"each photo must be added once; got {record.path!r} again.")
        if record.faces and record.image is None:
            raise ValueError(f"faces must come with the image they are drawn on; got none for {record.path!r}.")

    def _check_no_photo_is_replaced(self) -> None:
        identity = functools.cache(_folder_identity)

        def entry(path: Path) -> tuple[object, str]:
            return identity(path.parent), path.name.casefold()  # some file systems do not tell capitals apart

        photos = {entry(self.input_dir / path) for path in self._names}
        for path, names in self._names.items():
            for name in (names.copy, names.picture, names.table):
                if entry(self.output_dir / name) in photos:
                    raise ValueError(
                        f"output_dir must not be where the photos are: {str(self.output_dir / name)!r}, written for "
                        f"{path!r}, is one of the photos. Choose another folder."
                    )

    def _write_files(self, record: PhotoRecord) -> tuple[str, str]:
        """Writes what there is to write about one photo and returns the names of its picture and table."""
        names = self._names[record.path]
        if record.image is None:
            return "", ""
        (self.output_dir / names.picture).parent.mkdir(parents=True, exist_ok=True)
        if not record.faces:
            with atomic_path(self.output_dir / names.copy) as temporary:
                shutil.copyfile(self.input_dir / record.path, temporary)
            return names.copy, ""
        write_image(self.output_dir / names.picture, draw_faces(record.image, record.faces, font_path=self._font_path))
        write_text(self.output_dir / names.table, _csv_text(*own_rows(record)))
        return names.picture, names.table

    def _log(self, photo: dict) -> None:
        self._added.add(photo["path"])
        self._journal.write(json.dumps(photo, ensure_ascii=False, allow_nan=False) + "\n")

    def _logged(self) -> Iterator[dict]:
        self._journal.seek(0)
        return (json.loads(line) for line in self._journal)

    def _write_tables(self) -> None:
        with (
            atomic_path(self.output_dir / FACES_JSON) as path,
            open(path, "w", encoding="utf-8", newline="\n") as file,
        ):
            _write_json(file, self._provenance, self._logged())
        with atomic_path(self.output_dir / PHOTOS_CSV) as path, open(path, "w", encoding="utf-8", newline="") as file:
            rows = (photo_row(photo, self._columns) for photo in self._logged())
            _write_csv(file, self._columns.photo_header(), rows)
        csv_path, parquet_path = self.output_dir / FACES_CSV, self.output_dir / FACES_PARQUET
        with atomic_path(csv_path) as temporary_csv, atomic_path(parquet_path) as temporary_parquet:
            self._write_faces(temporary_csv, temporary_parquet)

    def _write_faces(self, csv_path: Path, parquet_path: Path) -> None:
        schema = self._columns.face_schema().with_metadata({_PROVENANCE_KEY: self._provenance.encode()})
        with (
            open(csv_path, "w", encoding="utf-8", newline="") as file,
            pq.ParquetWriter(parquet_path, schema, compression="zstd") as parquet,
        ):
            _write_csv(file, schema.names, [])
            for batch in _batches(self._logged()):
                rows = [row for photo in batch for row in face_rows(photo)]
                _write_csv(file, schema.names, rows, with_header=False)
                parquet.write_table(pa.Table.from_pylist(rows, schema))


def write_results(
    output_dir: str | os.PathLike,
    input_dir: str | os.PathLike,
    records: Sequence[PhotoRecord],
    *,
    provenance: Mapping | None = None,
) -> None:
    """Writes everything about photos that are already in memory; see :class:`AnnotationWriter`."""
    with AnnotationWriter(output_dir, input_dir, [r.path for r in records], provenance=provenance) as writer:
        for r in records:
            writer.add_photo(r.path, r.image, r.faces, r.status, r.reason)


def _open_journal(folder: Path) -> IO[str]:
    """A nameless file (on Windows: one that vanishes when closed) on the disk that the tables go to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", dir=folder)
    except OSError as error:
        raise OSError(f"output_dir {str(folder)!r} cannot be written to: {error.strerror}.") from error


def _folder_identity(folder: Path) -> object:
    """What identifies a folder whatever links lead there: device and inode, or its path while it does not exist."""
    try:
        status = os.stat(folder)
    except (FileNotFoundError, NotADirectoryError):
        return os.path.realpath(folder)
    return status.st_dev, status.st_ino


def _csv_text(header: Sequence[str], rows: Iterable[Mapping]) -> str:
    text = io.StringIO()
    _write_csv(text, header, rows)
    return text.getvalue()


def _write_csv(file: IO[str], header: Sequence[str], rows: Iterable[Mapping], with_header: bool = True) -> None:
    table = csv.DictWriter(file, header, lineterminator="\n")
    if with_header:
        table.writeheader()
    table.writerows(rows)


def _write_json(file: IO[str], provenance: str, photos: Iterable[dict]) -> None:
    """One photo a line, so that the file can be read, compared and written piece by piece."""
    file.write(f'{{"format_version": {FORMAT_VERSION},\n"provenance": {provenance},\n"photos": [')
    for position, photo in enumerate(photos):
        file.write(",\n" if position else "\n")
        file.write(json.dumps(photo, ensure_ascii=False, allow_nan=False))
    file.write("\n]}\n")


def _batches(photos: Iterator[dict]) -> Iterator[list[dict]]:
    batch = []
    for photo in photos:
        batch.append(photo)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
