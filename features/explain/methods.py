"""The ways to make a map, by the names of the command line."""

from __future__ import annotations

import numpy as np

from ..embedders import Embedder
from .decision import Decision
from .gradients import PixelMap, integrated_gradients
from .network import DifferentiableNetwork
from .occlusion import occlusion

METHODS = ("gradients", "occlusion")


def pixel_map(embedder: Embedder, decision: Decision, crop: np.ndarray, method: str = METHODS[0]) -> PixelMap:
    """What the pixels of a crop do to a decision about its embedding.

    Parameters
    ----------
    embedder : Embedder
    decision : Decision
    crop : array of shape (height, width, 3), uint8, RGB
    method : {"gradients", "occlusion"}, default="gradients"

    Raises
    ------
    ValueError
        If the method is unknown, or gradients are asked of an embedder that does not run in torch.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {METHODS}; got {method!r}.")
    if method == "occlusion":
        return occlusion(embedder.embed, decision, crop)
    return integrated_gradients(DifferentiableNetwork(embedder), decision, crop)
