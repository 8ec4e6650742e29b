"""Losses for ages in years: of one number, and of a distribution over ages whose mean is the prediction.

References
----------
P. J. Huber, Robust estimation of a location parameter, Annals of Mathematical Statistics 35(1), 1964.
B.-B. Gao and others, Age estimation using expectation of label distribution learning, IJCAI 2018 (DLDL-v2), equations
1 (targets), 4 (divergence), 6 (expectation) and 7 (its L1 error).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def huber(prediction: Tensor, truth: Tensor, delta: float) -> Tensor:
    """Mean over rows: quadratic for errors below ``delta``, linear beyond; about the absolute error for small delta."""
    return F.huber_loss(prediction.float(), truth.float(), delta=delta) / delta


def distribution_loss(logits: Tensor, truth: Tensor, centres: Tensor, deviation: float, l1_weight: float) -> Tensor:
    """Divergence of the predicted from the target distribution, and the absolute error of its mean.

    Parameters
    ----------
    logits : Tensor of shape (n, n_bins)
    truth : Tensor of shape (n,)
    centres : Tensor of shape (n_bins,)
        The middle of each bin, in the unit of ``truth``.
    deviation : float
        Standard deviation of the target around the truth.
    l1_weight : float
        Weight of the absolute error; the divergence has weight 1.
    """
    target = target_distribution(truth, centres, deviation)
    divergence = F.kl_div(F.log_softmax(logits.float(), 1), target, reduction="batchmean")
    return divergence + l1_weight * (expectation(logits, centres) - truth).abs().mean()


def target_distribution(truth: Tensor, centres: Tensor, deviation: float) -> Tensor:
    """A normal distribution around each truth over the bins, shape (n, n_bins), rows that sum to 1."""
    return torch.softmax(-0.5 * ((centres - truth[:, None].float()) / deviation) ** 2, 1)


def expectation(logits: Tensor, centres: Tensor) -> Tensor:
    """The mean of each predicted distribution, shape (n,)."""
    return (torch.softmax(logits.float(), 1) * centres).sum(1)
