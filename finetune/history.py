"""The logs of a training: figures of each step and of each epoch.

A log never has a step that the last checkpoint does not have without the training being able to take it back, so a
training that was killed and resumed has the logs of one that was not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from .log import CsvLog
from .observer import EpochEnd, Observer
from .progress import Progress

STEPS, EPOCHS = "steps.csv", "epochs.csv"
#: Steps whose figures are fetched from the device at once.
LOG_EVERY = 20


class History:
    """``steps.csv`` and ``epochs.csv`` of a folder, and those who look on.

    Parameters
    ----------
    folder : Path
    observers : sequence of Observer
    is_written : bool, default=True
        Whether this process is the one that writes; the others only look whether losses are finite.
    """

    def __init__(self, folder: Path, observers: Sequence[Observer] = (), is_written: bool = True) -> None:
        self._steps, self._epochs = CsvLog(folder / STEPS), CsvLog(folder / EPOCHS)
        self._observers = tuple(observers) if is_written else ()
        self._is_written = is_written
        self._unlogged: list[Mapping] = []

    def begin(self, progress: Progress, n_steps: int) -> None:
        """Drop the rows of steps that are done again, or all where training begins anew."""
        if self._is_written:
            for log in (self._steps, self._epochs):
                log.keep_until(progress.step) if progress.step else log.clear()
        for observer in self._observers:
            observer.begins(progress, n_steps)

    def add_step(self, progress: Progress, figures: Mapping[str, Tensor | float]) -> None:
        """Keep the figures of the step that was made; they are written some steps later."""
        self._unlogged.append({"step": progress.step, **figures})
        if len(self._unlogged) >= LOG_EVERY:
            self.flush()
        for observer in self._observers:
            observer.step_done(progress)

    def flush(self) -> None:
        """Write the figures of all steps that were made.

        Raises
        ------
        ValueError
            If a loss is not finite.
        """
        rows = [{name: _plain(value) for name, value in row.items()} for row in self._unlogged]
        self._unlogged = []
        if self._is_written:
            self._steps.append(rows)
        for observer in self._observers:
            observer.steps_logged(rows)
        lost = [row["step"] for row in rows if not math.isfinite(row["loss"])]
        if lost:
            raise ValueError(f"the loss of step {lost[0]} is not finite. Use a smaller --lr, or --precision float32.")

    def add_epoch(self, end: EpochEnd) -> None:
        """Write the figures of an epoch; those of its steps must have been flushed."""
        if self._is_written:
            self._epochs.append([{"step": end.step, "epoch": end.epoch, **end.figures}])
        for observer in self._observers:
            observer.epoch_ended(end)


def _plain(value: Tensor | float) -> float:
    return value.item() if isinstance(value, Tensor) else value
