"""The networks that can be trained: where their weights begin, and what is handed back of them.

A network trains in the form that gradient descent likes; :func:`exportable` turns it into the form that
:mod:`faceheads.networks.exported` stores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from faceheads.networks.dlib_resnet import DlibResNet, build_dlib_resnet
from faceheads.networks.dlib_resnet_layers import layer_dimension as dlib_layer_dimension
from faceheads.networks.exported import load_exported
from faceheads.networks.resnet import ResNet18
from faceheads.networks.resnet import layer_dimension as resnet_layer_dimension
from faceheads.networks.state_file import load_strictly, read_state_dict
from faceheads.weights import find_weights

#: Weights that begin with random numbers, and those of the network's author.
SCRATCH, OFFICIAL = "scratch", "official"


@dataclass(frozen=True)
class Backbone:
    """A network that can be trained.

    Attributes
    ----------
    build : callable
        Takes where the weights begin, gives the network.
    layer_dimension : callable
        Numbers of a layer by its name.
    default_weights : str
    has_relative_steps : bool
        Whether the network has no normalisation, so that steps must be in proportion to the size of its weights.
    attribute_layers : tuple of str
        What heads for age or gender look at; else it is ``final``.
    """

    build: Callable[[str], nn.Module]
    layer_dimension: Callable[[str], int]
    default_weights: str
    has_relative_steps: bool
    attribute_layers: tuple[str, ...] = ("final",)


def build_backbone(name: str, weights: str = "") -> nn.Module:
    """A network in training form.

    Parameters
    ----------
    name : str
        A key of :data:`BACKBONES`.
    weights : str, default=""
        ``"scratch"``, ``"official"``, a file of ``torch.save`` or a folder that was exported; empty for the network's
        default.

    Raises
    ------
    ValueError
        If there is no such network or the weights do not fit it.
    """
    backbone = backbone_of(name)
    return backbone.build(weights if weights else backbone.default_weights)


def backbone_of(name: str) -> Backbone:
    """The entry of a name; a ValueError where there is none."""
    if name not in BACKBONES:
        raise ValueError(f"--backbone must be one of {sorted(BACKBONES)}; got {name!r}.")
    return BACKBONES[name]


def exportable(network: nn.Module) -> nn.Module:
    """The network as it is stored and run: on the CPU, in evaluation mode, dlib's with its affine layers folded in."""
    network = network.cpu().eval()
    return network.folded() if isinstance(network, DlibResNet) else network


def _build_dlib(weights: str) -> nn.Module:
    if weights != OFFICIAL:
        raise ValueError(
            f"--weights of dlib's network must be 'official': it has no normalisation and does not train from scratch; "
            f"got {weights!r}."
        )
    return build_dlib_resnet(find_weights("dlib_resnet"), is_folded=False)


def _build_resnet18(weights: str) -> nn.Module:
    if weights == OFFICIAL:
        raise ValueError(
            "--weights of resnet18 must be 'scratch', a file or an exported folder: download torchvision's "
            "resnet18-*.pth yourself and name the file."
        )
    network = ResNet18()
    if weights != SCRATCH:
        load_strictly(network, _state_of(Path(weights)), weights)
    return network.to(memory_format=torch.channels_last)


def _state_of(path: Path) -> Mapping[str, torch.Tensor]:
    if path.is_dir():
        return load_exported(path)[1].state_dict()
    state = read_state_dict(path)
    return {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}


#: Every network that can be trained, by its name.
BACKBONES = {
    "dlib": Backbone(_build_dlib, dlib_layer_dimension, OFFICIAL, True, ("block07", "block10", "block14")),
    "resnet18": Backbone(_build_resnet18, resnet_layer_dimension, SCRATCH, False),
}
