"""The command ``python -m finetune``: crops and labels in, a better embedding network out."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd

from faceheads.command import run_command
from faceheads.labels import default_label_path, read_labels
from faceheads.pool import resolve_jobs
from faceheads.report.training import ModelCard, read_card
from faceheads.table import FaceTable
from faceheads.table_io import read_table

from .blended_set import with_blended
from .card import UNSAID, write_card
from .charts import can_draw, colours_of
from .embedding_pictures import EmbeddingPictures
from .execution import Execution, find_device
from .loop import Trainer
from .observer import Observer
from .onnx_file import require_onnx
from .options import finetune_parser, recipe_of
from .outcomes import best_embedding, write_outcomes
from .processes import joined_processes
from .progress_bar import ProgressBar
from .recipes import Recipe
from .rehearsal import rehearse
from .session import check_folder, examples_of, finish, finish_onnx, make_model
from .teacher import teacher_embeddings
from .telling import tell_end, tell_onnx, tell_plan, tell_rehearsal, warn_of_erasing
from .tensorboard import TensorBoard, require_tensorboard
from .training_set import SplitOptions, TrainingSet, make_training_set

_STOPPED = "stopped; go on from the last checkpoint with the same command and --resume"


def finetune_main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code (0 done, 2 wrong use)."""
    args = finetune_parser().parse_args(argv)
    return run_command("finetune", lambda: _finetune(args), _STOPPED)


def _finetune(args: argparse.Namespace) -> int:
    chosen, device, card = recipe_of(args), find_device(args.device), _card_words(args)
    _require_packages(args)
    with joined_processes(device.type) as processes:
        with processes.main_first():
            training = _training_set(args, chosen)
            if processes.is_main and not args.dry_run:
                check_folder(args.out, chosen, training, args.resume)
            model = make_model(training, chosen)
        execution = Execution(device, args.compile, processes)
        with _observers(args.out, chosen, training, args.tensorboard) as observers:
            trainer = Trainer(model, examples_of(training, chosen), chosen, args.out, execution, observers)
            if processes.is_main:
                tell_plan(training, trainer)
                warn_of_erasing(chosen)
            if args.dry_run:
                return _rehearse(trainer)
            if args.resume:
                trainer.resume()
            trainer.run()
        if processes.is_main:
            _finish(args, trainer, training, card)
    return 0


def _rehearse(trainer: Trainer) -> int:
    found = rehearse(trainer)
    if trainer.execution.processes.is_main:
        tell_rehearsal(found)
    return 0


def _require_packages(args: argparse.Namespace) -> None:
    if args.tensorboard:
        require_tensorboard()
    if args.onnx:
        require_onnx()


@contextmanager
def _observers(folder: Path, chosen: Recipe, training: TrainingSet, has_tensorboard: bool) -> Iterator[list[Observer]]:
    """Progress on stderr, pictures of embeddings where matplotlib is installed, and TensorBoard where it is asked for."""
    with closing(ProgressBar()) as bar, closing(TensorBoard(folder)) as board:
        pictures = EmbeddingPictures(folder, colours_of(chosen, training.labels[training.is_validation]))
        yield [bar, *([pictures] if can_draw() else []), *([board] if has_tensorboard else [])]


def _finish(args: argparse.Namespace, trainer: Trainer, training: TrainingSet, card: ModelCard) -> None:
    """Export, and tell of it."""
    embedding = best_embedding(args.out, training, trainer.model, trainer.execution.device)
    write_outcomes(args.out, training, trainer.model, embedding)
    difference = finish(args.out, trainer.recipe, training, trainer.model)
    tell_end(args.out, trainer.progress, difference)
    print(f"model card    {write_card(trainer, training, embedding, difference, card)}")
    if args.onnx:
        tell_onnx(args.out, finish_onnx(args.out, training))


def _card_words(args: argparse.Namespace) -> ModelCard:
    return UNSAID if args.card is None else read_card(args.card, UNSAID)


def _labels(args: argparse.Namespace, chosen: Recipe, table: FaceTable) -> pd.DataFrame:
    """Those of the file; no columns, where there is no file and none are needed."""
    path = default_label_path(args.feature) if args.label is None else args.label
    if args.label is None and not chosen.columns and not path.is_file():
        return pd.DataFrame(index=pd.Index(table.path).unique())
    return read_labels(path)


def _training_set(args: argparse.Namespace, chosen: Recipe) -> TrainingSet:
    table = read_table(args.feature)
    options = SplitOptions(args.split, args.test_size, args.groups, args.validation_size, args.split_seed)
    training = make_training_set(
        args.crops, table, _labels(args, chosen, table), chosen.columns, options, resolve_jobs(args.jobs)
    )
    if args.teacher is not None:
        training = replace(training, teacher=teacher_embeddings(read_table(args.teacher), training.keys))
    is_blended = chosen.task == "quadruplet" and chosen.self_blend
    return with_blended(training, chosen.seed) if is_blended else training
