"""A bona fide check on disk: a part of the threshold's JSON, and a file of its head beside it.

A file is untrusted input: the head file must have the sha256 that the JSON names and is read as every head file
(:mod:`faceheads.store`), numbers are checked one by one, and nothing is executed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..archive import MAX_FILE_BYTES
from ..download import sha256_of
from ..store import load_heads, save_heads
from .bona_fide import COLUMNS, BonaFideMatch
from .bona_fide_check import BonaFideCheck
from .bona_fide_head import BonaFideHead
from .json_values import exactly, number
from .known_errors import KnownErrors


def head_path(threshold_path: str | os.PathLike) -> Path:
    """Where the head of a threshold lies: ``T.bona_fide.skops`` beside ``T.json``."""
    return Path(threshold_path).with_suffix(".bona_fide.skops")


def save_check(path: Path, check: BonaFideCheck) -> dict:
    """Write the head of a check; returns the JSON values that describe the check.

    Raises
    ------
    faceheads.headfile.HeadError
        If the head is of a type that could not be read again.
    """
    save_heads(path, check.head.file)
    slopes, intercepts = (getattr(check.fusion, name).tolist() for name in ("slopes_", "intercepts_"))
    return {
        "sha256": sha256_of(path),
        "embedder_digest": check.head.spec.embedder_digest,
        "slopes": slopes,
        "intercepts": intercepts,
        "errors": check.errors.to_json(),
    }


def load_check(path: Path, values: Mapping) -> BonaFideCheck:
    """The check that :func:`save_check` wrote.

    Raises
    ------
    ValueError
        If the head file is missing, too large, another one or damaged, or a value is out of range.
    """
    exactly(values, {"sha256", "embedder_digest", "slopes", "intercepts", "errors"}, "bona_fide")
    fusion, errors = _fusion(values), KnownErrors.from_json(values["errors"])
    if not path.is_file():
        raise ValueError(f"the file {path.name} of its bona fide head must lie beside it; there is none.")
    if path.stat().st_size > MAX_FILE_BYTES or sha256_of(path) != values["sha256"]:
        raise ValueError(f"{path.name} is not the head that the threshold was saved with. Copy both again.")
    head = BonaFideHead.of(load_heads(path))
    if head.spec.embedder_digest != values["embedder_digest"]:
        raise ValueError(f"{path.name} is for other embeddings than the threshold says.")
    return BonaFideCheck(head, fusion, errors)


def _fusion(values: Mapping) -> BonaFideMatch:
    fusion = BonaFideMatch()
    for name in ("slopes", "intercepts"):
        if not isinstance(values[name], list) or len(values[name]) != 2:
            raise ValueError(f"{name} of a bona fide check must be two numbers.")
        setattr(fusion, f"{name}_", np.array([number(value) for value in values[name]]))
    if (fusion.slopes_ < 0).any():
        raise ValueError("slopes of a bona fide check must not be negative: higher is more alike, more real.")
    fusion.classes_ = np.array([False, True])
    fusion.n_features_in_ = len(COLUMNS)
    return fusion
