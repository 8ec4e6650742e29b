"""What looks on while a network is trained: progress, pictures, other logs. It changes nothing of the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from .progress import Progress


@dataclass(frozen=True, eq=False)
class EpochEnd:
    """The validation behind an epoch; epoch 0 is before the first step.

    Attributes
    ----------
    epoch, step : int
        Epochs and optimiser steps done.
    figures : mapping of str to float
        Of the validation part.
    embedding : Tensor of shape (n_validation, dimension)
        On the device.
    is_best : bool
        Whether no epoch had a lower score so far.
    """

    epoch: int
    step: int
    figures: Mapping[str, float]
    embedding: Tensor
    is_best: bool


class Observer:
    """Told of a training in the main process; each method does nothing by itself."""

    def begins(self, progress: Progress, n_steps: int) -> None:
        """Training begins, or goes on from a checkpoint."""

    def step_done(self, progress: Progress) -> None:
        """A step was made."""

    def steps_logged(self, rows: Sequence[Mapping[str, float]]) -> None:
        """The figures of some steps are known; each has its ``"step"``."""

    def epoch_ended(self, end: EpochEnd) -> None:
        """The validation part was validated on."""
