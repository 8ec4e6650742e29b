"""Age and gender on UTKFace: the same heads on dlib's frozen network and on one that was finetuned on the same faces.

Faces are found and cut out once; ``python -m finetune --recipe age_gender`` learns from the train part of the shared split,
and both networks see the same crops (with ``--flip`` averaged with their mirror images). A network's embeddings of faces that it learned
from look surer than those of others, which may mislead heads. How a head learns, more or less regularised, from all of the
train part or only from faces that the network did not learn from, is therefore chosen on finetune's validation part, for
both networks from the same list. The chosen heads are tested once. Differences are paired, over the same test faces.

    python -m benchmarks.finetuned_attributes [--data ../shared/data] [--feature TABLE --crops DIR] [--run DIR] [--cache DIR]

``--run`` takes a training that is there already.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.head_settings import Settings, in_words
from faceheads.joining import join_tables
from faceheads.metrics import Estimate, GroupBootstrap
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.samples import Samples
from faceheads.search import Learner
from faceheads.splits import TEST, TRAIN, grouped_folds
from faceheads.table import FaceTable
from faceheads.targets import CLASSIFICATION, Target, find_targets
from faceheads.training_rows import TrainingRows
from features.embed import EmbedderRequest
from finetune.recipes import RECIPES
from finetune.training_set import SplitOptions, make_training_set

from .kept_crops import KeptCrops, content_split, train, utkface_crops, utkface_parser
from .report import machine_line, markdown_table

RECIPE = "age_gender"
#: Of the training; one guess, made beforehand. The two stages near the input stay as they are, which also saves time.
SETTINGS = {"freeze": 2, "erase": 0.3, "gray": 0.1, "ema": 0.998}
TARGETS = ("gender", "age")
SPLIT = SplitOptions(split="content")
N_FOLDS = 5
FROZEN, FINETUNED, JOINED = "frozen", "finetuned", "both, joined"


@dataclass(frozen=True)
class Way:
    """How a head may learn.

    Attributes
    ----------
    kind : str
    settings : mapping of str to float
        Beside the defaults.
    is_unseen : bool
        From faces of the validation part only, which the network did not learn from.
    """

    kind: str
    settings: Settings
    is_unseen: bool = False

    def __str__(self) -> str:
        source = "the validation part" if self.is_unseen else "the train part"
        settings = f" ({in_words(self.settings)})" if self.settings else ""
        return f"{self.kind}{settings} of {source}"


#: The kinds that do best on the frozen network (``benchmarks/head_table.py``), less flexible or more regularised ones, and
#: heads of faces that the network did not learn from.
WAYS = {
    "gender": [Way("svm", {}), Way("svm", {}, True), Way("logistic", {}), Way("logistic", {}, True)],
    "age": [
        Way("distribution", {}),
        Way("distribution", {"alpha_times_rows": 0.3}),
        Way("distribution", {}, True),
        Way("distribution", {"alpha_times_rows": 0.3}, True),
    ],
}


@dataclass(frozen=True, eq=False)
class Parts:
    """Positions of rows: what the network learned from, what ended its training, and the test part."""

    learned: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True, eq=False)
class Tested:
    """The way that was chosen, its mean loss on the validation part, and its loss on each row of the test part."""

    way: Way
    validation_loss: float
    losses: np.ndarray


class Clock:
    """Minutes of steps by their names."""

    def __init__(self) -> None:
        self.minutes: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what is done inside."""
        start = time.perf_counter()
        yield
        self.minutes[name] = (time.perf_counter() - start) / 60


def main() -> None:
    """Extract, finetune, embed, train heads, print figures and their differences."""
    args = _arguments()
    set_passive_wait()
    print(f"{machine_line()}\n", flush=True)
    clock = Clock()
    with clock.step("extraction" if args.feature is None else "reading"):
        kept = utkface_crops(args)
    with clock.step("finetuning" if args.run is None else "finetuning (was there)"):
        folder = train(_options(args, kept), args.cache / "run" if args.run is None else args.run)
    with clock.step("embedding crops"):
        tables = _tables(kept, folder, args.flip)
    with clock.step("heads"):
        samples = content_split(kept.table, kept.labels, TARGETS)
        parts = _parts(kept, samples, args)
        targets, _ = find_targets(samples.labels, TARGETS)
        lines = [line for target in targets for line in _lines(target, samples, tables, parts)]
    print(f"faces: {len(parts.learned)} to learn from, {len(parts.validation)} validation, {len(parts.test)} test\n")
    print("errors, with 95 % intervals of a bootstrap over images\n")
    header = ["target", "network", "head, chosen on the validation part", "there", "test part", "minus frozen"]
    print(markdown_table(header, lines))
    print("\nminutes: " + ", ".join(f"{name} {minutes:.1f}" for name, minutes in clock.minutes.items()))


def _arguments() -> argparse.Namespace:
    parser = utkface_parser(__doc__, "demo/finetuned_attributes")
    parser.add_argument("--run", type=Path, help="--out of a training on these crops (default: trained anew)")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--flip", action="store_true", help="average each face with its mirror image")
    return parser.parse_args()


def _options(args: argparse.Namespace, kept: KeptCrops) -> dict[str, object]:
    where = {"crops": kept.folder, "feature": kept.feature, "recipe": RECIPE, "split": SPLIT.split}
    return {**where, **SETTINGS, "epochs": args.epochs, "patience": args.epochs}


def _tables(kept: KeptCrops, folder: Path, has_flip: bool) -> dict[str, FaceTable]:
    """The faces with the embeddings of each network, and of both as ``train.py`` joins tables."""
    frozen = kept.embedded(EmbedderRequest(layers=("attributes",), flip=True)) if has_flip else kept.table
    finetuned = kept.embedded(EmbedderRequest(str(folder), flip=has_flip))
    return {FROZEN: frozen, FINETUNED: finetuned, JOINED: join_tables([frozen, finetuned])}


def _parts(kept: KeptCrops, samples: Samples, args: argparse.Namespace) -> Parts:
    """The parts that the training had."""
    columns, jobs = RECIPES[RECIPE].columns, resolve_jobs(args.jobs)
    training = make_training_set(kept.folder, kept.table, kept.labels, columns, SPLIT, jobs)
    keys = np.array(kept.crops.keys, object)[training.crop_row]
    rows = pd.Index(samples.table.keys).get_indexer(keys)
    if not samples.in_part(TRAIN)[rows].all():
        raise SystemExit("A face that the network learned from is in the test part.")
    return Parts(rows[~training.is_validation], rows[training.is_validation], np.flatnonzero(samples.in_part(TEST)))


def _lines(target: Target, samples: Samples, tables: Mapping[str, FaceTable], parts: Parts) -> list[list[str]]:
    """The lines of a target: each network, and how far it is from the frozen one."""
    y, tested = target.encode(samples.labels), {}
    for name, table in tables.items():
        X = table.embedding[pd.Index(table.keys).get_indexer(samples.table.keys)]
        tested[name] = _tested(target, TrainingRows(X, y, samples.groups), parts)
    draws = GroupBootstrap(samples.groups[parts.test])
    lines = []
    for name, one in tested.items():
        there, reached = _loss(target, one.validation_loss), _interval(target, draws.of_mean(one.losses).estimate())
        change = draws.of_mean(one.losses - tested[FROZEN].losses).estimate()
        difference = "" if name == FROZEN else _interval(target, change)
        lines.append([target.name, name, str(one.way), there, reached, difference])
    return lines


def _tested(target: Target, rows: TrainingRows, parts: Parts) -> Tested:
    """The way that loses least on the validation part, on the test part."""
    losses = [_validation_loss(way, target, rows, parts) for way in WAYS[target.name]]
    way = WAYS[target.name][int(np.argmin(losses))]
    source = parts.validation if way.is_unseen else np.concatenate([parts.learned, parts.validation])
    return Tested(way, min(losses), Learner(way.kind, target.task).losses(way.settings, rows, source, parts.test))


def _validation_loss(way: Way, target: Target, rows: TrainingRows, parts: Parts) -> float:
    """Mean loss on the validation part, cross-validated within it where heads learn from it."""
    learner = Learner(way.kind, target.task)
    if not way.is_unseen:
        return float(learner.losses(way.settings, rows, parts.learned, parts.validation).mean())
    folds = grouped_folds(rows.groups[parts.validation], N_FOLDS, seed=0)
    held = [learner.losses(way.settings, rows, *(parts.validation[some] for some in fold)) for fold in folds]
    return float(np.concatenate(held).mean())


def _loss(target: Target, value: float) -> str:
    return f"{100 * value:.1f} %" if target.task == CLASSIFICATION else f"{value:.2f} years"


def _interval(target: Target, estimate: Estimate) -> str:
    low, high = (_loss(target, limit) for limit in (estimate.low, estimate.high))
    return f"{_loss(target, estimate.value)} ({low} to {high})"


if __name__ == "__main__":
    main()
