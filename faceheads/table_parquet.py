"""Feature tables as Parquet: one file, or a folder of shards.

Every row of the table; embeddings as a fixed-size list of float32 (null in rows without one), zstd with byte-stream
split, the specification as JSON in the file's metadata. Tables are written and read in pieces, so that memory does not
grow with them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .atomic import atomic_path
from .spec import TableSpec
from .table import QUALITY_COLUMNS, FaceTable, TableError, of_one_spec

FORMAT_VERSION = "1"
_SPEC_KEY = b"faceheads.spec"
_VERSION_KEY = b"faceheads.format_version"
#: Rows of a row group: small enough for flat memory, large enough to compress.
ROW_GROUP = 4096
_FLOAT_LISTS = ("box_xyxy", "landmarks_xy", "embedding")


def _schema(spec: TableSpec | None, n_landmarks: int, dimension: int) -> pa.Schema:
    columns = [
        ("path", pa.string()),
        ("sha256", pa.string()),
        ("face_index", pa.int32()),
        ("n_faces", pa.int32()),
        ("image_height", pa.int32()),
        ("image_width", pa.int32()),
        ("box_xyxy", pa.list_(pa.float32(), 4)),
        ("landmarks_xy", pa.list_(pa.float32(), 2 * n_landmarks)),
        ("detection_score", pa.float32()),
        *((name, pa.float32()) for name in QUALITY_COLUMNS),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("embedding", pa.list_(pa.float32(), dimension)),
    ]
    if n_landmarks == 0:  # Parquet has no lists of length 0
        columns = [column for column in columns if column[0] != "landmarks_xy"]
    meta = {_VERSION_KEY: FORMAT_VERSION, _SPEC_KEY: json.dumps(None if spec is None else spec.to_json())}
    return pa.schema(columns, metadata=meta)


def _float_list(values: np.ndarray, is_null: np.ndarray) -> pa.Array:
    flat = np.ascontiguousarray(values, np.float32).reshape(len(values), -1)
    flat = np.where(is_null[:, None], np.float32(0), flat)  # the bytes below a null are not data
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1], mask=pa.array(is_null))


def _to_arrow(table: FaceTable) -> pa.Table:
    schema = _schema(table.spec, table.landmarks_xy.shape[1], table.dimension)
    columns = {
        "path": pa.array(table.path, pa.string()),
        "sha256": pa.array(table.sha256, pa.string()),
        "face_index": pa.array(table.face_index),
        "n_faces": pa.array(table.n_faces),
        "image_height": pa.array(np.ascontiguousarray(table.image_hw[:, 0])),
        "image_width": pa.array(np.ascontiguousarray(table.image_hw[:, 1])),
        "box_xyxy": _float_list(table.box_xyxy, np.isnan(table.box_xyxy).any(axis=1)),
        "detection_score": pa.array(table.detection_score),
        **{name: pa.array(getattr(table, name)) for name in QUALITY_COLUMNS},
        "status": pa.array(table.status, pa.string()),
        "reason": pa.array(table.reason, pa.string()),
        "embedding": _float_list(table.embedding, ~table.has_embedding),
    }
    if "landmarks_xy" in schema.names:
        columns["landmarks_xy"] = _float_list(table.landmarks_xy, np.isnan(table.landmarks_xy).any(axis=(1, 2)))
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def _parquet_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=["status", "reason"],
        use_byte_stream_split=[f"{name}.list.element" for name in _FLOAT_LISTS if name in schema.names],
    )


def write_parquet(path: str | os.PathLike, tables: Iterable[FaceTable]) -> None:
    """Write tables of one specification into one Parquet file, one after the other, atomically.

    Raises
    ------
    TableError
        If there is no table, or their specifications differ.
    """
    writer = None
    with atomic_path(Path(path)) as temporary:
        try:
            for table in of_one_spec(tables):
                arrow = _to_arrow(table)
                if writer is None:
                    writer = _parquet_writer(temporary, arrow.schema)
                writer.write_table(arrow, row_group_size=ROW_GROUP)
        finally:
            if writer is not None:
                writer.close()


def _open_parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{path} is not a readable Parquet file ({error}). Extract again.") from error


def spec_of_parquet(path: Path) -> TableSpec | None:
    """The specification of a Parquet table, a file or a folder, without reading its rows.

    Raises
    ------
    TableError
        If the file is missing, damaged, or was not written by faceheads.
    """
    path = _shards(path)[0] if path.is_dir() else path
    if not path.is_file():
        raise TableError(f"There is no feature table at {path}. Make one with feature_extraction.py.")
    with _open_parquet(path) as file:
        return _spec_of_schema(file.schema_arrow, path)


def _spec_of_schema(schema: pa.Schema, path: Path) -> TableSpec | None:
    metadata = schema.metadata if schema.metadata is not None else {}
    if metadata.get(_VERSION_KEY) != FORMAT_VERSION.encode():
        raise TableError(
            f"{path} is not a faceheads feature table of format {FORMAT_VERSION}. "
            "Make one with feature_extraction.py --save_feature."
        )
    try:
        values = json.loads(metadata[_SPEC_KEY])
        return None if values is None else TableSpec.from_json(values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TableError(f"The specification inside {path} is damaged ({error}). Extract again.") from error


def _shards(folder: Path) -> list[Path]:
    parts = sorted(folder.glob("part-*.parquet"))
    if not parts:
        raise TableError(f"The folder {folder} holds no part-*.parquet: it is not a feature table.")
    return parts


def iterate_parquet(path: Path) -> Iterator[FaceTable]:
    """The rows of a Parquet table in pieces of at most 4,096, so that memory does not grow with the table.

    Raises
    ------
    TableError
        If a file is missing or damaged, or the shards of a folder differ in their specification.
    ValueError
        If rows contradict each other.
    """
    files = _shards(path) if path.is_dir() else [path]
    digest = None
    for i, file in enumerate(files):
        for table in _iterate_file(file):
            if i and table.table_digest != digest:
                raise TableError(f"{file} has another specification than the other shards of {path}. Extract again.")
            digest = table.table_digest
            yield table


def _iterate_file(path: Path) -> Iterator[FaceTable]:
    spec = spec_of_parquet(path)
    with _open_parquet(path) as file:
        _check_schema(file.schema_arrow, spec, path)
        try:
            for batch in file.iter_batches(batch_size=ROW_GROUP):
                yield _from_arrow(batch, spec)
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"{path} is damaged ({error}). Extract again.") from error


def _check_schema(schema: pa.Schema, spec: TableSpec | None, path: Path) -> None:
    needs_landmarks = spec is not None and spec.embedder.landmark_scheme != "none"
    has_none = "landmarks_xy" not in schema.names and not needs_landmarks
    try:
        n_landmarks = 0 if has_none else schema.field("landmarks_xy").type.list_size // 2
        dimension = schema.field("embedding").type.list_size
    except (KeyError, AttributeError) as error:
        raise TableError(f"{path} has no embedding or landmark column of fixed size. Extract again.") from error
    expected = _schema(spec, n_landmarks, dimension)
    for name in expected.names:
        if name in QUALITY_COLUMNS and name not in schema.names:
            continue  # written before they were measured
        if name not in schema.names or schema.field(name).type != expected.field(name).type:
            raise TableError(f"Column {name!r} of {path} is missing or has another type. Extract again.")


def _from_arrow(batch: pa.RecordBatch, spec: TableSpec | None) -> FaceTable:
    def column(name: str) -> pa.Array:
        return batch.column(batch.schema.get_field_index(name))

    def numbers(name: str) -> np.ndarray:
        return column(name).to_numpy(zero_copy_only=False)

    n = batch.num_rows
    landmarks = np.empty((n, 0), np.float32)
    if "landmarks_xy" in batch.schema.names:
        landmarks = _list_values(column("landmarks_xy"), n)
    return FaceTable(
        path=column("path").to_numpy(zero_copy_only=False),
        sha256=column("sha256").to_numpy(zero_copy_only=False),
        face_index=column("face_index").to_numpy(),
        n_faces=column("n_faces").to_numpy(),
        image_hw=np.stack([column("image_height").to_numpy(), column("image_width").to_numpy()], axis=1),
        box_xyxy=_list_values(column("box_xyxy"), n),
        landmarks_xy=landmarks.reshape(n, landmarks.shape[1] // 2, 2),
        detection_score=numbers("detection_score"),
        status=column("status").to_numpy(zero_copy_only=False),
        reason=column("reason").to_numpy(zero_copy_only=False),
        embedding=_list_values(column("embedding"), n),
        spec=spec,
        **{name: numbers(name) for name in QUALITY_COLUMNS if name in batch.schema.names},
    )


def _list_values(array: pa.FixedSizeListArray, n_rows: int) -> np.ndarray:
    size = array.type.list_size
    out = np.full((n_rows, size), np.nan, np.float32)
    is_valid = array.is_valid().to_numpy(zero_copy_only=False)
    out[is_valid] = array.flatten().to_numpy(zero_copy_only=False).reshape(-1, size)
    return out
