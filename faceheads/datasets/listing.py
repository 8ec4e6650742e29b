"""Which image files lie below a folder, found by name only: no file is opened, none is examined."""

from __future__ import annotations

import os
from collections.abc import Container
from pathlib import Path

from .base import Problem

#: Extensions that count as images, in lower case. Whether a file really is one, its content decides.
# fmt: off
IMAGE_EXTENSIONS = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".dib",
    ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".jpx", ".avif", ".heic", ".heif",
))
# fmt: on

#: Folders that archive programs and file managers leave behind.
IGNORED_FOLDERS = frozenset({"__MACOSX", "@eaDir"})


def list_images(root: Path, below: str = "") -> tuple[list[str], list[Problem]]:
    """Every image below a folder, whatever the depth.

    Parameters
    ----------
    root : pathlib.Path
        The folder that the returned paths are relative to.
    below : str, default=""
        List only what lies in this folder, given relative to ``root`` with forward slashes.

    Returns
    -------
    images : list of str
        Relative paths with forward slashes, sorted. Names that begin with a dot are no images. Links to folders
        are followed, and each folder is listed once, under its own name where it has one below ``root``.
    problems : list of Problem
        Folders that cannot be read, and files whose name is not valid text.

    Raises
    ------
    NotADirectoryError
        If the folder is not a folder.
    """
    return list_files(root, below, IMAGE_EXTENSIONS)


def list_files(
    root: Path, below: str = "", extensions: Container[str] | None = None
) -> tuple[list[str], list[Problem]]:
    """The same for files with one of the ``extensions`` (lower case, with the dot), by default with any."""
    start = root / below
    if not start.is_dir():
        raise NotADirectoryError(f"the data folder must be a folder; got {start}.")
    scan = _Scan(extensions)
    scan.walk(str(start), f"{below}/" if below else "")
    return sorted(scan.files), scan.problems


def list_folders(root: Path) -> list[str]:
    """The names of the folders directly in ``root``, sorted, hidden ones left out; empty if ``root`` is no folder."""
    if not root.is_dir():
        return []
    with os.scandir(root) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not _is_hidden(entry.name))


def first_images(folder: Path, count: int) -> list[str]:
    """The names of some images directly in ``folder``, at most ``count``, in no particular order."""
    names: list[str] = []
    if not folder.is_dir():
        return names
    with os.scandir(folder) as entries:
        for entry in entries:
            if len(names) == count:
                break
            if is_image_name(entry.name) and entry.is_file():
                names.append(entry.name)
    return names


def is_image_name(name: str) -> bool:
    """Whether a file of this name counts as an image."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in IMAGE_EXTENSIONS


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in IGNORED_FOLDERS


def _is_text(name: str) -> bool:
    """Whether the name can be written as UTF-8; a name of other bytes cannot be stored in a table."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _printable(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


class _Scan:
    """One walk over a tree of folders; ``files`` and ``problems`` grow as it goes."""

    def __init__(self, extensions: Container[str] | None) -> None:
        self.extensions = extensions
        self.files: list[str] = []
        self.problems: list[Problem] = []
        self._seen: set[tuple[int, int]] = set()

    def walk(self, folder: str, prefix: str) -> None:
        """List ``folder`` and everything below it; ``prefix`` is put before the names. No recursion, so any depth."""
        folders, links = [(folder, prefix)], []
        while folders or links:
            folder, prefix = folders.pop() if folders else links.pop(0)
            for entry in self._read(folder, prefix):
                if not entry.is_dir():
                    self._take(entry.name, prefix)
                elif not _is_hidden(entry.name):
                    (links if entry.is_symlink() else folders).append((entry.path, f"{prefix}{entry.name}/"))

    def _read(self, folder: str, prefix: str) -> list[os.DirEntry]:
        """What lies directly in a folder; nothing if it was read before or cannot be read."""
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in self._seen:
                return []
            self._seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.problems.append(Problem(_printable(prefix.rstrip("/")), f"folder cannot be read: {error.strerror}"))
            return []

    def _take(self, name: str, prefix: str) -> None:
        if name.startswith(".") or not self._is_wanted(name):
            return
        if _is_text(prefix + name):
            self.files.append(prefix + name)
        else:
            self.problems.append(Problem(_printable(prefix + name), "the name is not valid UTF-8: rename the file"))

    def _is_wanted(self, name: str) -> bool:
        return self.extensions is None or os.path.splitext(name)[1].lower() in self.extensions
