"""Reading label files that strangers made: bounded in size, decoded strictly, with the line named in every error.

Nothing is evaluated and nothing is guessed. A file that is not what its format says raises; a single value that makes
no sense is for the adapter to report.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

#: The largest label file that is read, in bytes. CelebA's 40 attributes of 202,599 images take 26 million.
MAX_LABEL_BYTES = 256 * 2**20

#: The largest JSON file that is read, in bytes: its objects take about ten times as much memory.
MAX_JSON_BYTES = 128 * 2**20


def read_text(path: Path, max_bytes: int = MAX_LABEL_BYTES) -> str:
    """The whole file as text, without a byte-order mark.

    Raises
    ------
    ValueError
        If the file is larger than ``max_bytes``, is not UTF-8 or holds NUL bytes; the message names the line.
    OSError
        If the file cannot be read.
    """
    with open(path, "rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError(f"label file {path} must have at most {max_bytes} bytes; it has more. Split it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line_of(content, error.start)
        raise ValueError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is not UTF-8. Save the file as UTF-8."
        ) from error
    if "\0" in text:
        raise ValueError(f"{path}, line {_line_of(content, content.index(0))}: NUL byte; this is not a text file.")
    return text


def read_lines(path: Path) -> list[tuple[int, str]]:
    """The lines that are not blank, without surrounding blanks, each with its number from 1."""
    lines = enumerate(io.StringIO(read_text(path), newline=None), start=1)
    return [(number, line.strip()) for number, line in lines if line.strip()]


def read_rows(path: Path, delimiter: str | None = ",") -> Iterator[tuple[int, list[str]]]:
    """The rows of a delimited file as lists of stripped strings, each with the number of its last line.

    Parameters
    ----------
    path : pathlib.Path
    delimiter : str or None
        One character, or None for any run of blanks (then there is no quoting).

    Raises
    ------
    ValueError
        If the file cannot be decoded or is not well quoted.
    """
    if delimiter is None:
        yield from ((number, line.split()) for number, line in read_lines(path))
        return
    lines = io.StringIO(read_text(path), newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True, quoting=_quoting(delimiter))
    try:
        for row in reader:
            if any(field.strip() for field in row):
                yield reader.line_num, [field.strip() for field in row]
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}.") from error


def read_table(path: Path, delimiter: str | None = ",", columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A delimited file as a table of strings.

    Parameters
    ----------
    path : pathlib.Path
    delimiter : str or None
        As in :func:`read_rows`.
    columns : sequence of str, optional
        Names for a file without a header. By default the first row names the columns.

    Returns
    -------
    pandas.DataFrame
        Strings throughout; an empty field is an empty string.

    Raises
    ------
    ValueError
        If the file is empty, two columns share a name, or a row has another number of fields than the header.
    """
    rows = read_rows(path, delimiter)
    if columns is None:
        columns = next(rows, (0, []))[1]
    check_header(path, columns)
    cells = [check_width(path, number, row, len(columns)) for number, row in rows]
    return pd.DataFrame(cells, columns=list(columns), dtype=str)


def check_header(path: Path, columns: Sequence[str]) -> None:
    """Raise ValueError unless there are columns and each name occurs once."""
    if not columns:
        raise ValueError(f"{path} must begin with a line that names the columns; it is empty.")
    repeated = _repeated(columns)
    if repeated:
        raise ValueError(f"{path} must name every column once; repeated: {repeated[:3]}.")


def check_width(path: Path, number: int, row: list[str], width: int) -> list[str]:
    """The row itself; ValueError naming the line unless it has ``width`` fields."""
    if len(row) != width:
        raise ValueError(f"{path}, line {number}: a row must have {width} fields; got {len(row)}.")
    return row


def require_columns(path: Path, table: pd.DataFrame, needed: Sequence[str]) -> None:
    """Raise ValueError naming what is missing unless the table has all ``needed`` columns."""
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise ValueError(
            f"{path} must have the columns {list(needed)}; missing: {missing}, got {list(table.columns)}."
        )


def read_json_object(path: Path) -> dict:
    """The object that a JSON file holds.

    Raises
    ------
    ValueError
        If the file is too large, not JSON, nested too deeply, not an object, or names a key twice.
    """
    text = read_text(path, MAX_JSON_BYTES)
    try:
        value = json.loads(text, object_pairs_hook=_object_without_repetition)
    except RecursionError as error:
        raise ValueError(f"{path} is nested too deeply to be a label file.") from error
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} must hold one JSON object; got {type(value).__name__}.")  # noqa: TRY004 (a file, no argument)
    return value


def _object_without_repetition(pairs: list[tuple[str, object]]) -> dict:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError(f"the key {_repeated(name for name, _ in pairs)[0]!r} occurs twice.")
    return value


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _quoting(delimiter: str) -> int:
    """Comma-separated files quote; in tab-separated ones a quotation mark is an ordinary character."""
    return csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL


def _line_of(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1
