"""Adience: faces of Flickr albums with gender and age bands, in five folds that share no person.

Images: ``faces/USER/coarse_tilt_aligned_face.FACE.PHOTO.jpg`` or, aligned, ``aligned/USER/landmark_aligned_face.….jpg``;
labels: ``fold_0_data.txt`` … ``fold_4_data.txt``, separated by tabs. Columns: ``identity``, the published face_id, which
numbers persons through the whole set; ``album``, the published user_id; ``gender`` (missing for u, unknown);
``age_band`` (``"25-32"``, published as a pair; some are single ages), ``age_low``, ``age_high``; ``fold``, 0 to 4.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from .base import Adapter, Dataset, Problem, assemble, path_index
from .labelfile import read_table, require_columns
from .listing import list_images
from .values import age_band_columns, gender_of, unreadable

_FOLD_FILE = re.compile(r"fold_([0-9])_data\.txt", re.ASCII)
_IMAGE = re.compile(r"(?:coarse_tilt_aligned_face|landmark_aligned_face)\.([0-9]+\..+)", re.ASCII)
_NEEDED = ["user_id", "original_image", "face_id", "age", "gender"]
_UNKNOWN = {"gender": {"u"}, "age": {"None"}}


def detect(root: Path) -> bool:
    """Whether a fold file lies in the folder."""
    return root.is_dir() and bool(_fold_files(root))


def read(root: Path) -> Dataset:
    """The faces with what the fold files say about them.

    Raises
    ------
    FileNotFoundError
        If there is no fold file.
    ValueError
        If a fold file cannot be read, lacks a column, or names none of the images.
    """
    files = _fold_files(root)
    if not files:
        raise FileNotFoundError(f"{root} must hold fold_0_data.txt … fold_4_data.txt; it holds none.")
    images, problems = list_images(root)
    paths_of = _paths_by_key(images)
    tables = []
    for fold, file in files.items():
        table, more = _read_fold(file, paths_of)
        tables.append(table.assign(fold=fold))
        problems += more
    return assemble("adience", root, images, {"the fold files": pd.concat(tables)}, problems)


def _read_fold(file: Path, paths_of: dict[str, list[str]]) -> tuple[pd.DataFrame, list[Problem]]:
    """The labels of one fold, a row for every image that a row of the file means."""
    table = read_table(file, "\t")
    require_columns(file, table, _NEEDED)
    keys = table["user_id"] + "/" + table["face_id"] + "." + table["original_image"]
    table = table.set_index(path_index(keys))
    known = {name: table[name].where(~table[name].isin(words), "") for name, words in _UNKNOWN.items()}
    genders, bands = known["gender"].map(gender_of), age_band_columns(known["age"])
    labels = pd.DataFrame({"identity": table["face_id"], "album": table["user_id"], "gender": genders, **bands})
    problems = unreadable(known["gender"], genders, "gender", file.name)
    problems += unreadable(known["age"], bands["age_band"], "age", file.name)
    matches = [(row, path) for row, key in enumerate(keys) for path in paths_of.get(key, [key])]
    paths = path_index(path for _, path in matches)
    return labels.iloc[[row for row, _ in matches]].set_axis(paths), problems


def _paths_by_key(images: list[str]) -> dict[str, list[str]]:
    """The images of each face, by ``USER/FACE.PHOTO``; the archives hold it cut out roughly, and aligned."""
    paths: dict[str, list[str]] = {}
    for path in images:
        folder, _, name = path.rpartition("/")
        match = _IMAGE.fullmatch(name)
        if match:
            paths.setdefault(f"{folder.rpartition('/')[2]}/{match[1]}", []).append(path)
    return paths


def _fold_files(root: Path) -> dict[int, Path]:
    files = sorted(root.glob("fold_*_data.txt"))
    return {int(match[1]): file for file in files if (match := _FOLD_FILE.fullmatch(file.name))}


ADAPTER = Adapter("adience", detect, read)
