"""``train.py --audit DIR``: an audit, written to a folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd

from ..datasets import open_dataset
from ..labels import LabelError
from ..report.extra import require
from ..report.thumbnails import face_thumbnails
from ..report.writing import write_document
from ..table import FaceTable
from ..training_options import TrainingOptions
from .document import audit_document, write_tables
from .run import audit

REPORT_NAME = "audit"


def write_audit(
    folder: Path,
    table: FaceTable,
    labels: pd.DataFrame,
    options: TrainingOptions,
    problems: pd.DataFrame,
    data_dir: Path | None,
) -> str:
    """Audit a table and its labels into a folder: HTML, Markdown with pictures, and CSV.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    table, labels, options, problems
        See :func:`faceheads.audit.run.audit`.
    data_dir : Path or None
        Folder of the photos, for pictures of the faces that should be looked at.

    Returns
    -------
    str
        What was found, a line for each check.

    Raises
    ------
    LabelError
        If labels do not fit the table, the targets, the cohorts or the split.
    MissingPackage
        If matplotlib or jinja2 is not installed.
    """
    require("matplotlib.figure", "jinja2")
    photos = None if data_dir is None else partial(face_thumbnails, folder=_photo_root(data_dir, table.path[0]))
    subject, findings = audit(table, labels, options, problems)
    write_tables(folder, findings)
    page = write_document(folder, REPORT_NAME, audit_document(subject, findings, photos))[0]
    lines = [f"{finding.title:<36}{finding.number:>7} {finding.unit}" for finding in findings]
    return "\n".join([*lines, "", f"audit: {page}"])


def problems_beside(feature: Path) -> pd.DataFrame:
    """What the extraction listed beside its table, columns ``path`` and ``what``; no rows where it listed nothing.

    Raises
    ------
    LabelError
        If the file has other columns.
    """
    path = feature.with_suffix(".problems.csv")
    problems = pd.read_csv(path, dtype=str) if path.is_file() else pd.DataFrame(columns=["path", "what"])
    if not {"path", "what"} <= set(problems.columns):
        raise LabelError(f"{path} must have the columns path and what; got {list(problems.columns)}. Extract again.")
    return problems


def _photo_root(data_dir: Path, example: str) -> Path:
    """The folder that the table's paths are relative to: the one given, or that of the data set in it."""
    return data_dir if (data_dir / example).is_file() else open_dataset(data_dir).root
