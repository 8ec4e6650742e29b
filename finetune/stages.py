"""The stages of a network from the input to the embedding: what is frozen, unfrozen and slowed down together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from torch import nn

from faceheads.networks.timm_network import TimmNetwork

#: Names of the parameters of each stage, from the input to the embedding.
Stages = list[list[str]]

#: How the names of the parameters of each stage begin. dlib's blocks are those of ``stage1`` to ``stage5`` of
#: :mod:`faceheads.networks.dlib_resnet_layers`.
_DLIB = (
    r"stem\.",
    r"blocks\.[0-2]\.",
    r"blocks\.[3-6]\.",
    r"blocks\.[7-9]\.",
    r"blocks\.1[0-2]\.",
    r"blocks\.13\.|fc\.",
)
#: The network of the traces stands beside dlib's; it is the last stage, so that ``--freeze 6`` leaves it alone to learn.
_DLIB_TRACES = (*(rf"identity\.({pattern})" for pattern in _DLIB), r"traces\.")
_RESNET18 = (r"(conv1|bn1)\.", r"layer1\.", r"layer2\.", r"layer3\.", r"layer4\.")
_FACENET = (
    r"conv2d_",
    r"repeat_1\.",
    r"(mixed_6a|repeat_2)\.",
    r"(mixed_7a|repeat_3)\.",
    r"(block8|last_linear|last_bn)\.",
)


def stages_by_names(patterns: Sequence[str], network: nn.Module) -> Stages:
    """The stages of a network by how the names of their parameters begin.

    Raises
    ------
    ValueError
        If a parameter belongs to none.
    """
    stages: Stages = [[] for _ in patterns]
    for name, _ in network.named_parameters():
        number = next((i for i, pattern in enumerate(patterns) if re.match(pattern, name)), None)
        if number is None:
            raise ValueError(f"The parameter {name!r} of {type(network).__name__} must belong to a stage.")
        stages[number].append(name)
    return stages


def timm_stages(network: TimmNetwork) -> Stages:
    """The stages of a network of timm, as timm groups them; each block of a transformer is one."""
    return network.stages()


dlib_stages: Callable[[nn.Module], Stages] = partial(stages_by_names, _DLIB)
dlib_traces_stages: Callable[[nn.Module], Stages] = partial(stages_by_names, _DLIB_TRACES)
resnet18_stages: Callable[[nn.Module], Stages] = partial(stages_by_names, _RESNET18)
facenet_stages: Callable[[nn.Module], Stages] = partial(stages_by_names, _FACENET)
