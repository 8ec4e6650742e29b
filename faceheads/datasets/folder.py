"""Any folder of images; the first folder of a path is its label: ``cats/1.jpg``, or ``train/cats/1.jpg``.

Columns: ``label`` (or the name given as ``column``), and ``split`` where every first folder is the name of a part
(train, val, valid, validation, test). Without folders, or with one folder only, there are no labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from .base import Adapter, Dataset, assemble, label_frame
from .listing import list_images

#: Names of first folders that are parts of a set and not labels.
PART_NAMES = frozenset({"train", "training", "val", "valid", "validation", "dev", "test", "testing"})


def detect(root: Path) -> bool:
    """Whether ``root`` is a folder: every folder can be read this way, so it is what remains when nothing else fits."""
    return root.is_dir()


def read(root: Path, *, column: str = "label") -> Dataset:
    """The images below ``root``, labelled by their folders.

    Parameters
    ----------
    root : pathlib.Path
    column : str, default="label"
        Name of the column that the folder names go into, for example ``"gender"`` or ``"identity"``.
    """
    images, problems = list_images(root)
    labels = folder_labels(images, column)
    return assemble("folder", root, images, {} if labels is None else {"the folder names": labels}, problems)


def folder_labels(images: Sequence[str], column: str) -> pd.DataFrame | None:
    """What the folders of relative paths say, or None when they tell no two images apart."""
    has_parts = bool(images) and all(path.split("/")[0].lower() in PART_NAMES for path in images)
    depth = 1 if has_parts else 0
    labelled = [path for path in images if path.count("/") > depth]
    names = [path.split("/")[depth] for path in labelled]
    columns = {column: names} if len(set(names)) > 1 else {}
    if has_parts:
        labelled = labelled if columns else list(images)
        columns["split"] = [path.split("/")[0].lower() for path in labelled]
    return label_frame(labelled, columns) if columns else None


ADAPTER = Adapter("folder", detect, read)
