"""The section of one head: its figures, curves, cohorts, thresholds and examples."""

from __future__ import annotations

import re

from ...fitted_head import NOT_TUNED, Head
from ...head_report import HeadReport
from ...search_result import found_line
from ...summary import COHORT_METRICS
from ...training import TrainingResult
from ...wording import (
    baseline_in_words,
    estimate_text,
    metric_label,
    task_in_words,
    threshold_text,
    value_and_interval,
)
from ..document import Block, Measured, Section, Table, Text
from .cohort_blocks import cohort_blocks
from .example_blocks import example_blocks
from .head_pictures import head_pictures
from .sources import Sources
from .threshold_blocks import threshold_blocks

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9]+")


def head_section(result: TrainingResult, sources: Sources, position: int) -> Section:
    """Everything on the head at a position of the file."""
    head, answers = result.file.heads[position], result.held_out[position].answers
    name = picture_name(position, head.target.name)
    blocks: list[Block] = [Text(_what(head)), _metric_table(head), *_attribute_table(head.report)]
    blocks += head_pictures(head, answers, result.details[position], name)
    blocks += cohort_blocks(result.details[position], COHORT_METRICS[head.target.task], head.report, name)
    blocks += threshold_blocks(result, position, name)
    blocks += example_blocks(result, sources, position, name)
    return Section(head.target.name, tuple(blocks))


def picture_name(position: int, target: str) -> str:
    """A name for files, whatever the target is called; its number keeps names apart."""
    return f"{position + 1}_{_NOT_A_NAME.sub('_', target).strip('_')[:40]}"


def _what(head: Head) -> str:
    report = head.report
    words = f"Learned from {report.n_train:,} faces, tested on {report.n_test:,} rows"
    if report.n_test_without_face:
        guess = baseline_in_words(head.target.task)
        words += f"; {report.n_test_without_face:,} of these without a face, given the training part's {guess}"
    words = f"Predicts {task_in_words(head)} by {head.kind} ({head.target.why}). {words}."
    if head.thresholds_from != NOT_TUNED:
        words += f" Threshold {threshold_text(head)}, tuned for {head.thresholds_from}."
    if head.found is not None:
        words += f" Settings: {found_line(head.found, head.kind, head.target.unit)}."
    return words


def _metric_table(head: Head) -> Table:
    report, target = head.report, head.target
    rows = []
    for name, estimate in report.metrics.items():
        notes = "; ".join(dict.fromkeys(e.note for e in (estimate, report.baseline[name]) if e.note))
        cells = (Measured(*value_and_interval(name, e)) for e in (estimate, report.baseline[name]))
        rows.append((metric_label(name, target.unit), *cells, notes))
    header = ("held-out", "head [95 % interval]", f"{baseline_in_words(target.task)} [95 % interval]", "")
    if any(row[-1] for row in rows):
        return Table(header, tuple(rows))
    return Table(header[:-1], tuple(row[:-1] for row in rows))


def _attribute_table(report: HeadReport) -> list[Table]:
    if not report.attributes:
        return []
    rows = []
    for name, metrics in report.attributes.items():
        baseline = estimate_text("accuracy", report.attribute_baselines[name]["accuracy"])
        others = (Measured(*value_and_interval(m, metrics[m])) for m in ("accuracy", "balanced_accuracy", "roc_auc"))
        rows.append((name, *others, baseline))
    header = ("attribute", "accuracy", "balanced accuracy", "ROC AUC", "most frequent class: accuracy")
    return [Table(header, tuple(rows))]
