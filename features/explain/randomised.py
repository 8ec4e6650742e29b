"""Does a map depend on what was learned? Maps of a network whose weights are drawn anew, from the top down.

A map that stays the same when the head, or the network's last layers, know nothing any more would be drawn as well without
them: it shows edges of the picture, and is no explanation. So layers are drawn anew one after the other, from the embedding down
to the pixels, and each time the map is compared with the true one.

References
----------
J. Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018, section 3.1 (cascading randomisation) and 4.1 (how alike).
Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, Image quality assessment: from error visibility to structural similarity,
IEEE Transactions on Image Processing 13, 2004, equation 13.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import spearmanr

from ..embedders import TorchEmbedder
from ..opencv import import_cv2
from .decision import HeadDecision
from .faithfulness import smoothed

if TYPE_CHECKING:
    from torch import nn

#: Of the structural similarity, as its authors have it: the width of the window, and constants for a range of 1.
_WINDOW_SIGMA_PX, _C1, _C2 = 1.5, 0.01**2, 0.03**2


@dataclass(frozen=True)
class Likeness:
    """How alike two maps are as they are drawn, that is, smoothed; 1 for equal ones, NaN where one is the same everywhere.

    Attributes
    ----------
    ranks : float
        Rank correlation of the pixels' shares.
    sizes : float
        Rank correlation of their absolute values.
    structure : float
        Structural similarity of the absolute values, each map divided by its largest.
    """

    ranks: float
    sizes: float
    structure: float


def likeness(one: np.ndarray, other: np.ndarray) -> Likeness:
    """How alike two maps of shape (height, width) are."""
    one, other = smoothed(one), smoothed(other)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return Likeness(np.nan, np.nan, np.nan)
    a, b = np.abs(one), np.abs(other)
    return Likeness(
        _rank_correlation(one, other), _rank_correlation(a, b), structural_similarity(a / a.max(), b / b.max())
    )


def _rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(spearmanr(one.ravel(), other.ravel()).statistic)


def structural_similarity(one: np.ndarray, other: np.ndarray) -> float:
    """Mean structural similarity of two maps of shape (height, width), values from 0 to 1."""
    cv2 = import_cv2()

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values.astype(np.float64), (0, 0), _WINDOW_SIGMA_PX)

    a, b = mean(one), mean(other)
    both, own, others = mean(one * other) - a * b, mean(one * one) - a * a, mean(other * other) - b * b
    return float(((2 * a * b + _C1) * (2 * both + _C2) / ((a * a + b * b + _C1) * (own + others + _C2))).mean())


def layers_from_top(embedder: TorchEmbedder, crop: np.ndarray) -> list[nn.Module]:
    """The layers with weights that an embedding is made by, the last one first; without those behind the layers asked for.

    Parameters
    ----------
    embedder : TorchEmbedder
    crop : array of shape (height, width, 3), uint8, RGB
        Any crop: it is sent through to see which layers are called.
    """
    import torch

    outputs: dict[nn.Module, torch.Tensor] = {}
    device = next(embedder.module.parameters()).device
    pixels = torch.as_tensor(crop[None], dtype=torch.float32, device=device).requires_grad_()
    with ExitStack() as stack:
        for module in embedder.module.modules():
            if next(module.parameters(recurse=False), None) is not None:
                stack.enter_context(
                    module.register_forward_hook(lambda layer, given, out: outputs.update({layer: out}))
                )
        vectors = embedder.module(pixels.permute(0, 3, 1, 2), embedder.spec.layers)
    gradients = torch.autograd.grad(vectors.sum(), list(outputs.values()), allow_unused=True)
    return [layer for layer, gradient in zip(outputs, gradients, strict=True) if gradient is not None][::-1]


@contextmanager
def randomised(layers: Sequence[nn.Module], seed: int = 0) -> Iterator[None]:
    """The layers with weights drawn anew, each array with the mean and the deviation that it had; restored at the end.

    Parameters
    ----------
    layers : sequence of torch.nn.Module
    seed : int, default=0
        A layer gets the same weights in a longer sequence that begins like this one.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    arrays = [weights for layer in layers for weights in layer.parameters(recurse=False)]
    true = [weights.detach().clone() for weights in arrays]
    with torch.no_grad():
        for weights in arrays:
            drawn = torch.randn(weights.shape, generator=generator).to(weights)
            weights.copy_(weights.mean() + drawn * weights.std(correction=0))
    try:
        yield
    finally:
        with torch.no_grad():
            for weights, was in zip(arrays, true, strict=True):
                weights.copy_(was)


def mixed_up(decision: HeadDecision, dimension: int, seed: int = 0) -> HeadDecision:
    """A decision of a head that knows nothing: the same head, which takes the numbers of the embedding for one another."""
    order = np.random.default_rng(seed).permutation(dimension)
    raw = decision.raw
    return replace(decision, raw=lambda embeddings: raw(np.asarray(embeddings)[:, order]))
