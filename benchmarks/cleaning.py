"""Wrong labels that are planted, and which of them are found, on LFW; the threshold is chosen on DevTrain's people.

A tenth of the photos of people with three or more are given the name of another of these people. LFW has wrong labels of
its own, which count as false alarms here.

    python -m benchmarks.cleaning --data ../shared/data [--cache DIR]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.identification.cleaning import CLEANING_FMR, CleaningThresholds, find_suspects
from faceheads.identification.thresholds import default_threshold_path, threshold_at_fmr
from faceheads.metrics.intervals import Estimate, GroupBootstrap, ratio
from faceheads.table import FaceTable
from faceheads.verification.threshold_file import load_threshold

from .arguments import benchmark_parser
from .lfw_people import identities_of, lfw_table, people_of_part
from .report import machine_line, markdown_table

FMRS = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
SHARE, MIN_PHOTOS, N_DRAWS = 0.1, 3, 20


def main() -> None:
    """Print the tables."""
    args = _arguments()
    table = lfw_table(args.data, args.cache, args.jobs)
    train, test = (_of_many(table[people_of_part(table, args.data, part)]) for part in ("Train", "Test"))
    print(f"{machine_line()}\n")
    rows = [["DevTrain", f"{fmr:g}", *_figures(train, fmr)] for fmr in FMRS]
    rows.append(["DevTest", f"{CLEANING_FMR:g}", *_figures(test, CLEANING_FMR)])
    header = (
        "people of",
        "FMR",
        "planted that are suspects",
        "suspects that were planted",
        "planted whose person is suggested",
    )
    print(markdown_table((*header, "photos", "people"), rows))


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--cache", type=Path, default=Path("demo/lfw"), help="where the feature table is kept")
    parser.add_argument("--jobs", type=int)
    return parser.parse_args()


def _of_many(table: FaceTable) -> FaceTable:
    """Photos with a face, of people who have enough of them."""
    table = table[table.has_embedding]
    who = identities_of(table)
    return table[pd.Series(who).groupby(who).transform("size").to_numpy() >= MIN_PHOTOS]


def _figures(table: FaceTable, fmr: float) -> list[str]:
    """Recall, precision and share of right suggestions over all draws; intervals by drawing (true) people."""
    file, who = load_threshold(default_threshold_path()), identities_of(table)
    own, given = threshold_at_fmr(file, fmr), CleaningThresholds.of(file)
    sums = np.zeros((len(table), 4))
    for seed in range(N_DRAWS):
        label, is_planted = _with_wrong_labels(who, seed)
        found = find_suspects(table, label, file.metric, CleaningThresholds(own, given.other, given.same))
        is_right = is_planted & (found.suggested == who)
        sums += np.stack([found.is_suspect & is_planted, is_planted, found.is_suspect, is_right], axis=1)
    draws = GroupBootstrap(who)
    parts = [draws.of_sums(sums, lambda s, a=a, b=b: ratio(s[:, a], s[:, b])) for a, b in ((0, 1), (0, 2), (3, 1))]
    return [*(_percent(part.estimate()) for part in parts), f"{len(table):,}", f"{len(set(who)):,}"]


def _with_wrong_labels(who: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng, people = np.random.default_rng(seed), sorted(set(who))
    is_planted = np.zeros(len(who), bool)
    is_planted[rng.choice(len(who), round(SHARE * len(who)), replace=False)] = True
    label = who.copy()
    for row in np.flatnonzero(is_planted):
        others = [person for person in people if person != who[row]]
        label[row] = others[rng.integers(len(others))]
    return label, is_planted


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} % ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"


if __name__ == "__main__":
    main()
