"""Ranges and means of the activations of dlib's embedding network: what its 8-bit form is made with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .dlib_resnet import DlibResNet

#: Measured on photos of UTKFace by ``python -m benchmarks.int8_embedding --save_statistics FILE``. A change of the file
#: is a change of the embedding: raise ``recipe_version`` of the specification.
SHIPPED = Path(__file__).parents[1] / "data" / "dlib_resnet_statistics.json"


@dataclass(frozen=True)
class ActivationStatistics:
    """Of activations over many chips.

    Attributes
    ----------
    ranges : mapping of str to (low, high)
        Lowest (0 at most) and highest value of ``stem``, and of ``block01.conv1``, ``block01.conv2`` and ``block01`` for
        each block.
    means : mapping of str to ndarray of shape (n_channels,), float64
        Mean of each channel of what convolutions are given: ``pixels``, ``block01.input`` and ``block01.conv1``, ….
    """

    ranges: Mapping[str, tuple[float, float]]
    means: Mapping[str, np.ndarray]

    @classmethod
    def shipped(cls) -> ActivationStatistics:
        """Those that come with the project."""
        values = json.loads(SHIPPED.read_text(encoding="utf-8"))
        ranges = {name: (low, high) for name, (low, high) in values["ranges"].items()}
        return cls(ranges, {name: np.array(mean) for name, mean in values["means"].items()})

    @classmethod
    @torch.inference_mode()
    def measured(cls, module: DlibResNet, chips: Tensor) -> ActivationStatistics:
        """Those of chips (n_chips, 3, 150, 150), uint8, in a folded module."""
        ranges, means = {}, {}
        for name, x in _activations(module, chips):
            means[name] = x.double().mean((0, 2, 3)).numpy()
            ranges[name] = (min(float(x.min()), 0.0), float(x.max()))
        is_input = [name == "pixels" or name.endswith((".input", ".conv1")) for name in means]
        is_output = [name != "pixels" and not name.endswith(".input") for name in means]
        return cls(_chosen(ranges, is_output), _chosen(means, is_input))

    def save(self, path: Path) -> None:
        """Write them as JSON, to seven digits, so that what is measured again can be told from what ships."""
        ranges = {name: [float(f"{value:.7g}") for value in pair] for name, pair in self.ranges.items()}
        means = {name: [float(f"{value:.7g}") for value in mean] for name, mean in self.means.items()}
        path.write_text(json.dumps({"ranges": ranges, "means": means}) + "\n", encoding="utf-8")


def _chosen(values: dict, is_chosen: list[bool]) -> dict:
    return {name: value for (name, value), chosen in zip(values.items(), is_chosen, strict=True) if chosen}


def _activations(module: DlibResNet, chips: Tensor) -> Iterator[tuple[str, Tensor]]:
    x = chips.to(dtype=module.fc.weight.dtype, memory_format=torch.channels_last)
    yield "pixels", x
    x = F.relu(module.stem(x))
    yield "stem", x
    x = F.max_pool2d(x, 3, 2)
    for number, block in enumerate(module.blocks, start=1):
        yield f"block{number:02d}.input", x
        y = F.relu(block.conv1(x))
        yield f"block{number:02d}.conv1", y
        yield f"block{number:02d}.conv2", block.conv2(y)
        x = block(x)
        yield f"block{number:02d}", x
