"""Lists of comparisons: which two images, whether they are mated, and the fold that the protocol puts them in.

Four forms are read: LFW's (``pairsDevTrain.txt``, ``pairsDevTest.txt``, ``pairs.txt``), Kryptonite's
(``pathA,pathB,label,deepfake_a,deepfake_b``), deepface's (``file_x,file_y,Decision``) and the project's own
(``probe,reference,is_mated`` and, where wanted, ``fold`` and ``kind``).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

import pandas as pd

from .base import Dataset, Problem
from .kryptonite import TEST_PARTS
from .labelfile import read_lines, read_table, require_columns
from .values import whole_number_of

PAIR_COLUMNS = ("probe", "reference", "is_mated", "fold", "kind")

_TRUE, _FALSE = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no"}

#: Characters that a person's name in a list of pairs must not have: it becomes a folder.
_NOT_IN_NAMES = frozenset("/\\")


def read_pairs(
    path: str | os.PathLike, suffix: str = ".jpg", columns: tuple[str, str, str] | None = None
) -> pd.DataFrame:
    """The comparisons that a file lists, in its order.

    Parameters
    ----------
    path : path
        A ``.txt`` file in LFW's form, or a ``.csv`` file in one of the others, told apart by the header.
    suffix : str, default=".jpg"
        What the names of LFW's images end in.
    columns : tuple of three str, optional
        Columns of probe, reference and ground truth, of a ``.csv`` file in any other form.

    Returns
    -------
    pandas.DataFrame
        ``probe`` and ``reference`` (str, relative paths with forward slashes), ``is_mated`` (bool), ``fold`` (Int64,
        from 0; missing without folds), ``kind`` (str: ``"real"``, ``"fake"`` when either image is a deepfake, or what
        the file says; missing where it says nothing).

    Raises
    ------
    ValueError
        If the file has none of these forms, a row is malformed, or the counts in it contradict each other.
    """
    path = Path(path)
    if columns is not None:
        return _read_named(path, columns)
    if path.suffix.lower() != ".csv":
        return _read_lfw(path, suffix)
    table = read_table(path)
    table.columns = [name.lower() for name in table.columns]
    for known, reader in _READERS.items():
        if set(known) <= set(table.columns):
            return reader(path, table)
    forms = "; ".join(",".join(known) for known in _READERS)
    raise ValueError(f"{path} must have the columns of a known form ({forms}); got {','.join(table.columns)}.")


def kryptonite_test_pairs(dataset: Dataset) -> pd.DataFrame:
    """The unlabelled test pairs of Kryptonite: columns probe and reference, index ``pair_id`` (the folder's name).

    Raises
    ------
    ValueError
        If a pair has not exactly the images 0 and 1.
    """
    is_test = dataset.labels["split"].isin(TEST_PARTS)
    rows = {}
    for pair, paths in dataset.labels.index[is_test].groupby(dataset.labels["pair"][is_test]).items():
        if [name.rpartition("/")[2].partition(".")[0] for name in paths] != ["0", "1"]:
            raise ValueError(f"the test pair {pair!r} must have the images 0 and 1; got {list(paths)}.")
        rows[pair] = tuple(paths)
    index = pd.Index(list(rows), name="pair_id", dtype=str)
    return pd.DataFrame(list(rows.values()), columns=["probe", "reference"], index=index, dtype=str)


def check_pairs(pairs: pd.DataFrame, images: Collection[str]) -> tuple[Problem, ...]:
    """What is wrong with a list of pairs.

    Parameters
    ----------
    pairs : pandas.DataFrame
        As :func:`read_pairs` gives.
    images : collection of str
        The images that there are.

    Returns
    -------
    tuple of Problem
        Files that do not exist, images paired with themselves, and pairs that occur more than once, in either order.
    """
    known = set(images)
    named = pd.unique(pd.concat([pairs["probe"], pairs["reference"]]))
    problems = [Problem(path, "named in a pair, but there is no such image") for path in named if path not in known]
    truths: dict[tuple[str, str], list[bool]] = {}
    for probe, reference, is_mated in zip(pairs["probe"], pairs["reference"], pairs["is_mated"]):
        truths.setdefault((min(probe, reference), max(probe, reference)), []).append(is_mated)
    for (first, second), values in truths.items():
        if first == second:
            problems.append(Problem(first, "paired with itself"))
        if len(values) > 1:
            verdict = "the same" if len(set(values)) == 1 else "different"
            problems.append(Problem(first, f"paired {len(values)} times with {second}, with {verdict} ground truth"))
    return tuple(problems)


def _read_lfw(path: Path, suffix: str) -> pd.DataFrame:
    """LFW's form: a line of counts, then for each fold its mated pairs and as many non-mated ones."""
    lines = read_lines(path)
    n_folds, n_each = _lfw_counts(path, lines)
    rows = [_lfw_pair(path, number, line.split("\t"), suffix) for number, line in lines[1:]]
    n_pairs = 2 * n_folds * n_each
    if len(rows) != n_pairs:
        raise ValueError(f"{path} must have {n_pairs} pairs by its first line; it has {len(rows)}.")
    blocks = list(_lfw_blocks(n_folds, n_each))
    for (number, _), row, (_, is_mated) in zip(lines[1:], rows, blocks):
        if row[2] != is_mated:
            expected = "a mated pair (name, number, number)" if is_mated else "a non-mated pair (name, number, twice)"
            raise ValueError(f"{path}, line {number}: must be {expected} by the counts in the first line.")
    folds = [fold if n_folds > 1 else None for fold, _ in blocks]
    return _frame([(*row, fold, None) for row, fold in zip(rows, folds)])


def _lfw_counts(path: Path, lines: list[tuple[int, str]]) -> tuple[int, int]:
    """Number of folds, and of mated pairs in each."""
    fields = lines[0][1].split() if lines else []
    counts = [whole_number_of(field) for field in fields]
    if len(counts) not in (1, 2) or not all(counts):
        got = " ".join(fields)[:60]
        raise ValueError(f"{path}, line 1: must be the number of pairs, or of folds and pairs in each; got {got!r}.")
    return (1, *counts) if len(counts) == 1 else tuple(counts)


def _lfw_blocks(n_folds: int, n_each: int) -> Iterator[tuple[int, bool]]:
    """Fold and truth of each line."""
    for fold in range(n_folds):
        for is_mated in (True, False):
            yield from ((fold, is_mated) for _ in range(n_each))


def _lfw_pair(path: Path, number: int, fields: list[str], suffix: str) -> tuple[str, str, bool]:
    if len(fields) == 3:
        (first, first_image, second_image), second = fields, fields[0]
    elif len(fields) == 4:
        first, first_image, second, second_image = fields
    else:
        raise ValueError(
            f"{path}, line {number}: a pair must have 3 or 4 fields separated by tabs; got {len(fields)}."
        )
    probe = _lfw_path(path, number, first, first_image, suffix)
    return probe, _lfw_path(path, number, second, second_image, suffix), len(fields) == 3


def _lfw_path(path: Path, number: int, name: str, image: str, suffix: str) -> str:
    image_number = whole_number_of(image)
    if image_number is None or name in {"", ".", ".."} or _NOT_IN_NAMES.intersection(name):
        raise ValueError(f"{path}, line {number}: must name a person and an image; got {name!r} and {image!r}.")
    return f"{name}/{name}_{image_number:04d}{suffix}"


def _read_kryptonite(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    is_mated = _truth(path, table["label"])
    is_fake = [a or b for a, b in zip(_truth(path, table["deepfake_a"]), _truth(path, table["deepfake_b"]))]
    wrong = [row for row, (mated, fake) in enumerate(zip(is_mated, is_fake)) if mated and fake]
    if wrong:
        raise ValueError(f"{path}, pair {wrong[0] + 1}: a pair with a deepfake must not be mated; label is 1.")
    kinds = ["fake" if fake else "real" for fake in is_fake]
    return _frame(list(zip(table["patha"], table["pathb"], is_mated, [None] * len(table), kinds)))


def _read_deepface(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    is_mated = _truth(path, table["decision"])
    return _frame([(a, b, mated, None, None) for a, b, mated in zip(table["file_x"], table["file_y"], is_mated)])


def _read_named(path: Path, columns: tuple[str, str, str]) -> pd.DataFrame:
    table = read_table(path)
    require_columns(path, table, columns)
    probe, reference, truth = (table[name] for name in columns)
    return _frame([(a, b, mated, None, None) for a, b, mated in zip(probe, reference, _truth(path, truth))])


def _read_own(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    folds = [_fold(path, text) for text in table["fold"]] if "fold" in table.columns else [None] * len(table)
    kinds = [text if text else None for text in table["kind"]] if "kind" in table.columns else [None] * len(table)
    is_mated = _truth(path, table["is_mated"])
    return _frame(list(zip(table["probe"], table["reference"], is_mated, folds, kinds)))


#: The readers by the columns that tell the forms apart.
_READERS = {
    ("probe", "reference", "is_mated"): _read_own,
    ("file_x", "file_y", "decision"): _read_deepface,
    ("patha", "pathb", "label", "deepfake_a", "deepfake_b"): _read_kryptonite,
}


def _truth(path: Path, texts: pd.Series) -> list[bool]:
    values = [text.lower() in _TRUE for text in texts]
    strange = [row for row, text in enumerate(texts) if text.lower() not in _TRUE | _FALSE]
    if strange:
        raise ValueError(
            f"{path}, pair {strange[0] + 1}: {texts.name} must be yes or no, true or false, 1 or 0; "
            f"got {texts.iloc[strange[0]]!r}."
        )
    return values


def _fold(path: Path, text: str) -> int | None:
    fold = whole_number_of(text)
    if text and fold is None:
        raise ValueError(f"{path}: a fold must be a whole number or empty; got {text!r}.")
    return fold


def _frame(rows: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(PAIR_COLUMNS))
    for column in ("probe", "reference"):
        frame[column] = frame[column].astype(str).str.replace("\\", "/", regex=False)
    return frame.astype({"is_mated": bool, "fold": "Int64", "kind": str})
