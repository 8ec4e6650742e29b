"""A metric by cohort: one bar a cohort, as long as its interval, with the value inside."""

from __future__ import annotations

from typing import Any

from ...metrics.cohorts import Cohort, CohortTable
from ...metrics.intervals import Estimate
from ...wording import SHARES, metric_label, value_and_interval
from ..style import BAND, BLACK, BLUE, GUIDE, SIZE, SKY, percent_axis, shorten

#: More cohorts than this are in the table only.
MAX_BARS = 40


def shown_cohorts(table: CohortTable) -> list[Cohort]:
    """The cohorts that are large enough to be shown."""
    return [cohort for cohort in table.cohorts if cohort.metrics]


def bars_size(table: CohortTable) -> tuple[float, float]:
    """Width and height in inches that the bars need."""
    return SIZE[0], 1.1 + 0.27 * max(len(shown_cohorts(table)), 2)


def draw_bars(figure: Any, table: CohortTable, name: str, overall: Estimate) -> None:
    """The metric ``name`` of each cohort, with that of all rows behind them."""
    axes = figure.subplots()
    cohorts = shown_cohorts(table)
    axes.axvspan(overall.low, overall.high, color=BAND, linewidth=0)
    axes.axvline(overall.value, color=GUIDE, linestyle="--", linewidth=1.2)
    for y, cohort in enumerate(cohorts):
        found = cohort.metrics[name]
        width = found.high - found.low
        axes.barh(y, width, left=found.low, height=0.56, facecolor=SKY, edgecolor=BLUE, hatch="////", linewidth=0.8)
        axes.plot([found.value], [y], "o", color=BLACK, markersize=5)
        words = value_and_interval(name, found)[0]
        axes.text(1.02, y, words, transform=axes.get_yaxis_transform(), va="center", fontsize=8)
    axes.set_yticks(range(len(cohorts)), [f"{shorten(c.name, 26)} ({c.n_rows:,})" for c in cohorts])
    axes.set_ylim(len(cohorts) - 0.4, -0.6)
    axes.use_sticky_edges = False  # else the lowest bar would begin at the axis, as if it were cut
    axes.margins(x=0.06)
    axes.set_xlabel(f"{metric_label(name)}; dashed: all rows")
    axes.grid(axis="y", visible=False)
    if name in SHARES:
        percent_axis(axes.xaxis)
