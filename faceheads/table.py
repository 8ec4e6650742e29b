"""The feature table: every input image has a row, faces that could be used have an embedding.

A :class:`FaceTable` is a struct of arrays that are checked once, when it is made. Its file forms are in
:mod:`faceheads.table_io`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np

from .spec import TableSpec


class Status(StrEnum):
    """What became of one input image, or of one face in it."""

    OK = "ok"  #: a face was found and has an embedding
    WHOLE_IMAGE = "whole_image"  #: no face was found, the whole image was embedded because the user asked for it
    NO_FACE = "no_face"  #: the image was read, the detector found nothing
    SEVERAL_FACES = "several_faces"  #: more than one face under the policy ``only``
    TOO_SMALL = "too_small"  #: every face that was found is smaller than ``min_face_px``
    UNREADABLE = "unreadable"  #: the file could not be decoded; the reason says why
    FAILED = "failed"  #: the image was read but processing it failed; the reason says where

    @property
    def has_embedding(self) -> bool:
        """Whether rows of this status carry a vector."""
        return self in (Status.OK, Status.WHOLE_IMAGE)


class TableError(ValueError):
    """A feature table cannot be read, or does not fit what it is to be used for; the message says what to do."""


#: What is measured on the crop of each face beside its embedding; absent from tables of older versions.
QUALITY_COLUMNS = ("brightness", "sharpness")
_STATUS_VALUES = frozenset(s.value for s in Status)
_WITH_EMBEDDING = [s.value for s in Status if s.has_embedding]


@dataclass(frozen=True, eq=False)
class FaceTable:
    """Faces of many images, one row a face and one row for every image that gave none.

    Attributes
    ----------
    path : ndarray of shape (n_rows,), object (str)
        Path of the image relative to the data folder, with forward slashes.
    sha256 : ndarray of shape (n_rows,), object (str)
        sha256 of the file's bytes, 64 hexadecimal characters; empty where the file could not be read at all.
    face_index : ndarray of shape (n_rows,), int32
        0 for the first face of an image in this table, then 1, 2, …
    n_faces : ndarray of shape (n_rows,), int32
        Faces that the detector found in the image, whatever the policy kept.
    image_hw : ndarray of shape (n_rows, 2), int32
        Height and width of the image in pixels after EXIF orientation; 0 where unreadable.
    box_xyxy : ndarray of shape (n_rows, 4), float32
        Half-open box in pixels of the full image; NaN without a face.
    landmarks_xy : ndarray of shape (n_rows, n_landmarks, 2), float32
        Landmarks of the spec's scheme in pixels; NaN without a face.
    detection_score : ndarray of shape (n_rows,), float32
        The detector's confidence; NaN without a detection.
    status : ndarray of shape (n_rows,), object (str)
        A value of :class:`Status`.
    reason : ndarray of shape (n_rows,), object (str)
        Why a row has no embedding, or a remark; may be empty.
    embedding : ndarray of shape (n_rows, dimension), float32
        NaN in rows whose status carries no embedding.
    spec : TableSpec or None
        How the vectors were made; None for a CSV written by other software, which can be trained on but not served.
    brightness, sharpness : ndarray of shape (n_rows,), float32, optional
        Of the middle of the aligned crop: mean luma from 0 to 255, and variance of the Laplacian of the luma, see
        :mod:`features.quality`. NaN without a face and in tables of versions that did not measure them.

    Raises
    ------
    ValueError
        If shapes, statuses or keys contradict each other.
    """

    path: np.ndarray
    sha256: np.ndarray
    face_index: np.ndarray
    n_faces: np.ndarray
    image_hw: np.ndarray
    box_xyxy: np.ndarray
    landmarks_xy: np.ndarray
    detection_score: np.ndarray
    status: np.ndarray
    reason: np.ndarray
    embedding: np.ndarray
    spec: TableSpec | None
    brightness: np.ndarray | None = None
    sharpness: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in QUALITY_COLUMNS:
            if getattr(self, name) is None:
                self._set(name, np.full(len(self.path), np.nan))
        for name in ("path", "sha256", "status", "reason"):
            self._set(name, np.asarray(getattr(self, name), dtype=object))
        for name in ("face_index", "n_faces", "image_hw"):
            self._set(name, np.asarray(getattr(self, name), np.int32))
        for name in ("box_xyxy", "landmarks_xy", "detection_score", "embedding", *QUALITY_COLUMNS):
            self._set(name, np.asarray(getattr(self, name), np.float32))
        self._check_shapes()
        self._check_values()

    def _set(self, name: str, value: np.ndarray) -> None:
        object.__setattr__(self, name, value)

    def _check_shapes(self) -> None:
        n = len(self.path)
        expected = {"image_hw": (n, 2), "box_xyxy": (n, 4)}
        for column in self._column_names():
            array = getattr(self, column)
            if column == "embedding":
                good = array.ndim == 2 and len(array) == n
            elif column == "landmarks_xy":
                good = array.ndim == 3 and len(array) == n and array.shape[2] == 2
            else:
                good = array.shape == expected.get(column, (n,))
            if not good:
                raise ValueError(f"Column {column} has shape {array.shape}, which does not fit {n} rows.")
        if self.spec is not None and self.embedding.shape[1] != self.spec.embedder.dimension:
            raise ValueError(
                f"embeddings must have {self.spec.embedder.dimension} columns for "
                f"{self.spec.embedder.network!r}; got {self.embedding.shape[1]}. Extract again."
            )

    def _check_values(self) -> None:
        unknown = sorted(map(str, set(self.status) - _STATUS_VALUES))
        if unknown:
            raise ValueError(f"status must be one of {sorted(_STATUS_VALUES)}; got {unknown[:3]}.")
        finite = np.isfinite(self.embedding).all(axis=1) if self.embedding.shape[1] else np.ones(len(self), bool)
        broken = np.flatnonzero(self.has_embedding & ~finite)
        if len(broken):
            raise ValueError(f"Row {self.keys[broken[0]]!r} has status ok but its embedding is not finite.")
        twice = [key for key, count in Counter(self.keys).items() if count > 1]
        if twice:
            raise ValueError(f"Each face may have one row only; found several for {twice[:3]}.")

    @classmethod
    def _column_names(cls) -> list[str]:
        return [f.name for f in fields(cls) if f.name != "spec"]

    def __len__(self) -> int:
        return len(self.path)

    def __getitem__(self, rows: slice | np.ndarray | Sequence[int]) -> FaceTable:
        """The rows chosen by a slice, a boolean mask or positions, all columns together."""
        index = rows if isinstance(rows, slice) else np.asarray(rows)
        return FaceTable(**{name: getattr(self, name)[index] for name in self._column_names()}, spec=self.spec)

    @property
    def has_embedding(self) -> np.ndarray:
        """Boolean array of shape (n_rows,): rows that carry a vector."""
        return np.isin(self.status.astype(str), _WITH_EMBEDDING)

    @property
    def usable(self) -> FaceTable:
        """The rows that carry a vector."""
        return self[self.has_embedding]

    @property
    def keys(self) -> np.ndarray:
        """Array of shape (n_rows,) of str: the path, with ``#2``, ``#3`` … from the second face on."""
        return np.array([face_key(p, i) for p, i in zip(self.path, self.face_index, strict=True)], dtype=object)

    @property
    def dimension(self) -> int:
        """Length of the embeddings."""
        return self.embedding.shape[1]

    @property
    def table_digest(self) -> str | None:
        """The digest of the specification; None without one."""
        return None if self.spec is None else self.spec.table_digest

    @property
    def n_images(self) -> int:
        """Number of input images."""
        return len(set(self.path))

    def status_counts(self) -> dict[str, int]:
        """Number of *images* per status, every status of :class:`Status` listed."""
        first = {}
        for path, status in zip(self.path, self.status, strict=True):
            first.setdefault(path, status)
        counts = Counter(first.values())
        return {s.value: counts.get(s.value, 0) for s in Status}

    @classmethod
    def concatenate(cls, tables: Iterable[FaceTable]) -> FaceTable:
        """One table of the rows of several.

        Raises
        ------
        ValueError
            If there is none, their specs differ, or a face occurs twice.
        """
        tables = list(tables)
        if not tables:
            raise ValueError("Cannot concatenate no tables.")
        digests = {t.table_digest for t in tables}
        if len(digests) > 1:
            raise ValueError(
                f"Tables of different specifications cannot be joined (digests {sorted(map(str, digests))}). "
                "Extract all images with the same settings."
            )
        columns = {name: np.concatenate([getattr(t, name) for t in tables]) for name in cls._column_names()}
        return cls(**columns, spec=tables[0].spec)

    @classmethod
    def from_rows(cls, rows: Sequence[FaceRow], n_landmarks: int, spec: TableSpec) -> FaceTable:
        """A table made of single rows; missing boxes, landmarks and embeddings become NaN."""
        dimension = spec.embedder.dimension
        return cls(
            path=_objects(r.path for r in rows),
            sha256=_objects(r.sha256 for r in rows),
            face_index=np.array([r.face_index for r in rows], np.int32),
            n_faces=np.array([r.n_faces for r in rows], np.int32),
            image_hw=np.array([r.image_hw for r in rows], np.int32).reshape(-1, 2),
            box_xyxy=_stack([r.box_xyxy for r in rows], (4,)),
            landmarks_xy=_stack([r.landmarks_xy for r in rows], (n_landmarks, 2)),
            detection_score=np.array([r.detection_score for r in rows], np.float32),
            status=_objects(str(r.status) for r in rows),
            reason=_objects(r.reason for r in rows),
            embedding=_stack([r.embedding for r in rows], (dimension,)),
            spec=spec,
            **{name: np.array([getattr(r, name) for r in rows], np.float32) for name in QUALITY_COLUMNS},
        )


@dataclass(slots=True)
class FaceRow:
    """One row of a :class:`FaceTable` while it is being made; same columns, None for what is missing."""

    path: str
    sha256: str
    status: Status
    reason: str = ""
    face_index: int = 0
    n_faces: int = 0
    image_hw: tuple[int, int] = (0, 0)
    box_xyxy: np.ndarray | None = None
    landmarks_xy: np.ndarray | None = None
    detection_score: float = float("nan")
    embedding: np.ndarray | None = None
    brightness: float = float("nan")
    sharpness: float = float("nan")


def of_one_spec(tables: Iterable[FaceTable]) -> Iterator[FaceTable]:
    """The tables one by one, for a file that holds them all.

    Raises
    ------
    TableError
        If there is none, or the specification of one differs from that of the first.
    """
    first = None
    for table in tables:
        first = table if first is None else first
        if table.table_digest != first.table_digest:
            raise TableError("Tables of different specifications cannot stand in one file.")
        yield table
    if first is None:
        raise TableError("There is nothing to write: no table was given.")


def face_key(path: str, face_index: int) -> str:
    """The key of a face: the path of its image, with ``#2``, ``#3`` … from the second face on."""
    return path if face_index == 0 else f"{path}#{face_index + 1}"


def _objects(values: Iterable) -> np.ndarray:
    values = list(values)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _stack(values: Sequence[np.ndarray | None], shape: tuple[int, ...]) -> np.ndarray:
    out = np.full((len(values), *shape), np.nan, np.float32)
    for i, value in enumerate(values):
        if value is not None:
            out[i] = value
    return out
