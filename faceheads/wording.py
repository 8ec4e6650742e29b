"""The words and the digits in which results are told, the same in the printed summary and in the report."""

from __future__ import annotations

import math

from .fitted_head import Head
from .metrics.intervals import Estimate
from .targets import MULTILABEL, REGRESSION

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
    "eer": "equal error rate",
    "eer_real": "equal error rate, other people",
    "eer_fake": "equal error rate, fakes",
}
#: Metrics that are told in percent.
SHARES = (
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "within_5",
    "within_10",
    "eer",
    "eer_real",
    "eer_fake",
)
_N_CLASSES = 8


def metric_label(name: str, unit: str = "") -> str:
    """What a metric is called; ``unit`` of the target."""
    label = _NAMES.get(name, name)
    return f"{label} {unit}" if name.startswith("within") and unit else label


def estimate_text(name: str, estimate: Estimate) -> str:
    """The value of a metric and its interval, such as ``"93.4 % [92.5, 94.1]"``."""
    value, interval = value_and_interval(name, estimate)
    return f"{value} [{interval}]" if interval else value


def value_and_interval(name: str, estimate: Estimate) -> tuple[str, str]:
    """The same in two parts, such as ``"93.4 %"`` and ``"92.5, 94.1"``; the second is empty without an interval."""
    if not math.isfinite(estimate.value):
        return "undefined", ""
    scale, digits, unit = (100, 1, " %") if name in SHARES else (1, 2, "") if name in ("mae", "rmse") else (1, 3, "")
    value = f"{estimate.value * scale:.{digits}f}{unit}"
    if not math.isfinite(estimate.low):
        return value, ""
    return value, f"{estimate.low * scale:.{digits}f}, {estimate.high * scale:.{digits}f}"


def task_in_words(head: Head) -> str:
    """What a head decides or estimates."""
    target = head.target
    if target.task == REGRESSION:
        return f"a number in {target.unit}" if target.unit else "a number"
    if target.task == MULTILABEL:
        return f"{len(target.columns)} attributes, means below"
    shown = ", ".join(map(str, target.classes[:_N_CLASSES])) + (" …" if len(target.classes) > _N_CLASSES else "")
    return f"{len(target.classes)} classes ({shown})"


def baseline_in_words(task: str) -> str:
    """What the baseline of a task always says."""
    return "median" if task == REGRESSION else "most frequent class"


def threshold_text(head: Head) -> str:
    """The thresholds of a head; those of the cohorts where they differ."""
    thresholds = head.thresholds if head.by_cohort is None else head.by_cohort.values
    return ", ".join(f"{threshold:.4f}" for threshold in thresholds)
