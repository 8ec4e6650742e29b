"""The photos in a folder, for those who have no data set but photos; see :mod:`faceheads.datasets` for the others."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from faceheads.datasets.base import Problem
from faceheads.datasets.listing import IMAGE_EXTENSIONS, is_image_name, list_files

__all__ = ["IMAGE_EXTENSIONS", "FolderListing", "list_images", "scan_folder"]


@dataclass(frozen=True, slots=True)
class FolderListing:
    """What lies in a folder and below it, hidden files and folders left out, as sorted POSIX paths relative to it.

    Attributes
    ----------
    images : tuple of str
        Files whose extension, in any case, is one of ``IMAGE_EXTENSIONS``.
    other_files : tuple of str
        Files with another extension.
    problems : tuple of Problem
        Folders that cannot be read and files whose name cannot stand in a table, each with the reason.
    """

    images: tuple[str, ...]
    other_files: tuple[str, ...]
    problems: tuple[Problem, ...]


def scan_folder(folder: str | os.PathLike) -> FolderListing:
    """Everything in a folder and the folders below it, by kind; links to folders are followed, each once.

    Raises
    ------
    NotADirectoryError
        If the folder does not exist.
    """
    files, problems = list_files(Path(folder))
    is_image = {path: is_image_name(PurePosixPath(path).name) for path in files}
    images = tuple(path for path in files if is_image[path])
    return FolderListing(images, tuple(path for path in files if not is_image[path]), tuple(problems))


def list_images(folder: str | os.PathLike) -> list[str]:
    """Images in a folder and the folders below it: sorted POSIX paths relative to it.

    Raises
    ------
    NotADirectoryError
        If the folder does not exist.
    OSError
        If something below it cannot be listed, for images that are left out unseen falsify every count;
        :func:`scan_folder` returns what can be listed, and the problems.
    """
    listing = scan_folder(folder)
    if listing.problems:
        examples = "; ".join(f"{problem.path}: {problem.what}" for problem in listing.problems[:3])
        raise OSError(f"every image in {str(folder)!r} must be listed; {len(listing.problems)} cannot: {examples}.")
    return list(listing.images)
