"""LFW with its published attributes: 73 or 40 of them, present (1) or absent (0), beside the identity.

Read from the first of these that lies in the folder that was opened, or in that of the people: ``lfw_att_73.mat``,
``lfw_att_40.mat`` (both MATLAB 7.3, which needs h5py), ``lfw_attributes.txt`` (scores separated by tabs; greater than 0
counts as present). Columns: ``identity``, and the attributes under the names of the file, such as ``Male``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from .base import Adapter, Dataset, assemble, path_index
from .labelfile import check_header, check_width, read_rows
from .lfw import attribute_files, has_people, read_people
from .matlab import read_attribute_mat
from .values import number_of, whole_number_of

_KEY_COLUMNS = ["person", "imagenum"]


def detect(root: Path) -> bool:
    """Whether there are folders of people and a table of attributes beside them."""
    return bool(attribute_files(root)) and has_people(root)


def read(root: Path, *, attributes: Path | str | None = None) -> Dataset:
    """Every image of LFW with its identity and attributes.

    Parameters
    ----------
    root : pathlib.Path
        The folder of the people, or the one above it.
    attributes : path, optional
        The table, absolute or relative to ``root``. By default the richest that is found.

    Raises
    ------
    FileNotFoundError
        If there is no table of attributes.
    ValueError
        If the table cannot be read or names none of the images.
    """
    images_root, images, identities, problems = read_people(root)
    file = _attribute_file(root) if attributes is None else root / attributes
    labels = read_scores(file) if file.suffix.lower() == ".txt" else _read_mat(file)
    return assemble("lfwa", images_root, images, {"the folder names": identities, file.name: labels}, problems)


def read_scores(file: Path) -> pd.DataFrame:
    """The attributes of ``lfw_attributes.txt``: 1 where the score of a person's image is greater than 0.

    Raises
    ------
    ValueError
        If the header is missing, or a row has another length or a score that is no number.
    """
    rows = read_rows(file, "\t")
    columns = next((row for _, row in rows if "person" in row), [])
    columns = [name for name in columns if name != "#"]
    check_header(file, columns)
    if columns[:2] != _KEY_COLUMNS:
        raise ValueError(f"{file} must have the columns {_KEY_COLUMNS} and then the attributes; got {columns[:4]}.")
    paths, present = [], []
    for number, row in rows:
        check_width(file, number, row, len(columns))
        paths.append(_image_path(row[0], row[1], file, number))
        present.append(_positive(row[2:], file, number))
    return _table(paths, columns[2:], np.array(present, dtype=np.int8).reshape(len(paths), len(columns) - 2))


def _image_path(person: str, number: str, file: Path, line: int) -> str:
    image = whole_number_of(number)
    if image is None:
        raise ValueError(f"{file}, line {line}: the number of an image must be a whole number; got {number!r}.")
    name = person.replace(" ", "_")
    return f"{name}/{name}_{image:04d}.jpg"


def _positive(scores: list[str], file: Path, line: int) -> np.ndarray:
    values = np.array([number_of(score) for score in scores])
    if np.isnan(values).any():
        raise ValueError(f"{file}, line {line}: a score must be a number; got {scores[np.isnan(values).argmax()]!r}.")
    return values > 0


def _read_mat(file: Path) -> pd.DataFrame:
    paths, attributes, present = read_attribute_mat(file)
    check_header(file, attributes)
    return _table(paths, attributes, present)


def _table(paths: list[str], attributes: list[str], present: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(present, columns=attributes, index=path_index(paths))


def _attribute_file(root: Path) -> Path:
    found = attribute_files(root)
    if not found:
        raise FileNotFoundError(
            f"{root} must hold lfw_att_73.mat, lfw_att_40.mat or lfw_attributes.txt beside the folders of people; "
            "it holds none. Name another table with attributes=…"
        )
    return found[0]


ADAPTER = Adapter("lfwa", detect, read)
