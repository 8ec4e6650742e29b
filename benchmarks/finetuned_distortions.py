"""Rank-1 of distorted photos on LFW: dlib's network frozen, and finetuned to see through distortions.

DevTrain people of View 1 are learned from with the recipe ``arcface``: their photos as they are, each once distorted by
``finetune.distort``, and distorted anew in every step. The teacher is the frozen network on the photo as it is, so what is
learned is to see a distorted face as if it were not. Settings are one guess, made beforehand; which epoch is kept is chosen
on the validation part, other people of DevTrain.

DevTest people are searched as in ``benchmarks/facecom_like.py``: the second photo, in seven distortions and three severities,
against the first; faces are found in the distorted photo, a photo without one is a miss. Clean accuracy is that of View 1's
DevTest pairs over ten folds of people. Differences are paired, over people drawn with all their photos.

    python -m benchmarks.finetuned_distortions [--data ../shared/data] [--cache DIR] [--epochs N] [--jobs N]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.datasets import open_dataset
from faceheads.datasets.base import Dataset
from faceheads.datasets.pairs import read_pairs
from faceheads.metrics import GroupBootstrap
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.table import FaceTable
from faceheads.table_io import write_table
from faceheads.verification.accuracy import cross_validated_accuracy, logistic_threshold
from faceheads.verification.trials import make_trials
from features.embed import EmbedderRequest
from features.pipeline_config import PipelineConfig
from finetune.distort import PlannedDistortion, plan_distortions
from finetune.distortions import FACECOM_KINDS, SEVERITIES, Subject

from .arguments import benchmark_parser
from .distorted_photos import (
    SEED,
    People,
    Result,
    people_of,
    photos_of,
    plan_probes,
    search_all,
    write_distorted,
)
from .kept_crops import KeptCrops, pooled_crops, train
from .report import machine_line, markdown_table

FROZEN, FINETUNED = "frozen", "finetuned"
#: Folders of the pooled table.
PHOTOS, DISTORTED = "photos", "distorted"
#: MTCNN loses fewest distorted faces.
CONFIG = PipelineConfig(EmbedderRequest(), "mtcnn", faces="central")
#: Of the training. The teacher's weight is high: a change of 0.02 in the cosine is much among dlib's embeddings.
SETTINGS = {"recipe": "arcface", "margin": 0.1, "distort": 0.5, "distort_severity": 3, "distil_weight": 300}
N_BOOTSTRAP = 2000


@dataclass(frozen=True)
class Measured:
    """One network: the searches, and whether each clean pair was decided rightly."""

    searches: Result
    is_right: np.ndarray


def main() -> None:
    """Distort, extract, finetune, search with both networks; print rank-1, clean accuracy and what changed."""
    args = _arguments()
    set_passive_wait()
    print(f"{machine_line()}\n", flush=True)
    photos = open_dataset(args.data / "lfw" / "lfw-deepfunneled", "lfw")
    lists = {part: args.data / "lfw" / f"pairsDev{part}.txt" for part in ("Train", "Test")}
    people = people_of(lists["Test"], photos)
    start = time.perf_counter()
    kept = _kept_crops(photos, lists, people, args)
    made = time.perf_counter()
    folder = _finetuned(kept, args)
    trained = time.perf_counter()
    pairs = read_pairs(lists["Test"])
    requests = {FROZEN: EmbedderRequest(flip=True), FINETUNED: EmbedderRequest(str(folder), flip=True)}
    found = {name: _measure(kept, request, people, pairs) for name, request in requests.items()}
    print(f"\nDevTest: {len(people.enrolled)} people enrolled, {len(people.searched)} searched\n")
    _report(found)
    minutes = [(b - a) / 60 for a, b in ((start, made), (made, trained), (trained, time.perf_counter()))]
    print("\nminutes: photos and crops {:.1f}, finetuning {:.1f}, searches {:.1f}".format(*minutes))


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--cache", type=Path, default=Path("demo/finetuned_distortions"), help="where all is kept (%(default)s)"
    )
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--jobs", type=int)
    return parser.parse_args()


# ------------------------------------------------------------------------------------------------- photos and crops


def _kept_crops(photos: Dataset, lists: Mapping[str, Path], people: People, args: argparse.Namespace) -> KeptCrops:
    """Faces of the photos of both parts and of their distortions, labelled with person and part."""
    jobs, folder = resolve_jobs(args.jobs), args.cache / "pictures"
    learned = sorted(path for paths in photos_of(lists["Train"], photos) for path in paths)
    plans = {"train": _one_each(photos, learned), "test": plan_probes(photos, people)}
    write_distorted([plan for some in plans.values() for plan in some], photos.root, folder, jobs)
    pairs = read_pairs(lists["Test"])
    tested = sorted({*pairs["probe"], *pairs["reference"]} & set(photos.images))
    parts = {
        PHOTOS: {**dict.fromkeys(tested, "test"), **dict.fromkeys(learned, "train")},
        DISTORTED: {plan.path: part for part, some in plans.items() for plan in some},
    }
    sources = {PHOTOS: photos.root, DISTORTED: folder}
    folders = {name: (sources[name], list(part_of)) for name, part_of in parts.items()}
    return pooled_crops(folders, _labels(parts), CONFIG, args.cache, jobs)


def _one_each(photos: Dataset, learned: list[str]) -> list[PlannedDistortion]:
    """Every photo in one kind and severity, drawn."""
    choices = [(kind, severity) for kind in FACECOM_KINDS for severity in SEVERITIES]
    drawn = np.random.default_rng(SEED).integers(len(choices), size=len(learned))
    plans = []
    for number, (kind, severity) in enumerate(choices):
        some = tuple(path for path, choice in zip(learned, drawn, strict=True) if choice == number)
        plans += plan_distortions(Dataset("learned", photos.root, some, None), [kind], [severity], SEED, {}, Subject())
    return plans


def _labels(parts: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    rows = {
        f"{folder}/{path}": {"identity": path.split("/")[-2], "split": part}
        for folder, part_of in parts.items()
        for path, part in part_of.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


# ------------------------------------------------------------------------------------------------- finetuning


def _finetuned(kept: KeptCrops, args: argparse.Namespace) -> Path:
    """The folder of the finetuned network, trained unless it is there."""
    teacher = args.cache / "teacher.parquet"
    if not teacher.is_file():
        write_table(teacher, _teacher(kept.embedded(EmbedderRequest(flip=True), kept.rows_of("train"))))
    return train(_options(args, kept, teacher), args.cache / f"run-{args.epochs}")


def _teacher(frozen: FaceTable) -> FaceTable:
    """The table with, for each distorted photo, the embedding of the photo as it is, where that has one."""
    is_distorted = np.array([path.startswith(f"{DISTORTED}/") for path in frozen.path])
    clean = [f"{PHOTOS}/{'/'.join(path.split('/')[-2:])}" for path in frozen.path]
    source = pd.Index(frozen.path).get_indexer(clean)
    rows = np.where(is_distorted & (source >= 0) & frozen.has_embedding[source], source, np.arange(len(frozen)))
    return replace(frozen, embedding=np.where(frozen.has_embedding[:, None], frozen.embedding[rows], np.nan))


def _options(args: argparse.Namespace, kept: KeptCrops, teacher: Path) -> dict[str, object]:
    where = {"crops": kept.folder, "feature": kept.feature, "teacher": teacher, "split": "given", "groups": "identity"}
    return {**where, **SETTINGS, "epochs": args.epochs}


# ------------------------------------------------------------------------------------------------- measuring


def _measure(kept: KeptCrops, request: EmbedderRequest, people: People, pairs: pd.DataFrame) -> Measured:
    table = kept.embedded(request, kept.rows_of("test"))
    clean, distorted = (_of_folder(table, name) for name in (PHOTOS, DISTORTED))
    trials = make_trials(clean, pairs, "cosine")
    accuracy = cross_validated_accuracy(trials, logistic_threshold)
    return Measured(search_all(people, clean, distorted), accuracy.is_correct)


def _of_folder(table: FaceTable, name: str) -> FaceTable:
    """The rows of a folder of the pooled table, under their own paths."""
    rows = table[np.array([path.startswith(f"{name}/") for path in table.path])]
    return replace(rows, path=np.array([path.removeprefix(f"{name}/") for path in rows.path], object))


def _report(found: Mapping[str, Measured]) -> None:
    frozen, finetuned = found[FROZEN].searches, found[FINETUNED].searches
    rows = [_row("clean", [[("clean", 0)]], frozen, finetuned)]
    for kind in FACECOM_KINDS:
        rows.append(_row(kind, [[(kind, severity)] for severity in SEVERITIES], frozen, finetuned))
    by_severity = [[(kind, severity) for kind in FACECOM_KINDS] for severity in SEVERITIES]
    rows.append(_row("mean of the seven", by_severity, frozen, finetuned))
    rows.append(_row("mean of all 21", [[key for keys in by_severity for key in keys]], frozen, finetuned))
    print("rank-1 of the frozen network → of the finetuned one (change, 95 % interval over people)\n")
    print(markdown_table(["distortion", *(f"severity {severity}" for severity in SEVERITIES)], rows))
    right = [found[name].is_right for name in (FROZEN, FINETUNED)]
    print(f"\nclean pairs of DevTest, ten folds: {right[0].mean():.2%} → {right[1].mean():.2%} of {len(right[0])}")


def _row(name: str, columns: list[list[tuple[str, int]]], frozen: Result, finetuned: Result) -> list[str]:
    cells = []
    for keys in columns:
        before, after = (np.mean([one.is_hit[key] for key in keys], axis=0) for one in (frozen, finetuned))
        change = GroupBootstrap(np.arange(len(before)), N_BOOTSTRAP).of_mean(after - before).estimate()
        numbers = ", ".join(f"{100 * value:+.1f}" for value in (change.low, change.high))
        cells.append(f"{before.mean():.1%} → {after.mean():.1%} ({100 * change.value:+.1f}: {numbers})")
    return [name, *cells, *[""] * (len(SEVERITIES) - len(cells))]


if __name__ == "__main__":
    main()
