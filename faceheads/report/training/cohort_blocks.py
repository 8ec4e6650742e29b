"""How well a head does for whom: bars and tables by cohort."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from ...head_report import HeadReport
from ...measuring import Details
from ...metrics.cohorts import ERRORS, Cohort, CohortTable
from ...wording import metric_label, value_and_interval
from ..charts.cohorts import MAX_BARS, bars_size, draw_bars, shown_cohorts
from ..document import Block, Cell, Heading, Measured, Picture, Pictures, Table, Text
from ..style import draw_png

#: Differences of more cohorts are in the summary's JSON only.
_MAX_PAIRS = 10


def cohort_blocks(details: Details, names: Sequence[str], report: HeadReport, name: str) -> list[Block]:
    """Bars of the first metric and tables of all; small cohorts are named.

    Parameters
    ----------
    details : Details
    names : sequence of str
        Metrics; bars and differences are of the first.
    report : HeadReport
        Of all rows.
    name : str
        The beginning of the names of the pictures.
    """
    tables = [table for table in (details.by_decade, *details.cohorts) if table is not None]
    if not tables:
        return []
    pictures = tuple(
        _bars(table, names[0], report, f"{name}_cohorts_{i + 1}")
        for i, table in enumerate(tables)
        if 1 <= len(shown_cohorts(table)) <= MAX_BARS
    )
    blocks: list[Block] = [Heading("For whom"), Pictures(pictures)]
    for table in tables:
        blocks += _table_blocks(table, names)
    return blocks


def _bars(table: CohortTable, metric: str, report: HeadReport, name: str) -> Picture:
    overall = report.metrics[metric]
    caption = (
        f"By {table.column}: {metric_label(metric)} (dots) and 95 % intervals (bars); rows in brackets; dashed line and gray "
        f"band: all rows, {Measured(*value_and_interval(metric, overall))}."
    )
    return Picture(
        name, draw_png(partial(draw_bars, table=table, name=metric, overall=overall), bars_size(table)), caption
    )


def _table_blocks(table: CohortTable, names: Sequence[str]) -> list[Block]:
    shown = shown_cohorts(table)
    names = [name for name in names if any(math.isfinite(cohort.metrics[name].value) for cohort in shown)]
    hidden = [cohort for cohort in table.cohorts if not cohort.metrics]
    rows = [_row(cohort, names) for cohort in shown]
    rows += _combined_rows(table, names) if len(shown) > 1 else []
    header = (f"by {table.column}", "rows", "groups", *(f"{metric_label(name)} [95 %]" for name in names))
    blocks: list[Block] = [Table(header, tuple(rows))] if rows else [Heading(f"By {table.column}")]
    if hidden:
        note = hidden[0].note
        blocks.append(Text(f"{note[0].upper()}{note[1:]}: {', '.join(cohort.name for cohort in hidden)}."))
    return [*blocks, *([Text(f"{table.note}.")] if table.note else [])]


def _row(cohort: Cohort, names: Sequence[str]) -> tuple[Cell, ...]:
    figures = (Measured(*value_and_interval(name, cohort.metrics[name])) for name in names)
    return (cohort.name, f"{cohort.n_rows:,}", f"{cohort.n_groups:,}", *figures)


def _combined_rows(table: CohortTable, names: Sequence[str]) -> list[tuple[Cell, ...]]:
    sign = "+" if names and names[0] in ERRORS else "−"
    lines = [("gap", table.gaps), (f"mean {sign} gap", table.combined)]
    if len(table.differences) <= _MAX_PAIRS:
        lines += [(f"{pair.one} − {pair.other}", pair.metrics) for pair in table.differences]
    return [
        (words, "", "", *(Measured(*value_and_interval(name, metrics[name])) for name in names))
        for words, metrics in lines
    ]
