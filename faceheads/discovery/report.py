"""What is printed of a discovery, and the files that hold it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..atomic import write_text
from ..metrics.intervals import Estimate
from ..samples import Samples
from .examples import faces_to_look_at
from .ranking import Discovery

#: Files of a discovery.
FINDINGS_FILE, FACES_FILE = "findings.csv", "faces.csv"
#: Rules shown of those that hardly differ from a finding.
_N_SAME = 2


def discovery_text(result: Discovery, criterion: str, remarks: Sequence[str]) -> str:
    """Findings as a table for people, best first.

    Parameters
    ----------
    result : Discovery
    criterion : str
        What is explained, in words.
    remarks : sequence of str
        What the reader should know of the data.
    """
    head = (
        f"{criterion}: {result.prevalence:.1%} of {result.n_faces:,} faces. {result.n_rules:,} rules were compared; with "
        f"shuffled values the best of them has a correlation of {result.by_chance:.3f}."
    )
    lines = [head, *(f"note: {remark}" for remark in remarks), ""]
    lines.append(f"{'correlation [95 %]':<23}{'agrees % [95 %]':<22}{'first in':<10}rule")
    for finding in result.findings:
        correlation = _interval_text(finding.correlation, 1, 3)
        agreement = _interval_text(finding.agreement, 100, 1)
        lines.append(f"{correlation:<23}{agreement:<22}{finding.first:<10.0%}{finding.words}")
        lines += [f"{'':<55}  hardly differs: {words}" for words in finding.same[:_N_SAME]]
    lines += [
        "",
        "first in: share of the bootstrap's draws of persons in which the rule came first among those listed",
    ]
    return "\n".join(lines)


def _interval_text(estimate: Estimate, factor: float, digits: int) -> str:
    value, low, high = (f"{factor * x:.{digits}f}" for x in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def save_discovery(folder: Path, result: Discovery, samples: Samples, truth: np.ndarray, seed: int) -> None:
    """Write the findings, and the faces that a person should look at.

    Parameters
    ----------
    folder : Path
        Made when it is not there.
    result : Discovery
        On the faces of ``samples``.
    samples : Samples of n_faces faces
    truth : ndarray of shape (n_faces,), bool
        The criterion.
    seed : int

    Raises
    ------
    ValueError
        If the criterion is true, or false, of too few faces to find typical ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / FINDINGS_FILE, _findings_frame(result).to_csv(index=False))
    table = samples.table
    faces = faces_to_look_at(table.embedding, truth, samples.groups, result.findings[0], seed=seed)
    rows = faces.pop("row").to_numpy()
    faces.insert(0, "path", table.path[rows])
    faces.insert(1, "face", table.face_index[rows])
    write_text(folder / FACES_FILE, faces.to_csv(index=False, float_format="%.4f"))


def _findings_frame(result: Discovery) -> pd.DataFrame:
    rows = []
    for rank, finding in enumerate(result.findings, start=1):
        row = {"rank": rank, "rule": finding.words, "first": finding.first, "same": "; ".join(finding.same)}
        for name in ("correlation", "agreement"):
            estimate = getattr(finding, name)
            row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        rows.append(row)
    return pd.DataFrame(rows)
