"""Embeddings that shall be near those of another network, the teacher: alone, or beside another task."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ..losses.distillation import distances
from .task import Task

#: Rows that the map to the teacher's numbers is first fitted to, at most.
MAX_FITTED = 2000


class TeacherTask(Task):
    """The distance of embeddings from the teacher's; the score is its mean, times 100.

    Where the teacher has as many numbers as the embedding, the two are compared as they are. Otherwise a linear map comes
    between; it begins as the one that fits best, and learns.

    Parameters
    ----------
    teacher : Tensor of shape (n_rows, n_numbers), float32
    dimension : int
        Of the embedding.
    kind : {"cosine", "mse"}
    train : Tensor of shape (n_train,), int64
        Rows of the training part.
    """

    def __init__(self, teacher: Tensor, dimension: int, kind: str, train: Tensor) -> None:
        super().__init__()
        self.kind = kind
        n_numbers = teacher.shape[1]
        self.map = nn.Identity() if n_numbers == dimension else nn.Linear(dimension, n_numbers, bias=False)
        self._fitted = train[:: -(-len(train) // MAX_FITTED)]
        self.keep("teacher", teacher)

    @torch.no_grad()
    def begin(self, embed: Callable[[np.ndarray], Tensor]) -> None:
        """Let the map be that of least squares."""
        if isinstance(self.map, nn.Linear):
            given = embed(self._fitted.numpy()).double().cpu()
            wanted = self.teacher[self._fitted.to(self.teacher.device)].double().cpu()
            # gelsd, of minimum norm: dead numbers and fewer rows than numbers are no obstacle
            solution = torch.linalg.lstsq(given, wanted, driver="gelsd").solution
            self.map.weight.copy_(solution.T)

    def loss(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The mean distance."""
        return {"loss": self._distances(embedding, rows).mean()}

    def metrics(self, embedding: Tensor, rows: Tensor) -> dict[str, float]:
        """The mean distance."""
        distance = self._distances(embedding, rows).mean().item()
        return {"distil": distance, "score": 100 * distance}

    def outcomes(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The distances."""
        return {"distil": self._distances(embedding, rows).double()}

    def _distances(self, embedding: Tensor, rows: Tensor) -> Tensor:
        return distances(self.map(embedding), self.teacher[rows], self.kind)


class DistilledTask(Task):
    """Another task, and the distance from the teacher beside it; the score is that of the task.

    Parameters
    ----------
    task : Task
    teaching : TeacherTask
    weight : float
        Of the distance.
    """

    def __init__(self, task: Task, teaching: TeacherTask, weight: float) -> None:
        super().__init__()
        self.task = task
        self.teaching = teaching
        self.weight = weight

    def begin(self, embed: Callable[[np.ndarray], Tensor]) -> None:
        """As both do."""
        self.task.begin(embed)
        self.teaching.begin(embed)

    def loss(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The task's loss and the weighted distance."""
        terms, distance = self.task.loss(embedding, rows), self.teaching.loss(embedding, rows)["loss"]
        return {**terms, "loss": terms["loss"] + self.weight * distance, "distil": distance.detach()}

    def metrics(self, embedding: Tensor, rows: Tensor) -> dict[str, float]:
        """The task's figures and the distance."""
        distance = self.teaching.metrics(embedding, rows)["distil"]
        return {**self.task.metrics(embedding, rows), "distil": distance}

    def outcomes(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The task's."""
        return self.task.outcomes(embedding, rows)
