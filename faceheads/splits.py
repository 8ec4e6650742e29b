"""Which images may be learned from and which are kept for the test: disjoint in identity and in content.

A *group* is a set of images that must stay together: the images of one person, and images whose files are equal to the
byte, whatever their names or labels. A *split* gives each group to one part. Every function here depends on contents
and identities only, never on the order of rows, on hash randomisation, or on what else ran before.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .atomic import atomic_path

TRAIN, TEST, NEITHER = "train", "test", "none"

#: Columns of a split file.
SPLIT_COLUMNS = ("path", "sha256", "group", "part")

#: By content, one file in five is kept for the test.
_CONTENT_MODULUS = 5

_HASH_BITS = 64
_HEXADECIMAL = frozenset("0123456789abcdef")
_SHA256_LENGTH = 64


def split_by_content(sha256: Sequence[str], labels: pd.DataFrame | None = None) -> np.ndarray:
    """The part of each image by its bytes alone: ``"test"`` when the sha256, as an integer, is 0 mod 5.

    Parameters
    ----------
    sha256 : sequence of str, length n_images
        64 hexadecimal characters each.
    labels : DataFrame of n_images rows, optional
        In the same order. Identical files whose labels differ are then in neither part.

    Returns
    -------
    ndarray of shape (n_images,), object (str)
        ``"train"``, ``"test"`` or ``"none"``.

    Raises
    ------
    ValueError
        If a sha256 is malformed or the lengths differ.
    """
    keys = [_checked_sha256(value) for value in sha256]
    part = np.array([TRAIN if int(key, 16) % _CONTENT_MODULUS else TEST for key in keys], dtype=object)
    if labels is not None:
        part[conflicting_duplicates(keys, labels)] = NEITHER
    return part


def conflicting_duplicates(sha256: Sequence[str], labels: pd.DataFrame) -> np.ndarray:
    """Which images have a byte-identical twin that is labelled differently.

    Parameters
    ----------
    sha256 : sequence of str, length n_images
        Equal for equal images. For several faces an image, append the face to the hash: two faces may well differ.
    labels : DataFrame of n_images rows
        In the same order. A missing value contradicts nothing.

    Returns
    -------
    ndarray of shape (n_images,), bool
        True for every member of a set of twins in which some column has two values.
    """
    content = pd.Series(list(sha256), dtype=object)
    _check_length("labels", len(labels), len(content))
    is_twin = content.duplicated(keep=False).to_numpy()
    result = np.zeros(len(content), dtype=bool)
    if is_twin.any() and len(labels.columns):
        twins = labels.reset_index(drop=True)[is_twin].groupby(content[is_twin])
        result[is_twin] = (twins.transform("nunique") > 1).any(axis=1)
    return result


def make_groups(sha256: Sequence[str], identities: Sequence[str] | None = None) -> np.ndarray:
    """The group of each image: images with the same bytes or the same identity, directly or by way of others.

    Parameters
    ----------
    sha256 : sequence of str, length n_images
        Empty where the bytes are not known.
    identities : sequence of str, length n_images, optional
        Missing (None, NaN or empty) where the person is not known.

    Returns
    -------
    ndarray of shape (n_images,), int64
        Equal within a group. The number is a hash of the group's alphabetically first identity, or of its first sha256
        when it has no identity: a person keeps the number whichever other images are in the table.

    Raises
    ------
    ValueError
        If the lengths differ, or an image has neither bytes nor an identity.

    Notes
    -----
    Two groups share a number by chance with a probability of about n² / 2^64, one in 18 million for a million groups;
    they would then be kept together, which is harmless.
    """
    content = _as_keys(sha256)
    person = _as_keys([""] * len(content) if identities is None else identities)
    _check_length("identities", len(person), len(content))
    lost = [row for row, key in enumerate(zip(content, person)) if key == ("", "")]
    if lost:
        raise ValueError(
            f"each image must have a sha256 or an identity; {len(lost)} of {len(content)} have neither, the first in "
            f"row {lost[0]}. Leave out the files that could not be read."
        )
    component = _components(content, person)
    names = np.array([f"0:{p}" if p else f"1:{c}" for c, p in zip(content, person)], dtype=object)
    alphabetical = np.argsort(names, kind="stable")
    _, first_of_component = np.unique(component[alphabetical], return_index=True)
    first = names[alphabetical][first_of_component]
    numbers = np.array([_hash_64(name, b"group") >> 1 for name in first], dtype=np.int64)
    return numbers[component]


def grouped_split(groups: Sequence, test_size: float, seed: int, stratify: Sequence | None = None) -> np.ndarray:
    """The part of each image, with every group in one part.

    Parameters
    ----------
    groups : sequence of int or str, length n_images
        As :func:`make_groups` gives them, or any names of persons.
    test_size : float
        Wished share of images in the test part, in (0, 1).
    seed : int
        Another seed gives another split.
    stratify : sequence, length n_images, optional
        A class per image. The share is then met as nearly as whole groups allow within each class; a group counts as the
        class that most of its images have. Classes all equal give one share for the whole table.

    Returns
    -------
    ndarray of shape (n_images,), object (str)
        ``"train"`` or ``"test"``.

    Raises
    ------
    ValueError
        If an argument is out of range or a part would be empty.

    Notes
    -----
    Without ``stratify`` a group is tested when the hash of its name and the seed, as a fraction, is below ``test_size``.
    The part of a person then never changes when images are added or removed. The price is a share that varies: its
    standard deviation is sqrt(p (1 - p) Σ nᵢ²) / Σ nᵢ for p = ``test_size`` and groups of nᵢ images, which is 0.4 % for
    10,000 single images at p = 0.2 and 4 % for 100 groups of equal size.

    With ``stratify`` the groups of a class are taken in the order of the same hash until the share is reached: only
    groups near that border move when images are added.
    """
    if not 0 < test_size < 1:
        raise ValueError(f"test_size must be a share in (0, 1); got {test_size}.")
    names, member, size = _unique_groups(groups)
    fraction = _fractions(names, seed)
    if stratify is None:
        is_test = fraction < test_size
    else:
        _check_length("stratify", len(stratify), len(member))
        is_test = _first_of_each_class(fraction, size, _majority(member, stratify), test_size)
    if is_test.all() or not is_test.any():
        raise ValueError(
            f"both parts must hold at least one group; with {len(names)} groups, test_size={test_size} and seed={seed} "
            f"the {TRAIN if is_test.all() else TEST} part is empty. Choose another seed, give more groups, or use "
            "grouped_folds."
        )
    return np.where(is_test, TEST, TRAIN).astype(object)[member]


def grouped_folds(groups: Sequence, n_splits: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Folds for cross-validation with every group in one fold: what scikit-learn takes as ``cv``.

    Parameters
    ----------
    groups : sequence of int or str, length n_images
    n_splits : int
        Number of folds, at least 2 and at most the number of groups.
    seed : int

    Returns
    -------
    list of (train, test)
        Positions of rows, int64 arrays, sorted. Each row is in one test part. The folds' sizes differ by no more than
        the largest group: the groups go, largest first and else in the order of their hash, to the smallest fold.
    """
    names, member, size = _unique_groups(groups)
    if not 2 <= n_splits <= len(names):
        raise ValueError(f"n_splits must be between 2 and the number of groups, {len(names)}; got {n_splits}.")
    fold = np.empty(len(names), dtype=np.int64)
    filled = np.zeros(n_splits, dtype=np.int64)
    for group in np.lexsort((_fractions(names, seed), -size)):
        fold[group] = filled.argmin()
        filled[fold[group]] += size[group]
    fold_of_row = fold[member]
    return [(np.flatnonzero(fold_of_row != k), np.flatnonzero(fold_of_row == k)) for k in range(n_splits)]


def check_disjoint(groups: Sequence, parts: Sequence[str]) -> None:
    """Raise ValueError, with examples, if a group is in both the train and the test part."""
    _check_length("parts", len(parts), len(groups))
    in_part = {name: {g for g, part in zip(groups, parts) if part == name} for name in (TRAIN, TEST)}
    shared = in_part[TRAIN] & in_part[TEST]
    if shared:
        raise ValueError(
            f"no group may be in both parts; {len(shared)} are, for example {sorted(shared, key=str)[:3]}. "
            "Split again with grouped_split."
        )


def save_split(
    file: str | os.PathLike, paths: Sequence[str], sha256: Sequence[str], groups: Sequence, parts: Sequence[str]
) -> None:
    """Write a split as CSV with the columns path, sha256, group and part, sorted by path, atomically.

    Raises
    ------
    ValueError
        If lengths differ, a path occurs twice, a part has another name than train, test or none, or a group is in both.
    """
    columns = dict(zip(SPLIT_COLUMNS, (paths, sha256, groups, parts)))
    for name, values in columns.items():
        _check_length(name, len(values), len(paths))
    split = pd.DataFrame({name: [str(value) for value in values] for name, values in columns.items()}, dtype=str)
    _check_split(split, "the split")
    with atomic_path(Path(file)) as temporary:
        split.sort_values("path").to_csv(temporary, index=False, lineterminator="\n", encoding="utf-8")


def load_split(file: str | os.PathLike) -> pd.DataFrame:
    """The split that :func:`save_split` wrote: columns path, sha256, group and part, all text.

    Raises
    ------
    ValueError
        If the file is no split, or its parts share a group or a file's content.
    """
    split = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8")
    if tuple(split.columns) != SPLIT_COLUMNS:
        raise ValueError(f"{file} must have the columns {list(SPLIT_COLUMNS)}; got {list(split.columns)}.")
    _check_split(split, str(file))
    return split


def _check_split(split: pd.DataFrame, what: str) -> None:
    strange = sorted(set(split["part"]) - {TRAIN, TEST, NEITHER})
    if strange:
        raise ValueError(f"the parts of {what} must be {TRAIN}, {TEST} or {NEITHER}; got {strange[:3]}.")
    repeated = split["path"][split["path"].duplicated()]
    if len(repeated):
        raise ValueError(f"{what} must list each path once; repeated: {list(repeated[:3])}.")
    check_disjoint(split["group"], split["part"])
    known = split[split["sha256"] != ""]
    check_disjoint(known["sha256"], known["part"])


def _as_keys(values: Sequence) -> list[str]:
    """Strings, with ``""`` for what is missing."""
    return ["" if pd.isna(value) else str(value) for value in values]


def _components(content: list[str], person: list[str]) -> np.ndarray:
    """Number, from 0, of the connected component of each row in the graph that links rows, contents and persons."""
    n_rows = len(content)
    rows, keys = np.arange(n_rows), [np.array(column, dtype=object) for column in (content, person)]
    codes = [n_rows * (1 + column) + pd.factorize(key)[0] for column, key in enumerate(keys)]
    ends = np.concatenate([code[key != ""] for code, key in zip(codes, keys)])
    starts = np.concatenate([rows[key != ""] for key in keys])
    graph = coo_array((np.ones(len(ends), dtype=bool), (starts, ends)), shape=(3 * n_rows, 3 * n_rows))
    return pd.factorize(connected_components(graph, directed=False)[1][:n_rows])[0]


def _unique_groups(groups: Sequence) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The groups' names, the position of each row's group among them, and the number of rows of each."""
    names = [_group_name(group) for group in groups]
    if not names:
        raise ValueError("groups must not be empty.")
    unique, member, size = np.unique(np.array(names, dtype=object), return_inverse=True, return_counts=True)
    return list(unique), member, size


def _group_name(group: object) -> str:
    if isinstance(group, (str, int, np.integer)) and not isinstance(group, bool):
        return str(group)
    raise ValueError(f"a group must be a whole number or a name; got {group!r}. Give each image a group.")


def _fractions(names: list[str], seed: int) -> np.ndarray:
    """A number in [0, 1) for each name, the same in every process, unrelated between seeds."""
    key = f"split:{int(seed)}".encode()
    return np.array([_hash_64(name, key) for name in names], dtype=np.float64) / 2.0**_HASH_BITS


def _hash_64(name: str, key: bytes) -> int:
    digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=_HASH_BITS // 8, key=key)
    return int.from_bytes(digest.digest(), "big")


def _majority(member: np.ndarray, classes: Sequence) -> np.ndarray:
    """The class that most rows of each group have; of equally frequent ones the alphabetically first."""
    rows = pd.DataFrame({"group": member, "class": [str(value) for value in classes]})
    counts = rows.value_counts(sort=False).rename("count").reset_index()
    ordered = counts.sort_values(["group", "count", "class"], ascending=[True, False, True])
    return ordered.drop_duplicates("group")["class"].to_numpy()


def _first_of_each_class(fraction: np.ndarray, size: np.ndarray, classes: np.ndarray, share: float) -> np.ndarray:
    """In each class the groups of smallest fraction, up to the size nearest to ``share`` of the class's rows.

    Taking one more group comes nearer to the wished size exactly when that size is beyond the middle of the group.
    """
    table = pd.DataFrame({"class": classes, "fraction": fraction, "size": size}).sort_values(["class", "fraction"])
    sizes = table.groupby("class")["size"]
    middle = sizes.cumsum() - table["size"] / 2
    return (middle < share * sizes.transform("sum")).sort_index().to_numpy()


def _checked_sha256(value: str) -> str:
    text = str(value).lower()
    if len(text) != _SHA256_LENGTH or not _HEXADECIMAL.issuperset(text):
        raise ValueError(f"a sha256 must be 64 hexadecimal characters; got {value!r}.")
    return text


def _check_length(name: str, got: int, expected: int) -> None:
    if got != expected:
        raise ValueError(f"{name} must have one value per image, {expected}; got {got}.")
