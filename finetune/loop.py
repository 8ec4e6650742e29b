"""The training loop: epochs of steps, averaged weights, validation, early stopping, checkpoints.

Everything drawn at random depends on the seed and on the epoch or the step alone, never on what was drawn before. So a
training that was killed and resumed from its last checkpoint is, on a CPU, the same to the last bit as one that was not.

Files in the output folder:

==================  ========================================================================================
``checkpoint.pt``   the last state; training resumes from it
``best.pt``         the averaged weights of the epoch with the lowest score
``steps.csv``       loss, its parts and the learning rate of each step
``epochs.csv``      figures of the validation part after each epoch, epoch 0 being before the first step
==================  ========================================================================================
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from .batch_norm import synchronise
from .checkpoint import load_state, save_state
from .distorting import Distorter
from .distortions import Subject
from .evaluation import Evaluator, Validation
from .examples import Examples
from .execution import ON_CPU, Execution
from .history import History
from .loader import BatchLoader
from .model import Model
from .observer import EpochEnd, Observer
from .optimisation import AveragedWeights
from .progress import Progress
from .recipes import Recipe
from .stepper import Batch, Stepper

CHECKPOINT, BEST = "checkpoint.pt", "best.pt"


class Trainer:
    """One training.

    Parameters
    ----------
    model : Model
        On the CPU; it is moved, and its batch normalisations are replaced where several processes train it.
    examples : Examples
    recipe : Recipe
    folder : Path
        For the files above.
    execution : Execution, default=ON_CPU
    observers : sequence of Observer
        Told of everything in the main process.

    Raises
    ------
    ValueError
        If half precision is asked for without CUDA.
    """

    def __init__(
        self,
        model: Model,
        examples: Examples,
        recipe: Recipe,
        folder: Path,
        execution: Execution = ON_CPU,
        observers: Sequence[Observer] = (),
    ) -> None:
        if execution.processes.count > 1:
            synchronise(model.network)
        self.model = model.to(execution.device)
        self.average = AveragedWeights(self.model, recipe.ema)
        self.examples = examples
        self.recipe = recipe
        self.folder = folder
        self.execution = execution
        self.progress = Progress()
        self.evaluator = Evaluator(examples, execution)
        self.stepper = Stepper(self.model, recipe, execution, self.n_steps, examples.face)
        self._loader = BatchLoader(examples.pixels, execution.device, _distorter(recipe, examples.face))
        self._history = History(folder, observers, execution.processes.is_main)

    @cached_property
    def steps_per_epoch(self) -> int:
        """Optimiser steps; what does not fill one is left for another epoch."""
        return max(1, len(self.examples.batches_of(0)) // self.recipe.accumulate)

    @property
    def n_steps(self) -> int:
        """Optimiser steps of all epochs."""
        return self.recipe.epochs * self.steps_per_epoch

    @property
    def is_finished(self) -> bool:
        """Whether all epochs are done, or the score has not become lower for long enough."""
        return self.progress.step >= self.n_steps or self.progress.n_worse >= self.recipe.patience

    def resume(self) -> None:
        """Go on from the checkpoint of the folder."""
        state = load_state(self.folder / CHECKPOINT)
        self.model.load_state_dict(state["model"])
        self.average.module.load_state_dict(state["average"])
        self.stepper.load_state_dict(state)
        self.progress = Progress(state["step"], state["best_score"], state["n_worse"])

    def run(self) -> Progress:
        """Train until it is finished; the weights that it begins with are validated as epoch 0."""
        self._history.begin(self.progress, self.n_steps)
        if self.progress.step == 0:
            self.begin_task()
            self.average.follow(self.model, step=0)
            self._end_epoch(0)
        while not self.is_finished:
            epoch = self.progress.step // self.steps_per_epoch
            self._train_epoch(epoch)
            self._end_epoch(epoch + 1)
        return self.progress

    def begin_task(self) -> None:
        """Let the task set parameters by what the network gives before the first step."""
        self.model.task.begin(lambda rows: self.evaluator.embed(self.model, rows))

    def validate(self) -> Validation:
        """The validation part with the averaged weights."""
        return self.evaluator.validate(self.average.module)

    def batches(self, epoch: int) -> Iterator[list[Batch]]:
        """What each step of an epoch that is still to be done learns from."""
        rows = self.examples.batches_of(epoch)
        accumulate = min(self.recipe.accumulate, len(rows))
        n_done = (self.progress.step % self.steps_per_epoch) * accumulate
        rows = rows[n_done : self.steps_per_epoch * accumulate]
        own = self.execution.processes.share(rows.shape[1]).rows
        first_step = self.progress.step
        loaded = self._loader.changed_batches(
            (self.examples.crop_row[some[own]], first_step + i // accumulate) for i, some in enumerate(rows)
        )
        for start in range(0, len(rows), accumulate):
            asked = time.perf_counter()
            crops = [next(loaded) for _ in range(accumulate)]
            self.progress.waiting_seconds += time.perf_counter() - asked
            yield [Batch(*pair) for pair in zip(crops, rows[start : start + accumulate], strict=True)]

    def train_step(self, batches: Sequence[Batch]) -> dict:
        """One optimiser step, and its figures."""
        figures = self.stepper.step(self.progress.step, batches)
        self.progress.step += 1
        self.progress.n_crops += sum(len(batch.rows) for batch in batches)
        self.average.follow(self.model, self.progress.step)
        return figures

    def _train_epoch(self, epoch: int) -> None:
        """Train to the end of an epoch, with a checkpoint now and then."""
        started = time.perf_counter()
        last_step = (epoch + 1) * self.steps_per_epoch
        for batches in self.batches(epoch):
            self._history.add_step(self.progress, self.train_step(batches))
            if self.progress.step % self.recipe.checkpoint_every == 0 and self.progress.step < last_step:
                self.save()
        self.progress.seconds += time.perf_counter() - started

    def _end_epoch(self, epoch: int) -> None:
        self._history.flush()
        validation = self.validate()
        if math.isnan(validation.figures["score"]):
            raise ValueError(
                f"every kind of pair must occur in the validation part, and every cohort; got {validation.figures}. Use a larger "
                "--validation_size or another --seed."
            )
        is_best = self.progress.judge(validation.figures["score"])
        if is_best:
            self._save_best(epoch)
        step = self.progress.step
        self._history.add_epoch(EpochEnd(epoch, step, validation.figures, validation.embedding, is_best))
        self.save()

    def _save_best(self, epoch: int) -> None:
        parts = {"network": self.average.module.network.state_dict(), "task": self.average.module.task.state_dict()}
        self._write(BEST, {**parts, "step": self.progress.step, "epoch": epoch})

    def save(self) -> None:
        """Write the checkpoint; the log first, so that it has every step of it."""
        self._history.flush()
        state = {"model": self.model.state_dict(), "average": self.average.module.state_dict()}
        numbers = {name: getattr(self.progress, name) for name in ("step", "best_score", "n_worse")}
        self._write(CHECKPOINT, {**state, **self.stepper.state_dict(), **numbers})

    def _write(self, name: str, state: dict) -> None:
        if self.execution.processes.is_main:
            save_state(self.folder / name, state)


def _distorter(recipe: Recipe, face: Subject) -> Distorter | None:
    return Distorter(recipe.augmentation, face, recipe.seed) if recipe.augmentation.distort else None
