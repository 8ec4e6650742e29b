"""A task of classes that shall be as good for one cohort as for another: a term of its loss, and its score."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from ..losses.cohorts import cohort_gap, cohort_means
from .attributes import ClassTask
from .joint import CriteriaTask
from .task import Task


class CohortTask(Task):
    """Classes whose accuracy is compared between cohorts; the score is 100 · (1 − (mean − gap)) of the accuracies.

    The loss grows by ``gap_weight`` times the gap of the mean probabilities of the right classes, which are accuracies that
    a gradient can change.

    Parameters
    ----------
    task : ClassTask or CriteriaTask
    cohort : Tensor of shape (n_rows,), int64
    names : sequence of str, length n_cohorts
    gap_weight : float
    """

    def __init__(
        self, task: ClassTask | CriteriaTask, cohort: Tensor, names: Sequence[str], gap_weight: float
    ) -> None:
        super().__init__()
        self.task = task
        self.names = tuple(names)
        self.gap_weight = gap_weight
        self.keep("cohort", cohort)

    def begin(self, embed: Callable[[np.ndarray], Tensor]) -> None:
        """As the task does."""
        self.task.begin(embed)

    def loss(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The task's loss and the gap."""
        terms = self.task.loss(embedding, rows)
        gap = cohort_gap(self.task.soft_accuracies(embedding, rows), self.cohort[rows], len(self.names))
        return {**terms, "loss": terms["loss"] + self.gap_weight * gap, "gap": gap.detach()}

    def outcomes(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The task's."""
        return self.task.outcomes(embedding, rows)

    def metrics(self, embedding: Tensor, rows: Tensor) -> dict[str, float]:
        """The task's figures, the accuracy of each cohort, their gap, and mean − gap; NaN where a cohort has no row."""
        is_right = self.task.accuracies(embedding, rows)
        means = cohort_means(is_right, self.cohort[rows], len(self.names))
        gap = means.max() - means.min()
        mean_minus_gap = (means.mean() - gap).item()
        by_cohort = {f"accuracy_{name}": mean for name, mean in zip(self.names, means.tolist(), strict=True)}
        figures = {**self.task.metrics(embedding, rows), **by_cohort, "gap": gap.item()}
        return {**figures, "mean_minus_gap": mean_minus_gap, "score": 100 * (1 - mean_minus_gap)}
