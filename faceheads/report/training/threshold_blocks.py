"""What other thresholds would do to the cohorts, and the price of levelling them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from ...fairness.cuts import make_cuts
from ...fairness.price import price_line, price_table
from ...fitted_head import Head
from ...measuring import Answers
from ...targets import CLASSIFICATION
from ...training import TrainingResult
from ..charts.cohorts import shown_cohorts
from ..charts.sweep import draw_sweep
from ..document import Block, Heading, Measured, Picture, Pictures, Table, Text
from ..style import N_LOOKS, draw_png

_TUNED_FOR = {
    "accuracy": "accuracy of all rows",
    "mean_minus_gap": "mean − gap",
    "minimum": "smallest accuracy (maximin)",
}
_ABOUT = (
    "The best thresholds of the tables below were found on these held-out rows themselves, to show what levelling would cost "
    "here. They are in no head; a head's threshold is one half, or was tuned on out-of-fold predictions of the training part."
)


def threshold_blocks(result: TrainingResult, position: int, name: str) -> list[Block]:
    """A sweep for each column of cohorts; none for a head that does not decide between two classes, or without cohorts."""
    head, held = result.file.heads[position], result.held_out[position]
    if head.target.task != CLASSIFICATION or len(head.target.classes) != 2:
        return []
    blocks: list[Block] = []
    tables = {table.column: table for table in result.details[position].cohorts}
    for i, (column, cohorts) in enumerate(result.cohorts.items()):
        names = [cohort.name for cohort in shown_cohorts(tables[column])]
        if column != head.target.name and 2 <= len(names) < N_LOOKS:
            blocks += _sweep(held.answers, cohorts[held.rows], column, names, f"{name}_sweep_{i + 1}")
    return [Heading("Thresholds"), Text(_ABOUT), *blocks] if blocks else []


def _sweep(answers: Answers, cohorts: pd.Categorical, column: str, names: list[str], picture: str) -> list[Block]:
    codes = cohorts.set_categories(names).codes
    known = codes >= 0
    scores, truth, codes = answers.raw[known, 1], answers.y[known] == 1, codes[known].astype(np.int64)
    cuts = make_cuts(scores, truth, codes, len(names))
    limits = _limits(answers.head, cohorts, column, names)
    png = draw_png(partial(draw_sweep, cuts=cuts, names=names, thresholds=limits))
    caption = f"Accuracy by {column} over the threshold, one for all cohorts; dotted: the head's."
    prices = [
        _prices(price_table(scores, truth, np.array(names)[codes], per_cohort), f"{words}, by {column}")
        for per_cohort, words in ((False, "One threshold for all"), (True, "One threshold for each cohort"))
    ]
    return [Pictures((Picture(picture, png, caption),)), *(block for blocks in prices for block in blocks)]


def _limits(head: Head, cohorts: pd.Categorical, column: str, names: list[str]) -> tuple[float, ...]:
    """The thresholds in use: one for each of ``names`` where they differ between the cohorts of ``column``, else one."""
    if head.by_cohort is None or head.by_cohort.target != column:
        return head.thresholds
    of_cohort = dict(zip(cohorts.categories, head.by_cohort.values, strict=True))  # both in the order of the classes
    return tuple(of_cohort[name] for name in names)


def _prices(table: pd.DataFrame, caption: str) -> list[Block]:
    names = list(table["accuracy"].columns)
    rows = []
    for criterion, values in table.iterrows():
        cells = [Measured(_percent(values["accuracy", n]), _added(values["added_errors", n])) for n in names]
        rows.append(
            (_TUNED_FOR[criterion], *cells, _percent(values["all", "gap"]), f"{values['all', 'mean_minus_gap']:.4f}")
        )
    header = ("tuned for", *(f"accuracy, {n}" for n in names), "gap", "mean − gap")
    told = f"{caption}; in brackets: errors more than with the smallest accuracy as the aim"
    return [Table(header, tuple(rows), told), Text(f"The {price_line(table)}.")]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _added(n: float) -> str:
    return f"{int(n):+,}" if n else ""
