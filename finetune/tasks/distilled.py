"""A task whose embeddings shall also stay near those of another network, the teacher."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ..losses.distillation import distillation
from .task import Task

#: Rows that the map to the teacher's numbers is first fitted to, at most.
MAX_FITTED = 2000


class DistilledTask(Task):
    """Another task, and the distance of embeddings from the teacher's; the score is that of the task.

    Where the teacher has as many numbers as the embedding, the two are compared as they are. Otherwise a linear map comes
    between; it begins as the one that fits best, and learns.

    Parameters
    ----------
    task : Task
    teacher : Tensor of shape (n_rows, n_numbers), float32
    dimension : int
        Of the embedding.
    weight : float
    kind : {"cosine", "mse"}
    train : Tensor of shape (n_train,), int64
        Rows of the training part.
    """

    def __init__(self, task: Task, teacher: Tensor, dimension: int, weight: float, kind: str, train: Tensor) -> None:
        super().__init__()
        self.task = task
        self.weight = weight
        self.kind = kind
        n_numbers = teacher.shape[1]
        self.map = nn.Identity() if n_numbers == dimension else nn.Linear(dimension, n_numbers, bias=False)
        self._fitted = train[:: -(-len(train) // MAX_FITTED)]
        self.keep("teacher", teacher)

    @torch.no_grad()
    def begin(self, embed: Callable[[np.ndarray], Tensor]) -> None:
        """As the task does; and the map becomes that of least squares."""
        self.task.begin(embed)
        if isinstance(self.map, nn.Linear):
            given = embed(self._fitted.numpy()).double().cpu()
            wanted = self.teacher[self._fitted.to(self.teacher.device)].double().cpu()
            # gelsd, of minimum norm: dead numbers and fewer rows than numbers are no obstacle
            solution = torch.linalg.lstsq(given, wanted, driver="gelsd").solution
            self.map.weight.copy_(solution.T)

    def loss(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The task's loss and the weighted distance."""
        terms, distance = self.task.loss(embedding, rows), self._distance(embedding, rows)
        return {**terms, "loss": terms["loss"] + self.weight * distance, "distil": distance.detach()}

    def metrics(self, embedding: Tensor, rows: Tensor) -> dict[str, float]:
        """The task's figures and the distance."""
        return {**self.task.metrics(embedding, rows), "distil": self._distance(embedding, rows).item()}

    def outcomes(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The task's."""
        return self.task.outcomes(embedding, rows)

    def _distance(self, embedding: Tensor, rows: Tensor) -> Tensor:
        return distillation(self.map(embedding), self.teacher[rows], self.kind)
