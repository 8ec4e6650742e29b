"""Whether what a file says of its heads can be meant: targets, classes, thresholds, margins."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .fitted_head import Head, default_thresholds
from .headfile import HeadError
from .targets import CLASSIFICATION, MULTILABEL, REGRESSION, TASKS, Target

#: Just above 1 is the threshold that nothing reaches.
_HIGHEST_THRESHOLD = math.nextafter(1.0, 2.0)


def check_heads(heads: Sequence[Head]) -> None:
    """Raise HeadError where a head's target, thresholds or margin cannot be meant, or two heads have one name."""
    columns = []
    for head in heads:
        _check_target(head.target)
        _check_thresholds(head)
        columns += head.target.columns
    twice = [name for name in columns if columns.count(name) > 1]
    if twice:
        raise HeadError(f"it predicts {twice[0]!r} twice.")


def _check_target(target: Target) -> None:
    names = (target.name, target.unit, *target.columns)
    if target.task not in TASKS or not target.columns or not all(isinstance(name, str) for name in names):
        raise HeadError(f"its target {target.name!r} must have a task of {list(TASKS)}, a name and columns.")
    if target.task != MULTILABEL and len(target.columns) != 1:
        raise HeadError(f"its target {target.name!r} must have one column; it has {len(target.columns)}.")
    _check_classes(target)


def _check_classes(target: Target) -> None:
    """Plain values, each once: none for a number, two for attributes, two or more to decide between."""
    fits = {
        REGRESSION: not target.classes,
        MULTILABEL: len(target.classes) == 2,
        CLASSIFICATION: len(target.classes) > 1,
    }
    is_plain = all(isinstance(value, bool | int | float | str) for value in target.classes)
    if not fits[target.task] or not is_plain or len(set(target.classes)) < len(target.classes):
        raise HeadError(f"its target {target.name!r} ({target.task}) has the classes {list(target.classes)}.")


def _check_thresholds(head: Head) -> None:
    name, n_expected = head.target.name, len(default_thresholds(head.target))
    by_cohort = () if head.by_cohort is None else head.by_cohort.values
    if len(head.thresholds) != n_expected:
        raise HeadError(f"its head {name!r} must have {n_expected} thresholds; it has {len(head.thresholds)}.")
    if not all(0 <= threshold <= _HIGHEST_THRESHOLD for threshold in (*head.thresholds, *by_cohort)):
        raise HeadError(f"its head {name!r} has a threshold that is not from 0 to 1.")
    if not 0 <= head.unsure_margin <= 1:
        raise HeadError(f"its head {name!r} has the margin {head.unsure_margin}; it must be from 0 to 1.")
