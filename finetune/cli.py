"""The command ``python -m finetune``: crops and labels in, a better embedding network out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import MISSING, Field, fields, replace
from pathlib import Path

from faceheads.command import run_command
from faceheads.labels import default_label_path, read_labels
from faceheads.pool import resolve_jobs
from faceheads.report.training import ModelCard, read_card
from faceheads.table_io import read_table

from .augment import Augmentation
from .blended_set import with_blended
from .card import UNSAID, write_card
from .charts import can_draw, colours_of
from .embedding_pictures import EmbeddingPictures
from .execution import Execution, find_device
from .history import EPOCHS, STEPS
from .loop import Trainer
from .observer import Observer
from .onnx_file import require_onnx
from .outcomes import best_embedding, write_outcomes
from .processes import joined_processes
from .progress import Progress
from .progress_bar import ProgressBar
from .recipes import RECIPES, Recipe, find_recipe
from .rehearsal import rehearse
from .session import EMBEDDER, check_folder, examples_of, finish, finish_onnx, layers_of, make_model
from .teacher import teacher_embeddings
from .tensorboard import TensorBoard, require_tensorboard
from .training_set import SplitOptions, TrainingSet, make_training_set

_STOPPED = "stopped; go on from the last checkpoint with the same command and --resume"


def finetune_parser() -> argparse.ArgumentParser:
    """The parser of ``python -m finetune``."""
    parser = argparse.ArgumentParser(
        prog="python -m finetune",
        description="Train an embedding network on crops and labels; feature_extraction.py --embedder runs what comes out.",
    )
    parser.add_argument(
        "--crops", required=True, type=Path, metavar="DIR", help="what feature_extraction.py --save_crops wrote"
    )
    parser.add_argument("--feature", required=True, type=Path, help="the feature table of the same extraction")
    parser.add_argument("--label", type=Path, help="labels (default: NAME.label.csv beside the table)")
    parser.add_argument(
        "--recipe",
        required=True,
        metavar="NAME|FILE",
        help=f"what is learned, and how: {', '.join(sorted(RECIPES))}, a .yaml file or settings.json of a run",
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help=f"for logs, checkpoints and {EMBEDDER}/"
    )
    parser.add_argument(
        "--teacher",
        type=Path,
        metavar="TABLE",
        help="feature table whose embeddings of the same faces those of the network shall stay near to",
    )
    parser.add_argument("--card", type=Path, help="JSON with the model card's words on data, terms, use and contact")
    parser.add_argument("--tensorboard", action="store_true", help="write logs for TensorBoard too")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    parser.add_argument(
        "--dry-run", action="store_true", help="make a few steps, say what the whole would take, and stop"
    )
    parser.add_argument("--onnx", action="store_true", help=f"write {EMBEDDER}.onnx too, for --embedder and others")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    parser.add_argument("--compile", action="store_true", help="run the network through torch.compile")
    parser.add_argument("--jobs", type=int, help="processes that decode crops (default: one a core)")
    _add_split_options(parser)
    _add_recipe_options(parser)
    return parser


def _add_split_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("parts")
    group.add_argument("--split", default="auto", help="what is kept for the test and not seen here, as in train.py")
    group.add_argument("--test_size", type=float, default=0.2, help="of a random split (default: %(default)s)")
    group.add_argument("--split_seed", type=int, default=0, help="of the parts: --seed of train.py (default: 0)")
    group.add_argument("--groups", default="auto", help="who stays on one side, as in train.py")
    group.add_argument(
        "--validation_size",
        type=float,
        default=0.1,
        help="share of the rest that ends training (default: %(default)s)",
    )


def _add_recipe_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("settings", "of the recipe, each with the recipe's value as default")
    for item in fields(Recipe):
        if item.name not in ("task", "augmentation"):
            _add_option(group, item)
    group = parser.add_argument_group("augmentation", "of training crops")
    for item in fields(Augmentation):
        _add_option(group, item)


def _add_option(group: argparse._ArgumentGroup, item: Field) -> None:
    holders = RECIPES.values() if item.name in _RECIPE_NAMES else [one.augmentation for one in RECIPES.values()]
    values = {getattr(one, item.name) for one in holders}
    default = f"; default {', '.join(map(str, sorted(values)))}" if values != {""} else ""
    words, choices = item.metadata["help"], item.metadata["choices"]
    group.add_argument(f"--{item.name}", type=type(item.default), choices=choices, help=words + default)


_RECIPE_NAMES = frozenset(item.name for item in fields(Recipe) if item.default is not MISSING)


def finetune_main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code (0 done, 2 wrong use)."""
    args = finetune_parser().parse_args(argv)
    return run_command("finetune", lambda: _finetune(args), _STOPPED)


def _finetune(args: argparse.Namespace) -> int:
    chosen, device, card = _recipe_of(args), find_device(args.device), _card_words(args)
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
                _describe(chosen, training, trainer)
                _warn(chosen)
            if args.dry_run:
                return _rehearse(trainer)
            if args.resume:
                trainer.resume()
            trainer.run()
        if processes.is_main:
            _finish(args, trainer, training, card)
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
    _report(args.out, trainer.progress, difference)
    if args.onnx:
        _report_onnx(args.out, finish_onnx(args.out, training))
    print(f"model card    {write_card(trainer, training, embedding, difference, card)}")


def _card_words(args: argparse.Namespace) -> ModelCard:
    return UNSAID if args.card is None else read_card(args.card, UNSAID)


def _recipe_of(args: argparse.Namespace) -> Recipe:
    base = find_recipe(args.recipe)
    chosen = {name: getattr(args, name) for name in _RECIPE_NAMES if getattr(args, name) is not None}
    changed = {item.name: getattr(args, item.name) for item in fields(Augmentation)}
    changed = {name: value for name, value in changed.items() if value is not None}
    return replace(base, **chosen, augmentation=replace(base.augmentation, **changed))


def _training_set(args: argparse.Namespace, chosen: Recipe) -> TrainingSet:
    labels = read_labels(default_label_path(args.feature) if args.label is None else args.label)
    options = SplitOptions(args.split, args.test_size, args.groups, args.validation_size, args.split_seed)
    training = make_training_set(
        args.crops, read_table(args.feature), labels, chosen.columns, options, resolve_jobs(args.jobs)
    )
    if args.teacher is not None:
        training = replace(training, teacher=teacher_embeddings(read_table(args.teacher), training.keys))
    is_blended = chosen.task == "quadruplet" and chosen.self_blend
    return with_blended(training, chosen.seed) if is_blended else training


def _describe(chosen: Recipe, training: TrainingSet, trainer: Trainer) -> None:
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


def _warn(chosen: Recipe) -> None:
    """Say which augmentations may take away what a criterion nobody knows depends on."""
    erasing = chosen.augmentation.erasing
    if chosen.task == "criterion" and erasing:
        options = ", ".join(f"--{name} {value:g}" for name, value in erasing.items())
        print(
            f"finetune: warning: {options}: what an augmentation changes, the network learns not to see. Leave out those "
            f"that {chosen.target!r} may depend on.",
            file=sys.stderr,
        )


def _rehearse(trainer: Trainer) -> int:
    found = rehearse(trainer)
    if trainer.execution.processes.is_main:
        print(f"a step        {found.step_s:>8.2f} s; the first {found.first_step_s:.2f} s")
        print(f"validation    {found.validation_s:>8.1f} s, {found.n_validations} times at most")
        print(f"in all        {found.total_s / 60:>8.1f} minutes at most")
        print(f"memory        {found.peak_bytes / 2**30:>8.1f} GiB at most so far")
    return 0


def _report(folder: Path, progress: Progress, difference: float) -> None:
    if progress.seconds:
        speed, waiting = progress.n_crops / progress.seconds, progress.waiting_seconds / progress.seconds
        print(f"speed         {speed:>8.0f}   crops/s, {waiting:.1%} of the time waiting for crops")
    print(f"best score    {progress.best_score:>8.3f}   on the validation part ({folder / EPOCHS}, {folder / STEPS})")
    print(f"exported      {difference:>8.1e}   from the trained network at most: --embedder {folder / EMBEDDER}")


def _report_onnx(folder: Path, difference: float) -> None:
    print(f"ONNX          {difference:>8.1e}   from that at most: --embedder {folder / EMBEDDER}.onnx")
