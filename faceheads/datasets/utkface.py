"""UTKFace: the labels are in the file names, ``age_gender_race_date.jpg.chip.jpg``.

Columns: ``age`` in years, ``gender``, ``race`` (White, Black, Asian, Indian, Others). The published set holds names with
a field missing; which one cannot be known, so all three labels of such a file are missing and it is listed as a problem.
The date is not used, and a misspelt one does no harm.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import pandas as pd

from .base import Adapter, Dataset, Problem, assemble, path_index
from .listing import first_images, list_images
from .values import MAX_AGE_YEARS

GENDERS = ("male", "female")
RACES = ("White", "Black", "Asian", "Indian", "Others")

_NAME = re.compile(r"([0-9]{1,3})_([01])_([0-4])_[0-9]+[^0-9_].*", re.ASCII)
_LIKE_NAME = re.compile(r"[0-9]{1,3}_[01]_[0-9_]*[0-9]{8,}.*", re.ASCII)

#: How many names are looked at to recognise the set.
_N_LOOKED_AT = 50


def detect(root: Path) -> bool:
    """Whether the first names of the folder, or of ``UTKFace`` in it, are of the set's form."""
    names = first_images(image_root(root), _N_LOOKED_AT)
    return bool(names) and all(_LIKE_NAME.fullmatch(name) for name in names)


def read(root: Path) -> Dataset:
    """Every image below ``root`` (or below ``root/UTKFace``) with the labels that its name holds."""
    root = image_root(root)
    images, problems = list_images(root)
    parsed = [parse_name(path.rsplit("/", 1)[-1]) for path in images]
    problems += [_malformed(path) for path, fields in zip(images, parsed) if fields is None]
    labels = pd.DataFrame(
        [(math.nan, None, None) if fields is None else fields for fields in parsed],
        columns=["age", "gender", "race"],
        index=path_index(images),
    )
    labels = labels.astype({"age": float, "gender": str, "race": str})
    return assemble("utkface", root, images, {"the file names": labels}, problems)


def parse_name(name: str) -> tuple[float, str, str] | None:
    """Age in years, gender and race from a file name; None if the name has not the set's form."""
    match = _NAME.fullmatch(name)
    if match is None or int(match[1]) > MAX_AGE_YEARS:
        return None
    return float(match[1]), GENDERS[int(match[2])], RACES[int(match[3])]


def image_root(root: Path) -> Path:
    """The folder with the images: ``root/UTKFace`` where there is one, else ``root``."""
    return root / "UTKFace" if (root / "UTKFace").is_dir() else root


def _malformed(path: str) -> Problem:
    return Problem(path, "malformed name: it must be age_gender_race_date; all labels are missing")


ADAPTER = Adapter("utkface", detect, read)
