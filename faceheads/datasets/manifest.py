"""Images listed in a table: a CSV or Parquet file with one row per image, a column of paths and any other columns.

Columns: those of the table. Numbers and truth values are recognised; ``identity`` always stays text; an empty field is
missing. The set is what the table lists, so images that lie beside it unlisted are no part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from .base import Adapter, Dataset, assemble, path_index
from .labelfile import read_table
from .listing import list_files
from .values import TEXT_COLUMNS, typed

#: Names under which a folder's own table is found.
MANIFEST_NAMES = ("manifest.csv", "manifest.parquet", "metadata.csv", "metadata.parquet", "labels.csv")

#: Columns that are taken for the path when none is named, in this order.
PATH_COLUMNS = ("path", "file_name", "filename", "file", "image", "img")

#: The largest Parquet table that is read, in bytes of decoded columns.
MAX_PARQUET_BYTES = 2**30


def detect(root: Path) -> bool:
    """Whether ``root`` is a CSV or Parquet file, or a folder with exactly one table of a usual name."""
    if root.is_file():
        return root.suffix.lower() in {".csv", ".parquet"}
    return len(_manifests_in(root)) == 1


def read(root: Path, *, manifest: Path | str | None = None, path_column: str | None = None) -> Dataset:
    """The images that a table lists.

    Parameters
    ----------
    root : pathlib.Path
        The folder that listed paths are relative to; or the table itself, then the folder it lies in.
    manifest : path, optional
        The table, absolute or relative to ``root``. By default the one table with a usual name.
    path_column : str, optional
        By default the first of ``PATH_COLUMNS`` that the table has.

    Raises
    ------
    ValueError
        If the table is not unique, has no column of paths, or lists no file that exists.
    """
    root, manifest = _locate(root, manifest)
    table = _read_parquet(manifest) if manifest.suffix.lower() == ".parquet" else typed(read_table(manifest))
    column = _path_column(manifest, table, path_column)
    files, problems = list_files(root)
    paths = [listed_path(str(path), root) for path in table[column]]
    labels = table.drop(columns=column).set_index(path_index(paths))
    images = set(files).intersection(paths)
    return assemble("csv", root, tuple(images), {manifest.name: labels}, problems)


def listed_path(path: str, root: Path) -> str:
    """A path as a table lists it, relative to ``root`` with forward slashes; what lies elsewhere stays as it is."""
    path = path.replace("\\", "/")
    prefix = root.resolve().as_posix().rstrip("/") + "/"
    return path.removeprefix(prefix).removeprefix("./")


def _read_parquet(path: Path) -> pd.DataFrame:
    from pyarrow import parquet

    metadata = parquet.read_metadata(path)
    size = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    if size > MAX_PARQUET_BYTES:
        raise ValueError(f"{path} must decode to at most {MAX_PARQUET_BYTES} bytes; it has {size}. Split it.")
    table = parquet.read_table(path).to_pandas(ignore_metadata=True)
    return table.assign(**{name: table[name].astype("string") for name in TEXT_COLUMNS.intersection(table.columns)})


def _locate(root: Path, manifest: Path | str | None) -> tuple[Path, Path]:
    if root.is_file():
        return root.parent, root
    if manifest is not None:
        return root, root / manifest
    found = _manifests_in(root)
    if len(found) != 1:
        raise ValueError(
            f"{root} must hold one table named one of {', '.join(MANIFEST_NAMES)}; found {[p.name for p in found]}. "
            "Name it with manifest=…"
        )
    return root, found[0]


def _manifests_in(root: Path) -> list[Path]:
    return [root / name for name in MANIFEST_NAMES if (root / name).is_file()]


def _path_column(manifest: Path, table: pd.DataFrame, wanted: str | None) -> str:
    candidates: Sequence[str] = PATH_COLUMNS if wanted is None else (wanted,)
    found = [name for name in candidates if name in table.columns]
    if not found:
        raise ValueError(
            f"{manifest} must have a column of paths named {' or '.join(candidates)}; got {list(table.columns)}. "
            "Name it with path_column=…"
        )
    return found[0]


ADAPTER = Adapter("csv", detect, read)
