"""How much each probe does, beside its control, with intervals, in all and by cohort.

For classes the effect is the share of faces whose decision *flips*; for a number it is the mean absolute change. Probe and
control are compared on the same faces, those to which both could be made, and the difference has an interval of its own.
Persons are drawn where they are known, else photos (:class:`faceheads.metrics.GroupBootstrap`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from faceheads.metrics import Estimate, GroupBootstrap, Resampled
from faceheads.metrics.cohorts import CohortTable, measure_cohorts

from .changes import Probe
from .job import Answers, Probed

EFFECT, CONTROL, DIFFERENCE = "effect", "control", "difference"
#: Of a number: mean of after minus before.
CHANGE = "change"
#: Behind the name of a metric with a sign: that of the control.
OF_CONTROL = ", control"


@dataclass(frozen=True)
class Effect:
    """What one probe does to one target.

    Attributes
    ----------
    target : str
    is_number : bool
        Whether the effect is a mean absolute change, in ``unit``, rather than a share of flips.
    unit : str
    probe : Probe
    n_faces, n_groups : int
        Faces to which probe and control could be made, and persons or photos that they belong to.
    metrics : mapping of str to Estimate
        ``effect``; ``control`` and ``difference`` where there is a control; and ``change`` of a number, or
        ``change of p(CLASS)``, the mean change of a probability: of two classes the second; with :data:`OF_CONTROL` behind the
        name that of the control. Empty without a face.
    cohorts : tuple of CohortTable
    """

    target: str
    is_number: bool
    unit: str
    probe: Probe
    n_faces: int
    n_groups: int
    metrics: Mapping[str, Estimate]
    cohorts: tuple[CohortTable, ...] = field(default=())


def measure_effects(
    probed: Probed, groups: np.ndarray, cohorts: Mapping[str, pd.Categorical], seed: int = 0
) -> list[Effect]:
    """The effect of every probe on every target.

    Parameters
    ----------
    probed : Probed
        With n_faces faces, at least one.
    groups : array of shape (n_faces,)
        Persons, or photos.
    cohorts : mapping of str to Categorical of n_faces rows
    seed : int, default=0
        Of the draws.
    """
    draws = GroupBootstrap(groups, seed=seed)
    return [_effect(answers, probe, probed, draws, cohorts) for answers in probed.answers for probe in probed.probes]


def _effect(
    answers: Answers, probe: Probe, probed: Probed, draws: GroupBootstrap, cohorts: Mapping[str, pd.Categorical]
) -> Effect:
    names = [name for name in (probe.name, probe.control) if name is not None]
    columns = [probed.changes.index(name) for name in names]
    rows = np.flatnonzero(probed.is_made[:, columns].all(axis=1))
    about = (answers.target, not answers.classes, answers.unit, probe, len(rows))
    if not len(rows):
        return Effect(*about, 0, {})
    part = draws.subset(rows)
    changes = [_Change(answers, 1 + column) for column in columns]

    def measure(some: np.ndarray, of_some: GroupBootstrap) -> dict[str, Resampled]:
        return _measure(changes, rows[some], of_some)

    metrics = {name: metric.estimate() for name, metric in measure(np.arange(len(rows)), part).items()}
    tables = (measure_cohorts(column, cohort[rows], part, measure) for column, cohort in cohorts.items())
    return Effect(*about, part.n_groups, metrics, tuple(tables))


@dataclass(frozen=True)
class _Change:
    """What a head says of faces as they are, and with one change."""

    answers: Answers
    column: int

    def sizes(self, rows: np.ndarray) -> np.ndarray:
        """Flips as 0 and 1, or absolute changes of numbers, float64 of shape (n_rows,)."""
        before, after = (self.answers.value[rows, column] for column in (0, self.column))
        if self.answers.classes:
            return (before != after).astype(np.float64)
        return np.abs(after - before).astype(np.float64)

    def signed(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Changes with their sign: of the number, or of the probability of each class; of two classes the second."""
        if not self.answers.classes:
            return {CHANGE: (self.answers.value[rows, self.column] - self.answers.value[rows, 0]).astype(np.float64)}
        difference = self.answers.probabilities[rows, self.column] - self.answers.probabilities[rows, 0]
        classes = list(enumerate(self.answers.classes))
        return {
            f"change of p({name})": difference[:, i] for i, name in (classes[1:] if len(classes) == 2 else classes)
        }


def _measure(changes: list[_Change], rows: np.ndarray, draws: GroupBootstrap) -> dict[str, Resampled]:
    """Metrics of a probe, and of its control where there is one, on some faces."""
    is_share = bool(changes[0].answers.classes)
    sizes = [change.sizes(rows) for change in changes]
    metrics = {EFFECT: draws.of_mean(sizes[0], is_share)}
    if len(changes) == 2:
        difference = draws.of_mean(sizes[0] - sizes[1])
        metrics[CONTROL] = draws.of_mean(sizes[1], is_share)
        metrics[DIFFERENCE] = replace(difference, is_difference=is_share)
    for change, suffix in zip(changes, ("", OF_CONTROL), strict=False):
        metrics |= {f"{name}{suffix}": draws.of_mean(values) for name, values in change.signed(rows).items()}
    return metrics
