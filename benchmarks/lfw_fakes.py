"""Fakes of the people of LFW's View 1, as an image folder and as comparisons: what benchmarks on fakes share.

Real and fake images pass through the same crop, resampling and JPEG. DevTrain people get fakes of one kind, DevTest people of
every kind; the two parts share no person.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from faceheads.datasets import open_dataset
from faceheads.datasets.pairs import read_pairs
from faceheads.metrics.intervals import Estimate
from faceheads.pool import resolve_jobs
from faceheads.table import FaceTable
from faceheads.table_io import read_table
from faceheads.verification.kinds import errors_by_kind
from faceheads.verification.trials import Trials, compare_rows, pair_rows
from features.embed import EmbedderRequest
from features.extract import Extraction
from features.pipeline_config import PipelineConfig
from finetune.face_collection import FaceCollection
from finetune.fake_maker import FakeMaker
from finetune.fake_pairs import list_pairs
from finetune.fake_plan import GENERATORS, REAL, plan_images
from finetune.image_job import ImageJob

from .arguments import benchmark_parser

PARTS = ("Train", "Test")


def fakes_parser(module_doc: str, cache: str) -> argparse.ArgumentParser:
    """A parser with the options on fakes."""
    parser = benchmark_parser(module_doc)
    parser.add_argument("--feature", type=Path, help="a table of LFW's photos, detector hog (default: extracted)")
    parser.add_argument("--cache", type=Path, default=Path(cache), help="where images and tables are kept")
    parser.add_argument("--seen", choices=GENERATORS, default="poisson", help="fakes to learn from (default: poisson)")
    parser.add_argument("--train_fakes", type=int, default=1500, help="of the seen kind (default: %(default)s)")
    parser.add_argument("--test_fakes", type=int, default=400, help="of each kind (default: %(default)s)")
    parser.add_argument("--jobs", type=int)
    return parser


def folder_of(part: str, args: argparse.Namespace) -> Path:
    """Where the images of a part lie."""
    return args.cache / (f"{part.lower()}_{args.seen}" if part == "Train" else part.lower())


def make_images(part: str, args: argparse.Namespace) -> Path:
    """Write the real images of a part and its fakes, unless they are there; their folder."""
    folder, collection = folder_of(part, args), _collection(part, args)
    kinds, count = (GENERATORS, args.test_fakes) if part == "Test" else ((args.seen,), args.train_fakes)
    plans = plan_images(collection, kinds, count, seed=0)
    maker = FakeMaker(args.data / "lfw" / "lfw-deepfunneled")
    settings = {"seed": 0, "faces": collection.sha256}
    summary = ImageJob(plans, maker, folder, settings, resolve_jobs(args.jobs)).run()
    print(f"{folder.name}: {len(plans)} images planned, {len(summary.problems)} failed", flush=True)
    return folder


def _collection(part: str, args: argparse.Namespace) -> FaceCollection:
    """Faces of the people of DevTrain or DevTest with two photos or more: others are in no mated pair."""
    pairs = read_pairs(args.data / "lfw" / f"pairsDev{part}.txt")
    people = {path.partition("/")[0] for side in ("probe", "reference") for path in pairs[side]}
    photos = _photo_table(args)
    photos = photos[photos.has_embedding]
    identity = pd.Series([path.partition("/")[0] for path in photos.path], index=photos.path)
    is_used = identity.isin(people) & identity.isin(identity.value_counts()[lambda n: n > 1].index)
    return FaceCollection.from_table(photos[is_used.to_numpy()], identity.to_frame("identity"))


def _photo_table(args: argparse.Namespace) -> FaceTable:
    """Boxes, landmarks and embeddings of LFW's photos."""
    if args.feature is not None:
        return read_table(args.feature)
    dataset = open_dataset(args.data / "lfw" / "lfw-deepfunneled", "lfw")
    output = args.cache / "photos.parquet"
    config = PipelineConfig(EmbedderRequest(), "hog", faces="central")
    Extraction(dataset.root, dataset.images, config, output, resolve_jobs(args.jobs)).run()
    return read_table(output)


def fake_trials(table: FaceTable, labels: pd.DataFrame, seed: int) -> Trials:
    """Comparisons of the images of a part, kinds are the generators; ``labels`` are those of the rows."""
    pairs = list_pairs(labels, seed).rename(columns={"pathA": "probe", "pathB": "reference"})
    probe, reference = pair_rows(table, pairs)
    kind = labels["generator"].to_numpy(object)[probe]  # a fake is the probe of its pairs
    is_mated = (pairs["label"] == 1).to_numpy()
    return compare_rows(table, probe, reference, is_mated, "cosine", labels["identity"].to_numpy(object), kind)


def eers(trials: Trials) -> dict[str, Estimate]:
    """eer_real as ``"real"``, and eer_fake by generator."""
    return {kind.kind: kind.eer for kind in errors_by_kind(trials, threshold=0.0)}


def eer_cells(trials: Trials) -> list[str]:
    """eer_real and the eer_fake of every generator in words."""
    found = eers(trials)
    return [in_percent(found[kind]) for kind in (REAL, *GENERATORS)]


def eer_header(seen: str) -> list[str]:
    """The header of :func:`eer_cells`."""
    return ["eer_real", *(f"eer_fake, {name} ({'seen' if name == seen else 'unseen'})" for name in GENERATORS)]


def in_percent(estimate: Estimate) -> str:
    """An estimate and its interval in percent."""
    return f"{estimate.value:.1%} ({estimate.low:.1%} to {estimate.high:.1%})"
