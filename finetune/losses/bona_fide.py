"""The loss of a head that tells fakes from photos by the direction of an embedding."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class BonaFideHead(nn.Module):
    """A logistic regression on unit vectors.

    Parameters
    ----------
    dimension : int
    scale : float
        What unit vectors are multiplied by: directions differ by little, and weights begin small.
    """

    def __init__(self, dimension: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.fc = nn.Linear(dimension, 1)

    def forward(self, embedding: Tensor, is_fake: Tensor) -> Tensor:
        """Mean cross-entropy over a batch.

        Parameters
        ----------
        embedding : Tensor of shape (n, dimension)
        is_fake : Tensor of shape (n,), bool
        """
        logit = self.fc(self.scale * F.normalize(embedding.float()))[:, 0]
        return F.binary_cross_entropy_with_logits(logit, is_fake.to(logit.dtype))
