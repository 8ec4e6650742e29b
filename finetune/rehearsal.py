"""What a training would take, from a few real steps of it and a look at the validation part.

Nothing is written. The weights have changed afterwards: a trainer that was rehearsed with is not used again.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass

import numpy as np
import torch

from .evaluation import BATCH_SIZE
from .loop import Trainer

#: Steps that are measured, behind the first one.
N_STEPS = 3
#: Crops that embedding is measured on, at most.
N_EMBEDDED = 2 * BATCH_SIZE


@dataclass(frozen=True)
class Rehearsal:
    """What a training would take.

    Attributes
    ----------
    first_step_s, step_s : float
        Seconds of the first step, with what is done only once (such as compiling), and of a later one.
    validation_s : float
        Of the validation part once.
    start_s : float
        Of what the task looks at before the first step.
    n_steps, n_validations : int
        Of all epochs.
    peak_bytes : int
        Memory of this process, or on the GPU, at most so far.
    """

    first_step_s: float
    step_s: float
    validation_s: float
    start_s: float
    n_steps: int
    n_validations: int
    peak_bytes: int

    @property
    def total_s(self) -> float:
        """Of the whole training, should no epoch be saved by ending early."""
        later = (self.n_steps - 1) * self.step_s
        return self.start_s + self.first_step_s + later + self.n_validations * self.validation_s


def rehearse(trainer: Trainer) -> Rehearsal:
    """Make a few steps and validate on some of the validation part."""
    embedding_s = _seconds_of_embedding(trainer)
    seconds = _seconds_of_steps(trainer)
    return Rehearsal(
        first_step_s=seconds[0],
        step_s=float(np.median(seconds[1:] or seconds)),
        validation_s=_seconds_of_validation(trainer, embedding_s),
        start_s=_rows_at_start(trainer) * embedding_s,
        n_steps=trainer.n_steps,
        n_validations=trainer.recipe.epochs + 1,
        peak_bytes=peak_bytes(trainer.execution.device),
    )


def _seconds_of_steps(trainer: Trainer) -> list[float]:
    """Seconds of some steps of the last epoch, in which all stages learn that ever do."""
    epoch = trainer.recipe.epochs - 1
    trainer.progress.step = epoch * trainer.steps_per_epoch
    seconds, started = [], time.perf_counter()
    for batches, _ in zip(trainer.batches(epoch), range(1 + N_STEPS)):
        trainer.train_step(batches)["loss"].item()  # waits for the device
        seconds.append(time.perf_counter() - started)
        started = time.perf_counter()
    return seconds


def _seconds_of_embedding(trainer: Trainer) -> float:
    """Seconds of one crop; crops are embedded once before, for what is done only once."""
    rows = trainer.examples.validation[:N_EMBEDDED]
    trainer.evaluator.embed(trainer.model, rows[:BATCH_SIZE])
    started = time.perf_counter()
    trainer.evaluator.embed(trainer.model, rows).cpu()
    return (time.perf_counter() - started) / len(rows)


def _rows_at_start(trainer: Trainer) -> int:
    """How many rows the task wants embedded before the first step."""
    asked, some = [0], trainer.evaluator.embed(trainer.model, trainer.examples.validation[:1])

    def embed(rows: np.ndarray) -> torch.Tensor:
        asked.append(len(rows))
        return some.expand(len(rows), -1)

    trainer.model.task.begin(embed)
    return sum(asked)


def _seconds_of_validation(trainer: Trainer, embedding_s: float) -> float:
    """Seconds of the validation part; what the task makes of embeddings is measured on some that come again."""
    rows = trainer.examples.validation
    some = trainer.evaluator.embed(trainer.average.module, rows[:N_EMBEDDED])
    embedding = some[torch.arange(len(rows), device=some.device) % len(some)]
    started = time.perf_counter()
    trainer.evaluator.measure(trainer.average.module, embedding, rows)
    return len(rows) * embedding_s + time.perf_counter() - started


def peak_bytes(device: torch.device) -> int:
    """The most memory that was in use, on a GPU or of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
