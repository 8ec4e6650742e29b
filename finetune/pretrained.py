"""Weights of other people's trainings: from their official address, or from a file in the names of timm or torchvision.

Files of torchvision and of timm carry the beginning of their sha256 in their names, as ``torch.hub`` has it; where several
public projects agree on the whole of it, and on the size, that is what counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import torch
from torch import nn

from faceheads.networks.exported import load_exported
from faceheads.networks.state_file import load_strictly, read_state_dict
from faceheads.networks.timm_network import TimmNetwork
from faceheads.weights import WeightFile, fetch_file

_TORCHVISION = "https://download.pytorch.org/models/"
_TIMM = "https://github.com/rwightman/pytorch-image-models/releases/download/"
_DINO = "https://dl.fbaipublicfiles.com/dino/dino_deitsmall16_pretrain/dino_deitsmall16_pretrain.pth"
_HUB = "https://huggingface.co/"
_BSD, _APACHE = "BSD-3-Clause", "Apache-2.0"
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.[a-z]+$")
#: Where the official weights have their classes; an embedding has none.
_CLASSES = ("fc.", "classifier.", "head.", "pre_logits.", "logits.")
#: Buffer that files of older versions of torch do not have: how many batches a normalisation has seen.
_N_BATCHES = "num_batches_tracked"


def _file(name: str, url: str, licence: str, sha256: str = "", size_bytes: int | None = None) -> WeightFile:
    file_name = PurePosixPath(urlsplit(url).path).name
    in_name = _HASH_IN_NAME.search(file_name)
    return WeightFile(
        name=name,
        file_name=file_name,
        sha256=in_name[1] if in_name and not sha256 else sha256,
        size_bytes=size_bytes,
        licence=f"{licence} (trained on ImageNet, which is for research)",
        purpose=f"what {name} begins with",
        url=url,
    )


_FILES = (
    _file(
        "resnet18",
        _TORCHVISION + "resnet18-f37072fd.pth",
        _BSD,
        "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
        46_830_571,
    ),
    _file(
        "resnet50",
        _TORCHVISION + "resnet50-0676ba61.pth",
        _BSD,
        "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
        102_530_333,
    ),
    _file(
        "resnet152",
        _TORCHVISION + "resnet152-394f9c45.pth",
        _BSD,
        "394f9c45966e3651a89bbb78a48410a6755854ce4a5ab64927cf1c7247f85e58",
    ),
    _file(
        "vgg16",
        _TORCHVISION + "vgg16-397923af.pth",
        _BSD,
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        553_433_881,
    ),
    _file("mobilenet_v2", _TIMM + "v0.1-weights/mobilenetv2_100_ra-b33bc2c4.pth", _APACHE),
    _file("mobilenet_v3", _TIMM + "v0.1-weights/mobilenetv3_large_100_ra-f55367f5.pth", _APACHE),
    _file("efficientnet_b0", _TIMM + "v0.1-weights/efficientnet_b0_ra-3dd342df.pth", _APACHE),
    _file("efficientnet_b1", _TIMM + "v0.1-weights/efficientnet_b1-533bc792.pth", _APACHE),
    _file("efficientnet_b2", _TIMM + "v0.1-weights/efficientnet_b2_ra-bcdf34b7.pth", _APACHE),
    _file("efficientnet_b3", _TIMM + "v0.1-weights/efficientnet_b3_ra2-cf984f9c.pth", _APACHE),
    _file("efficientnet_b4", _TIMM + "v0.1-weights/efficientnet_b4_ra2_320-7eb33cd5.pth", _APACHE),
    _file("efficientnetv2_s", _TIMM + "v0.1-effv2-weights/tf_efficientnetv2_s_21ft1k-d7dafa41.pth", _APACHE),
    _file("vit_small", _DINO, _APACHE),  # published without a checksum
)
#: The official weights of each network that has a short name.
PRETRAINED = {weights.name: weights for weights in _FILES}


def official_weights(name: str, network: nn.Module) -> Path:
    """The official weights of a network, downloaded into the cache folder unless they are on this machine.

    Raises
    ------
    ValueError
        If its author publishes none.
    DownloadError
        If they cannot be had; says where to put them by hand.
    """
    return fetch_file(PRETRAINED[name] if name in PRETRAINED else _from_timm(name, network))


def _from_timm(name: str, network: nn.Module) -> WeightFile:
    """What timm's own configuration names: safetensors of the hub, whose checksum nobody pins, or a file of its releases."""
    config = network.network.pretrained_cfg if isinstance(network, TimmNetwork) else {}
    hub_id, url, licence = (config.get(key) for key in ("hf_hub_id", "url", "license"))
    if hub_id and not config.get("hf_hub_filename"):
        weights = _file(name, f"{_HUB}{hub_id}/resolve/main/model.safetensors", str(licence))
        return replace(weights, file_name=f"{hub_id.replace('/', '--')}.safetensors")
    if url and PurePosixPath(url).suffix in (".pth", ".pt", ".bin"):
        return _file(name, url, str(licence))
    raise ValueError(
        f"--weights of {name!r} must be 'scratch', a file or an exported folder: no official ones are known."
    )


def load_weights(network: nn.Module, path: Path) -> None:
    """Fill a network from a state dict (safetensors or ``torch.save``) or from an exported folder of the same network.

    Classes that the file has and the network has not are left out. timm's names count, and torchvision's where they are the
    same: ResNets and VGG.

    Raises
    ------
    ValueError
        If there is no such file, it is damaged, or it does not fit.
    """
    if path.is_dir():
        load_strictly(network, load_exported(path)[1].state_dict(), path)
    elif path.is_file():
        inner = network.network if isinstance(network, TimmNetwork) else network
        load_strictly(inner, _fitted(read_state_dict(path), inner.state_dict()), path)
    else:
        raise ValueError(
            f"--weights must be 'official', 'scratch', a file or an exported folder; {path} does not exist."
        )


def _fitted(state: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A state dict without foreign classes, and with the counters of batches that nobody counted."""
    kept = {name: tensor for name, tensor in state.items() if name in wanted or not name.startswith(_CLASSES)}
    counters = {name: tensor for name, tensor in wanted.items() if name.endswith(_N_BATCHES)}
    return {**counters, **kept}
