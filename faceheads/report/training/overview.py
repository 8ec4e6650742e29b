"""The first section: one figure for each head, and what the reader must know."""

from __future__ import annotations

from ...fitted_head import Head
from ...summary import COHORT_METRICS
from ...training import TrainingResult
from ...wording import baseline_in_words, metric_label, value_and_interval
from ..document import Figure, Headline, Measured, Note, Section


def overview_section(result: TrainingResult) -> Section:
    """Each head's main figure beside its baseline, and the remarks of the training."""
    figures = tuple(_figure(head) for head in result.file.heads)
    return Section("In short", (Headline(figures), *(Note(remark) for remark in result.remarks)))


def _figure(head: Head) -> Figure:
    target, report = head.target, head.report
    name = COHORT_METRICS[target.task][0]
    baseline = value_and_interval(name, report.baseline[name])[0]
    unit = f", {target.unit}" if target.unit else ""
    return Figure(
        f"{target.name}: {metric_label(name)}{unit}",
        Measured(*value_and_interval(name, report.metrics[name])),
        f"{baseline_in_words(target.task)}: {baseline}",
    )
