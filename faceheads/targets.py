"""What a label column is: classes to decide between, a number to estimate, or one of many 0/1 attributes.

The decision is made from the values and explained in words, because a wrong guess (ages as classes, class codes as
numbers) trains without an error and is useless.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .labels import RESERVED_COLUMNS, LabelError

CLASSIFICATION, REGRESSION, MULTILABEL = "classification", "regression", "multilabel"
TASKS = (CLASSIFICATION, REGRESSION, MULTILABEL)

#: Whole numbers with more distinct values than this are numbers, with fewer they are codes of classes.
MAX_CODES = 15
#: More text values than this are names or remarks rather than classes.
MAX_CLASSES = 1000
#: Columns without ``--target`` are taken for classes only when each class has this many rows on average.
_MIN_ROWS_PER_CLASS = 10
_AGE_NAME = re.compile(r"(^|[^a-z])ages?([^a-z]|$)", re.IGNORECASE)
_BINARY_CODES = ({0.0, 1.0}, {-1.0, 1.0})


@dataclass(frozen=True)
class Target:
    """One thing to predict.

    Attributes
    ----------
    name : str
        The label column, or a name for all columns of a multi-label head.
    task : str
        ``"classification"``, ``"regression"`` or ``"multilabel"``.
    columns : tuple of str
        The label columns; one, except for ``"multilabel"``.
    classes : tuple
        Values of the column in the order of the head's outputs (bool, int, float or str); for ``"multilabel"`` the two
        values of every column, absent first; empty for ``"regression"``.
    unit : str
        Unit of a number, such as ``"years"``; empty when unknown.
    why : str
        How the task was found.
    """

    name: str
    task: str
    columns: tuple[str, ...]
    classes: tuple = ()
    unit: str = ""
    why: str = ""

    def encode(self, labels: pd.DataFrame) -> np.ndarray:
        """Labels as the head learns them.

        Parameters
        ----------
        labels : DataFrame of n_rows rows without missing values in this target's columns

        Returns
        -------
        ndarray
            Positions in ``classes``, int64 of shape (n_rows,); or 0 and 1, int64 of shape (n_rows, n_columns); or the
            number, float64 of shape (n_rows,).

        Raises
        ------
        LabelError
            If a value is none of the classes.
        """
        if self.task == REGRESSION:
            return labels[self.columns[0]].to_numpy(np.float64)
        codes = [self._codes(labels[name]) for name in self.columns]
        return np.stack(codes, axis=1) if self.task == MULTILABEL else codes[0]

    def _codes(self, column: pd.Series) -> np.ndarray:
        position = {value: i for i, value in enumerate(self.classes)}
        values = [plain_value(value) for value in column]
        unknown = sorted({repr(v) for v in values if v not in position})
        if unknown:
            raise LabelError(f"{column.name!r} must be one of {list(self.classes)}; got {', '.join(unknown[:3])}.")
        return np.array([position[value] for value in values], np.int64)


def find_targets(
    labels: pd.DataFrame, names: Sequence[str] = (), task: str | None = None, tasks: Mapping[str, str] | None = None
) -> tuple[list[Target], list[str]]:
    """What to predict from a label table.

    Parameters
    ----------
    labels : DataFrame
        Index = key, one column an attribute.
    names : sequence of str, default=()
        Label columns; without any, all columns but ``identity`` and ``split`` that can be predicted. If all of these
        are 0/1 they become one multi-label target, as in the original scripts.
    task : str or None
        For every target; ``"multilabel"`` makes one target of all ``names``.
    tasks : mapping of column to task, optional
        For single targets.

    Returns
    -------
    targets : list of Target
    remarks : list of str
        Columns that were left out, and why.

    Raises
    ------
    LabelError
        If a column is missing, has one value only, or cannot have the task.
    """
    columns, remarks = usable_columns(labels, names)
    tasks = {} if tasks is None else dict(tasks)
    _check_tasks(columns, [task, *tasks.values()], tasks)
    is_all_binary = len(columns) > 1 and not names and not tasks and all(_is_binary(labels[c]) for c in columns)
    if task == MULTILABEL or (task is None and is_all_binary):
        return [_multilabel(labels, columns)], remarks
    return [_target(labels[name], tasks.get(name, task)) for name in columns], remarks


def _check_tasks(columns: Sequence[str], given: Sequence[str | None], tasks: Mapping[str, str]) -> None:
    for name in given:
        if name is not None and name not in TASKS:
            raise LabelError(f"The task must be one of {', '.join(TASKS)}; got {name!r}.")
    unknown = sorted(set(tasks) - set(columns))
    if unknown:
        raise LabelError(f"A task was given for {unknown}, which is not among the targets {list(columns)}.")


def usable_columns(labels: pd.DataFrame, names: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """The named label columns, or all that can be targets, with remarks on those that cannot: :func:`find_targets`."""
    if names:
        missing = [name for name in names if name not in labels.columns]
        if missing:
            raise LabelError(f"There is no label column {missing}; the label file has {list(labels.columns)}.")
        return list(dict.fromkeys(names)), []
    candidates = [name for name in labels.columns if name not in RESERVED_COLUMNS]
    reasons = {name: _why_not(labels[name]) for name in candidates}
    remarks = [f"{name}: not a target, {reason}" for name, reason in reasons.items() if reason]
    columns = [name for name in candidates if not reasons[name]]
    if not columns:
        why = "; ".join(remarks) if remarks else f"there is none beside {list(labels.columns)}"
        raise LabelError(f"No label column can be predicted: {why}. Give labels of something else with --label.")
    return columns, remarks


def _why_not(column: pd.Series) -> str:
    """Why a column that nobody asked for is no target; empty if it is one."""
    values = column.dropna()
    n_distinct = values.nunique()
    if n_distinct < 2:
        return f"it has {n_distinct} distinct value{'s' * (n_distinct != 1)}"
    if _is_number(values) or pd.api.types.is_bool_dtype(values):
        return ""
    if n_distinct * _MIN_ROWS_PER_CLASS > len(values):
        return f"its {len(values)} rows have {n_distinct} distinct texts"
    return ""


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _is_binary(column: pd.Series) -> bool:
    values = column.dropna()
    if pd.api.types.is_bool_dtype(values):
        return True
    return _is_number(values) and any(set(values.unique().astype(float)) <= codes for codes in _BINARY_CODES)


def _target(column: pd.Series, task: str | None) -> Target:
    name, values = str(column.name), column.dropna()
    if values.nunique() < 2:
        raise LabelError(
            f"{name!r} must have at least two different values to learn from; got {[plain_value(v) for v in values.unique()]}."
        )
    guessed, why = _guess(name, values)
    if task == REGRESSION or (task is None and guessed == REGRESSION):
        why = why if task is None else "asked for"
        return _number(name, values, why)
    return _classes(name, values, why if task is None else "asked for")


def _guess(name: str, values: pd.Series) -> tuple[str, str]:
    if not _is_number(values):
        return CLASSIFICATION, "its values are text"
    numbers = values.to_numpy(np.float64)
    n_distinct = values.nunique()
    if not np.equal(np.floor(numbers), numbers).all():
        return REGRESSION, "its values are not whole numbers"
    if n_distinct == 2:
        return CLASSIFICATION, "it has two distinct values"
    span = f"{n_distinct} distinct whole numbers from {numbers.min():g} to {numbers.max():g}"
    if _AGE_NAME.search(name):
        return REGRESSION, f"its name says age and it has {span}"
    return (CLASSIFICATION if n_distinct <= MAX_CODES else REGRESSION), f"it has {span}"


def _number(name: str, values: pd.Series, why: str) -> Target:
    if not _is_number(values):
        raise LabelError(f"{name!r} must be numbers for regression; got {values.iloc[0]!r}.")
    if not np.isfinite(values.to_numpy(np.float64)).all():
        raise LabelError(f"{name!r} must be finite numbers; it holds an infinite one.")
    return Target(name, REGRESSION, (name,), unit="years" if _AGE_NAME.search(name) else "", why=why)


def _classes(name: str, values: pd.Series, why: str) -> Target:
    classes = sorted({plain_value(value) for value in values}, key=lambda v: (isinstance(v, str), v))
    if len(classes) > MAX_CLASSES:
        raise LabelError(
            f"{name!r} must have at most {MAX_CLASSES} classes; got {len(classes)}. "
            "Choose another column, or --task regression if it is a number."
        )
    return Target(name, CLASSIFICATION, (name,), tuple(classes), why=why)


def _multilabel(labels: pd.DataFrame, columns: Sequence[str]) -> Target:
    wrong = [name for name in columns if not _is_binary(labels[name])]
    if wrong:
        raise LabelError(f"Columns of a multi-label head must be 0/1 (or -1/1); {wrong[:3]} are not.")
    values = {plain_value(v) for name in columns for v in labels[name].dropna().unique()}
    if len(values) != 2:
        raise LabelError(f"Columns of a multi-label head must share two values; got {sorted(map(str, values))}.")
    why = f"all {len(columns)} columns are 0/1"
    return Target("attributes", MULTILABEL, tuple(map(str, columns)), tuple(sorted(values)), why=why)


def plain_value(value: object) -> bool | int | float | str:
    """A label as a plain Python value: whole numbers become int, whatever the column's type is."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, float, np.integer, np.floating)):
        number = float(value)
        return int(number) if number.is_integer() else number
    return str(value)
