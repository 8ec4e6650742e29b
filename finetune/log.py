"""Figures of a training as CSV, one row a step or an epoch, the same after a kill and a resumption as without."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from faceheads.atomic import write_text


class CsvLog:
    """A CSV file that grows by rows; the first row decides the columns, the first column is the step.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def clear(self) -> None:
        """Begin anew."""
        self.path.unlink(missing_ok=True)

    def keep_until(self, step: int) -> None:
        """Drop the rows of later steps, which are done again."""
        if self.path.is_file():
            lines = self.path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines[1:] if _step_of(line) <= step]
            write_text(self.path, "".join(f"{line}\n" for line in [*lines[:1], *kept]))

    def append(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Add rows; columns that the first row did not have are left out."""
        if not rows:
            return
        columns = self._columns() or list(rows[0])
        is_new = not self.path.is_file()
        with open(self.path, "a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore", lineterminator="\n")
            if is_new:
                writer.writeheader()
            writer.writerows(rows)

    def _columns(self) -> list[str]:
        if not self.path.is_file():
            return []
        with open(self.path, newline="", encoding="utf-8") as file:
            return next(csv.reader(file), [])


def _step_of(line: str) -> float:
    """The step of a row; one that was cut off when the process was killed counts as later than all."""
    first = line.split(",")[0]
    return int(first) if first.isdecimal() and "," in line else float("inf")
