"""CelebA: ``NNNNNN.jpg`` with 40 attributes, identities and the published parts.

The lists are looked for in the folder that was opened and in its ``Anno`` and ``Eval``, as published (``.txt``) or as
repacked (``.csv``): ``list_attr_celeba``, ``identity_CelebA``, ``list_eval_partition``. One is enough. Columns: the
attributes under their names, such as ``Male``, 1 for present and 0 for absent (published as 1 and -1); ``identity``, the
published number as text; ``split``: train, val or test. Paths are relative to the folder of the images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from .base import Adapter, Dataset, Problem, assemble, label_frame, path_index
from .labelfile import check_header, check_width, read_rows
from .listing import first_images, list_images
from .values import whole_number_of

ATTRIBUTE_LIST, IDENTITY_LIST, PARTITION_LIST = "list_attr_celeba", "identity_CelebA", "list_eval_partition"
LIST_FOLDERS = ("", "Anno", "Eval")
IMAGE_FOLDERS = (
    "img_align_celeba",
    "img_align_celeba/img_align_celeba",
    "Img/img_align_celeba",
    "img_align_celeba_png",
    "Img/img_align_celeba_png",
    "img_celeba",
    "Img/img_celeba",
)
PARTS = {"0": "train", "1": "val", "2": "test"}


def detect(root: Path) -> bool:
    """Whether a list of CelebA's lies in the folder or in its ``Anno`` or ``Eval``."""
    return any(_find_list(root, name) for name in (ATTRIBUTE_LIST, IDENTITY_LIST, PARTITION_LIST))


def read(root: Path) -> Dataset:
    """The images with what the lists say about them.

    Raises
    ------
    FileNotFoundError
        If there is none of the three lists.
    ValueError
        If a list cannot be read or names none of the images.
    """
    images_root = image_root(root)
    images, problems = list_images(images_root)
    readers = {ATTRIBUTE_LIST: read_attributes, IDENTITY_LIST: read_identities, PARTITION_LIST: read_parts}
    found = {file: reader for name, reader in readers.items() if (file := _find_list(root, name)) is not None}
    if not found:
        raise FileNotFoundError(f"{root} must hold one of {', '.join(readers)} (.txt or .csv), also in Anno or Eval.")
    lists = {}
    for file, reader in found.items():
        lists[file.name], more = reader(file)
        problems += more
    return assemble("celeba", images_root, images, _with_real_suffix(lists, images), problems)


def read_attributes(file: Path) -> tuple[pd.DataFrame, list[Problem]]:
    """The attributes, 1 and 0, and a problem if the file has another number of rows than its first line says.

    Raises
    ------
    ValueError
        If a row has another number of values than there are attributes, or a value is not 1, -1 or 0.
    """
    rows = _rows(file)
    declared, attributes = _attribute_header(file, rows)
    check_header(file, attributes)
    paths, packed = [], []
    for number, row in rows:
        check_width(file, number, row, 1 + len(attributes))
        paths.append(row[0])
        packed.append(_packed(row[1:], file, number))
    present = np.frombuffer(b"".join(packed), dtype=np.int8).reshape(len(paths), len(attributes))
    table = pd.DataFrame(present, columns=attributes, index=path_index(paths))
    return table, _count_problem(file, declared, len(paths))


def read_identities(file: Path) -> tuple[pd.DataFrame, list[Problem]]:
    """The identities: the published numbers, as text."""
    return _read_pairs(file, "identity", lambda text: None if whole_number_of(text) is None else text)


def read_parts(file: Path) -> tuple[pd.DataFrame, list[Problem]]:
    """The published parts: train, val or test for 0, 1 or 2."""
    return _read_pairs(file, "split", PARTS.get)


def image_root(root: Path) -> Path:
    """The folder of the images: one of the published names below ``root``, else ``root``."""
    with_images = [root / name for name in IMAGE_FOLDERS if first_images(root / name, 1)]
    return with_images[0] if with_images else root


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    return read_rows(file, "," if file.suffix.lower() == ".csv" else None)


def _attribute_header(file: Path, rows: Iterator[tuple[int, list[str]]]) -> tuple[int | None, list[str]]:
    """The number of images, where the file begins with it, and the names of the attributes."""
    first = next(rows, (0, []))[1]
    if file.suffix.lower() == ".csv":
        return None, first[1:]
    declared = whole_number_of(" ".join(first))
    if declared is None:
        raise ValueError(f"{file}, line 1: must be the number of images; got {' '.join(first)[:60]!r}.")
    return declared, next(rows, (0, []))[1]


def _packed(values: list[str], file: Path, line: int) -> bytes:
    """One byte per attribute, 1 for present."""
    if values.count("1") + values.count("-1") + values.count("0") != len(values):
        strange = next(value for value in values if value not in {"1", "-1", "0"})
        raise ValueError(f"{file}, line {line}: an attribute must be 1 or -1; got {strange!r}.")
    return bytes([value == "1" for value in values])


def _count_problem(file: Path, declared: int | None, found: int) -> list[Problem]:
    if declared is None or declared == found:
        return []
    return [Problem(file.name, f"it should have {declared} rows by its first line; it has {found}")]


def _read_pairs(file: Path, column: str, meaning: Callable[[str], str | None]) -> tuple[pd.DataFrame, list[Problem]]:
    """A file of two columns, image and value; ``meaning`` gives what a value stands for, or None."""
    paths, texts = [], []
    for number, row in _without_header(_rows(file)):
        check_width(file, number, row, 2)
        paths.append(row[0])
        texts.append(row[1])
    values = [meaning(text) for text in texts]
    problems = [
        Problem(path, f"{column} in {file.name} cannot be read: {text!r}")
        for path, text, value in zip(paths, texts, values)
        if value is None
    ]
    return label_frame(paths, {column: values}), problems


def _without_header(rows: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    for number, row in rows:
        if row[0] != "image_id":
            yield number, row


def _find_list(root: Path, name: str) -> Path | None:
    for folder in LIST_FOLDERS:
        for suffix in (".txt", ".csv"):
            file = root / folder / f"{name}{suffix}"
            if file.is_file():
                return file
    return None


def _with_real_suffix(lists: dict[str, pd.DataFrame], images: list[str]) -> dict[str, pd.DataFrame]:
    """The lists name ``.jpg`` files; where the images are the published ``.png`` files, they are meant."""
    if not images or not all(path.endswith(".png") for path in images):
        return lists
    return {name: table.rename(index=lambda path: path.removesuffix(".jpg") + ".png") for name, table in lists.items()}


ADAPTER = Adapter("celeba", detect, read)
