"""The networks that can be trained: where their weights begin, and what is handed back of them.

A network trains in the form that gradient descent likes; :func:`exportable` turns it into the form that
:mod:`faceheads.networks.exported` stores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn

from faceheads.networks.dlib_resnet import DlibResNet, build_dlib_resnet
from faceheads.networks.dlib_traces import DlibTraces
from faceheads.networks.exported import build_network, load_exported
from faceheads.networks.inception_resnet_v1 import InceptionResnetV1
from faceheads.networks.timm_network import TIMM_NAMES, TimmNetwork, is_timm
from faceheads.weights import fetch_weights, find_weights

from .pretrained import load_weights, official_weights
from .stages import Stages, dlib_stages, dlib_traces_stages, facenet_stages, resnet18_stages, timm_stages

#: Weights that begin with random numbers, and those of the network's author.
SCRATCH, OFFICIAL = "scratch", "official"


@dataclass(frozen=True)
class Backbone:
    """A network that can be trained.

    Attributes
    ----------
    build : callable
        Takes where the weights begin, gives the network.
    stages : callable
        Takes the network, gives the names of the parameters of each stage.
    default_weights : str
    relative_steps : str or None
        How the names of parameters begin that have no normalisation behind them, so that steps must be in proportion to
        the size of the weights.
    attribute_layers : tuple of str
        What heads for age or gender look at; else it is ``final``.
    """

    build: Callable[[str], nn.Module]
    stages: Callable[[nn.Module], Stages]
    default_weights: str = SCRATCH
    relative_steps: str | None = None
    attribute_layers: tuple[str, ...] = ("final",)


def build_backbone(name: str, weights: str = "") -> nn.Module:
    """A network in training form.

    Parameters
    ----------
    name : str
        A key of :data:`BACKBONES`, or ``timm:`` and the name of a network of timm.
    weights : str, default=""
        ``"scratch"``, ``"official"``, a state dict (safetensors or ``torch.save``) or a folder that was exported; empty for
        the network's default.

    Raises
    ------
    ValueError
        If there is no such network or the weights do not fit it.
    MissingPackage
        If it is a network of timm, and timm is not installed.
    DownloadError
        If the official weights are not on this machine and cannot be fetched.
    """
    backbone = backbone_of(name)
    return backbone.build(weights if weights else backbone.default_weights)


def backbone_of(name: str) -> Backbone:
    """The entry of a name; a ValueError where there is none."""
    if is_timm(name):
        return Backbone(partial(_build, name), timm_stages)
    if name not in BACKBONES:
        raise ValueError(f"--backbone must be one of {', '.join(BACKBONES)}, or timm:NAME; got {name!r}.")
    return BACKBONES[name]


def exportable(network: nn.Module) -> nn.Module:
    """The network as it is stored and run: on the CPU, in evaluation mode, dlib's with its affine layers folded in."""
    network = network.cpu().eval()
    return network.folded() if isinstance(network, DlibResNet | DlibTraces) else network


def undecayed(network: nn.Module) -> frozenset[str]:
    """Names of parameters that have no weight decay in spite of their shape."""
    return network.undecayed() if isinstance(network, TimmNetwork) else frozenset()


def _build_dlib(weights: str) -> DlibResNet:
    if weights == OFFICIAL:
        return build_dlib_resnet(find_weights("dlib_resnet"), is_folded=False)
    return _own_checkpoint(weights, "dlib").unfolded()


def _build_dlib_traces(weights: str) -> DlibTraces:
    stored = None if weights == OFFICIAL else _own_checkpoint(weights, "dlib", "dlib_traces")
    if isinstance(stored, DlibTraces):
        return stored.unfolded()
    network = DlibTraces(is_folded=False)
    network.identity = _build_dlib(weights)
    return network.to(memory_format=torch.channels_last)


def _own_checkpoint(folder: str, *names: str) -> DlibResNet | DlibTraces:
    """A network that was exported to a folder, which must be one of these."""
    found = "scratch" if folder == SCRATCH else None
    if found is None:
        spec, network = load_exported(Path(folder))
        if spec.network in names:
            return network
        found = spec.network
    raise ValueError(
        f"--weights of dlib's network must be 'official' or a folder with an exported {' or '.join(names)}: it has no "
        f"normalisation and does not train from scratch; got {found!r}."
    )


def _build(name: str, weights: str) -> nn.Module:
    network = build_network(name)
    if weights == OFFICIAL:
        load_weights(network, _official(name, network))
    elif weights != SCRATCH:
        load_weights(network, Path(weights))
    return network.to(memory_format=torch.channels_last)


def _official(name: str, network: nn.Module) -> Path:
    is_facenet = isinstance(network, InceptionResnetV1)
    return fetch_weights("facenet_vggface2") if is_facenet else official_weights(name, network)


#: Every network that can be trained, by its short name.
BACKBONES = {
    "dlib": Backbone(_build_dlib, dlib_stages, OFFICIAL, "", ("block07", "block10", "block14")),
    "dlib_traces": Backbone(_build_dlib_traces, dlib_traces_stages, OFFICIAL, "identity."),
    "facenet": Backbone(partial(_build, "facenet"), facenet_stages, OFFICIAL),
    "resnet18": Backbone(partial(_build, "resnet18"), resnet18_stages),
    **{name: Backbone(partial(_build, name), timm_stages) for name in TIMM_NAMES},
}
