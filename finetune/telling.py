"""What ``python -m finetune`` says: the plan, what it would take, how it ended."""

from __future__ import annotations

import sys
from pathlib import Path

from .history import EPOCHS, STEPS
from .loop import Trainer
from .progress import Progress
from .recipes import Recipe
from .rehearsal import Rehearsal
from .session import EMBEDDER, layers_of
from .training_set import TrainingSet


def tell_plan(training: TrainingSet, trainer: Trainer) -> None:
    """What is to be trained, on what, and how long at most."""
    chosen = trainer.recipe
    n_validation = int(training.is_validation.sum())
    n_parameters = sum(p.numel() for p in trainer.model.parameters())
    height, width = training.crops.pixels.shape[1:3]
    print(
        f"crops         {len(training) - n_validation:>8}   to learn from, {n_validation} to validate on ({height} x {width} px)"
    )
    print(f"left out      {training.n_test:>8}   for the test, {training.n_unlabelled} without a label")
    print(
        f"network       {chosen.backbone:>8}   layers {','.join(layers_of(chosen))}, {n_parameters / 1e6:.1f} M parameters"
    )
    print(f"steps         {trainer.n_steps:>8}   at most: {chosen.epochs} epochs of {trainer.steps_per_epoch}")


def warn_of_erasing(chosen: Recipe) -> None:
    """Say which augmentations may take away what a criterion nobody knows depends on."""
    erasing = chosen.augmentation.erasing
    if chosen.task == "criterion" and erasing:
        options = ", ".join(f"--{name} {value:g}" for name, value in erasing.items())
        print(
            f"finetune: warning: {options}: what an augmentation changes, the network learns not to see. Leave out those "
            f"that {chosen.target!r} may depend on.",
            file=sys.stderr,
        )


def tell_rehearsal(found: Rehearsal) -> None:
    """What the whole training would take."""
    print(f"a step        {found.step_s:>8.2f} s; the first {found.first_step_s:.2f} s")
    print(f"validation    {found.validation_s:>8.1f} s, {found.n_validations} times at most")
    print(f"in all        {found.total_s / 60:>8.1f} minutes at most")
    print(f"memory        {found.peak_bytes / 2**30:>8.1f} GiB at most so far")


def tell_end(folder: Path, progress: Progress, difference: float) -> None:
    """How fast training was, how good it became, and where the network lies."""
    if progress.seconds:
        speed, waiting = progress.n_crops / progress.seconds, progress.waiting_seconds / progress.seconds
        print(f"speed         {speed:>8.0f}   crops/s, {waiting:.1%} of the time waiting for crops")
    print(f"best score    {progress.best_score:>8.3f}   on the validation part ({folder / EPOCHS}, {folder / STEPS})")
    print(f"exported      {difference:>8.1e}   from the trained network at most: --embedder {folder / EMBEDDER}")


def tell_onnx(folder: Path, difference: float) -> None:
    """Where the ONNX file lies."""
    print(f"ONNX          {difference:>8.1e}   from that at most: --embedder {folder / EMBEDDER}.onnx")
