"""What training found, as text for people and as JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from .fitted_head import NOT_TUNED, Head
from .head_report import HeadReport
from .measuring import Details
from .metrics import Estimate
from .metrics.cohorts import ERRORS, Cohort, CohortTable
from .metrics.decades import DecadeConfusion
from .targets import CLASSIFICATION, MULTILABEL, REGRESSION
from .training import TrainingResult

_NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "precision": "precision",
    "recall": "recall",
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "brier": "Brier score",
    "ece": "calibration error",
    "mae": "mean absolute error",
    "rmse": "root mean square error",
    "within_5": "within 5",
    "within_10": "within 10",
}
_SHARES = ("accuracy", "balanced_accuracy", "precision", "recall", "within_5", "within_10")
#: The metrics of a cohort's line, by task; the differences and the gap are those of the first.
_COHORT_METRICS = {
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
        for table in details.cohorts:
            lines += cohort_lines(table, _COHORT_METRICS[head.target.task])
    return "\n".join(lines)


def _head_lines(head: Head) -> list[str]:
    target, report = head.target, head.report
    lines = [f"{target.name}: {_what(head)}, {head.kind} ({target.why})"]
    tested = f"  trained on {report.n_train:,} faces, tested on {report.n_test:,}"
    if report.n_test_without_face:
        guess = "median" if target.task == REGRESSION else "most frequent class"
        tested += f"; {report.n_test_without_face:,} of these without a face, given the training part's {guess}"
    baseline = "median" if target.task == REGRESSION else "most frequent class"
    head_column = "head [95 % interval]"
    lines += [tested, f"  {'held-out':<{_WIDTH}}{head_column:<{_COLUMN}}{baseline} [95 % interval]"]
    lines += _metric_lines(report.metrics, report.baseline, target.unit)
    if head.thresholds_from != NOT_TUNED:
        limits = ", ".join(f"{threshold:.4f}" for threshold in _thresholds(head))
        lines.append(f"  threshold {limits}, tuned for {head.thresholds_from}")
    return lines + (_attribute_lines(report) if target.task == MULTILABEL else [])


def _thresholds(head: Head) -> tuple[float, ...]:
    return head.thresholds if head.by_cohort is None else head.by_cohort.values


def _what(head: Head) -> str:
    target = head.target
    if target.task == REGRESSION:
        return f"a number in {target.unit}" if target.unit else "a number"
    if target.task == MULTILABEL:
        return f"{len(target.columns)} attributes, means below"
    shown = ", ".join(map(str, target.classes[:8])) + (" …" if len(target.classes) > 8 else "")
    return f"{len(target.classes)} classes ({shown})"


def _metric_lines(metrics: Mapping[str, Estimate], baseline: Mapping[str, Estimate], unit: str) -> list[str]:
    lines = []
    for name, estimate in metrics.items():
        notes = "; ".join(dict.fromkeys(e.note for e in (estimate, baseline[name]) if e.note))
        text = f"  {_label(name, unit):<{_WIDTH}}{_text(name, estimate):<{_COLUMN}}{_text(name, baseline[name])}"
        lines.append(text + (f"  ({notes})" if notes else ""))
    return lines


def _label(name: str, unit: str) -> str:
    label = _NAMES.get(name, name)
    return f"{label} {unit}" if name.startswith("within") and unit else label


def _text(name: str, estimate: Estimate) -> str:
    if not math.isfinite(estimate.value):
        return "undefined"
    scale, digits, unit = (100, 1, " %") if name in _SHARES else (1, 2, "") if name in ("mae", "rmse") else (1, 3, "")
    text = f"{estimate.value * scale:.{digits}f}{unit}"
    if math.isfinite(estimate.low):
        text += f" [{estimate.low * scale:.{digits}f}, {estimate.high * scale:.{digits}f}]"
    return text


def _attribute_lines(report: HeadReport) -> list[str]:
    lines = [f"  {'attribute':<{_WIDTH}}{'accuracy':<{_COLUMN}}{'baseline':<10}{'balanced':<10}AUC"]
    for name, metrics in report.attributes.items():
        baseline = report.attribute_baselines[name]["accuracy"].value
        balanced, area = metrics["balanced_accuracy"].value, metrics["roc_auc"].value
        accuracy = _text("accuracy", metrics["accuracy"])
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
        right = f"  {_text('within_5', shares[k])}" if shares else ""
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
    header = "".join(f"{_NAMES[name] + ' [95 %]':<{_COLUMN}}" for name in names)
    lines = [f"  {'by ' + table.column:<{_WIDTH}}{'rows':>7}{'groups':>8}  {header}".rstrip()]
    shown, hidden = ([c for c in table.cohorts if bool(c.metrics) == is_shown] for is_shown in (True, False))
    lines += [_cohort_line(cohort, names) for cohort in shown]
    lines += [f"    {hidden[0].note}: {_listed([c.name for c in hidden])}"] if hidden else []
    lines += [f"    {table.note}"] if table.note else []
    if len(shown) < 2:
        return lines
    sign = {name: "+" if name in ERRORS else "−" for name in names}
    for label, metrics in (("gap", table.gaps), ("mean ± gap", table.combined)):
        words = [("" if label == "gap" else f"({sign[name]}) ") + _text(name, metrics[name]) for name in names]
        lines.append(f"    {label:<{_WIDTH + 15}}" + "".join(f"{word:<{_COLUMN}}" for word in words).rstrip())
    return lines + _difference_lines(table, names[0])


def _cohort_line(cohort: Cohort, names: Sequence[str]) -> str:
    figures = "".join(f"{_text(name, cohort.metrics[name]):<{_COLUMN}}" for name in names)
    return f"    {cohort.name:<{_WIDTH - 2}}{cohort.n_rows:>7,}{cohort.n_groups:>8,}  {figures.rstrip()}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _N_LISTED
    return ", ".join(names[:_N_LISTED]) + (f" and {more} more" if more > 0 else "")


def _difference_lines(table: CohortTable, name: str) -> list[str]:
    if len(table.differences) > _MAX_PAIRS:
        return []
    return [f"    {f'{d.one} − {d.other}':<{_WIDTH + 15}}{_text(name, d.metrics[name])}" for d in table.differences]
