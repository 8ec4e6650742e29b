"""How well the network and what learned from it do on the validation part, in all and by cohort, each with its interval."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from faceheads.cohorts import label_cohorts
from faceheads.labels import LabelError
from faceheads.metrics import (
    Estimate,
    GroupBootstrap,
    Resampled,
    classification_metrics,
    regression_metrics,
)
from faceheads.metrics.cohorts import MIN_GROUPS, Cohort, measure_cohorts

from ..tasks import AgeTask, ClassTask, MarginTask, QuadrupletTask, TeacherTask, TripletTask
from ..tasks.task import Task
from .person_rates import person_rates

#: What is told of each kind of task.
OF_CLASSES, OF_AGES = ("accuracy", "balanced_accuracy", "roc_auc", "ece"), ("mae", "rmse", "within_5")


@dataclass(frozen=True)
class Measurement:
    """How well one thing was learned.

    Attributes
    ----------
    name : str
        A label, or ``"identity"``.
    metrics : mapping of str to Estimate
    cohorts : mapping of str to tuple of Cohort
        By the name of the column.
    """

    name: str
    metrics: Mapping[str, Estimate]
    cohorts: Mapping[str, tuple[Cohort, ...]]


@dataclass(frozen=True, eq=False)
class ValidationPart:
    """What is known of the rows that were validated on.

    Attributes
    ----------
    rows : ndarray of shape (n_rows,), int64
        Positions in the training set.
    labels : DataFrame of n_rows rows
    groups : ndarray of shape (n_rows,), int64
        Rows of one person or photo share a number.
    """

    rows: np.ndarray
    labels: pd.DataFrame
    groups: np.ndarray

    def cohorts(self, names: Sequence[str]) -> dict[str, pd.Categorical]:
        """The cohorts of those columns that exist and have two values or more; warns of columns that cannot be cohorts."""
        found = {}
        for name in dict.fromkeys(names):
            if name not in self.labels or self.labels[name].nunique() < 2:
                continue
            try:
                found[name] = label_cohorts(self.labels[name])
            except LabelError as error:
                print(f"finetune: warning: the card has no figures by {name}: {error}", file=sys.stderr)
        return found


@torch.inference_mode()
def measure(task: Task, embedding: Tensor, part: ValidationPart, columns: Sequence[str]) -> list[Measurement]:
    """Everything that was learned, measured on the validation part.

    Parameters
    ----------
    task : Task
        In evaluation mode, on the CPU.
    embedding : Tensor of shape (n_rows, dimension)
        Of the rows of the part, on the CPU.
    part : ValidationPart
    columns : sequence of str
        Labels that may be cohorts.
    """
    cohorts = part.cohorts(columns)
    learned = [one for one in task.modules() if type(one) in _MEASURES]
    return [_MEASURES[type(one)](one, embedding.float(), part, cohorts) for one in learned]


def _measure_classes(
    task: ClassTask, embedding: Tensor, part: ValidationPart, cohorts: Mapping[str, pd.Categorical]
) -> Measurement:
    truth = task.classes[torch.from_numpy(part.rows)].numpy()
    probabilities = task.head(embedding).double().softmax(1).numpy()
    decided = probabilities.argmax(1)

    def of_rows(rows: np.ndarray, draws: GroupBootstrap) -> dict[str, Resampled]:
        metrics = classification_metrics(truth[rows], decided[rows], probabilities[rows], draws)
        return {name: metrics[name] for name in OF_CLASSES}

    return _by_cohort(task.name, of_rows, part, cohorts)


def _measure_ages(
    task: AgeTask, embedding: Tensor, part: ValidationPart, cohorts: Mapping[str, pd.Categorical]
) -> Measurement:
    truth = task.ages[torch.from_numpy(part.rows)].numpy()
    predicted = task.predict(embedding).numpy()

    def of_rows(rows: np.ndarray, draws: GroupBootstrap) -> dict[str, Resampled]:
        metrics = regression_metrics(truth[rows], predicted[rows], draws)
        return {name: metrics[name] for name in OF_AGES}

    return _by_cohort("age", of_rows, part, cohorts)


def _measure_distances(
    task: TeacherTask, embedding: Tensor, part: ValidationPart, cohorts: Mapping[str, pd.Categorical]
) -> Measurement:
    distance = task.outcomes(embedding, torch.from_numpy(part.rows))["distil"].numpy()

    def of_rows(rows: np.ndarray, draws: GroupBootstrap) -> dict[str, Resampled]:
        return {"distance": draws.of_mean(distance[rows])}

    return _by_cohort("teacher", of_rows, part, cohorts)


def _by_cohort(
    name: str,
    of_rows: Callable[[np.ndarray, GroupBootstrap], dict[str, Resampled]],
    part: ValidationPart,
    cohorts: Mapping[str, pd.Categorical],
) -> Measurement:
    draws = GroupBootstrap(part.groups)
    metrics = {key: value.estimate() for key, value in of_rows(np.arange(len(part.rows)), draws).items()}
    found = {column: measure_cohorts(column, values, draws, of_rows).cohorts for column, values in cohorts.items()}
    return Measurement(name, metrics, found)


def _measure_persons(
    task: MarginTask | TripletTask | QuadrupletTask,
    embedding: Tensor,
    part: ValidationPart,
    cohorts: Mapping[str, pd.Categorical],
) -> Measurement:
    person = part.labels["identity"].astype(str).to_numpy()
    has_fakes = isinstance(task, QuadrupletTask)
    is_fake = task.is_fake[torch.from_numpy(part.rows)].numpy() if has_fakes else np.zeros(len(person), bool)

    def of_rows(rows: np.ndarray) -> dict[str, Estimate]:
        return person_rates(embedding[rows].numpy(), person[rows], is_fake[rows])

    found = {
        column: tuple(
            _cohort_of_persons(values, code, person, of_rows) for code in np.unique(values.codes[values.codes >= 0])
        )
        for column, values in cohorts.items()
    }
    return Measurement("identity", of_rows(np.arange(len(person))), found)


def _cohort_of_persons(
    values: pd.Categorical, code: int, person: np.ndarray, of_rows: Callable[[np.ndarray], dict[str, Estimate]]
) -> Cohort:
    """Rates over pairs within a cohort: two women, not a woman and a man."""
    rows = np.flatnonzero(values.codes == code)
    n_people = len(np.unique(person[rows]))
    name = str(values.categories[code])
    if n_people < MIN_GROUPS:
        return Cohort(name, len(rows), n_people, note=f"not shown: fewer than {MIN_GROUPS} people")
    return Cohort(name, len(rows), n_people, of_rows(rows))


_MEASURES = {
    ClassTask: _measure_classes,
    AgeTask: _measure_ages,
    MarginTask: _measure_persons,
    TripletTask: _measure_persons,
    QuadrupletTask: _measure_persons,
    TeacherTask: _measure_distances,
}
