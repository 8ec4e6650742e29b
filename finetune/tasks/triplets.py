"""Who is on a photo, for persons that training does not know: by distances from photos of the same and of other persons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..losses.bona_fide import BonaFideHead
from ..losses.margin import MarginSoftmax
from ..losses.triplet import QuadrupletLoss, distance, mine, quadruplet, triplet
from .margins import imprint
from .pair_errors import comparisons, equal_error_rate
from .task import Task


class TripletTask(Task):
    """Embeddings on the unit sphere, near for photos of a person, far for other persons; the score is the EER in percent.

    Parameters
    ----------
    person : Tensor of shape (n_rows,), int64
    margin : float or None
        Of distances; None for the soft margin.
    """

    def __init__(self, person: Tensor, margin: float | None) -> None:
        super().__init__()
        self.margin = margin
        self.keep("person", person)

    def loss(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The triplet loss of the hardest triplets of the batch; 0, of distances that are NaN, where there is none."""
        unit = F.normalize(embedding.float())
        anchor, positive, negative = mine(unit, self.person[rows])
        d_positive, d_negative = (distance(unit[anchor], unit[other]) for other in (positive, negative))
        loss = triplet(d_positive, d_negative, self.margin) if len(anchor) else 0 * unit.sum()
        return {"loss": loss, "d_positive": d_positive.detach().mean(), "d_negative": d_negative.detach().mean()}

    def metrics(self, embedding: Tensor, rows: Tensor) -> dict[str, float]:
        """The EER."""
        similarity, is_mated, _ = comparisons(embedding, self.person[rows])
        eer = equal_error_rate(similarity, is_mated)
        return {"eer": eer, "score": 100 * eer}


class QuadrupletTask(Task):
    """Embeddings on the unit sphere, near for photos of a person, far for other persons and for fakes of the person.

    The score is the mean of two EERs in percent, ``eer_real`` with other persons and ``eer_fake`` with fakes as non-mated.

    Parameters
    ----------
    person : Tensor of shape (n_rows,), int64
        Persons of the training part are numbered first, from 0.
    is_fake : Tensor of shape (n_rows,), bool
    margin : float or None
    fake_weight : float
    cosine_head : MarginSoftmax, optional
        Tells the training persons' real photos apart besides.
    cosine_weight : float, default=0.0
        Of its loss.
    bona_fide_head : BonaFideHead, optional
        Tells fakes from photos besides.
    bona_fide_weight : float, default=0.0
        Of its loss.
    """

    def __init__(
        self,
        person: Tensor,
        is_fake: Tensor,
        margin: float | None,
        fake_weight: float,
        cosine_head: MarginSoftmax | None = None,
        cosine_weight: float = 0.0,
        bona_fide_head: BonaFideHead | None = None,
        bona_fide_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.margin = margin
        self.fake_weight = fake_weight
        self.cosine_head = cosine_head
        self.cosine_weight = cosine_weight
        self.bona_fide_head = bona_fide_head
        self.bona_fide_weight = bona_fide_weight
        self.keep("person", person)
        self.keep("is_fake", is_fake)

    @torch.no_grad()
    def begin(self, embed: Callable[[np.ndarray], Tensor]) -> None:
        """Let every person of the cosine head begin as the mean of the unit embeddings of the person's real photos."""
        if self.cosine_head is not None:
            imprint(self.cosine_head.weight, self.person.masked_fill(self.is_fake, len(self.person)), embed)

    def loss(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The quadruplet loss of the hardest quadruplets of the batch, and those of the heads where there are any."""
        terms = self._quadruplets(F.normalize(embedding.float()), rows)
        if self.cosine_head is not None:
            cosine = self._cosine(self.cosine_head, embedding, rows)
            terms = {**terms, "loss": terms["loss"] + self.cosine_weight * cosine, "cosine": cosine.detach()}
        if self.bona_fide_head is not None:
            bona_fide = self.bona_fide_head(embedding, self.is_fake[rows])
            terms = {
                **terms,
                "loss": terms["loss"] + self.bona_fide_weight * bona_fide,
                "bona_fide": bona_fide.detach(),
            }
        return terms

    def _cosine(self, head: MarginSoftmax, embedding: Tensor, rows: Tensor) -> Tensor:
        real = torch.nonzero(~self.is_fake[rows])[:, 0]
        return head(embedding[real], self.person[rows][real]) if len(real) else 0 * embedding.sum()

    def _quadruplets(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """Loss 0, of parts that are NaN, where the batch has no quadruplet."""
        positions = mine(embedding, self.person[rows], self.is_fake[rows])
        if not len(positions[0]):
            return {
                "loss": 0 * embedding.sum(),
                **dict.fromkeys(QuadrupletLoss.PARTS, embedding.new_tensor(torch.nan)),
            }
        loss = quadruplet(*(embedding[some] for some in positions), self.margin, self.fake_weight)
        return {"loss": loss.total, **loss.numbers()}

    def metrics(self, embedding: Tensor, rows: Tensor) -> dict[str, float]:
        """Both EERs."""
        similarity, is_same, has_fake = comparisons(embedding, self.person[rows], self.is_fake[rows])
        is_mated = is_same & (has_fake == 0)
        kinds = {"eer_real": ~is_same & (has_fake == 0), "eer_fake": is_same & (has_fake == 1)}
        figures = {
            name: equal_error_rate(similarity[is_mated | some], is_mated[is_mated | some])
            for name, some in kinds.items()
        }
        return {**figures, "score": 50 * sum(figures.values())}
