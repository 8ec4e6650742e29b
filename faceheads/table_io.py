"""Feature tables on disk: one Parquet file, a folder of Parquet shards, or the CSV of the original scripts.

===================  ==================================================================================================
``NAME.parquet``     every row; embeddings as a fixed-size list of float32 (null in rows without one), zstd with
                     byte-stream split, the specification as JSON in the file's metadata
``NAME/``            a folder of such files, ``part-00000.parquet`` …
``NAME.csv``         rows with an embedding only: index = key (``path``, ``path#2`` …), columns ``0 … dimension−1``, so
                     that ``pandas.read_csv(index_col=0)`` is enough; beside it ``NAME.status.csv`` with every row and
                     ``NAME.json`` with the specification
===================  ==================================================================================================

Files appear under their name only when they are complete: they are written to a temporary name, synced and renamed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .spec import TableSpec
from .table import FaceTable, Status

FORMAT_VERSION = "1"
_SPEC_KEY = b"faceheads.spec"
_VERSION_KEY = b"faceheads.format_version"
#: Rows of a row group: small enough for flat memory, large enough to compress.
ROW_GROUP = 4096
_FLOAT_LISTS = ("box_xyxy", "landmarks_xy", "embedding")


class TableError(ValueError):
    """A feature table cannot be read, or does not fit what it is to be used for; the message says what to do."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that is synced and renamed to it when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


# ------------------------------------------------------------------------------------------------- Parquet


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
        ("status", pa.string()),
        ("reason", pa.string()),
        ("embedding", pa.list_(pa.float32(), dimension)),
    ]
    meta = {_VERSION_KEY: FORMAT_VERSION, _SPEC_KEY: json.dumps(None if spec is None else spec.to_json())}
    return pa.schema(columns, metadata=meta)


def _float_list(values: np.ndarray, is_null: np.ndarray) -> pa.Array:
    flat = np.ascontiguousarray(values, np.float32).reshape(len(values), -1)
    flat = np.where(is_null[:, None], np.float32(0), flat)  # the bytes below a null are not data
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1], mask=pa.array(is_null))


def _to_arrow(table: FaceTable) -> pa.Table:
    schema = _schema(table.spec, table.landmarks_xy.shape[1], table.dimension)
    arrays = [
        pa.array(table.path, pa.string()),
        pa.array(table.sha256, pa.string()),
        pa.array(table.face_index),
        pa.array(table.n_faces),
        pa.array(np.ascontiguousarray(table.image_hw[:, 0])),
        pa.array(np.ascontiguousarray(table.image_hw[:, 1])),
        _float_list(table.box_xyxy, np.isnan(table.box_xyxy).any(axis=1)),
        _float_list(table.landmarks_xy, np.isnan(table.landmarks_xy).any(axis=(1, 2))),
        pa.array(table.detection_score),
        pa.array(table.status, pa.string()),
        pa.array(table.reason, pa.string()),
        _float_list(table.embedding, ~table.has_embedding),
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _parquet_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=["status", "reason"],
        use_byte_stream_split=[f"{name}.list.element" for name in _FLOAT_LISTS],
    )


def write_parquet(path: str | os.PathLike, tables: Iterable[FaceTable]) -> None:
    """Write tables of one specification into one Parquet file, one after the other, atomically.

    Raises
    ------
    TableError
        If there is no table, or their specifications differ.
    """
    writer = None
    digest = None
    with atomic_path(Path(path)) as temporary:
        try:
            for table in tables:
                arrow = _to_arrow(table)
                if writer is None:
                    writer, digest = _parquet_writer(temporary, arrow.schema), _digest(table)
                if _digest(table) != digest:
                    raise TableError("Tables of different specifications cannot stand in one file.")
                writer.write_table(arrow, row_group_size=ROW_GROUP)
            if writer is None:
                raise TableError("There is nothing to write: no table was given.")
        finally:
            if writer is not None:
                writer.close()


def _digest(table: FaceTable) -> str | None:
    return None if table.spec is None else table.spec.table_digest


def _open_parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{path} is not a readable Parquet file ({error}). Extract again.") from error


def read_spec(path: str | os.PathLike) -> TableSpec | None:
    """The specification of a table on disk, without reading its rows.

    Raises
    ------
    TableError
        If the file is missing, damaged, or was not written by faceheads.
    """
    path = Path(path)
    if path.suffix == ".csv":
        return _read_csv_spec(path)
    if path.is_dir():
        return _spec_of_file(_shards(path)[0])
    return _spec_of_file(path)


def _spec_of_file(path: Path) -> TableSpec | None:
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


def iterate_table(path: str | os.PathLike) -> Iterator[FaceTable]:
    """The rows of a Parquet table in pieces of at most 4,096, so that memory does not grow with the table.

    Raises
    ------
    TableError
        If a file is missing or damaged, or the shards of a folder differ in their specification.
    """
    path = Path(path)
    files = _shards(path) if path.is_dir() else [path]
    digest = None
    for i, file in enumerate(files):
        for table in _iterate_file(file):
            if i and _digest(table) != digest:
                raise TableError(f"{file} has another specification than the other shards of {path}. Extract again.")
            digest = _digest(table)
            yield table


def _iterate_file(path: Path) -> Iterator[FaceTable]:
    spec = _spec_of_file(path)
    with _open_parquet(path) as file:
        _check_schema(file.schema_arrow, spec, path)
        try:
            for batch in file.iter_batches(batch_size=ROW_GROUP):
                yield _from_arrow(batch, spec)
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"{path} is damaged ({error}). Extract again.") from error


def _check_schema(schema: pa.Schema, spec: TableSpec | None, path: Path) -> None:
    try:
        n_landmarks = schema.field("landmarks_xy").type.list_size // 2
        dimension = schema.field("embedding").type.list_size
    except (KeyError, AttributeError) as error:
        raise TableError(f"{path} has no embedding or landmark column of fixed size. Extract again.") from error
    expected = _schema(spec, n_landmarks, dimension)
    for name in expected.names:
        if name not in schema.names or schema.field(name).type != expected.field(name).type:
            raise TableError(f"Column {name!r} of {path} is missing or has another type. Extract again.")


def _from_arrow(batch: pa.RecordBatch, spec: TableSpec | None) -> FaceTable:
    def column(name: str) -> pa.Array:
        return batch.column(batch.schema.get_field_index(name))

    n = batch.num_rows
    landmarks = _list_values(column("landmarks_xy"), n)
    return FaceTable(
        path=column("path").to_numpy(zero_copy_only=False),
        sha256=column("sha256").to_numpy(zero_copy_only=False),
        face_index=column("face_index").to_numpy(),
        n_faces=column("n_faces").to_numpy(),
        image_hw=np.stack([column("image_height").to_numpy(), column("image_width").to_numpy()], axis=1),
        box_xyxy=_list_values(column("box_xyxy"), n),
        landmarks_xy=landmarks.reshape(n, -1, 2) if landmarks.shape[1] else np.empty((n, 0, 2), np.float32),
        detection_score=column("detection_score").to_numpy(zero_copy_only=False),
        status=column("status").to_numpy(zero_copy_only=False),
        reason=column("reason").to_numpy(zero_copy_only=False),
        embedding=_list_values(column("embedding"), n),
        spec=spec,
    )


def _list_values(array: pa.FixedSizeListArray, n_rows: int) -> np.ndarray:
    size = array.type.list_size
    out = np.full((n_rows, size), np.nan, np.float32)
    is_valid = array.is_valid().to_numpy(zero_copy_only=False)
    out[is_valid] = array.flatten().to_numpy(zero_copy_only=False).reshape(-1, size)
    return out


# ------------------------------------------------------------------------------------------------- CSV


def status_path(path: Path) -> Path:
    """``NAME.status.csv`` of ``NAME.csv``."""
    return path.with_suffix(".status.csv")


def spec_path(path: Path) -> Path:
    """``NAME.json`` of ``NAME.csv``."""
    return path.with_suffix(".json")


def write_csv(path: str | os.PathLike, tables: Iterable[FaceTable]) -> None:
    """Write tables of one specification as CSV in the original layout, with its status and specification files.

    Numbers are written with nine significant digits, enough to read the same float32 back.

    Raises
    ------
    TableError
        If there is no table, or their specifications differ.
    """
    path = Path(path)
    first = None
    with atomic_path(path) as features, atomic_path(status_path(path)) as status:
        for i, table in enumerate(tables):
            if first is None:
                first = table
            if _digest(table) != _digest(first):
                raise TableError("Tables of different specifications cannot stand in one file.")
            options = {"mode": "a" if i else "w", "header": i == 0, "float_format": "%.9g", "lineterminator": "\n"}
            _feature_frame(table).to_csv(features, **options)
            _status_frame(table).to_csv(status, index=False, **options)
        if first is None:
            raise TableError("There is nothing to write: no table was given.")
    write_text(spec_path(path), json.dumps(None if first.spec is None else first.spec.to_json(), indent=1) + "\n")


def _feature_frame(table: FaceTable) -> pd.DataFrame:
    usable = table.usable
    return pd.DataFrame(usable.embedding, index=pd.Index(usable.keys), columns=range(table.dimension))


def _status_frame(table: FaceTable) -> pd.DataFrame:
    frame = pd.DataFrame({name: getattr(table, name) for name in ("path", "sha256", "face_index", "n_faces")})
    frame[["image_height", "image_width"]] = table.image_hw
    frame[["x0", "y0", "x1", "y1"]] = table.box_xyxy
    for k in range(table.landmarks_xy.shape[1]):
        frame[[f"landmark_{k}_x", f"landmark_{k}_y"]] = table.landmarks_xy[:, k]
    frame["detection_score"] = table.detection_score
    frame["status"] = table.status
    frame["reason"] = table.reason
    return frame


def _read_csv_spec(path: Path) -> TableSpec | None:
    if not path.is_file():
        raise TableError(f"There is no feature table at {path}. Make one with feature_extraction.py.")
    if not spec_path(path).is_file():
        return None
    try:
        values = json.loads(spec_path(path).read_text(encoding="utf-8"))
        return None if values is None else TableSpec.from_json(values)
    except (ValueError, TypeError, AttributeError) as error:
        raise TableError(f"{spec_path(path)} is damaged ({error}). Extract again.") from error


def _read_csv(path: Path) -> FaceTable:
    spec = _read_csv_spec(path)
    features = _read_frame(path, index_col=0)
    try:
        embedding = features.to_numpy(np.float32)
    except ValueError as error:
        raise TableError(f"{path} holds something that is not a number ({error}).") from error
    if embedding.shape[1] == 0:
        raise TableError(f"{path} has no feature columns; expected 0, 1, 2, … after the path.")
    if status_path(path).is_file():
        return _join_status(path, features.index, embedding, spec)
    return _bare_table(features.index, embedding, spec)


def _read_frame(path: Path, **options: object) -> pd.DataFrame:
    try:
        return pd.read_csv(path, keep_default_na=False, na_values=[""], **options)
    except (ValueError, OSError) as error:
        raise TableError(f"{path} is not a readable CSV file ({error}).") from error


def _join_status(path: Path, keys: pd.Index, embedding: np.ndarray, spec: TableSpec | None) -> FaceTable:
    frame = _read_frame(status_path(path), dtype={"path": str, "sha256": str, "reason": str})
    n = len(frame)
    full = np.full((n, embedding.shape[1]), np.nan, np.float32)
    try:
        is_usable = frame["status"].isin([s.value for s in Status if s.has_embedding]).to_numpy()
        if is_usable.sum() != len(keys):
            raise TableError(
                f"{status_path(path)} lists {is_usable.sum()} faces with an embedding, {path} has {len(keys)}. "
                "One of the two was changed: extract again."
            )
        full[is_usable] = embedding
        n_landmarks = sum(str(c).startswith("landmark_") for c in frame.columns) // 2
        names = [f"landmark_{k}_{axis}" for k in range(n_landmarks) for axis in "xy"]
        table = FaceTable(
            path=frame["path"].to_numpy(object),
            sha256=frame["sha256"].fillna("").to_numpy(object),
            face_index=frame["face_index"].to_numpy(),
            n_faces=frame["n_faces"].to_numpy(),
            image_hw=frame[["image_height", "image_width"]].to_numpy(),
            box_xyxy=frame[["x0", "y0", "x1", "y1"]].to_numpy(np.float32),
            landmarks_xy=frame[names].to_numpy(np.float32).reshape(n, n_landmarks, 2),
            detection_score=frame["detection_score"].to_numpy(np.float32),
            status=frame["status"].to_numpy(object),
            reason=frame["reason"].fillna("").to_numpy(object),
            embedding=full,
            spec=spec,
        )
    except KeyError as error:
        raise TableError(f"{status_path(path)} lacks the column {error}. Extract again.") from error
    if list(table.keys[is_usable]) != [str(key) for key in keys]:
        raise TableError(f"The rows of {path} and {status_path(path)} are not the same. Extract again.")
    return table


def _bare_table(keys: pd.Index, embedding: np.ndarray, spec: TableSpec | None) -> FaceTable:
    """A CSV without its status file, such as one that the original scripts wrote."""
    n = len(keys)
    paths, indices = split_keys([str(key) for key in keys])
    return FaceTable(
        path=paths,
        sha256=np.full(n, "", object),
        face_index=indices,
        n_faces=np.ones(n, np.int32),
        image_hw=np.zeros((n, 2), np.int32),
        box_xyxy=np.full((n, 4), np.nan, np.float32),
        landmarks_xy=np.empty((n, 0, 2), np.float32),
        detection_score=np.full(n, np.nan, np.float32),
        status=np.full(n, Status.OK.value, object),
        reason=np.full(n, "", object),
        embedding=embedding,
        spec=spec,
    )


def split_keys(keys: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Paths (object array of str) and face indices (int32 array) of face keys such as ``a/b.jpg#2``."""
    paths, indices = [], []
    for key in keys:
        path, mark, number = key.rpartition("#")
        is_numbered = bool(mark) and number.isdecimal() and int(number) >= 2
        paths.append(path if is_numbered else key)
        indices.append(int(number) - 1 if is_numbered else 0)
    return np.array(paths, dtype=object), np.array(indices, np.int32)


# ------------------------------------------------------------------------------------------------- any form


def read_table(path: str | os.PathLike) -> FaceTable:
    """The whole feature table at ``path``: a ``.parquet`` file, a folder of shards, or a ``.csv``.

    Raises
    ------
    TableError
        If it is missing, damaged, not a feature table, or its parts contradict each other.
    """
    path = Path(path)
    try:
        if path.suffix == ".csv":
            return _read_csv(path)
        pieces = list(iterate_table(path))
        return FaceTable.concatenate(pieces) if pieces else _empty_table(path)
    except TableError:
        raise
    except ValueError as error:
        raise TableError(f"{path}: {error}") from error


def _empty_table(path: Path) -> FaceTable:
    spec = read_spec(path)
    if spec is None:
        raise TableError(f"{path} has no rows.")
    return FaceTable.from_rows([], 0, spec)


def write_table(path: str | os.PathLike, tables: Iterable[FaceTable] | FaceTable) -> None:
    """Write one table, or tables of one specification, in the form that the name asks for (.parquet or .csv)."""
    tables = [tables] if isinstance(tables, FaceTable) else tables
    path = Path(path)
    if path.suffix == ".csv":
        write_csv(path, tables)
    elif path.suffix == ".parquet":
        write_parquet(path, tables)
    else:
        raise TableError(f"The name of a feature table must end in .parquet or .csv; got {path.name!r}.")
