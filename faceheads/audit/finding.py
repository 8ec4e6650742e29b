"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Sight:
    """A face that should be looked at.

    Attributes
    ----------
    row : int
        Position in the audited table.
    lines : tuple of str
        Words below the picture.
    """

    row: int
    lines: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Gallery:
    """Faces beside one another, under a heading."""

    name: str
    heading: str
    sights: tuple[Sight, ...]


@dataclass(frozen=True, eq=False)
class Finding:
    """What a check has found.

    Attributes
    ----------
    name : str
        Of the check and of its table's file.
    title : str
    number : str
        The number that is read first.
    unit : str
        What it counts.
    words : str
        What was found and what it means.
    table : DataFrame
        All of it, in the order of importance.
    galleries : tuple of Gallery
    """

    name: str
    title: str
    number: str
    unit: str
    words: str
    table: pd.DataFrame
    galleries: tuple[Gallery, ...] = ()
