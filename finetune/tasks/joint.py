"""Several tasks on one embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from .attributes import AgeTask, ClassTask
from .task import Task


class JointTask(Task):
    """Several tasks on one embedding, their losses and their scores added with weights.

    Parameters
    ----------
    tasks : sequence of ClassTask or AgeTask
    weights : sequence of float
        Of the losses.
    score_weight : float, default=1.0
        Of every score; at 1 a year of age counts as a percent of errors.
    """

    def __init__(
        self, tasks: Sequence[ClassTask | AgeTask], weights: Sequence[float], score_weight: float = 1.0
    ) -> None:
        super().__init__()
        self.tasks = nn.ModuleList(tasks)
        self.weights = tuple(weights)
        self.score_weight = score_weight

    def loss(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The weighted sum, and the loss of each."""
        losses = {f"loss_{task.name}": task.loss(embedding, rows)["loss"] for task in self.tasks}
        total = sum(weight * loss for weight, loss in zip(self.weights, losses.values(), strict=True))
        return {"loss": total, **{name: loss.detach() for name, loss in losses.items()}}

    def metrics(self, embedding: Tensor, rows: Tensor) -> dict[str, float]:
        """The figures of each, and the weighted sum of their scores."""
        each = [task.metrics(embedding, rows) for task in self.tasks]
        score = self.score_weight * sum(figures.pop("score") for figures in each)
        return {**_merged(each), "score": score}

    def outcomes(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """Those of each."""
        return _merged([task.outcomes(embedding, rows) for task in self.tasks])


class CriteriaTask(JointTask):
    """Several tasks of classes; loss and score are their means.

    Parameters
    ----------
    tasks : sequence of ClassTask
    """

    def __init__(self, tasks: Sequence[ClassTask]) -> None:
        share = 1 / len(tasks)
        super().__init__(tasks, [share] * len(tasks), share)

    def accuracies(self, embedding: Tensor, rows: Tensor) -> Tensor:
        """The share of right decisions about each row, float64 of shape (n,)."""
        return torch.stack([task.accuracies(embedding, rows) for task in self.tasks]).mean(0)

    def soft_accuracies(self, embedding: Tensor, rows: Tensor) -> Tensor:
        """The mean probability of the right classes, float32 of shape (n,)."""
        return torch.stack([task.soft_accuracies(embedding, rows) for task in self.tasks]).mean(0)


def _merged(parts: Sequence[Mapping]) -> dict:
    return {name: value for part in parts for name, value in part.items()}
