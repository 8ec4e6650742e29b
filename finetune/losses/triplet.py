"""Losses of distances: a face nearer to its own person than to others, and than to fakes that claim to be that person.

A *fake* here is a picture made to pass for a person; the photo it must not be near to is the *anchor*, a real one.

References
----------
F. Schroff, D. Kalenichenko, J. Philbin, FaceNet, CVPR 2015, equation 3.
A. Hermans, L. Beyer, B. Leibe, In defense of the triplet loss for person re-identification, 2017, arXiv 1703.07737 (the soft
margin).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

#: Keeps the gradient of the distance of equal vectors finite.
_TINY = 1e-12


@dataclass(frozen=True)
class QuadrupletLoss:
    """A quadruplet loss and what it is made of.

    Attributes
    ----------
    total : Tensor
        ``real + weight · fake``.
    real, fake : Tensor
        The triplet losses with another person and with a fake.
    d_positive, d_negative, d_fake : Tensor
        Mean distances from the anchor, without gradient.
    """

    #: Names of everything but the total.
    PARTS: ClassVar = ("real", "fake", "d_positive", "d_negative", "d_fake")

    total: Tensor
    real: Tensor
    fake: Tensor
    d_positive: Tensor
    d_negative: Tensor
    d_fake: Tensor

    def numbers(self) -> dict[str, Tensor]:
        """Everything but the total, by name, without gradient."""
        return {name: getattr(self, name).detach() for name in self.PARTS}


def distance(one: Tensor, other: Tensor) -> Tensor:
    """Euclidean distance of rows, shape (n,)."""
    return ((one.float() - other.float()) ** 2).sum(1).clamp_min(_TINY).sqrt()


def triplet(d_near: Tensor, d_far: Tensor, margin: float | None) -> Tensor:
    """Mean of relu(margin + d_near − d_far), or of log(1 + exp(d_near − d_far)) where the margin is None."""
    excess = d_near - d_far
    return F.softplus(excess).mean() if margin is None else F.relu(margin + excess).mean()


def quadruplet(
    anchor: Tensor, positive: Tensor, negative: Tensor, fake: Tensor, margin: float | None, fake_weight: float
) -> QuadrupletLoss:
    """``triplet(anchor, positive, negative) + fake_weight · triplet(anchor, positive, fake)``.

    Parameters
    ----------
    anchor, positive, negative, fake : Tensor of shape (n, dimension)
        A photo, another of the same person, one of another person, and a fake of the same person.
    margin : float or None
        None for the soft margin.
    fake_weight : float
        0 leaves the triplet loss.
    """
    d_positive, d_negative, d_fake = (distance(anchor, other) for other in (positive, negative, fake))
    real, of_fakes = triplet(d_positive, d_negative, margin), triplet(d_positive, d_fake, margin)
    means = (values.detach().mean() for values in (d_positive, d_negative, d_fake))
    return QuadrupletLoss(real + fake_weight * of_fakes, real, of_fakes, *means)


def mine(embedding: Tensor, person: Tensor, is_fake: Tensor | None = None) -> tuple[Tensor, ...]:
    """For each real photo of a batch the hardest of each kind: positions of anchors, positives, negatives and fakes.

    Parameters
    ----------
    embedding : Tensor of shape (n, dimension)
    person : Tensor of shape (n,), int
        Whom a fake claims to show.
    is_fake : Tensor of shape (n,), bool, optional
        Without it all are photos, and the fourth is not returned.

    Returns
    -------
    anchor, positive, negative, fake : Tensor of shape (n_anchors,), int64
        The farthest other photo of the person, the nearest photo of another one, the nearest fake of the person. Photos
        for which one of them is not in the batch are no anchors.
    """
    distances = torch.cdist(embedding.detach().float(), embedding.detach().float())
    is_same = person[:, None] == person[None]
    is_real = torch.ones_like(person, dtype=torch.bool) if is_fake is None else ~is_fake
    is_itself = torch.eye(len(person), dtype=torch.bool, device=person.device)
    near = is_same & is_real & ~is_itself
    far = [~is_same & is_real] if is_fake is None else [~is_same & is_real, is_same & is_fake]
    anchor = torch.nonzero(is_real & torch.stack([kind.any(1) for kind in (near, *far)]).all(0))[:, 0]
    farthest = distances.masked_fill(~near, -torch.inf).argmax(1)
    nearest = [distances.masked_fill(~kind, torch.inf).argmin(1) for kind in far]
    return anchor, farthest[anchor], *(position[anchor] for position in nearest)
