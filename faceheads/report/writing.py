"""A document to a folder: HTML, Markdown, and the Markdown's pictures."""

from __future__ import annotations

from pathlib import Path

from ..atomic import atomic_path, write_text
from .document import Document
from .html import html
from .markdown import markdown, picture_files


def write_document(folder: Path, name: str, document: Document, with_html: bool = True) -> list[Path]:
    """Write ``NAME.html``, ``NAME.md`` and the pictures of the latter; returns the two, or the one, that are to be read.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    name : str
    document : Document
    with_html : bool, default=True
        False where jinja2 is not to be needed.

    Raises
    ------
    MissingPackage
        If jinja2 is not installed.
    """
    page = html(document) if with_html else None
    for file, data in picture_files(document):
        with atomic_path(folder / file) as temporary:
            temporary.write_bytes(data)
    write_text(folder / f"{name}.md", markdown(document))
    if page is None:
        return [folder / f"{name}.md"]
    write_text(folder / f"{name}.html", page)
    return [folder / f"{name}.html", folder / f"{name}.md"]
