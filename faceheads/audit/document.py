"""The findings of an audit as a report for people, and as CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..atomic import atomic_path
from ..report.document import (
    Block,
    Document,
    Figure,
    Gallery,
    Heading,
    Headline,
    Measured,
    Note,
    Pictures,
    Section,
    Table,
    Text,
    Tile,
)
from ..table import FaceTable
from .charts import balance_pictures
from .finding import Finding
from .finding import Gallery as Faces
from .subject import Subject

#: Rows of a table that are shown; its file has all.
_N_ROWS = 12
_NO_PHOTOS = "Faces are not shown, because the photos were not given: --data_dir DIR names their folder."
#: Rows of a table → for each a small JPEG of the face, None where the photo is missing or another one.
PhotoReader = Callable[[FaceTable], list[bytes | None]]


def write_tables(folder: Path, findings: Sequence[Finding]) -> None:
    """Write the table of each finding as ``NAME.csv``."""
    for finding in findings:
        with atomic_path(folder / f"{finding.name}.csv") as temporary:
            finding.table.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")


def audit_document(subject: Subject, findings: Sequence[Finding], photos: PhotoReader | None) -> Document:
    """The findings as a document, with the faces to look at where ``photos`` can read them."""
    samples = subject.samples
    lead = (
        f"{len(samples.table)} rows of {samples.table.n_images} images. Kept together: {samples.grouped_by}. "
        f"Split: {samples.split_by}."
    )
    figures = tuple(Figure(finding.title, Measured(finding.number), finding.unit) for finding in findings)
    sections = [Section("Overview", (Headline(figures),))]
    sections += [Section(finding.title, tuple(_blocks(subject, finding, photos))) for finding in findings]
    return Document("Audit of a data set", lead, tuple(sections))


def _blocks(subject: Subject, finding: Finding, photos: PhotoReader | None) -> list[Block]:
    blocks: list[Block] = [Text(finding.words)]
    if finding.name == "balance":
        blocks.append(Pictures(balance_pictures(subject)))
    blocks += [_table(finding)] if len(finding.table) else []
    shown = [gallery for gallery in finding.galleries if gallery.sights]
    if shown and photos is None:
        return [*blocks, Note(_NO_PHOTOS)]
    for gallery in shown:
        blocks += [Heading(gallery.heading), _gallery(subject.samples.table, gallery, photos)]
    return blocks


def _gallery(table: FaceTable, gallery: Faces, photos: PhotoReader) -> Gallery:
    pictures = photos(table[np.array([sight.row for sight in gallery.sights])])
    tiles = (Tile(picture, sight.lines) for picture, sight in zip(pictures, gallery.sights, strict=True))
    return Gallery(gallery.name, tuple(tiles))


def _table(finding: Finding) -> Table:
    frame = finding.table.head(_N_ROWS)
    rows = tuple(tuple(_cell(value) for value in row) for row in frame.itertuples(index=False))
    n = len(finding.table)
    caption = f"All rows: {finding.name}.csv" if n <= _N_ROWS else f"{_N_ROWS} of {n} rows; all: {finding.name}.csv"
    return Table(tuple(map(str, frame.columns)), rows, caption)


def _cell(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else ""
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.4g}"
    return "" if pd.isna(value) else str(value)
