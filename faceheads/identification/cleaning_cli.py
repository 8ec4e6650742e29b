"""``verify.py --clean``: a copy of the labels that says which photos do not fit their person, and pages to look at them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ..atomic import atomic_path
from ..labels import read_labels, write_labels
from ..report.document import Document, Figure, Gallery, Heading, Headline, Measured, Section, Table, Text, Tile
from ..report.writing import write_document
from ..table import FaceTable
from ..table_io import read_table
from ..verification.comparisons import FAKE
from ..verification.identities import labelled_identities
from ..verification.threshold_file import load_threshold
from .cleaning import CleaningThresholds, Findings, find_suspects
from .gallery import person_of
from .searches import column_of
from .thresholds import default_threshold_path, refuse_score

NAME = "suspects"
#: Of the table of people who may be one, beside the labels.
SAME_SUFFIX = ".same.csv"
_KIND, _FOLDER = "kind", "folder"
#: People on the page for review, and photos of a person's group and of suspects shown of each.
MAX_PEOPLE, MAX_TILES = 200, 8


def add_cleaning_options(parser: argparse.ArgumentParser) -> None:
    """Options on labels that do not fit."""
    group = parser.add_argument_group("labels that do not fit", "With --feature and --identity.")
    group.add_argument(
        "--clean",
        type=Path,
        metavar="OUT.csv",
        help="write the labels with columns that say which photos are unlike the others of their person; with --report "
        "and --data_dir also a page of them to look at. Nothing is deleted",
    )


def clean_table(args: argparse.Namespace) -> tuple[FaceTable, Findings]:
    """Look for labels that do not fit as the options say, and write what was found.

    Raises
    ------
    ValueError
        If the options, the table and the labels do not go together.
    """
    if args.feature is None or args.identity is None:
        raise ValueError("--clean needs --feature and --identity, who is said to be on each image.")
    if args.clean.resolve() == Path(args.identity).resolve():
        raise ValueError(f"--clean {args.clean} would replace the labels. Choose another file.")
    table = read_table(args.feature)
    table = table[table.face_index == 0]
    file = load_threshold(default_threshold_path() if args.threshold is None else args.threshold)
    file.check_spec(table.spec)
    refuse_score(file)
    labels = None if args.identity == _FOLDER else read_labels(args.identity)
    person = _people(table, labels, args.identity_column)
    is_fake = None
    if labels is not None and _KIND in labels.columns:
        is_fake = column_of(table, labels, _KIND) == FAKE
    findings = find_suspects(table, person, file.metric, CleaningThresholds.of(file), is_fake)
    _write(args.clean, table, labels, findings)
    return table, findings


def _people(table: FaceTable, labels: pd.DataFrame | None, column: str) -> np.ndarray:
    if labels is None:
        return np.array([person_of(path) for path in table.path], dtype=object)
    return labelled_identities(table, labels, column)


def _write(path: Path, table: FaceTable, labels: pd.DataFrame | None, findings: Findings) -> None:
    """The labels as they are, in all their columns and rows, with what was found beside them."""
    found = findings.columns()
    found.index = pd.Index(table.path, name="path", dtype=object)
    if labels is None:
        labels = pd.DataFrame({"identity": findings.person}, index=found.index)
    taken = [column for column in found.columns if column in labels.columns]
    write_labels(path, labels.drop(columns=taken).join(found))
    with atomic_path(path.with_suffix(SAME_SUFFIX)) as temporary:
        pairs = pd.DataFrame(findings.same, columns=["one", "other", "similarity"])
        pairs.to_csv(temporary, index=False, lineterminator="\n")


# ------------------------------------------------------------------------------------------------- what is told


def summary_of(findings: Findings) -> dict:
    """Counts, as JSON values."""
    people = set(findings.person) - {""}
    suspected = set(findings.person[findings.is_suspect])
    return {
        "photos": len(findings.person),
        "people": len(people),
        "suspects": int(findings.is_suspect.sum()),
        "people_with_suspects": len(suspected),
        "suggested": int((findings.suggested != "").sum()),
        "not_judged": int((~findings.is_suspect & ~findings.is_main).sum()),
        "same_person": [{"one": a, "other": b, "similarity": s} for a, b, s in findings.same],
    }


def in_words(findings: Findings, as_json: bool) -> str:
    """The summary for the terminal."""
    told = summary_of(findings)
    if as_json:
        return json.dumps(told, ensure_ascii=False)
    lines = [
        f"photos        {told['photos']:>8}   of {told['people']} people",
        f"suspects      {told['suspects']:>8}   of {told['people_with_suspects']} people; {told['suggested']} like others",
        f"not judged    {told['not_judged']:>8}",
        f"same person?  {len(told['same_person']):>8}   pairs of people",
    ]
    return "\n".join(lines)


def rows_to_show(findings: Findings) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of people with suspects, those with most first: rows of their group and of suspects, some of each."""
    suspects = np.flatnonzero(findings.is_suspect)
    people = pd.Series(findings.person[suspects]).value_counts(sort=True).index[:MAX_PEOPLE]
    return {
        person: tuple(
            np.flatnonzero(is_such & (findings.person == person))[:MAX_TILES]
            for is_such in (findings.is_main, findings.is_suspect)
        )
        for person in people
    }


def review_document(table: FaceTable, findings: Findings, pictures: Mapping[int, bytes]) -> Document:
    """A page for people to look at: of each person the photos that are alike, and those that are not like them.

    Parameters
    ----------
    table : FaceTable
    findings : Findings
        About its rows.
    pictures : mapping of int to bytes
        JPEG thumbnails by row; may be empty.
    """
    told = summary_of(findings)
    figures = [
        Figure("suspects", Measured(f"{told['suspects']:,}"), f"of {told['photos']:,} photos"),
        Figure("people with suspects", Measured(f"{told['people_with_suspects']:,}"), f"of {told['people']:,}"),
        Figure("pairs of people who may be one", Measured(f"{len(findings.same):,}")),
    ]
    blocks = []
    for number, (person, (main, suspects)) in enumerate(rows_to_show(findings).items()):
        blocks.append(Heading(person))
        for what, rows in (("main", main), ("suspects", suspects)):
            if len(rows):
                tiles = tuple(_tile(table, findings, int(row), pictures) for row in rows)
                blocks += [Text(_HEADINGS[what]), Gallery(f"{what}_{number}", tiles)]
    sections = [Section("In short", (Headline(tuple(figures)),)), Section("Photos that do not fit", tuple(blocks))]
    if findings.same:
        rows = tuple((one, other, f"{similarity:.3f}") for one, other, similarity in findings.same)
        sections.append(Section("One person?", (Table(("one", "other", "similarity"), rows),)))
    lead = "Photos unlike the others of their person. Look at them; nothing has been changed."
    return Document("Suspect labels", lead, tuple(sections))


_HEADINGS = {"main": "Alike:", "suspects": "Suspects:"}


def _tile(table: FaceTable, findings: Findings, row: int, pictures: Mapping[int, bytes]) -> Tile:
    lines = [table.path[row]]
    if np.isfinite(findings.similarity[row]):
        lines.append(f"{findings.similarity[row]:.3f} to the others")
    if findings.is_suspect[row]:
        lines.append(findings.reason[row])
    if findings.suggested[row]:
        lines.append(f"like {findings.suggested[row]}")
    return Tile(pictures.get(row), tuple(lines))


def write_review(folder: Path, table: FaceTable, findings: Findings, pictures: Mapping[int, bytes]) -> None:
    """Write the page, as HTML and as Markdown."""
    write_document(folder, NAME, review_document(table, findings, pictures))
