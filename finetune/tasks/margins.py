"""Who is on a photo, for persons that training does not know: by a softmax over the training persons with a margin.

References
----------
H. Qi, M. Brown, D. G. Lowe, Low-shot learning with imprinted weights, CVPR 2018 (classes that begin as mean embeddings).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..losses.margin import MarginSoftmax
from ..losses.triplet import distance, mine
from .pair_errors import comparisons, equal_error_rate
from .task import Task


class MarginTask(Task):
    """Embeddings whose angles tell persons apart; the score is the EER over all pairs of the validation part, in percent.

    Parameters
    ----------
    person : Tensor of shape (n_rows,), int64
        Persons of the training part are numbered first, from 0.
    n_persons : int
        Of the training part.
    dimension : int
    kind, scale, margin
        See :class:`finetune.losses.margin.MarginSoftmax`.
    has_mean_start : bool, default=True
        Whether persons begin as the mean of their photos' embeddings rather than at random.
    """

    def __init__(
        self,
        person: Tensor,
        n_persons: int,
        dimension: int,
        kind: str,
        scale: float,
        margin: float,
        has_mean_start: bool = True,
    ) -> None:
        super().__init__()
        self.has_mean_start = has_mean_start
        self.softmax = MarginSoftmax(dimension, n_persons, kind, scale, margin)
        self.keep("person", person)

    @torch.no_grad()
    def begin(self, embed: Callable[[np.ndarray], Tensor]) -> None:
        """Let every person begin as the mean of the unit embeddings of the person's training photos."""
        if self.has_mean_start:
            imprint(self.softmax.weight, self.person, embed)

    def loss(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The loss of the margin, and the mean distances of the batch's hardest triplets, which it does not know of."""
        person = self.person[rows]
        return {"loss": self.softmax(embedding, person), **_hardest(embedding.detach(), person)}

    def metrics(self, embedding: Tensor, rows: Tensor) -> dict[str, float]:
        """The EER."""
        similarity, is_mated, _ = comparisons(embedding, self.person[rows])
        eer = equal_error_rate(similarity, is_mated)
        return {"eer": eer, "score": 100 * eer}


def _hardest(embedding: Tensor, person: Tensor) -> dict[str, Tensor]:
    """Mean distances on the unit sphere from the farthest photo of the same and the nearest of another person."""
    unit = F.normalize(embedding.float())
    anchor, *others = mine(unit, person)
    names = ("d_positive", "d_negative")
    return {name: distance(unit[anchor], unit[other]).mean() for name, other in zip(names, others, strict=True)}


def imprint(weight: Tensor, person: Tensor, embed: Callable[[np.ndarray], Tensor]) -> None:
    """Make each person's weights the direction of the mean of the unit embeddings of the person's rows.

    Parameters
    ----------
    weight : Tensor of shape (n_persons, dimension)
        Changed; without gradient.
    person : Tensor of shape (n_rows,), int64
        Rows of persons from ``n_persons`` on do not count.
    embed : callable
        Takes positions of rows, gives their embeddings.
    """
    rows = torch.nonzero(person < len(weight))[:, 0]
    unit = F.normalize(embed(rows.cpu().numpy()).float())
    sums = torch.zeros_like(weight).index_add_(0, person[rows], unit)
    weight.copy_(F.normalize(sums))
