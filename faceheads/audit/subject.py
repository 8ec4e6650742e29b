"""What is audited: rows with their labels, persons and parts, as they were given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..cohorts import cohort_columns
from ..samples import Samples, assign_parts, contents_of, group_samples, join_labels, persons_of
from ..table import FaceTable
from ..targets import REGRESSION, Target, find_targets
from ..training_options import TrainingOptions

#: Two numbers contradict each other when they are further apart than this share of the column's standard deviation.
NUMBER_DIFFERS_STD = 0.25


@dataclass(frozen=True, eq=False)
class Subject:
    """What is audited.

    Attributes
    ----------
    samples : Samples
        Every row that has a label; parts as the split gives them, even where persons or images are in both.
    targets : tuple of Target
    persons : list or None
        The person of each row, None where persons are not known.
    columns : dict of str to Categorical
        What rows are counted by: targets, cohorts, and each target with each cohort.
    remarks : tuple of str
        What was left out.
    seed : int
    """

    samples: Samples
    targets: tuple[Target, ...]
    persons: list | None
    columns: dict[str, pd.Categorical]
    remarks: tuple[str, ...]
    seed: int

    @property
    def label_columns(self) -> list[str]:
        """The label columns of all targets."""
        return [column for target in self.targets for column in target.columns]

    @property
    def contents(self) -> np.ndarray:
        """Equal for the same face of byte-identical files, object array of str."""
        faces = zip(contents_of(self.samples.table), self.samples.table.face_index, strict=True)
        return np.array([f"{content}#{i}" for content, i in faces], object)

    def differing(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """What pairs of rows contradict each other in, label columns or the person, as text, empty where they agree.

        Missing values contradict nothing, and numbers only when they are :data:`NUMBER_DIFFERS_STD` apart.
        """
        words = np.full(len(one), "", object)
        numeric = {target.name for target in self.targets if target.task == REGRESSION}
        columns = {name: self.samples.labels[name] for name in self.label_columns}
        if self.persons is not None:
            columns["person"] = pd.Series(self.persons, dtype=object).replace("", None)
        for name, column in columns.items():
            differs = _contradict(column.iloc[one], column.iloc[other], column.std() if name in numeric else None)
            words[differs] = [f"{before}, {name}" if before else name for before in words[differs]]
        return words

    def describe(self, row: int) -> str:
        """The labels of a row, and its person where persons are known, in a line."""
        values = [self.samples.labels[name].iloc[row] for name in self.label_columns]
        values += [] if self.persons is None else [self.persons[row]]
        return ", ".join("?" if pd.isna(v) else f"{v:g}" if isinstance(v, float) else str(v) for v in values)


def _contradict(one: pd.Series, other: pd.Series, spread: float | None) -> np.ndarray:
    one, other = one.reset_index(drop=True), other.reset_index(drop=True)
    is_known = one.notna() & other.notna()
    differs = one != other if spread is None else (one - other).abs() > NUMBER_DIFFERS_STD * spread
    return (differs & is_known).to_numpy(bool)


def make_subject(table: FaceTable, labels: pd.DataFrame, options: TrainingOptions) -> Subject:
    """Rows, labels, persons and parts, found as training finds them.

    Raises
    ------
    LabelError
        If labels do not fit the table, the targets, the cohorts or the split.
    """
    samples = join_labels(table, labels, allow_unlabelled=True)
    targets, remarks = find_targets(samples.labels, options.targets, options.task, options.tasks)
    samples = assign_parts(group_samples(samples, options.groups), options.split, options.test_size, options.seed)
    names = [column for target in targets for column in target.columns]
    return Subject(
        samples=samples,
        targets=tuple(targets),
        persons=persons_of(samples, options.groups)[0],
        columns=_columns(samples, names, options.cohorts),
        remarks=(*remarks, *samples.remarks),
        seed=options.seed,
    )


def _columns(samples: Samples, targets: Sequence[str], cohorts: Sequence[str]) -> dict[str, pd.Categorical]:
    found: dict[str, pd.Categorical] = {}
    for name in (*targets, *cohorts):
        found.update(cohort_columns(samples, [name]))
    for target in targets:
        for cohort in cohorts:
            if target != cohort and f"{cohort} × {target}" not in found:
                found.update(cohort_columns(samples, [target, cohort]))
    return found
