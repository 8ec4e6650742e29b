"""What the files about a photo are called, so that none replaces another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath

#: Tables about all photos, at the top of the output folder.
FACES_CSV, FACES_PARQUET, FACES_JSON, PHOTOS_CSV = "faces.csv", "faces.parquet", "faces.json", "photos.csv"
#: Tables about people, where they are asked for.
GALLERY_CSV, GROUPS_CSV = "gallery.csv", "groups.csv"
#: Formats that an annotated picture can have; photos of others become PNG.
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class OutputNames:
    """Files about one photo, relative to the output folder, with forward slashes.

    Attributes
    ----------
    copy : str
        The photo itself, where it has no face.
    picture : str
        The annotated photo.
    table : str
        The table of its faces.
    """

    copy: str
    picture: str
    table: str


def plan_names(paths: Iterable[str]) -> dict[str, OutputNames]:
    """Names of the output files of every photo; no two are equal, not even where capitals do not count.

    A picture has the photo's own name and sub-folder; ``.png`` is appended where the photo is neither JPEG nor PNG.
    The table of ``team.jpg`` is ``team.csv`` as in the original, or ``team.jpg.csv`` where another photo of the folder
    would use that name as well (``team.png``) or a table about all photos has it. What would still collide gets
    ``~2``, ``~3``, … The names do not depend on the order of the photos.

    Parameters
    ----------
    paths : iterable of str
        Paths of the photos relative to their folder, with forward slashes.

    Raises
    ------
    ValueError
        If a path is given twice, is absolute or leads out of the folder.

    Examples
    --------
    >>> plan_names(["a/team.jpg"])["a/team.jpg"].table
    'a/team.csv'
    >>> plan_names(["team.jpg", "team.png"])["team.png"].table
    'team.png.csv'
    """
    paths = sorted(paths)
    _check_paths(paths)
    taken = {FACES_CSV, FACES_PARQUET, FACES_JSON, PHOTOS_CSV, GALLERY_CSV, GROUPS_CSV}
    copies = {path: _free(path, taken) for path in paths}
    pictures = {path: copies[path] if _is_writable(path) else _free(path + ".png", taken) for path in paths}
    stems = Counter(_stem(path).casefold() for path in paths)
    names = {}
    for path in paths:
        short = _stem(path) + ".csv"
        is_free = stems[_stem(path).casefold()] == 1 and short.casefold() not in taken
        names[path] = OutputNames(copies[path], pictures[path], _free(short if is_free else path + ".csv", taken))
    return names


def _check_paths(paths: list[str]) -> None:
    twice = [path for path, count in Counter(paths).items() if count > 1]
    if twice:
        raise ValueError(f"paths must name each photo once; got {twice[:3]} several times.")
    outside = [path for path in paths if PurePath(path).is_absolute() or ".." in PurePath(path).parts or not path]
    if outside:
        raise ValueError(f"paths must be relative to the photo folder, with forward slashes; got {outside[:3]}.")


def _is_writable(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in PICTURE_SUFFIXES


def _stem(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(""))


def _free(name: str, taken: set[str]) -> str:
    """``name``, or with ``~2``, ``~3``, … before its suffix if it is taken; it is taken afterwards."""
    pure, candidate, number = PurePosixPath(name), name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = str(pure.with_name(f"{pure.stem}~{number}{pure.suffix}"))
    taken.add(candidate.casefold())
    return candidate
