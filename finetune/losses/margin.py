"""Softmax over persons with a margin: what makes embeddings of unknown persons comparable by their angle.

References
----------
J. Deng and others, ArcFace: additive angular margin loss for deep face recognition, CVPR 2019, equation 3.
H. Wang and others, CosFace: large margin cosine loss for deep face recognition, CVPR 2018, equation 4.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

KINDS = ("arcface", "cosface")


class MarginSoftmax(nn.Module):
    """Cross-entropy over the training persons, the right one of which has to win by a margin.

    Parameters
    ----------
    dimension : int
        Of the embedding.
    n_persons : int
    kind : {"arcface", "cosface"}
        Whether the margin is added to the angle or taken from the cosine.
    scale : float
        What cosines are multiplied by.
    margin : float
        In radians, or as a cosine.
    """

    def __init__(self, dimension: int, n_persons: int, kind: str, scale: float, margin: float) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {list(KINDS)}; got {kind!r}.")
        self.weight = nn.Parameter(torch.randn(n_persons, dimension) / math.sqrt(dimension))
        self.kind = kind
        self.scale = scale
        self.margin = margin

    def forward(self, embedding: Tensor, person: Tensor) -> Tensor:
        """The mean loss.

        Parameters
        ----------
        embedding : Tensor of shape (n, dimension)
        person : Tensor of shape (n,), int64
        """
        return F.cross_entropy(self.logits(embedding, person), person)

    def logits(self, embedding: Tensor, person: Tensor) -> Tensor:
        """Scaled cosines to each person, with the margin at the right one, shape (n, n_persons)."""
        with torch.autocast(embedding.device.type, enabled=False):
            cosine = F.linear(F.normalize(embedding.float()), F.normalize(self.weight.float()))
            right = cosine.gather(1, person[:, None])
            return self.scale * cosine.scatter(1, person[:, None], self._with_margin(right))

    def _with_margin(self, cosine: Tensor) -> Tensor:
        if self.kind == "cosface":
            return cosine - self.margin
        return _cosine_of_larger_angle(cosine, self.margin)


def _cosine_of_larger_angle(cosine: Tensor, margin: float) -> Tensor:
    """cos(θ + margin); where that angle is beyond π, a line that goes on falling, for the cosine would rise again."""
    sine = (1 - cosine**2).clamp_min(1e-12).sqrt()
    added = cosine * math.cos(margin) - sine * math.sin(margin)
    return torch.where(cosine > -math.cos(margin), added, cosine - margin * math.sin(margin))
