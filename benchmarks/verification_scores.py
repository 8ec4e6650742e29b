"""What fitted scores bring on held-out people of LFW's View 1, and the accuracy of the best choice.

The vectors are dlib's of faces found by MTCNN, of faces found by dlib's CNN, or both fused (``verify.py --fuse``: the mean
of both, which has a vector where either found the face). On each, every score is fitted to some people of DevTrain and measured on others; an image without a
face makes its comparisons errors of accuracy. Vectors and score are chosen by DevTrain's accuracy over ten folds of its
people, drawn five times. Then DevTest is looked at: the chosen one, and all scores on the same vectors, which no choice
depends on.

    python -m benchmarks.verification_scores --data ../shared/data [--cache DIR]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.datasets.pairs import read_pairs
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.table import FaceTable
from faceheads.verification.accuracy import cross_validated_accuracy, identity_folds, is_correct, logistic_threshold
from faceheads.verification.comparisons import Comparisons
from faceheads.verification.fusion import fused_table
from faceheads.verification.scores.registry import PLAIN, SCORES, make_score
from faceheads.verification.uncertainty import mean_with_interval

from .arguments import benchmark_parser
from .lfw_view1 import N_REPEATS, extracted
from .report import machine_line, markdown_table

TABLES = ("mtcnn, 5 points, flip", "cnn, 5 points, flip")
METRIC = "cosine"
#: Pairs of each part for the errors at a fixed FMR.
MAX_PAIRS = 500_000
FMR = 1e-3
N_FOLDS = 10


@dataclass(frozen=True)
class Choice:
    """Vectors and a score, and how right they are on DevTrain."""

    vectors: str
    table: FaceTable
    score: str
    dev_train: float


def main() -> None:
    """Print what each score brings, and the accuracy of the chosen one."""
    args = _arguments()
    set_passive_wait()
    root = args.data / "lfw"
    train, test = (read_pairs(root / f"pairsDev{part}.txt") for part in ("Train", "Test"))
    single = {name: extracted(name, root, args.cache, resolve_jobs(args.jobs)) for name in TABLES}
    tables = {**single, "both, fused": fused_table(list(single.values()))}
    print(f"{machine_line()}\n")
    choices, rows = [], []
    for vectors, table in tables.items():
        for name in (PLAIN, *SCORES):
            accuracy, words = _on_dev_train(table, name, train)
            choices.append(Choice(vectors, table, name, accuracy))
            rows.append([vectors, name, words])
    print(markdown_table(["vectors", "score", "DevTrain, ten folds"], rows))
    best = max(choices, key=lambda choice: choice.dev_train)
    print(f"\nchosen on DevTrain: {best.vectors}, {best.score}\n")
    _report(best, train, test)
    _report_scores(best.table, train, test)


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--cache", type=Path, default=Path("demo/lfw"), help="where the feature tables are kept")
    parser.add_argument("--jobs", type=int)
    return parser.parse_args()


def _listed(table: FaceTable, pairs: pd.DataFrame) -> Comparisons:
    return Comparisons.from_pairs(table, pairs, METRIC, "View 1")


def all_pairs(table: FaceTable, pairs: pd.DataFrame) -> Comparisons:
    """Pairs of all images of the people of a list."""
    images = set(pairs["probe"]) | set(pairs["reference"])
    identities = np.array([path.partition("/")[0] if path in images else "" for path in table.path], dtype=object)
    return Comparisons.from_identities(table, identities, METRIC, "all images", MAX_PAIRS)


def _on_dev_train(table: FaceTable, name: str, train: pd.DataFrame) -> tuple[float, str]:
    listed = _listed(table, train)
    trials = listed.trials if name == PLAIN else listed.cross_scored(make_score(name, METRIC)).trials
    found = [cross_validated_accuracy(trials, logistic_threshold, N_FOLDS, seed) for seed in range(N_REPEATS)]
    accuracy = float(np.mean([one.accuracy for one in found]))
    interval = mean_with_interval(found[0].is_correct, trials)
    return accuracy, f"{accuracy:.2%} ({interval.low:.2%} to {interval.high:.2%})"


def _fnmr(comparisons: Comparisons) -> str:
    rates = comparisons.rates
    estimate = rates.fnmr_at_fmr(rates.curve.operating_point(FMR))
    return f"{estimate.value:.2%} ({estimate.low:.2%} to {estimate.high:.2%})"


def _report(best: Choice, train: pd.DataFrame, test: pd.DataFrame) -> None:
    right, tested = _tested(_listed(best.table, train), _listed(best.table, test), best.score)
    interval = mean_with_interval(right, tested.trials)
    print(f"DevTest: {interval.value:.2%} of {len(right)} ({interval.low:.2%} to {interval.high:.2%})")
    both = _listed(best.table, pd.concat([train, test], ignore_index=True))
    right, means = np.zeros(len(both), bool), []
    for seen, held_out in identity_folds(both.trials, N_FOLDS, 0):
        right[held_out] = _tested(both[seen], both[held_out], best.score)[0]
        means.append(right[held_out].mean())
    interval = mean_with_interval(right, both.trials)
    print(
        f"View 1, ten folds over identities: {interval.value:.2%} of {len(right)} ({interval.low:.2%} to "
        f"{interval.high:.2%}), standard error over folds {np.std(means, ddof=1) / np.sqrt(N_FOLDS):.2%}"
    )
    print(
        f"comparisons lost to images without a face and counted as errors: {int((~both.trials.is_acquired).sum())}\n"
    )


def _tested(tuned: Comparisons, tested: Comparisons, name: str) -> tuple[np.ndarray, Comparisons]:
    """Which decisions are right when score and threshold come from other people, and the scored comparisons."""
    if name != PLAIN:
        score = make_score(name, METRIC)
        tested = tested.scored(tuned.fitted(score))
        tuned = tuned.cross_scored(score)
    return is_correct(tested.trials, logistic_threshold(tuned.trials)), tested


def _report_scores(table: FaceTable, train: pd.DataFrame, test: pd.DataFrame) -> None:
    rows = []
    for name in (PLAIN, *SCORES):
        right, scored = _tested(_listed(table, train), _listed(table, test), name)
        interval = mean_with_interval(right, scored.trials)
        fitted = None if name == PLAIN else _listed(table, train).fitted(make_score(name, METRIC))
        accuracy = f"{interval.value:.2%} ({interval.low:.2%} to {interval.high:.2%})"
        rows.append([name, accuracy, _fnmr(all_pairs(table, test).scored(fitted))])
    print("The same vectors, fitted to DevTrain; no choice depends on this:\n")
    print(markdown_table(["score", "DevTest", f"FNMR at FMR {FMR:g}, pairs of all DevTest images"], rows))


if __name__ == "__main__":
    main()
