"""Files that are equal to the byte, and what their labels say."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..splits import TEST, TRAIN
from .finding import Finding, Gallery, Sight
from .subject import Subject

#: Sets of contradicting copies that are shown.
_N_SHOWN = 12


def duplicates(subject: Subject) -> Finding:
    """Sets of byte-identical files, those with contradicting labels first, then those on both sides of the split.

    Nothing is known of files without a sha256.
    """
    sets = _sets(subject)
    frames = [_frame(number, rows, subject) for number, rows in enumerate(sets, start=1)]
    columns = ["set", "key", "part", *subject.label_columns, "differs", "across"]
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    firsts = table.drop_duplicates("set")
    n_conflicts, n_across = int((firsts["differs"] != "").sum()), int(firsts["across"].astype(bool).sum())
    words = (
        f"{len(table)} files are copies of another, in {len(sets)} sets. In {n_conflicts} sets the labels contradict each "
        f"other: train.py leaves these out. {n_across} sets have copies in both parts: train.py takes those out of the "
        "training part."
    )
    unit = f"copies; {n_conflicts:,} of {len(sets):,} sets contradict themselves"
    return Finding(
        "duplicates", "Equal files", f"{len(table):,}", unit, words, table, _galleries(sets, frames, subject)
    )


def _sets(subject: Subject) -> list[np.ndarray]:
    """Rows of each set of copies, by importance."""
    contents = pd.Series(subject.contents)
    rows = np.flatnonzero(contents.duplicated(keep=False))
    sets = [np.sort(members) for members in contents[rows].groupby(contents[rows]).indices.values()]
    sets = [rows[members] for members in sets]
    return sorted(sets, key=lambda rows: (not _differs(rows, subject), not _is_across(rows, subject), rows[0]))


def _differs(rows: np.ndarray, subject: Subject) -> str:
    """Label columns with more than one value, as text."""
    labels = subject.samples.labels[subject.label_columns].iloc[rows]
    return ", ".join(labels.columns[labels.nunique() > 1])


def _is_across(rows: np.ndarray, subject: Subject) -> bool:
    return {TRAIN, TEST} <= set(subject.samples.parts[rows])


def _frame(number: int, rows: np.ndarray, subject: Subject) -> pd.DataFrame:
    samples = subject.samples
    frame = samples.labels[subject.label_columns].iloc[rows].reset_index(drop=True)
    frame.insert(0, "set", number)
    frame.insert(1, "key", samples.table.keys[rows])
    frame.insert(2, "part", samples.parts[rows])
    return frame.assign(differs=_differs(rows, subject), across=_is_across(rows, subject))


def _galleries(sets: list[np.ndarray], frames: list[pd.DataFrame], subject: Subject) -> tuple[Gallery, ...]:
    contradicting = [
        (number, rows) for number, (rows, frame) in enumerate(zip(sets, frames, strict=True), 1) if frame["differs"][0]
    ]
    shown = [
        Sight(int(row), (f"set {number}, {subject.samples.parts[row]}", subject.describe(row)))
        for number, rows in contradicting[:_N_SHOWN]
        for row in rows
    ]
    return (Gallery("contradicting_copies", "Copies whose labels contradict each other", tuple(shown)),)
