"""What one criterion costs against another, cohort by cohort.

Mean - gap, the score of a challenge, is 1.5 · smaller - 0.5 · larger for two cohorts: it rises when the better cohort gets
worse. Maximin does not. The table puts thresholds for plain accuracy, maximin and mean - gap side by side, and counts
the errors that each adds to a cohort compared with maximin.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .criterion import MEAN_MINUS_GAP, MINIMUM, Criterion, measure_accuracies
from .cuts import check_scores, encode_cohorts
from .optimum import cohort_thresholds, shared_threshold

#: What is compared, the reference last.
COMPARED = ("accuracy", MEAN_MINUS_GAP, MINIMUM)


def price_table(
    scores: Sequence[float],
    is_positive: Sequence,
    cohorts: Sequence,
    per_cohort: bool = False,
    tolerance: float = 0.0,
) -> pd.DataFrame:
    """Thresholds for three criteria and what each does to each cohort.

    Parameters
    ----------
    scores, is_positive, cohorts : array of shape (n_rows,)
        As :func:`faceheads.fairness.optimum.shared_threshold` takes them.
    per_cohort : bool, default=False
        Whether each cohort has a threshold of its own.
    tolerance : float, default=0.0
        A gap that costs nothing when mean - gap is optimised.

    Returns
    -------
    DataFrame
        Index: ``accuracy``, ``mean_minus_gap``, ``minimum``. Columns of two levels: ``threshold``, ``accuracy`` and
        ``added_errors`` (rows decided wrongly, minus those of ``minimum``) for each cohort; ``all`` with ``accuracy``
        (of all rows), ``gap``, ``mean_minus_gap`` and ``minimum``.

    Raises
    ------
    ValueError
        If an argument is malformed.
    """
    scores, truth = check_scores(scores, is_positive)
    codes, names = encode_cohorts(cohorts, len(scores))
    n_rows = np.bincount(codes, minlength=len(names))
    tune = cohort_thresholds if per_cohort else shared_threshold
    tuned = {name: tune(scores, truth, cohorts, Criterion(name, tolerance=tolerance)) for name in COMPARED}
    accuracy = np.array([list(t.accuracy.values()) for t in tuned.values()])  # (n_criteria, n_cohorts)
    errors = np.rint((1 - accuracy) * n_rows).astype(np.int64)
    columns = {("threshold", name): [t.thresholds[name] for t in tuned.values()] for name in names}
    columns |= {("accuracy", name): accuracy[:, g] for g, name in enumerate(names)}
    columns |= {("added_errors", name): errors[:, g] - errors[-1, g] for g, name in enumerate(names)}
    columns |= {
        ("all", "accuracy"): 1 - errors.sum(axis=1) / len(scores),
        ("all", "gap"): np.ptp(accuracy, axis=1),
        ("all", MEAN_MINUS_GAP): measure_accuracies(MEAN_MINUS_GAP, accuracy.T),
        ("all", MINIMUM): measure_accuracies(MINIMUM, accuracy.T),
    }
    return pd.DataFrame(columns, index=pd.Index(COMPARED, name="tuned_for"))


def price_text(table: pd.DataFrame) -> str:
    """The table of :func:`price_table` as lines for people."""
    names = list(table["accuracy"].columns)
    header = ["tuned for", *(f"accuracy {name}" for name in names), "gap", "mean - gap"]
    rows = [header, *(_row(criterion, table.loc[criterion], names) for criterion in table.index)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, price_line(table)])


def _row(criterion: str, values: pd.Series, names: list) -> list[str]:
    accuracies = [f"{100 * values['accuracy', name]:.2f} %" for name in names]
    return [criterion, *accuracies, f"{100 * values['all', 'gap']:.2f} %", f"{values['all', MEAN_MINUS_GAP]:.4f}"]


def price_line(table: pd.DataFrame) -> str:
    """The price of mean - gap against maximin, from the table of :func:`price_table`, in one line."""
    gain = table.loc[MEAN_MINUS_GAP, ("all", MEAN_MINUS_GAP)] - table.loc[MINIMUM, ("all", MEAN_MINUS_GAP)]
    added = table.loc[MEAN_MINUS_GAP, "added_errors"]
    errors = ", ".join(f"{int(count):+d} errors for {name}" for name, count in added.items())
    return f"price of mean - gap against minimum: {errors}; it gains {gain:.4f} of mean - gap by that"
