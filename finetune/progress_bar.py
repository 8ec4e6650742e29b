"""Steps done, steps to do and the time that is left, on stderr."""

from __future__ import annotations

import sys

from tqdm import tqdm

from .observer import EpochEnd, Observer
from .progress import Progress


class ProgressBar(Observer):
    """A line that tells of a training; to be closed.

    The time left is that of the steps that are left, at the pace since training began or was resumed, validation included.
    """

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def close(self) -> None:
        """End the line."""
        if self._bar is not None:
            self._bar.close()

    def begins(self, progress: Progress, n_steps: int) -> None:
        """Show the line."""
        self._bar = tqdm(
            initial=progress.step, total=n_steps, unit="step", desc="finetune", file=sys.stderr, smoothing=0
        )

    def step_done(self, progress: Progress) -> None:
        """Count the step."""
        self._bar.update(progress.step - self._bar.n)

    def epoch_ended(self, end: EpochEnd) -> None:
        """Tell of the score."""
        self._bar.set_postfix(epoch=end.epoch, score=f"{end.figures['score']:.4g}")
