"""Labeled Faces in the Wild: ``Person/Person_0001.jpg``, identities from the folders, genders from public lists.

Columns: ``identity``; ``gender`` where a list lies in the folder of the images or in the one that was opened:
``gender.csv`` (with columns path and gender), or ``male_names.txt`` and ``female_names.txt`` (one image or one person a
line). The paths of images are relative to the folder that holds the people, as in the published lists of pairs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from .base import Adapter, Dataset, Problem, assemble, label_frame
from .labelfile import read_lines, read_table, require_columns
from .listing import first_images, list_folders, list_images
from .values import gender_of, unreadable

#: Folders in which the published archives put the people.
IMAGE_FOLDERS = ("lfw", "lfw-deepfunneled", "lfw_funneled", "lfw-a", "lfw2")

NAME_LISTS = {"male": "male_names.txt", "female": "female_names.txt"}

_FILE = re.compile(r"(.+)_[0-9]{4}\.[A-Za-z]+", re.ASCII)

#: How many folders of people are looked at to recognise the set.
_N_LOOKED_AT = 20


def detect(root: Path) -> bool:
    """Whether the first folders hold images named like their folder, and no table of attributes (that is LFWA)."""
    return has_people(root) and not attribute_files(root)


def read(root: Path) -> Dataset:
    """Every image with its identity, and its gender where a list gives it.

    Parameters
    ----------
    root : pathlib.Path
        The folder of the people, or the one above it.

    Raises
    ------
    ValueError
        If a list of genders cannot be read or names none of the images.
    """
    images_root, images, identities, problems = read_people(root)
    lists = {"the folder names": identities}
    found = _find_genders(search_folders(root, images_root))
    if found:
        genders, unread = _read_genders(found, images)
        lists[" and ".join(path.name for path in found)] = genders
        problems += unread
    return assemble("lfw", images_root, images, lists, problems)


def read_people(root: Path) -> tuple[Path, list[str], pd.DataFrame, list[Problem]]:
    """The folder of the people, the images below it, their identities, and what is wrong."""
    images_root = image_root(root)
    images, problems = list_images(images_root)
    labelled = [path for path in images if path.count("/") == 1]
    problems += [
        Problem(path, "malformed name: it must be Person/Person_0001.jpg")
        for path in labelled
        if not _is_regular(*path.split("/"))
    ]
    return images_root, images, label_frame(labelled, {"identity": [p.split("/")[0] for p in labelled]}), problems


def image_root(root: Path) -> Path:
    """The folder of the people: one of the published names below ``root``, else ``root``."""
    for name in IMAGE_FOLDERS:
        if _holds_people(root / name):
            return root / name
    return root


def has_people(root: Path) -> bool:
    """Whether ``root``, or a folder of a published name in it, holds folders of people."""
    return _holds_people(image_root(root))


def attribute_files(root: Path) -> list[Path]:
    """The published tables of LFW's attributes in ``root`` or beside the people, the richest first."""
    names = ("lfw_att_73.mat", "lfw_att_40.mat", "lfw_attributes.txt")
    folders = search_folders(root, image_root(root))
    return [folder / name for name in names for folder in folders if (folder / name).is_file()]


def search_folders(root: Path, images_root: Path) -> list[Path]:
    """Where label files may lie: in the folder that was opened, and in that of the people."""
    return [root] if root == images_root else [root, images_root]


def _holds_people(folder: Path) -> bool:
    people = list_folders(folder)[:_N_LOOKED_AT]
    return any(_is_regular(person, name) for person in people for name in first_images(folder / person, 3))


def _is_regular(person: str, name: str) -> bool:
    match = _FILE.fullmatch(name)
    return match is not None and match[1] == person


def _find_genders(folders: Iterable[Path]) -> list[Path]:
    """The table of genders, or the two lists of names; empty where there is neither."""
    for folder in folders:
        if (folder / "gender.csv").is_file():
            return [folder / "gender.csv"]
        lists = [folder / name for name in NAME_LISTS.values()]
        if all(path.is_file() for path in lists):
            return lists
    return []


def _read_genders(found: list[Path], images: Sequence[str]) -> tuple[pd.DataFrame, list[Problem]]:
    if len(found) == 1:
        return _read_gender_table(found[0])
    return _read_name_lists(dict(zip(NAME_LISTS, found)), images), []


def _read_gender_table(path: Path) -> tuple[pd.DataFrame, list[Problem]]:
    table = read_table(path)
    require_columns(path, table, ["path", "gender"])
    texts = table.set_index("path")["gender"]
    genders = texts.map(gender_of)
    return genders.to_frame(), unreadable(texts, genders, "gender", path.name)


def _read_name_lists(lists: dict[str, Path], images: Sequence[str]) -> pd.DataFrame:
    """One gender per listed image; a line may name an image, with or without its folder, or a person."""
    of_person: dict[str, list[str]] = {}
    for path in images:
        of_person.setdefault(path.split("/")[0], []).append(path)
    rows = [
        (path, gender)
        for gender, file in lists.items()
        for _, line in read_lines(file)
        for path in _images_of(line.replace("\\", "/"), of_person)
    ]
    return label_frame([path for path, _ in rows], {"gender": [gender for _, gender in rows]})


def _images_of(line: str, of_person: dict[str, list[str]]) -> list[str]:
    if line in of_person:
        return of_person[line]
    match = _FILE.fullmatch(line.rsplit("/", 1)[-1])
    return [f"{match[1]}/{match[0]}"] if match else [line]


ADAPTER = Adapter("lfw", detect, read)
