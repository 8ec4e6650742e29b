"""Feature tables on disk, whatever their form: the name decides.

===================  ==================================================================================================
``NAME.parquet``     one Parquet file, see :mod:`faceheads.table_parquet`
``NAME/``            a folder of such files, ``part-00000.parquet`` …
``NAME.csv``         the CSV of the original scripts, see :mod:`faceheads.table_csv`
===================  ==================================================================================================

Files appear under their name only when they are complete.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .spec import TableSpec
from .table import FaceTable, TableError
from .table_csv import read_csv, spec_of_csv, write_csv
from .table_parquet import iterate_parquet, spec_of_parquet, write_parquet


def read_spec(path: str | os.PathLike) -> TableSpec | None:
    """The specification of a table on disk, without reading its rows.

    Raises
    ------
    TableError
        If the file is missing, damaged, or was not written by faceheads.
    """
    path = Path(path)
    return spec_of_csv(path) if path.suffix == ".csv" else spec_of_parquet(path)


def iterate_table(path: str | os.PathLike) -> Iterator[FaceTable]:
    """The rows of a table in pieces: of a Parquet table at most 4,096, so that memory does not grow; of a CSV all.

    Raises
    ------
    TableError
        If a file is missing or damaged, or the shards of a folder differ in their specification.
    """
    path = Path(path)
    with _naming(path):
        if path.suffix == ".csv":
            yield read_csv(path)
        else:
            yield from iterate_parquet(path)


def read_table(path: str | os.PathLike) -> FaceTable:
    """The whole feature table at ``path``: a ``.parquet`` file, a folder of shards, or a ``.csv``.

    Raises
    ------
    TableError
        If it is missing, damaged, not a feature table, or its parts contradict each other.
    """
    path = Path(path)
    pieces = list(iterate_table(path))
    with _naming(path):
        return FaceTable.concatenate(pieces) if pieces else _empty_table(path)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """What contradicts itself in the rows becomes a TableError that names the file."""
    try:
        yield
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
