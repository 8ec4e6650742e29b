"""A foreign embedder in ONNX form on LFW's View 1: does its small JSON specification make it work as published?

The threshold is chosen on DevTrain; images without a face make their comparisons errors.

    python -m benchmarks.foreign_embedder --data ../shared/data [--spec tests/data/mobilefacenet.json]
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import pandas as pd

from faceheads.datasets import open_dataset
from faceheads.datasets.pairs import read_pairs
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.table import FaceTable
from faceheads.table_io import read_table
from faceheads.verification.accuracy import identity_interval, is_correct, logistic_threshold
from faceheads.verification.trials import make_trials
from features.embed import EmbedderRequest
from features.extract import Extraction
from features.pipeline_config import PipelineConfig

from .arguments import benchmark_parser
from .report import machine_line


def main() -> None:
    """Print the accuracy on DevTest."""
    args = _arguments()
    set_passive_wait()
    root = args.data / "lfw"
    train, test = (read_pairs(root / f"pairsDev{part}.txt") for part in ("Train", "Test"))
    table = _extracted(args, root / "lfw-deepfunneled", pd.concat([train, test]))
    threshold = logistic_threshold(make_trials(table, train, "cosine"))
    trials = make_trials(table, test, "cosine")
    right = is_correct(trials, threshold)
    low, high = identity_interval(right, trials)
    n_lost = int((~trials.is_acquired).sum())
    print(f"{machine_line()}\n\n{args.detector}, flip, cosine, threshold {threshold:.4f} from DevTrain")
    print(
        f"DevTest: {right.mean():.2%} of {len(right)} ({low:.2%} to {high:.2%}); "
        f"{n_lost} comparisons lost to images without a face"
    )


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--spec", type=Path, default=Path("tests/data/mobilefacenet.json"))
    parser.add_argument("--cache", type=Path, default=Path("demo/foreign"), help="where the feature table is kept")
    parser.add_argument("--detector", default="mtcnn")
    parser.add_argument("--jobs", type=int)
    return parser.parse_args()


def _extracted(args: argparse.Namespace, photos: Path, pairs: pd.DataFrame) -> FaceTable:
    """The photos of the pairs, embedded by the network with the specification beside it."""
    args.cache.mkdir(parents=True, exist_ok=True)
    model = args.cache / "mobilefacenet.onnx"
    shutil.copyfile(args.data / "weights" / "mobilefacenet.onnx", model)
    shutil.copyfile(args.spec, model.with_suffix(".json"))
    dataset = open_dataset(photos, "lfw")
    listed = {*pairs["probe"], *pairs["reference"]}
    images = [path for path in dataset.images if path in listed]
    config = PipelineConfig(EmbedderRequest(str(model), flip=True), args.detector, faces="central", landmarks="68")
    output = args.cache / f"{args.detector}.parquet"
    Extraction(dataset.root, images, config, output, resolve_jobs(args.jobs)).run()
    return read_table(output)


if __name__ == "__main__":
    main()
