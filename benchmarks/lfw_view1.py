"""Verification on LFW's View 1 with the dlib network, nothing trained: what each choice does, and the accuracy.

Every choice (detector, landmarks, jitter, flip, normalisation) and every threshold is made on DevTrain; an image without
a face makes its comparisons errors. DevTest is looked at once, with the choice made.

    python -m benchmarks.lfw_view1 --data ../shared/data [--cache DIR] [--only hog5 hog5-flip …]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.datasets import open_dataset
from faceheads.datasets.pairs import read_pairs
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.table import FaceTable
from faceheads.table_io import read_table
from faceheads.verification.accuracy import (
    best_threshold,
    cross_validated_accuracy,
    identity_interval,
    is_correct,
    logistic_threshold,
)
from faceheads.verification.trials import make_trials
from features.embed import EmbedderRequest
from features.extract import Extraction
from features.pipeline_config import PipelineConfig

from .arguments import benchmark_parser
from .report import machine_line, markdown_table


def _config(detector: str, landmarks: str = "5", faces: str = "central", **embedder) -> PipelineConfig:
    return PipelineConfig(EmbedderRequest(landmarks=landmarks, **embedder), detector, faces=faces)


CONFIGS = {
    "hog, 5 points": _config("hog"),
    "hog, 5 points, flip": _config("hog", flip=True),
    "hog, 68 points": _config("hog", "68"),
    "hog, 68 points, flip": _config("hog", "68", flip=True),
    "hog, 5 points, jitter 10": _config("hog", jitter=10),
    "hog, 5 points, flip, largest face": _config("hog", flip=True, faces="largest"),
    "cnn, 5 points": _config("cnn"),
    "cnn, 5 points, flip": _config("cnn", flip=True),
    "mtcnn, 5 points, flip": _config("mtcnn", flip=True),
}


RULES = {"most accurate": best_threshold, "logistic": logistic_threshold}
#: Ten folds over identities of DevTrain, drawn anew this many times, for the choice.
N_REPEATS = 5


@dataclass(frozen=True)
class Result:
    """One choice on DevTrain and what DevTest needs."""

    name: str
    metric: str
    table: FaceTable
    rule: str
    dev_train: float
    threshold: float


def main() -> None:
    """Print the table of choices and the accuracy of the best."""
    args = _arguments()
    set_passive_wait()
    root = args.data / "lfw"
    train, test = (read_pairs(root / f"pairsDev{part}.txt") for part in ("Train", "Test"))
    names = list(CONFIGS) if args.only is None else args.only
    results = [
        r
        for name in names
        for r in _on_dev_train(name, extracted(name, root, args.cache, resolve_jobs(args.jobs)), train)
    ]
    best = max(results, key=lambda r: r.dev_train)
    print(f"{machine_line()}\n")
    rows = [[r.name, r.metric, r.rule, _n_missing(r, train), f"{r.dev_train:.2%}"] for r in results]
    print(
        markdown_table(
            ["choice", "similarity", "threshold", "DevTrain images without a face", "DevTrain, ten folds"], rows
        )
    )
    print(f"\nchosen on DevTrain: {best.name}, {best.metric}, {best.rule} threshold {best.threshold:.4f}\n")
    _report(best, train, test)
    if args.all_on_test:
        _report_all(results, train, test)


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--cache", type=Path, default=Path("demo/lfw"), help="where the feature tables are kept")
    parser.add_argument("--only", nargs="+", choices=list(CONFIGS))
    parser.add_argument("--jobs", type=int)
    parser.add_argument(
        "--all_on_test", action="store_true", help="also print every choice on DevTest, to look at only"
    )
    return parser.parse_args()


def extracted(name: str, root: Path, cache: Path, n_jobs: int) -> FaceTable:
    """The feature table of a configuration, extracted into the cache where it is not there yet."""
    dataset = open_dataset(root / "lfw-deepfunneled", "lfw")
    output = cache / f"{name.replace(', ', '-').replace(' ', '_')}.parquet"
    Extraction(dataset.root, dataset.images, CONFIGS[name], output, n_jobs).run()
    return read_table(output)


def _on_dev_train(name: str, table: FaceTable, train: pd.DataFrame) -> list[Result]:
    results = []
    for metric in ("euclidean", "cosine"):
        trials = make_trials(table, train, metric)
        for rule, find in RULES.items():
            accuracy = np.mean([cross_validated_accuracy(trials, find, seed=s).accuracy for s in range(N_REPEATS)])
            results.append(Result(name, metric, table, rule, float(accuracy), find(trials)))
    return results


def _n_missing(result: Result, pairs: pd.DataFrame) -> int:
    images = set(pairs["probe"]) | set(pairs["reference"])
    without = result.table.path[~result.table.has_embedding]
    return len(images & set(without))


def _report(best: Result, train: pd.DataFrame, test: pd.DataFrame) -> None:
    tested = make_trials(best.table, test, best.metric)
    right = is_correct(tested, best.threshold)
    low, high = identity_interval(right, tested)
    print(f"DevTest, threshold of DevTrain: {right.mean():.2%} of {len(right)} ({low:.2%} to {high:.2%})")
    both = make_trials(best.table, pd.concat([train, test], ignore_index=True), best.metric)
    cv = cross_validated_accuracy(both, RULES[best.rule])
    low, high = identity_interval(cv.is_correct, both)
    print(
        f"View 1, ten folds over identities: {cv.accuracy:.2%} of {len(both)} ({low:.2%} to {high:.2%}), "
        f"standard error over folds {cv.standard_error:.2%}, "
        f"thresholds {min(cv.thresholds):.4f} to {max(cv.thresholds):.4f}"
    )
    n_lost = int((~both.is_acquired).sum())
    print(f"comparisons lost to images without a face and counted as errors: {n_lost}")


def _report_all(results: list[Result], train: pd.DataFrame, test: pd.DataFrame) -> None:
    rows = []
    for r in results:
        right = is_correct(make_trials(r.table, test, r.metric), r.threshold)
        both = make_trials(r.table, pd.concat([train, test], ignore_index=True), r.metric)
        folds = cross_validated_accuracy(both, RULES[r.rule]).accuracy
        rows.append([r.name, r.metric, r.rule, f"{np.mean(right):.2%}", f"{folds:.2%}"])
    print("\nNot used for any choice:\n")
    print(markdown_table(["choice", "similarity", "threshold", "DevTest", "ten folds"], rows))


if __name__ == "__main__":
    main()
