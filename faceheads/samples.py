"""From a feature table and labels to samples: rows with labels, groups and a part each.

Every row of the table that has the labels is a sample, also where no face was found: such rows cannot be learned from,
but in the test part they count. What cannot be used is counted, not dropped in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from .labels import LabelError, labels_for
from .splits import (
    NEITHER,
    TEST,
    TRAIN,
    conflicting_duplicates,
    grouped_split,
    load_split,
    make_groups,
    split_by_content,
)
from .table import FaceTable

IDENTITY_COLUMN, SPLIT_COLUMN = "identity", "split"
#: Names of given parts, as the data sets write them.
_GIVEN_TRAIN = ("train", "training", "0")
_GIVEN_TEST = ("test", "testing", "2")
_GIVEN_VALIDATION = ("val", "valid", "validation", "dev", "1")
#: With fewer folders they are more likely classes than persons.
_MIN_FOLDERS = 50
_N_EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows with labels, in the order of their keys.

    Attributes
    ----------
    table : FaceTable of n_rows rows
    labels : DataFrame of n_rows rows
    groups : ndarray of shape (n_rows,), int64
        Rows of one group (a person, equal images) stay in one part.
    parts : ndarray of shape (n_rows,), object (str)
        ``"train"``, ``"test"`` or ``"none"``.
    grouped_by, split_by : str
        How groups and parts were found, in words.
    remarks : tuple of str
        What was left out, and why.
    """

    table: FaceTable
    labels: pd.DataFrame
    groups: np.ndarray
    parts: np.ndarray
    grouped_by: str = ""
    split_by: str = ""
    remarks: tuple[str, ...] = ()

    def in_part(self, part: str) -> np.ndarray:
        """Boolean array of shape (n_rows,)."""
        return self.parts == part


def join_labels(table: FaceTable, labels: pd.DataFrame, allow_unlabelled: bool = False) -> Samples:
    """The rows of a table with their labels, sorted by key, not yet grouped or split.

    Raises
    ------
    LabelError
        If rows with an embedding have no label (none at all with ``allow_unlabelled``).
    """
    table = table[np.argsort(table.keys.astype(str), kind="stable")]
    is_known = (labels.index.get_indexer(table.keys) >= 0) | (labels.index.get_indexer(table.path) >= 0)
    if not allow_unlabelled:
        is_known |= table.has_embedding  # a face that is left out needs a word; an image without one does not
    matched = labels_for(table[is_known] if is_known.any() else table, labels)
    n_unknown = int((~is_known).sum())
    remarks = (f"{n_unknown} rows of the table have no label",) if n_unknown else ()
    table = table[is_known]
    return Samples(table, matched, np.arange(len(table)), np.full(len(table), NEITHER, object), remarks=remarks)


def group_samples(samples: Samples, by: str = "auto") -> Samples:
    """Samples with groups: equal images always belong together, rows of a person where persons are known.

    Parameters
    ----------
    samples : Samples
    by : str, default="auto"
        A label column that names persons; ``"folder"`` (the first folder of the path is the person, as in LFW);
        ``"content"`` (equal images only); ``"auto"``: the column ``identity`` if there is one, else the folder for
        tables of the original scripts, which hold nothing else, else content.

    Raises
    ------
    LabelError
        If the column does not exist.
    """
    persons, words = persons_of(samples, by)
    return replace(samples, groups=make_groups(contents_of(samples.table), persons), grouped_by=words)


def persons_of(samples: Samples, by: str = "auto") -> tuple[list | None, str]:
    """The person of each row, None where persons are not known, and how they were found; see :func:`group_samples`."""
    table, labels = samples.table, samples.labels
    by = _resolve_groups(by, table, labels)
    if by == "content":
        return None, "image content; persons are not known"
    if by == "folder":
        persons = [path.split("/")[0] if "/" in path else "" for path in table.path]
        return persons, "the first folder of the path"
    if by not in labels.columns:
        raise LabelError(
            f"--groups must be a label column, folder, content or auto; got {by!r}. Columns: {list(labels.columns)}."
        )
    return list(labels[by]), f"the label column {by!r} and image content"


def _resolve_groups(by: str, table: FaceTable, labels: pd.DataFrame) -> str:
    if by != "auto":
        return by
    if IDENTITY_COLUMN in labels.columns and labels[IDENTITY_COLUMN].notna().any():
        return IDENTITY_COLUMN
    folders = {path.split("/")[0] for path in table.path if "/" in path}
    has_no_hashes = not any(table.sha256)
    return "folder" if has_no_hashes and len(folders) >= _MIN_FOLDERS else "content"


def contents_of(table: FaceTable) -> list[str]:
    """What the file is: its hash, or its path where the hash is not known."""
    return [sha if sha else f"path:{path}" for sha, path in zip(table.sha256, table.path, strict=True)]


def drop_conflicts(samples: Samples, columns: Sequence[str]) -> Samples:
    """Samples without the copies of an image that are labelled differently in one of ``columns``."""
    faces = zip(contents_of(samples.table), samples.table.face_index, strict=True)
    is_conflict = conflicting_duplicates([f"{content}#{i}" for content, i in faces], samples.labels[list(columns)])
    if not is_conflict.any():
        return samples
    examples = list(samples.table.keys[is_conflict][:_N_EXAMPLES])
    remark = (
        f"{is_conflict.sum()} copies of equal images with different labels are in neither part, such as {examples}"
    )
    return take_rows(samples, ~is_conflict, remark)


def take_rows(samples: Samples, rows: np.ndarray, remark: str) -> Samples:
    """Some of the rows, with a remark that says why."""
    return replace(
        samples,
        table=samples.table[rows],
        labels=samples.labels[rows],
        groups=samples.groups[rows],
        parts=samples.parts[rows],
        remarks=(*samples.remarks, remark),
    )


def split_samples(samples: Samples, by: str = "auto", test_size: float = 0.2, seed: int = 0) -> Samples:
    """Samples with a part each: no group is on both sides.

    Parameters
    ----------
    samples : Samples
        With groups.
    by : str, default="auto"
        ``"random"``: a share of the groups; ``"content"``: by the sha256 of the file, the split of shared test sets;
        ``"given"``: the label column ``split``; the path of a split file; ``"auto"``: given if there is one, else random.
    test_size : float, default=0.2
        Share of the groups in the test part of a random split.
    seed : int, default=0

    Raises
    ------
    LabelError
        If the given split is missing or does not fit.
    ValueError
        If a part is empty.
    """
    return _keep_groups_apart(assign_parts(samples, by, test_size, seed))


def assign_parts(samples: Samples, by: str = "auto", test_size: float = 0.2, seed: int = 0) -> Samples:
    """The same as given, before training rows that share a person or an image with the test part are taken out."""
    if by == "auto":
        by = "given" if SPLIT_COLUMN in samples.labels.columns else "random"
    if by == "random":
        parts = grouped_split(samples.groups, test_size, seed)
        return replace(
            samples, parts=parts, split_by=f"random, {test_size:.0%} of the groups for the test, seed {seed}"
        )
    if by == "content":
        return replace(samples, parts=_parts_by_content(samples.table), split_by="sha256 mod 5")
    if by == "given":
        return _given_split(samples)
    return _split_of_file(samples, Path(by))


def _parts_by_content(table: FaceTable) -> np.ndarray:
    n_unknown = sum(not sha for sha in table.sha256)
    if n_unknown:
        raise LabelError(f"--split content needs the sha256 of every file; {n_unknown} rows of the table have none.")
    return split_by_content(table.sha256)


def _given_split(samples: Samples) -> Samples:
    if SPLIT_COLUMN not in samples.labels.columns:
        raise LabelError(f"--split given needs the label column {SPLIT_COLUMN!r}; there is none.")
    names = samples.labels[SPLIT_COLUMN].map(_split_name)
    known = (*_GIVEN_TRAIN, *_GIVEN_TEST, *_GIVEN_VALIDATION, "")
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise LabelError(f"The column {SPLIT_COLUMN!r} must hold train, val and test; got {unknown[:_N_EXAMPLES]}.")
    has_test = names.isin(_GIVEN_TEST).any()
    is_test = names.isin(_GIVEN_TEST if has_test else _GIVEN_VALIDATION).to_numpy()
    parts = np.where(is_test, TEST, np.where(names.isin(_GIVEN_TRAIN).to_numpy(), TRAIN, NEITHER)).astype(object)
    used = "test" if has_test else "validation"
    return _with_parts(samples, parts, f"the label column {SPLIT_COLUMN!r} (tested on its {used} part)")


def _split_name(value: object) -> str:
    if pd.isna(value):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value).strip().lower()


def _split_of_file(samples: Samples, file: Path) -> Samples:
    if not file.is_file():
        raise LabelError(f"--split must be auto, random, content, given or a split file; there is no file {file}.")
    try:
        split = load_split(file).set_index("path")
    except ValueError as error:
        raise LabelError(str(error)) from error
    position = split.index.get_indexer(samples.table.keys)
    missing = samples.table.keys[position < 0]
    if len(missing):
        raise LabelError(
            f"{file} has no part for {len(missing)} of {len(samples.table)} rows, for example "
            f"{list(missing[:_N_EXAMPLES])}. It must list every key of the table."
        )
    _check_contents(samples.table, split["sha256"].to_numpy()[position], file)
    return _with_parts(samples, split["part"].to_numpy(object)[position], f"the split file {file.name}")


def _check_contents(table: FaceTable, sha256: np.ndarray, file: Path) -> None:
    both_known = (table.sha256 != "") & (sha256 != "")
    changed = table.keys[both_known & (table.sha256 != sha256)]
    if len(changed):
        raise LabelError(
            f"{len(changed)} images are not those that {file} was made for, for example {list(changed[:_N_EXAMPLES])}."
        )


def _with_parts(samples: Samples, parts: np.ndarray, words: str) -> Samples:
    for part in (TRAIN, TEST):
        if not (parts == part).any():
            raise LabelError(f"The {part} part is empty by {words}.")
    n_none = int((parts == NEITHER).sum())
    remarks = (f"{n_none} rows are in neither part by {words}",) if n_none else ()
    return replace(samples, parts=parts, split_by=words, remarks=samples.remarks + remarks)


def _keep_groups_apart(samples: Samples) -> Samples:
    """Take rows out of the train part whose person or image is in the test part."""
    tested = np.unique(samples.groups[samples.in_part(TEST)])
    is_shared = samples.in_part(TRAIN) & np.isin(samples.groups, tested)
    if not is_shared.any():
        return samples
    parts = np.where(is_shared, NEITHER, samples.parts).astype(object)
    remark = f"{is_shared.sum()} training rows share a person or an image with the test part and were left out"
    return replace(samples, parts=parts, remarks=(*samples.remarks, remark))
