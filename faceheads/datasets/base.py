"""The contract of every data set: which images there are, what is known about them, and what is wrong with them.

An adapter lists files and reads label files; it never opens an image. Paths are relative to ``Dataset.root``, with
forward slashes, and they are the key by which labels join everything else. What does not fit (a malformed name, a
label without a file, a file without a label, two labels for one file) becomes a :class:`Problem`: nothing is dropped
without being listed.

Column conventions, the same in every adapter:

============  ==================================================================================
``identity``  the person, a string
``gender``    ``"male"`` or ``"female"``, as annotated
``race``      the published names of the set, for example ``"White"``
``age``       years, a number
``age_band``  the published band as text, such as ``"20-29"``, with ``age_low`` and ``age_high`` in years
``split``     the part that the authors of the set put the image into
============  ==================================================================================

Attributes that the set marks as present or absent are 1 and 0. A value that is not known is missing (NaN).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about one file that the user of a data set should know.

    Attributes
    ----------
    path : str
        The file or folder, relative to the root where it lies below it.
    what : str
        What is wrong, in words.
    """

    path: str
    what: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """The images of a folder and what its label files say about them.

    Attributes
    ----------
    name : str
        Name of the adapter that read it.
    root : pathlib.Path
        The folder that paths are relative to. It may lie below the folder that was opened.
    images : tuple of str
        Every image of the layout: relative paths with forward slashes, sorted, each once.
    labels : pandas.DataFrame or None
        Index ``path``, sorted and unique, a subset of ``images``; one column per attribute. None without labels.
    problems : tuple of Problem
        What did not fit, in the order of discovery.

    Raises
    ------
    ValueError
        If images are not sorted or not unique, or if a label has no image.
    """

    name: str
    root: Path
    images: tuple[str, ...]
    labels: pd.DataFrame | None
    problems: tuple[Problem, ...] = ()

    def __post_init__(self) -> None:
        if any(first >= second for first, second in zip(self.images, self.images[1:])):
            raise ValueError(f"images of {self.name!r} must be sorted and each listed once.")
        if self.labels is not None:
            _check_labels(self.name, self.labels, self.images)

    @property
    def problem_table(self) -> pd.DataFrame:
        """The problems as a table with the columns ``path`` and ``what``."""
        rows = [(problem.path, problem.what) for problem in self.problems]
        return pd.DataFrame(rows, columns=["path", "what"], dtype=str)


@dataclass(frozen=True)
class Adapter:
    """One layout of folders and label files.

    Attributes
    ----------
    name : str
        What ``open_dataset`` calls it.
    detect : callable
        ``detect(root)`` is true when the folder has this layout; it looks at a few names only.
    read : callable
        ``read(root, **options)`` gives the :class:`Dataset`.
    """

    name: str
    detect: Callable[[Path], bool]
    read: Callable[..., Dataset]


def path_index(paths: Iterable[str]) -> pd.Index:
    """The index of every label table."""
    return pd.Index(list(paths), name="path", dtype=object)


def label_frame(paths: Iterable[str], columns: Mapping[str, Iterable]) -> pd.DataFrame:
    """A label table: its index and its columns."""
    return pd.DataFrame(columns, index=path_index(paths))


def assemble(
    name: str,
    root: Path,
    images: Sequence[str],
    lists: Mapping[str, pd.DataFrame],
    problems: Iterable[Problem] = (),
) -> Dataset:
    """Join label lists to images by path and list everything that does not fit.

    Parameters
    ----------
    name, root, images, problems
        As in :class:`Dataset`; ``images`` in any order.
    lists : mapping of str to pandas.DataFrame
        Where labels are from (for messages) and what they are: index ``path``, no column in two lists. A path may be
        missing from ``images``, or occur several times: its rows become one, and columns in which they differ become
        missing.

    Returns
    -------
    Dataset
        ``labels`` has a row for every image that at least one list names, and is None without lists.

    Raises
    ------
    ValueError
        If there are labels and none of them belongs to an image.
    """
    images = tuple(sorted(images))
    problems = list(problems)
    merged: dict[str, pd.DataFrame] = {}
    for source, labels in lists.items():
        merged[source], repeated = merge_repeated(labels, source)
        problems += repeated
    if not merged:
        return Dataset(name, root, images, None, tuple(problems))
    _check_overlap(root, images, merged)
    problems += _mismatches(images, merged)
    paths = path_index(images)
    is_labelled = np.any([labels.index.get_indexer(paths) >= 0 for labels in merged.values()], axis=0)
    joined = pd.concat([labels.reindex(paths[is_labelled]) for labels in merged.values()], axis=1)
    return Dataset(name, root, images, joined, tuple(problems))


def merge_repeated(labels: pd.DataFrame, source: str) -> tuple[pd.DataFrame, list[Problem]]:
    """One row per path; values that differ between the rows of a path become missing, and each such path a problem."""
    is_repeated = labels.index.duplicated(keep=False)
    if not is_repeated.any():
        return labels, []
    differs = labels[is_repeated].groupby(level=0).nunique() > 1
    merged = labels[~labels.index.duplicated()]
    for column in merged.columns:
        conflicting = differs.index[differs[column]]
        if len(conflicting):
            merged = merged.assign(**{column: merged[column].mask(merged.index.isin(conflicting))})
    return merged, [_repetition(path, row, source) for path, row in differs.iterrows()]


def _repetition(path: str, differs: pd.Series, source: str) -> Problem:
    columns = [str(column) for column in differs.index[differs]]
    if columns:
        return Problem(path, f"listed more than once in {source} with different {', '.join(columns)}: set to missing")
    return Problem(path, f"listed more than once in {source} with the same values")


def _check_overlap(root: Path, images: tuple[str, ...], lists: Mapping[str, pd.DataFrame]) -> None:
    """Raise ValueError if a list names files and none of them is an image: then the paths are meant otherwise."""
    known = set(images)
    for source, labels in lists.items():
        if len(labels) and known.isdisjoint(labels.index):
            raise ValueError(
                f"the files that {source} labels must lie below {root}; none of {len(labels)} does, for example "
                f"{labels.index[0]!r}. {_example_of(images)} Open the folder that the labelled paths are relative to."
            )


def _mismatches(images: tuple[str, ...], lists: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Labelled files that do not exist, each named once, and images that a list does not label."""
    known = set(images)
    missing: dict[str, str] = {}
    for source, labels in lists.items():
        for path in labels.index:
            if path not in known:
                missing.setdefault(path, source)
    problems = [Problem(path, f"labelled in {source}, but there is no such file") for path, source in missing.items()]
    for source, labels in lists.items():
        labelled = set(labels.index)
        problems += [Problem(path, f"not labelled in {source}") for path in images if path not in labelled]
    return problems


def _example_of(images: tuple[str, ...]) -> str:
    return f"It holds {len(images)} images, such as {images[0]!r}." if images else "It holds no images."


def _check_labels(name: str, labels: pd.DataFrame, images: tuple[str, ...]) -> None:
    if labels.index.name != "path" or not labels.index.is_unique:
        raise ValueError(f"labels of {name!r} must have a unique index named 'path'; got {labels.index.name!r}.")
    strays = set(labels.index).difference(images)
    if strays:
        raise ValueError(f"labels of {name!r} must belong to listed images; these do not: {sorted(strays)[:3]}.")
