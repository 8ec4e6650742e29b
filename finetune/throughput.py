"""How many crops networks embed in a second, measured in turns so that a busy machine slows all of them alike."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from faceheads.networks.precision import full_float32

from .finished_run import FinishedRun

#: Shortest turn of a network, in seconds.
TURN_S = 0.3


@dataclass(frozen=True)
class Speed:
    """How fast a network is.

    Attributes
    ----------
    crops_per_s : float
        Median over the rounds.
    ratio, lowest, highest : float
        To the first network in the same round: median, minimum, maximum.
    """

    crops_per_s: float
    ratio: float
    lowest: float
    highest: float


def measure_speeds(runs: Sequence[FinishedRun], device: torch.device, batch_size: int, n_rounds: int) -> list[Speed]:
    """The speed of each network on crops of its own size.

    Parameters
    ----------
    runs : sequence of FinishedRun
        Their networks are moved to the device.
    device : torch.device
    batch_size : int
    n_rounds : int
        In each, every network has a turn of at least ``TURN_S``.
    """
    turns = [_Turn(run, device, batch_size) for run in runs]
    speeds = np.array([[turn.crops_per_s() for turn in turns] for _ in range(n_rounds)])
    ratios = speeds / speeds[:, :1]
    return [
        Speed(*map(float, (np.median(speed), np.median(ratio), ratio.min(), ratio.max())))
        for speed, ratio in zip(speeds.T, ratios.T, strict=True)
    ]


class _Turn:
    """A network with a batch to embed, which was done once before it is measured."""

    def __init__(self, run: FinishedRun, device: torch.device, batch_size: int) -> None:
        self._network = run.network.to(device)
        self._layers = run.spec.layers
        self._device = device
        generator = torch.Generator().manual_seed(0)
        self._crops = torch.randint(0, 256, (batch_size, *run.size_hw, 3), dtype=torch.uint8, generator=generator)
        self._crops = self._crops.permute(0, 3, 1, 2).to(device)
        self._seconds(1)
        self._n_passes = max(1, math.ceil(TURN_S / self._seconds(1)))

    def crops_per_s(self) -> float:
        return self._n_passes * len(self._crops) / self._seconds(self._n_passes)

    @torch.inference_mode()
    def _seconds(self, n_passes: int) -> float:
        started = time.perf_counter()
        with full_float32(self._device):
            for _ in range(n_passes):
                self._network(self._crops, self._layers)
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter() - started
