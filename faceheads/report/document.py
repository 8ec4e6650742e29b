"""What a report is made of, whatever it is written as. All words are plain text; who writes them escapes them.

===========  ==========================================================================================================
Text         a paragraph
Note         a paragraph that must not be overlooked
Heading      begins a part of a section
Command      a command line, to be copied
Headline     the few figures that are read first
Table        rows of words and of measured numbers
Pictures     charts beside one another
Gallery      small photos with words below them
===========  ==========================================================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Measured:
    """A number with its interval or another remark, as a cell or as a figure of the headline."""

    value: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.value} [{self.detail}]" if self.detail else self.value


Cell = str | Measured


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    words: str
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Note:
    """A paragraph that must not be overlooked."""

    words: str
    kind: ClassVar[str] = "note"


@dataclass(frozen=True)
class Heading:
    """The beginning of a part of a section."""

    words: str
    kind: ClassVar[str] = "heading"


@dataclass(frozen=True)
class Command:
    """A command line."""

    words: str
    kind: ClassVar[str] = "command"


@dataclass(frozen=True)
class Figure:
    """One figure of the headline: what it is, its value, and what to compare it with."""

    label: str
    number: Measured
    beside: str = ""


@dataclass(frozen=True)
class Headline:
    """The figures that are read first."""

    figures: tuple[Figure, ...]
    kind: ClassVar[str] = "headline"


@dataclass(frozen=True)
class Table:
    """Rows below a header; the first cell of a row names it.

    Raises
    ------
    ValueError
        If a row has not as many cells as the header.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    kind: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        wrong = [row for row in self.rows if len(row) != len(self.header)]
        if wrong:
            raise ValueError(f"each row must have {len(self.header)} cells, as the header; got {len(wrong[0])}.")


_NAME = re.compile(r"[A-Za-z0-9_-]+")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"the name of a picture must be letters, digits, - and _, for it names a file; got {name!r}.")


@dataclass(frozen=True)
class Picture:
    """A chart.

    Attributes
    ----------
    name : str
        Name of its file, without folder and extension: letters, digits, ``-`` and ``_``.
    png : bytes
    caption : str
        What it shows; also read to those who do not see it.
    """

    name: str
    png: bytes
    caption: str

    def __post_init__(self) -> None:
        _check_name(self.name)


@dataclass(frozen=True)
class Pictures:
    """Charts beside one another."""

    pictures: tuple[Picture, ...]
    kind: ClassVar[str] = "pictures"


@dataclass(frozen=True)
class Tile:
    """A small photo with words below it.

    Attributes
    ----------
    jpeg : bytes or None
        None where there is no photo.
    lines : tuple of str
    """

    jpeg: bytes | None
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Gallery:
    """Small photos; ``name`` as of a :class:`Picture`, for the names of their files."""

    name: str
    tiles: tuple[Tile, ...]
    kind: ClassVar[str] = "gallery"

    def __post_init__(self) -> None:
        _check_name(self.name)


Block = Text | Note | Heading | Command | Headline | Table | Pictures | Gallery


@dataclass(frozen=True)
class Section:
    """A part of a document, named in its list of contents."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes
    ----------
    title, lead : str
        What it is about, in a few words and in a sentence or two.
    sections : tuple of Section
    footer : str
        What made it.
    """

    title: str
    lead: str
    sections: tuple[Section, ...]
    footer: str = ""
