"""One picture that is to be made, and what makes pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np


class CannotMake(Exception):
    """One picture that cannot be made; the message is the reason that ``problems.csv`` gives."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to be made.

    Attributes
    ----------
    path : str
        Where it goes, relative to the output folder, forward slashes; ends in .png, .jpg or .jpeg.
    source : str
        The photo it is made of, as the maker knows it. Pictures of one source that follow each other share its opening.
    labels : mapping of str to value
        Columns of ``labels.csv`` beside ``path`` and ``source``; equal names in all pictures of a job.
    """

    path: str
    source: str
    labels: Mapping[str, object] = field(default_factory=dict)


class Maker(Protocol):
    """How pictures are made. Must be picklable; lives in worker processes."""

    def open(self, source: str) -> object:
        """What all pictures of one source share, such as the decoded photo.

        Raises ``UnreadableImage`` or :class:`CannotMake` when none of them can be made.
        """

    def make(self, opened: object, picture: Picture) -> np.ndarray:
        """The picture, RGB uint8 of shape (height, width, 3). Raises :class:`CannotMake` when it cannot be made."""
