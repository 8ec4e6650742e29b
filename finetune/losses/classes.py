"""Losses for classes: cross-entropy with smoothed labels, focal loss, and weights against imbalance.

References
----------
C. Szegedy and others, Rethinking the Inception architecture, CVPR 2016, section 7 (label smoothing).
T.-Y. Lin and others, Focal loss for dense object detection, ICCV 2017, equation 5.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def cross_entropy(logits: Tensor, classes: Tensor, smoothing: float = 0.0, weights: Tensor | None = None) -> Tensor:
    """Mean cross-entropy; of two classes it is the binary one of the difference of their logits.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes)
    classes : Tensor of shape (n,), int64
    smoothing : float, default=0.0
        Share of the target that all classes have in common.
    weights : Tensor of shape (n_classes,), optional
        How much the rows of each class count.
    """
    return F.cross_entropy(logits.float(), classes, weight=weights, label_smoothing=smoothing)


def focal_loss(logits: Tensor, classes: Tensor, gamma: float = 2.0, weights: Tensor | None = None) -> Tensor:
    """Mean of −weight · (1 − p)^gamma · log p, where p is the probability of the right class: the sure count little."""
    log_p = F.log_softmax(logits.float(), 1).gather(1, classes[:, None])[:, 0]
    loss = -((1 - log_p.exp()) ** gamma) * log_p
    return loss.mean() if weights is None else (weights[classes] * loss).mean()


def class_weights(classes: np.ndarray, n_classes: int) -> torch.Tensor:
    """Weights inversely proportional to the classes' frequency, whose mean over the rows is 1.

    Raises
    ------
    ValueError
        If a class has no row.
    """
    counts = np.bincount(classes, minlength=n_classes)
    if not counts.all():
        raise ValueError(f"each class must have a row in the training part; the counts are {counts.tolist()}.")
    return torch.from_numpy((len(classes) / (n_classes * counts)).astype(np.float32))
