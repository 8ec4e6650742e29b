"""The training loop: batches, steps, averaged weights, validation, early stopping, checkpoints.

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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .checkpoint import load_state, save_state
from .loader import BatchLoader
from .log import CsvLog
from .optimisation import AveragedWeights, learning_rate_factor, make_optimiser, set_learning_rate
from .recipes import Recipe
from .tasks.task import Task

CHECKPOINT, BEST, STEPS, EPOCHS = "checkpoint.pt", "best.pt", "steps.csv", "epochs.csv"
#: Steps whose figures are fetched from the device at once.
LOG_EVERY = 20
#: Crops of a validation batch.
VALIDATION_BATCH = 128
_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, eq=False)
class Examples:
    """What is learned from, as arrays.

    Attributes
    ----------
    pixels : ndarray of shape (n_crops, height, width, 3), uint8
    crop_row : ndarray of shape (n_rows,), int64
        Where the crop of each row lies in ``pixels``.
    validation : ndarray of shape (n_validation,), int64
        Rows that are validated on.
    batches_of : callable
        The rows of each batch of an epoch, int64 of shape (n_batches, batch_size).
    """

    pixels: np.ndarray
    crop_row: np.ndarray
    validation: np.ndarray
    batches_of: Callable[[int], np.ndarray]


class Model(nn.Module):
    """An embedding network and what learns from it."""

    def __init__(self, network: nn.Module, layers: tuple[str, ...], task: Task) -> None:
        super().__init__()
        self.network = network
        self.layers = layers
        self.task = task

    def forward(self, crops: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The loss and its parts."""
        return self.task.loss(self.network(crops, self.layers), rows)


@dataclass
class Progress:
    """How far a training is.

    Attributes
    ----------
    step : int
        Optimiser steps done.
    best_score : float
    n_worse : int
        Epochs since then.
    seconds, waiting_seconds : float
        Of this process, in all and waiting for batches.
    n_crops : int
        Trained on by this process.
    """

    step: int = 0
    best_score: float = math.inf
    n_worse: int = 0
    seconds: float = field(default=0.0, compare=False)
    waiting_seconds: float = field(default=0.0, compare=False)
    n_crops: int = field(default=0, compare=False)


class Trainer:
    """One training.

    Parameters
    ----------
    model : Model
        On the CPU; it is moved.
    examples : Examples
    recipe : Recipe
    folder : Path
        For the files above.
    device : torch.device
    is_compiled : bool, default=False
        Whether the network runs through ``torch.compile``.
    on_step : callable, optional
        Called with the progress after each step.

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
        device: torch.device,
        is_compiled: bool = False,
        on_step: Callable[[Progress], object] = lambda progress: None,
    ) -> None:
        if recipe.precision != "float32" and device.type != "cuda":
            raise ValueError(f"--precision {recipe.precision} needs --device cuda; got {device}.")
        self.model = model.to(device)
        self.model.network.requires_grad_(recipe.backbone_lr > 0)
        self.average = AveragedWeights(self.model, recipe.ema)
        self.examples = examples
        self.recipe = recipe
        self.folder = folder
        self.device = device
        self.progress = Progress()
        self._forward = torch.compile(self.model) if is_compiled else self.model
        self._on_step = on_step
        self._loader = BatchLoader(examples.pixels, device)
        self._optimiser = make_optimiser(self.model.network, self.model.task, recipe)
        self._scaler = torch.amp.GradScaler(device.type, enabled=recipe.precision == "fp16")
        self._steps_log, self._epochs_log = CsvLog(folder / STEPS), CsvLog(folder / EPOCHS)
        self._unlogged: list[dict] = []

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
        self._optimiser.load_state_dict(state["optimiser"])
        self._scaler.load_state_dict(state["scaler"])
        self.progress = Progress(state["step"], state["best_score"], state["n_worse"])
        for log in (self._steps_log, self._epochs_log):
            log.keep_until(self.progress.step)

    def run(self) -> Progress:
        """Train until it is finished; the weights that it begins with are validated as epoch 0."""
        if self.progress.step == 0:
            for log in (self._steps_log, self._epochs_log):
                log.clear()
            self.model.task.begin(lambda rows: self.embed(self.model, rows))
            self.average.follow(self.model, step=0)
            self._end_epoch(0)
        while not self.is_finished:
            epoch = self.progress.step // self.steps_per_epoch
            self._train_until(self.progress.step + 1 + self._steps_left_in_epoch(), epoch)
            self._end_epoch(epoch + 1)
        return self.progress

    def rehearse(self, n_steps: int) -> float:
        """Seconds of a step, from ``n_steps`` real ones behind one that is not measured; nothing is written.

        The weights have changed afterwards: this is for a trainer that is not used again.
        """
        started = time.perf_counter()
        n_done = 0
        for number, (crops, rows) in zip(range(1 + n_steps), self._batches(0)):
            self.train_step(crops, rows)
            self._unlogged[-1]["loss"].item()  # waits for the device
            started, n_done = (time.perf_counter(), 0) if not number else (started, number)
        return (time.perf_counter() - started) / max(1, n_done)

    def _steps_left_in_epoch(self) -> int:
        """Steps of this epoch after the next one."""
        return self.steps_per_epoch - 1 - self.progress.step % self.steps_per_epoch

    def _train_until(self, last_step: int, epoch: int) -> None:
        """Train to the end of an epoch, with a checkpoint now and then."""
        started = time.perf_counter()
        for crops_of_step, rows_of_step in self._batches(epoch):
            self.train_step(crops_of_step, rows_of_step)
            self._on_step(self.progress)
            if self.progress.step % self.recipe.checkpoint_every == 0 and self.progress.step < last_step:
                self.save()
        self.progress.seconds += time.perf_counter() - started

    def _batches(self, epoch: int) -> Iterator[tuple[list[Tensor], list[np.ndarray]]]:
        """Crops and rows of each step of an epoch that is still to be done."""
        rows = self.examples.batches_of(epoch)
        accumulate = min(self.recipe.accumulate, len(rows))
        n_done = (self.progress.step % self.steps_per_epoch) * accumulate
        rows = rows[n_done : self.steps_per_epoch * accumulate]
        loaded = self._loader.batches(self.examples.crop_row[some] for some in rows)
        for start in range(0, len(rows), accumulate):
            asked = time.perf_counter()
            crops = [next(loaded) for _ in range(accumulate)]
            self.progress.waiting_seconds += time.perf_counter() - asked
            yield crops, list(rows[start : start + accumulate])

    def train_step(self, crops_of_step: list[Tensor], rows_of_step: list[np.ndarray]) -> None:
        """One optimiser step from the gradients of one batch or several."""
        factor = learning_rate_factor(self.progress.step, self.n_steps, round(self.recipe.warmup * self.n_steps))
        set_learning_rate(self._optimiser, factor)
        self._set_training_mode()
        generator = torch.Generator().manual_seed(_seed_of_step(self.recipe.seed, self.progress.step))
        figures: dict[str, Tensor] = {}
        for crops, rows in zip(crops_of_step, rows_of_step, strict=True):
            terms = self._backward(self.recipe.augmentation(crops, generator), rows)
            for name, value in terms.items():
                figures[name] = figures.get(name, 0) + value.detach() / len(rows_of_step)
            self.progress.n_crops += len(rows)
        self._update()
        self.progress.step += 1
        self.average.follow(self.model, self.progress.step)
        self._note({"step": self.progress.step, "lr": factor * self.recipe.lr, **figures})

    def _set_training_mode(self) -> None:
        self.model.train()
        if not self.recipe.backbone_lr:
            self.model.network.eval()  # a frozen network keeps its averages too

    def _backward(self, crops: Tensor, rows: np.ndarray) -> dict[str, Tensor]:
        with self._autocast():
            terms = self._forward(crops, torch.from_numpy(rows).to(self.device))
        self._scaler.scale(terms["loss"] / self.recipe.accumulate).backward()
        return terms

    def _autocast(self) -> torch.autocast:
        is_half = self.recipe.precision in _AUTOCAST
        return torch.autocast(self.device.type, _AUTOCAST.get(self.recipe.precision, torch.bfloat16), enabled=is_half)

    def _update(self) -> None:
        self._scaler.unscale_(self._optimiser)
        if self.recipe.clip:
            parameters = [p for group in self._optimiser.param_groups for p in group["params"]]
            nn.utils.clip_grad_norm_(parameters, self.recipe.clip)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        self._optimiser.zero_grad(set_to_none=True)

    def _note(self, figures: dict) -> None:
        self._unlogged.append(figures)
        if len(self._unlogged) >= LOG_EVERY:
            self._write_log()

    def _write_log(self) -> None:
        rows = [{name: _plain(value) for name, value in row.items()} for row in self._unlogged]
        self._unlogged = []
        self._steps_log.append(rows)
        lost = [row["step"] for row in rows if not math.isfinite(row["loss"])]
        if lost:
            raise ValueError(f"the loss of step {lost[0]} is not finite. Use a smaller --lr, or --precision float32.")

    def _end_epoch(self, epoch: int) -> None:
        figures = self.validate()
        if math.isnan(figures["score"]):
            raise ValueError(
                f"every kind of pair must occur in the validation part; got {figures}. Use a larger --validation_size or "
                "another --seed."
            )
        is_better = figures["score"] < self.progress.best_score
        self.progress.n_worse = 0 if is_better else self.progress.n_worse + 1
        if is_better:
            self.progress.best_score = figures["score"]
            state = {
                "network": self.average.module.network.state_dict(),
                "task": self.average.module.task.state_dict(),
            }
            save_state(self.folder / BEST, {**state, "step": self.progress.step, "epoch": epoch})
        self._write_log()
        self._epochs_log.append([{"step": self.progress.step, "epoch": epoch, **figures}])
        self.save()

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Figures of the validation part with the averaged weights."""
        embedding = self.embed(self.average.module, self.examples.validation)
        rows = torch.from_numpy(self.examples.validation).to(self.device)
        return self.average.module.eval().task.metrics(embedding, rows)

    @torch.inference_mode()
    def embed(self, model: Model, rows: np.ndarray) -> Tensor:
        """Embeddings of rows, their crops as they are, float of shape (n_rows, dimension)."""
        network = model.network.eval()
        parts = np.array_split(rows, -(-len(rows) // VALIDATION_BATCH))
        batches = self._loader.batches(self.examples.crop_row[part] for part in parts)
        return torch.cat([network(crops, model.layers) for crops in batches])

    def save(self) -> None:
        """Write the checkpoint; the log first, so that it has every step of it."""
        self._write_log()
        state = {
            "model": self.model.state_dict(),
            "average": self.average.module.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "scaler": self._scaler.state_dict(),
        }
        numbers = {name: getattr(self.progress, name) for name in ("step", "best_score", "n_worse")}
        save_state(self.folder / CHECKPOINT, {**state, **numbers})


def _plain(value: object) -> object:
    return value.item() if isinstance(value, Tensor) else value


def _seed_of_step(seed: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> 1)
