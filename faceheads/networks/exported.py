"""An embedding network as a folder: what ``finetune`` hands back to the pipeline.

``embedder.json`` holds the :class:`~faceheads.spec.EmbedderSpec`, ``weights.safetensors`` the weights, whose sha256 the
specification names. Neither can hold code.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ..atomic import atomic_path, write_text
from ..spec import EmbedderSpec

SPEC_NAME, WEIGHTS_NAME = "embedder.json", "weights.safetensors"


def save_exported(folder: str | os.PathLike, spec: EmbedderSpec, module: torch.nn.Module) -> EmbedderSpec:
    """Write a network and its specification; returns the specification with the sha256 of the weights.

    Parameters
    ----------
    folder : path
        Made if need be.
    spec : EmbedderSpec
        ``network`` must be a name of :func:`build_network`.
    module : torch.nn.Module
        A network of that definition.
    """
    folder = Path(folder)
    with atomic_path(folder / WEIGHTS_NAME) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in module.state_dict().items()}, temporary)
    spec = replace(spec, weights_sha256=_sha256(folder / WEIGHTS_NAME))
    write_text(folder / SPEC_NAME, json.dumps(spec.to_json(), indent=1) + "\n")
    return spec


def load_exported(folder: str | os.PathLike) -> tuple[EmbedderSpec, torch.nn.Module]:
    """The specification and the network of a folder, its weights in channels-last order as the network was trained.

    Raises
    ------
    ValueError
        If a file is missing or damaged, the weights are not those of the specification, or do not fit the network.
    MissingPackage
        If it is a network of timm, and timm is not installed.
    """
    folder = Path(folder)
    for name in (SPEC_NAME, WEIGHTS_NAME):
        if not (folder / name).is_file():
            raise ValueError(
                f"{folder} is not an exported network: it has no {name}. Make one with python -m finetune."
            )
    spec = _read_spec(folder / SPEC_NAME)
    found = _sha256(folder / WEIGHTS_NAME)
    if found != spec.weights_sha256:
        raise ValueError(
            f"{folder / WEIGHTS_NAME} has the sha256 {found}, {SPEC_NAME} says {spec.weights_sha256}. Export it again."
        )
    module = build_network(spec.network)
    try:
        module.load_state_dict(load_file(folder / WEIGHTS_NAME))
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(f"{folder / WEIGHTS_NAME} does not fit the network {spec.network!r}: {error}") from error
    return spec, module.to(memory_format=torch.channels_last)


def build_network(name: str) -> torch.nn.Module:
    """A network by its name, with any weights.

    Raises
    ------
    ValueError
        If the name is unknown.
    MissingPackage
        If it is a network of timm, and timm is not installed.
    """
    if name == "dlib":
        from .dlib_resnet import DlibResNet

        return DlibResNet()
    if name == "dlib_traces":
        from .dlib_traces import DlibTraces

        return DlibTraces()
    if name == "facenet":
        from .inception_resnet_v1 import InceptionResnetV1

        return InceptionResnetV1()
    if name == "resnet18":
        from .resnet import ResNet18

        return ResNet18()
    from .timm_network import TIMM_NAMES, TimmNetwork, is_timm

    if is_timm(name):
        return TimmNetwork(name)
    raise ValueError(
        f"The network must be one of {', '.join(['dlib', 'dlib_traces', 'facenet', 'resnet18', *TIMM_NAMES])}, or timm:NAME; got {name!r}."
    )


def _read_spec(path: Path) -> EmbedderSpec:
    try:
        return EmbedderSpec.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} is not an embedder specification ({error}). Export the network again.") from error


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
