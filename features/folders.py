"""The photos in a folder, for those who have no data set but photos; see :mod:`faceheads.datasets` for the others."""

from __future__ import annotations

import os
from pathlib import Path

from faceheads.datasets import listing


def list_images(folder: str | os.PathLike) -> list[str]:
    """Images in a folder and the folders below it: sorted POSIX paths relative to it.

    Raises
    ------
    NotADirectoryError
        If the folder does not exist.
    OSError
        If something below it cannot be listed, for images that are left out unseen falsify every count;
        :func:`faceheads.datasets.listing.list_images` returns what can be listed, and the problems.
    """
    images, problems = listing.list_images(Path(folder))
    if problems:
        examples = "; ".join(f"{problem.path}: {problem.what}" for problem in problems[:3])
        raise OSError(f"every image in {str(folder)!r} must be listed; {len(problems)} cannot: {examples}.")
    return images
