"""Several embedders for one head: their tables joined, the vectors of a face one behind the other.

Tables are joined by photo: each must have one row a photo, of the same photos with the same content. Where two detectors
looked at a photo they may have chosen different people; a face is the same when the middle of each box lies in the other.
The specification of what comes out holds those of the tables in order, and its digest covers them all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .spec import EmbedderSpec, TableSpec, canonical_json
from .table import FaceTable, Status, TableError

#: The network's name in the specification of vectors of several embedders.
JOINED = "joined"
DIFFERENT_FACES = "the tables show different faces of this photo"
_WITH_VECTOR = [status.value for status in Status if status.has_embedding]
_N_EXAMPLES = 3


def join_tables(tables: Sequence[FaceTable]) -> FaceTable:
    """One table whose vectors are those of all tables, in their order.

    Parameters
    ----------
    tables : sequence of FaceTable
        At least one; a single one comes back as it is.

    Returns
    -------
    FaceTable
        Rows, boxes and landmarks of the first. A row has a vector where all tables have one, and of the same face;
        otherwise its status and reason say what is missing.

    Raises
    ------
    TableError
        If a table has no specification, several faces of a photo, or other photos than the first.
    """
    first, *others = tables
    if not others:
        return first
    for number, table in enumerate(tables, start=1):
        _check_joinable(table, number)
    aligned = [first, *(_in_order(table, first, number) for number, table in enumerate(others, start=2))]
    status, reason = first.status.copy(), first.reason.copy()
    for table in aligned[1:]:
        is_lost = np.isin(status, _WITH_VECTOR) & ~table.has_embedding
        status[is_lost], reason[is_lost] = table.status[is_lost], table.reason[is_lost]
        is_other = first.has_embedding & table.has_embedding & ~_same_face(first, table)
        status[is_other], reason[is_other] = Status.SEVERAL_FACES.value, DIFFERENT_FACES
    embedding = np.concatenate([table.embedding for table in aligned], axis=1)
    embedding[~np.isin(status, _WITH_VECTOR)] = np.nan
    spec = joined_spec([table.spec for table in tables])
    return replace(first, status=status, reason=reason, embedding=embedding, spec=spec)


def joined_spec(specs: Sequence[TableSpec]) -> TableSpec:
    """The specification of vectors that several specifications make, one behind the other."""
    first, parts = specs[0], [spec.to_json() for spec in specs]
    embedder = EmbedderSpec(
        network=JOINED,
        weights_sha256=hashlib.sha256(canonical_json(parts).encode()).hexdigest(),
        dimension=sum(spec.embedder.dimension for spec in specs),
        landmark_scheme=first.embedder.landmark_scheme,
        layers=tuple(spec.embedder_digest for spec in specs),
        metric=first.embedder.metric,
        input={"parts": parts},
    )
    return first.with_embedder(embedder)


def parts_of_spec(spec: TableSpec) -> list[TableSpec]:
    """The specifications that :func:`joined_spec` joined, in order; the specification itself where it is a single one."""
    if spec.embedder.network != JOINED:
        return [spec]
    return [TableSpec.from_json(part) for part in spec.embedder.input["parts"]]


def _check_joinable(table: FaceTable, number: int) -> None:
    if table.spec is None:
        raise TableError(
            f"Feature table {number} has no specification (a CSV of other software), so a head could not say which "
            "vectors it needs. Join tables that feature_extraction.py wrote."
        )
    if table.n_images != len(table):
        several = table.path[table.face_index > 0][0]
        raise TableError(
            f"Tables are joined by photo, so each photo must have one row; feature table {number} has several faces of "
            f"{several!r}. Extract again with --faces largest."
        )


def _in_order(table: FaceTable, first: FaceTable, number: int) -> FaceTable:
    """The rows of a table in the order of the first one."""
    position = {path: row for row, path in enumerate(table.path)}
    missing = [path for path in first.path if path not in position]
    if missing or len(table) != len(first):
        known = set(first.path)
        example = missing[0] if missing else next(path for path in table.path if path not in known)
        raise TableError(
            f"Feature tables 1 and {number} must be of the same photos; {example!r} is in one only. "
            "Extract both from the same folder."
        )
    table = table[np.array([position[path] for path in first.path], int)]
    is_other = (table.sha256 != first.sha256) & (table.sha256 != "") & (first.sha256 != "")
    if is_other.any():
        raise TableError(
            f"{is_other.sum()} photos changed between feature tables 1 and {number}, for example "
            f"{list(first.path[is_other][:_N_EXAMPLES])}. Extract both again."
        )
    return table


def _same_face(one: FaceTable, other: FaceTable) -> np.ndarray:
    """Whether the boxes of each row are of one face; true where one of them is not known."""
    is_known = np.isfinite(one.box_xyxy).all(axis=1) & np.isfinite(other.box_xyxy).all(axis=1)
    return ~is_known | (_holds_centre(one.box_xyxy, other.box_xyxy) & _holds_centre(other.box_xyxy, one.box_xyxy))


def _holds_centre(box_xyxy: np.ndarray, other_xyxy: np.ndarray) -> np.ndarray:
    centre_xy = (other_xyxy[:, :2] + other_xyxy[:, 2:]) / 2
    return ((box_xyxy[:, :2] <= centre_xy) & (centre_xy < box_xyxy[:, 2:])).all(axis=1)
