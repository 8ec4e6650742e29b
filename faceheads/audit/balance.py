"""How many rows of each class, number and cohort there are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..splits import NEITHER, TEST, TRAIN
from .finding import Finding
from .subject import Subject

#: Classes with fewer rows in a part are named: too few to learn from or to measure.
FEW_ROWS = 50
_N_NAMED = 8
_UNKNOWN = "unknown"


def balance(subject: Subject) -> Finding:
    """Rows by class, decade or part of a number; by cohort; by both; in all and in each part."""
    table = pd.concat([_count(name, values, subject) for name, values in subject.columns.items()], ignore_index=True)
    few = table[(table[[TRAIN, TEST]] < FEW_ROWS).any(axis=1) & (table["value"] != _UNKNOWN)]
    named = ", ".join(f"{row.value} of {row.column}" for row in few.head(_N_NAMED).itertuples())
    words = f"{len(few)} of {len(table)} classes and cohorts have fewer than {FEW_ROWS} rows in a part"
    words += f": {named}{', …' if len(few) > _N_NAMED else '.'}" if len(few) else "."
    return Finding(
        "balance",
        "Balance",
        f"{len(few):,}",
        f"classes or cohorts with fewer than {FEW_ROWS} rows in a part",
        words,
        table,
    )


def _count(name: str, values: pd.Categorical, subject: Subject) -> pd.DataFrame:
    parts = subject.samples.parts
    counts = {part: _counts(values, parts == part) for part in (TRAIN, TEST, NEITHER)}
    rows = _counts(values, np.ones(len(values), bool))
    frame = pd.DataFrame({"column": name, "value": [*values.categories, _UNKNOWN], "rows": rows, **counts})
    frame.insert(3, "share", frame["rows"] / len(values))
    return frame[frame["rows"] > 0]


def _counts(values: pd.Categorical, chosen: np.ndarray) -> np.ndarray:
    """Rows of each category, and of none as the last."""
    n = len(values.categories)
    codes = np.where(values.codes < 0, n, values.codes.astype(int))
    return np.bincount(codes[chosen], minlength=n + 1)
