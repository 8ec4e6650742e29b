"""Feature tables as CSV, in the layout of the original scripts.

``NAME.csv`` has the rows with an embedding only: index = key (``path``, ``path#2`` …), columns ``0 … dimension−1``, so
that ``pandas.read_csv(index_col=0)`` is enough. ``NAME.status.csv`` beside it has every row, ``NAME.json`` the
specification; a file without them, as other software writes it, can be trained on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from .atomic import atomic_path, write_text
from .spec import TableSpec
from .table import QUALITY_COLUMNS, FaceTable, Status, TableError, of_one_spec

#: Columns of the status file.
_SIZE_COLUMNS = ["image_height", "image_width"]
_BOX_COLUMNS = ["x0", "y0", "x1", "y1"]


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
    with atomic_path(path) as features, atomic_path(status_path(path)) as status:
        for i, table in enumerate(of_one_spec(tables)):
            options = {"mode": "a" if i else "w", "header": i == 0, "float_format": "%.9g", "lineterminator": "\n"}
            _feature_frame(table).to_csv(features, **options)
            _status_frame(table).to_csv(status, index=False, **options)
            spec = table.spec
    write_text(spec_path(path), json.dumps(None if spec is None else spec.to_json(), indent=1) + "\n")


def _feature_frame(table: FaceTable) -> pd.DataFrame:
    usable = table.usable
    return pd.DataFrame(usable.embedding, index=pd.Index(usable.keys), columns=range(table.dimension))


def _status_frame(table: FaceTable) -> pd.DataFrame:
    columns = {name: getattr(table, name) for name in ("path", "sha256", "face_index", "n_faces")}
    columns |= zip(_SIZE_COLUMNS, table.image_hw.T)
    columns |= zip(_BOX_COLUMNS, table.box_xyxy.T)
    n_landmarks = table.landmarks_xy.shape[1]
    columns |= zip(_landmark_columns(n_landmarks), table.landmarks_xy.reshape(len(table), 2 * n_landmarks).T)
    columns |= {name: getattr(table, name) for name in ("detection_score", *QUALITY_COLUMNS, "status", "reason")}
    return pd.DataFrame(columns)


def _landmark_columns(n_landmarks: int) -> list[str]:
    return [f"landmark_{k}_{axis}" for k in range(n_landmarks) for axis in "xy"]


def spec_of_csv(path: Path) -> TableSpec | None:
    """The specification in ``NAME.json`` beside ``NAME.csv``; None for a CSV of other software.

    Raises
    ------
    TableError
        If the table is missing or its specification damaged.
    """
    if not path.is_file():
        raise TableError(f"There is no feature table at {path}. Make one with feature_extraction.py.")
    if not spec_path(path).is_file():
        return None
    try:
        values = json.loads(spec_path(path).read_text(encoding="utf-8"))
        return None if values is None else TableSpec.from_json(values)
    except (ValueError, TypeError, AttributeError) as error:
        raise TableError(f"{spec_path(path)} is damaged ({error}). Extract again.") from error


def read_csv(path: Path) -> FaceTable:
    """The table in ``NAME.csv`` and the files beside it.

    Raises
    ------
    TableError
        If it is missing or damaged, or the files do not fit each other.
    ValueError
        If rows contradict each other.
    """
    spec = spec_of_csv(path)
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
        table = FaceTable(
            path=frame["path"].to_numpy(object),
            sha256=frame["sha256"].fillna("").to_numpy(object),
            face_index=frame["face_index"].to_numpy(),
            n_faces=frame["n_faces"].to_numpy(),
            image_hw=frame[_SIZE_COLUMNS].to_numpy(),
            box_xyxy=frame[_BOX_COLUMNS].to_numpy(np.float32),
            landmarks_xy=frame[_landmark_columns(n_landmarks)].to_numpy(np.float32).reshape(n, n_landmarks, 2),
            detection_score=frame["detection_score"].to_numpy(np.float32),
            status=frame["status"].to_numpy(object),
            reason=frame["reason"].fillna("").to_numpy(object),
            embedding=full,
            spec=spec,
            **{name: frame[name].to_numpy(np.float32) for name in QUALITY_COLUMNS if name in frame.columns},
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
