"""APPA-REAL: photos in ``train``, ``valid`` and ``test`` with real and apparent ages.

Labels come from the published ``gt_avg_train.csv`` (file_name, num_ratings, apparent_age_avg, apparent_age_std,
real_age) and its like for the other parts, or else from ``train_labels.csv`` (file, age; no header). Columns: ``age``,
the real age in years; ``apparent_age_avg``, ``apparent_age_std`` and ``num_ratings`` where published; ``split``. The
archive holds each photo twice: as ``X.jpg`` and, cut to the face, as ``X.jpg_face.jpg``; one of the two is taken.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from .base import Adapter, Dataset, Problem, assemble, path_index
from .labelfile import check_width, read_rows, read_table, require_columns
from .listing import is_image_name, list_images
from .values import age_of, number_of, unreadable

PARTS = ("train", "valid", "test")
PUBLISHED_COLUMNS = ("file_name", "num_ratings", "apparent_age_avg", "apparent_age_std", "real_age")
CROP_ENDING = "_face.jpg"


def detect(root: Path) -> bool:
    """Whether the folder holds a part and its published averages, or its list of ages."""
    return any(_label_file(root, part) is not None and (root / part).is_dir() for part in PARTS)


def read(root: Path, *, crops: bool = False) -> Dataset:
    """The photos with their ages.

    Parameters
    ----------
    root : pathlib.Path
    crops : bool, default=False
        Take the published crops ``X.jpg_face.jpg`` instead of the photos ``X.jpg``.

    Raises
    ------
    FileNotFoundError
        If there is no label file.
    ValueError
        If a label file cannot be read or names none of the images.
    """
    files = {part: file for part in PARTS if (file := _label_file(root, part)) is not None}
    if not files:
        raise FileNotFoundError(f"{root} must hold gt_avg_train.csv or train_labels.csv (also valid, test).")
    listed, problems = list_images(root)
    images = [path for path in listed if path.endswith(CROP_ENDING) == crops]
    tables = []
    for part, file in files.items():
        table, more = _read_published(file) if file.name.startswith("gt_avg_") else _read_ages(file)
        ending = CROP_ENDING if crops else ""
        table.index = path_index(f"{part}/{name.removeprefix(f'{part}/')}{ending}" for name in table.index)
        tables.append(table.assign(split=part))
        problems += [Problem(f"{part}/{problem.path}", problem.what) for problem in more]
    return assemble("appa_real", root, images, {"the label files": pd.concat(tables)}, problems)


def _read_published(file: Path) -> tuple[pd.DataFrame, list[Problem]]:
    table = read_table(file)
    require_columns(file, table, PUBLISHED_COLUMNS)
    table = table.set_index("file_name")
    texts = {"age": table["real_age"], **{name: table[name] for name in PUBLISHED_COLUMNS[1:4]}}
    values = {name: column.map(age_of if name == "age" else number_of) for name, column in texts.items()}
    problems = [problem for name in texts for problem in unreadable(texts[name], values[name], name, file.name)]
    return pd.DataFrame(values), problems


def _read_ages(file: Path) -> tuple[pd.DataFrame, list[Problem]]:
    """A list of file and age; a first line that names no image is a header."""
    rows = [check_width(file, number, row, 2) for number, row in read_rows(file)]
    rows = rows[1:] if rows and not is_image_name(rows[0][0].rsplit("/", 1)[-1]) else rows
    texts = pd.Series([age for _, age in rows], index=[name for name, _ in rows], dtype=str)
    ages = texts.map(age_of).astype(float)
    return ages.to_frame("age"), unreadable(texts, ages, "age", file.name)


def _label_file(root: Path, part: str) -> Path | None:
    for name in (f"gt_avg_{part}.csv", f"{part}_labels.csv"):
        if (root / name).is_file():
            return root / name
    return None


ADAPTER = Adapter("appa_real", detect, read)
