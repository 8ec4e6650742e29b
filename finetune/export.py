"""A trained network as the folder that ``feature_extraction.py --embedder`` runs, only if it computes the same."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from faceheads.networks.exported import load_exported, save_exported
from faceheads.spec import EmbedderSpec

from .backbones import exportable
from .crop_file import CropFile

#: Largest difference of a number of an embedding from that of the network that was trained.
TOLERANCE = 1e-4
#: Crops that both networks are compared on.
N_COMPARED = 64


class ExportError(ValueError):
    """The stored network does not compute what the trained one does."""


def spec_of(network_name: str, layers: Sequence[str], dimension: int, crops: CropFile) -> EmbedderSpec:
    """The specification of a network trained on crops, but for the sha256 of its weights."""
    return EmbedderSpec(
        network=network_name,
        weights_sha256="",
        dimension=dimension,
        landmark_scheme=crops.landmark_scheme,
        crop=dict(crops.crop),
        layers=tuple(layers),
        metric="cosine",
    )


def export_network(folder: Path, spec: EmbedderSpec, network: nn.Module, pixels: np.ndarray) -> float:
    """Write a network as a folder and return how far its numbers are from those before.

    Parameters
    ----------
    folder : Path
        Replaced when it is there.
    spec : EmbedderSpec
    network : nn.Module
        In training form; its weights are not changed.
    pixels : ndarray of shape (n_crops, height, width, 3), uint8
        Real crops to compare on.

    Returns
    -------
    float
        Largest absolute difference.

    Raises
    ------
    ExportError
        If it is larger than ``TOLERANCE``, or not a number; nothing is then exported.
    """
    temporary = folder.with_name(f".{folder.name}.unchecked")
    network = network.cpu().eval()
    expected = embeddings(network, pixels, spec.layers)
    try:
        save_exported(temporary, spec, exportable(network))
        difference = np.abs(embeddings(load_exported(temporary)[1].eval(), pixels, spec.layers) - expected).max()
        if not difference <= TOLERANCE:
            raise ExportError(
                f"the exported network must give the numbers of the trained one within {TOLERANCE:g}; they differ by "
                f"{difference:.3g}. Nothing was exported."
            )
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return float(difference)


@torch.inference_mode()
def embeddings(network: nn.Module, pixels: np.ndarray, layers: Sequence[str]) -> np.ndarray:
    """What a network on the CPU gives for the first ``N_COMPARED`` crops, float32 of shape (n, dimension)."""
    crops = torch.from_numpy(np.array(pixels[:N_COMPARED])).permute(0, 3, 1, 2)
    return network(crops, tuple(layers)).numpy()
