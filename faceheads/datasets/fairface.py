"""FairFace: ``train/1.jpg`` and ``val/1.jpg`` with ``fairface_label_train.csv`` and ``fairface_label_val.csv``.

Columns: ``gender``; ``race``, one of seven published names; ``age_band`` (``"20-29"``, ``"more than 70"``), ``age_low``
and ``age_high`` in years; ``service_test``, true or false; ``split``: train or val, from the label file.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from .base import Adapter, Dataset, Problem, assemble, path_index
from .labelfile import read_table, require_columns
from .listing import list_folders, list_images
from .values import age_band_columns, gender_of, typed, unreadable

LABEL_FILES = {"train": "fairface_label_train.csv", "val": "fairface_label_val.csv"}
RACES = ("White", "Black", "Indian", "East Asian", "Southeast Asian", "Middle Eastern", "Latino_Hispanic")


def detect(root: Path) -> bool:
    """Whether one of the label files lies in the folder."""
    return any((root / name).is_file() for name in LABEL_FILES.values())


def read(root: Path) -> Dataset:
    """The images with what the label files say about them.

    Raises
    ------
    FileNotFoundError
        If there is no label file.
    ValueError
        If a label file cannot be read, lacks a column, or names none of the images.
    """
    files = {part: root / name for part, name in LABEL_FILES.items() if (root / name).is_file()}
    if not files:
        raise FileNotFoundError(f"{root} must hold {' or '.join(LABEL_FILES.values())}; it holds neither.")
    images_root = image_root(root)
    images, problems = list_images(images_root)
    tables = []
    for part, file in files.items():
        table, more = read_labels(file)
        tables.append(table.assign(split=part))
        problems += more
    return assemble("fairface", images_root, images, {"the label files": pd.concat(tables)}, problems)


def read_labels(file: Path) -> tuple[pd.DataFrame, list[Problem]]:
    """The labels of one file, and the values that cannot be read."""
    table = read_table(file)
    require_columns(file, table, ["file", "age", "gender", "race"])
    table = table.set_index(path_index(table["file"]))
    bands = age_band_columns(table["age"])
    genders = table["gender"].map(gender_of)
    races = table["race"].where(table["race"].isin(RACES))
    labels = pd.DataFrame({"gender": genders, "race": races, **bands})
    if "service_test" in table.columns:
        labels["service_test"] = typed(table[["service_test"]])["service_test"]
    read_columns = {"age": bands["age_band"], "gender": genders, "race": races}
    problems = [
        problem
        for name, values in read_columns.items()
        for problem in unreadable(table[name], values, name, file.name)
    ]
    return labels, problems


def image_root(root: Path) -> Path:
    """The folder with ``train`` and ``val``: ``root``, or a folder directly in it."""
    for folder in [root, *(root / name for name in list_folders(root))]:
        if any((folder / part).is_dir() for part in LABEL_FILES):
            return folder
    return root


ADAPTER = Adapter("fairface", detect, read)
