"""Malformed names, missing labels, and what else did not fit when the data set was read."""

from __future__ import annotations

import pandas as pd

from .finding import Finding
from .subject import Subject


def unlabelled(subject: Subject, problems: pd.DataFrame) -> Finding:
    """Images with a missing label and the problems that the data set's adapter listed.

    Parameters
    ----------
    subject : Subject
    problems : DataFrame
        Columns ``path`` and ``what``, as in ``NAME.problems.csv`` of an extraction.
    """
    labels = subject.samples.labels[subject.label_columns]
    is_missing = labels.isna()
    rows = is_missing.any(axis=1).to_numpy()
    what = [f"no {', '.join(labels.columns[missing])}" for missing in is_missing[rows].to_numpy()]
    missing = pd.DataFrame({"path": labels.index[rows], "what": what}, dtype=object)
    table = pd.concat([problems[["path", "what"]], missing], ignore_index=True)
    words = f"{len(problems)} remarks on the data set when it was read; {len(missing)} rows lack a label. "
    words += " ".join(f"{remark}." for remark in subject.remarks)
    return Finding("unlabelled", "What did not fit", f"{len(table):,}", "remarks", words.strip(), table)
