"""What training found, as text for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .fitted_head import NOT_TUNED, Head
from .head_report import HeadReport
from .measuring import Details
from .metrics import Estimate
from .metrics.cohorts import ERRORS, Cohort, CohortTable
from .metrics.decades import DecadeConfusion
from .search_result import found_line
from .targets import CLASSIFICATION, MULTILABEL, REGRESSION
from .training import TrainingResult
from .wording import baseline_in_words, estimate_text, metric_label, task_in_words, threshold_text

#: The metrics of a cohort's line, by task; the differences and the gap are those of the first.
COHORT_METRICS = {
    CLASSIFICATION: ("accuracy", "balanced_accuracy"),
    MULTILABEL: ("accuracy", "balanced_accuracy"),
    REGRESSION: ("mae", "rmse"),
}
#: Differences of more cohorts are not printed; the JSON has them.
_MAX_PAIRS = 10
#: Names of cohorts that are not shown.
_N_LISTED = 8
_WIDTH = 24
_COLUMN = 28


def summary_json(result: TrainingResult) -> dict:
    """Split, targets, metrics with intervals and remarks as JSON values."""
    return {
        "training": dict(result.file.training),
        "heads": [_head_json(*pair) for pair in _heads_and_details(result)],
        "remarks": list(result.remarks),
        "versions": dict(result.file.versions),
    }


def _heads_and_details(result: TrainingResult) -> Iterator[tuple[Head, Details]]:
    return zip(result.file.heads, result.details, strict=True)


def _head_json(head: Head, details: Details) -> dict:
    values = head.to_json()
    return {
        **values.pop("target"),
        **values.pop("report"),
        **values,
        "cohorts": [table.to_json() for table in details.cohorts],
        "decades": None if details.decades is None else details.decades.to_json(),
        "by_decade": None if details.by_decade is None else details.by_decade.to_json(),
    }


def summary_text(result: TrainingResult) -> str:
    """The same for people."""
    training = result.file.training
    counts = {name: f"{training[name]:,}" for name in ("n_train", "n_train_groups", "n_test", "n_test_groups")}
    sizes = (
        "train {n_train} rows of {n_train_groups} groups, test {n_test} rows of {n_test_groups} groups, none in both"
    )
    lines = [f"split: {training['split']}; kept together: {training['groups']}", "       " + sizes.format(**counts)]
    lines += [f"note:  {remark}" for remark in result.remarks]
    for head, details in _heads_and_details(result):
        lines += ["", *_head_lines(head)]
        lines += [] if details.decades is None else decade_lines(details.decades)
        for table in (*_some(details.by_decade), *details.cohorts):
            lines += cohort_lines(table, COHORT_METRICS[head.target.task])
    return "\n".join(lines)


def _some(table: CohortTable | None) -> tuple[CohortTable, ...]:
    return () if table is None else (table,)


def _head_lines(head: Head) -> list[str]:
    target, report = head.target, head.report
    lines = [f"{target.name}: {task_in_words(head)}, {head.kind} ({target.why})"]
    baseline = baseline_in_words(target.task)
    tested = f"  trained on {report.n_train:,} faces, tested on {report.n_test:,}"
    if report.n_test_without_face:
        tested += f"; {report.n_test_without_face:,} of these without a face, given the training part's {baseline}"
    head_column = "head [95 % interval]"
    lines += [tested, f"  {'held-out':<{_WIDTH}}{head_column:<{_COLUMN}}{baseline} [95 % interval]"]
    lines += _metric_lines(report.metrics, report.baseline, target.unit)
    if head.thresholds_from != NOT_TUNED:
        lines.append(f"  threshold {threshold_text(head)}, tuned for {head.thresholds_from}")
    lines += [] if head.found is None else [f"  {found_line(head.found, head.kind, target.unit)}"]
    return lines + (_attribute_lines(report) if target.task == MULTILABEL else [])


def _metric_lines(metrics: Mapping[str, Estimate], baseline: Mapping[str, Estimate], unit: str) -> list[str]:
    lines = []
    for name, estimate in metrics.items():
        notes = "; ".join(dict.fromkeys(e.note for e in (estimate, baseline[name]) if e.note))
        label, found = metric_label(name, unit), estimate_text(name, estimate)
        text = f"  {label:<{_WIDTH}}{found:<{_COLUMN}}{estimate_text(name, baseline[name])}"
        lines.append(text + (f"  ({notes})" if notes else ""))
    return lines


def _attribute_lines(report: HeadReport) -> list[str]:
    lines = [f"  {'attribute':<{_WIDTH}}{'accuracy':<{_COLUMN}}{'baseline':<10}{'balanced':<10}AUC"]
    for name, metrics in report.attributes.items():
        baseline = report.attribute_baselines[name]["accuracy"].value
        balanced, area = metrics["balanced_accuracy"].value, metrics["roc_auc"].value
        accuracy = estimate_text("accuracy", metrics["accuracy"])
        lines.append(
            f"  {name:<{_WIDTH}}{accuracy:<{_COLUMN}}{100 * baseline:<10.1f}{100 * balanced:<10.1f}{area:.3f}"
        )
    return lines


def decade_lines(confusion: DecadeConfusion) -> list[str]:
    """The table of true and predicted decades for people: counts, and the share whose decade is right."""
    width = max(len(f"{n:,}") for n in confusion.counts.ravel()) + 2
    starts = "".join(f"{name.split()[0]:>{max(width, 5)}}" for name in confusion.names)
    lines = [f"  {'decade (→ predicted)':<{_WIDTH}}{starts}  right [95 %]"]
    for k, (name, counts, shares) in enumerate(zip(confusion.names, confusion.counts, confusion.shares, strict=True)):
        cells = "".join(f"{n:>{max(width, 5)},}" for n in counts)
        right = f"  {estimate_text('within_5', shares[k])}" if shares else ""
        lines.append(f"    {name:<{_WIDTH - 2}}{cells}{right}")
    return lines


def cohort_lines(table: CohortTable, names: Sequence[str]) -> list[str]:
    """The table of one column for people.

    Parameters
    ----------
    table : CohortTable
    names : sequence of str
        Metrics to print; differences are those of the first.
    """
    header = "".join(f"{metric_label(name) + ' [95 %]':<{_COLUMN}}" for name in names)
    lines = [f"  {'by ' + table.column:<{_WIDTH}}{'rows':>7}{'groups':>8}  {header}".rstrip()]
    shown, hidden = ([c for c in table.cohorts if bool(c.metrics) == is_shown] for is_shown in (True, False))
    lines += [_cohort_line(cohort, names) for cohort in shown]
    lines += [f"    {hidden[0].note}: {_listed([c.name for c in hidden])}"] if hidden else []
    lines += [f"    {table.note}"] if table.note else []
    if len(shown) < 2:
        return lines
    sign = {name: "+" if name in ERRORS else "−" for name in names}
    for label, metrics in (("gap", table.gaps), ("mean ± gap", table.combined)):
        words = [("" if label == "gap" else f"({sign[name]}) ") + estimate_text(name, metrics[name]) for name in names]
        lines.append(f"    {label:<{_WIDTH + 15}}" + "".join(f"{word:<{_COLUMN}}" for word in words).rstrip())
    return lines + _difference_lines(table, names[0])


def _cohort_line(cohort: Cohort, names: Sequence[str]) -> str:
    figures = "".join(f"{estimate_text(name, cohort.metrics[name]):<{_COLUMN}}" for name in names)
    return f"    {cohort.name:<{_WIDTH - 2}}{cohort.n_rows:>7,}{cohort.n_groups:>8,}  {figures.rstrip()}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _N_LISTED
    return ", ".join(names[:_N_LISTED]) + (f" and {more} more" if more > 0 else "")


def _difference_lines(table: CohortTable, name: str) -> list[str]:
    if len(table.differences) > _MAX_PAIRS:
        return []
    return [
        f"    {f'{d.one} − {d.other}':<{_WIDTH + 15}}{estimate_text(name, d.metrics[name])}" for d in table.differences
    ]
