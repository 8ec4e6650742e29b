"""Errors of women and men, as LFW labels them, with one threshold, with FairCal, and with a calibration for each cohort.

Scores are fitted to all images of DevTrain's people, the threshold is found there on scores by fits to other people, at an
FMR over all pairs, and everything is measured on pairs of all images of DevTest's people. FairCal is never told a cohort;
the calibration by cohort is told the label of every face, also on DevTest.

    python -m benchmarks.verification_fairness --data ../shared/data [--cache DIR]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.cohorts import cohort_columns
from faceheads.datasets.pairs import read_pairs
from faceheads.labels import labels_for, read_labels
from faceheads.metrics.intervals import Estimate
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.samples import Samples
from faceheads.splits import NEITHER
from faceheads.table import FaceTable
from faceheads.verification.cohort_errors import CohortComparison, compare_cohorts
from faceheads.verification.comparisons import Comparisons
from faceheads.verification.rules import Request
from faceheads.verification.scores.cohort_calibrated import CohortCalibratedScore
from faceheads.verification.scores.cross_fit import cross_fitted, fit_score
from faceheads.verification.scores.registry import make_score
from faceheads.verification.trials import Trials
from faceheads.verification.uncertainty import UncertainRates

from .arguments import benchmark_parser
from .lfw_view1 import extracted
from .report import machine_line, markdown_table
from .verification_scores import all_pairs

VECTORS = "mtcnn, 5 points, flip"
METRIC = "cosine"
COHORT = "gender"
FMR_LIMITS = (1e-2, 1e-3)
SCORES = ("one threshold", "s_norm", "FairCal", "by cohort")
MEASURES = ("FDR", "GARBE", "IR")


def main() -> None:
    """Print errors by cohort and how unequal they are, for each score and FMR."""
    args = _arguments()
    set_passive_wait()
    root = args.data / "lfw"
    table = extracted(VECTORS, root, args.cache, resolve_jobs(args.jobs))
    cohorts = _cohorts(table, root / "gender.csv")
    train, test = (all_pairs(table, read_pairs(root / f"pairsDev{part}.txt")) for part in ("Train", "Test"))
    print(f"{machine_line()}\n")
    scored = {name: _scored(name, train, test, cohorts) for name in SCORES}
    for limit in FMR_LIMITS:
        found = {name: _compared(*trials, cohorts, limit) for name, trials in scored.items()}
        print(f"Threshold for FMR {limit:g} over all pairs of DevTrain, measured on DevTest:\n")
        print(markdown_table(["score", *_header(found)], [[name, *_rates(one)] for name, one in found.items()]) + "\n")
        rows = [[name, *_measures(one)] for name, one in found.items()]
        print(markdown_table(["score", "FMR: ratio", "FNMR: ratio", *MEASURES], rows) + "\n")


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--cache", type=Path, default=Path("demo/lfw"), help="where the feature table is kept")
    parser.add_argument("--jobs", type=int)
    return parser.parse_args()


def _cohorts(table: FaceTable, path: Path) -> pd.Categorical:
    labels = labels_for(table, read_labels(path), allow_missing=True)
    samples = Samples(table, labels, np.arange(len(table)), np.full(len(table), NEITHER, object))
    return cohort_columns(samples, [COHORT])[COHORT]


def _scored(name: str, train: Comparisons, test: Comparisons, cohorts: pd.Categorical) -> tuple[Trials, Trials]:
    """Trials of DevTrain and of DevTest with their scores."""
    if name == "one threshold":
        return train.trials, test.trials
    X = np.nan_to_num(train.table.embedding)
    if name == "by cohort":
        X, score = np.hstack([X, cohorts.codes[:, None]]), CohortCalibratedScore(METRIC)
    else:
        score = make_score(name.lower(), METRIC)
    fitted = fit_score(score, X, train.trials)
    return (
        replace(train.trials, similarity=cross_fitted(score, X, train.trials)),
        replace(test.trials, similarity=fitted.score_rows(X, test.trials.probe, test.trials.reference)),
    )


def _compared(train: Trials, test: Trials, cohorts: pd.Categorical, limit: float) -> CohortComparison:
    threshold = Request("fmr", limit).find(UncertainRates(train).curve)
    return compare_cohorts(COHORT, test, cohorts, threshold)


def _header(found: dict[str, CohortComparison]) -> list[str]:
    cohorts = next(iter(found.values())).cohorts
    return [f"{rate} {one.cohort}" for one in cohorts for rate in ("FMR", "FNMR")] + ["FMR between them"]


def _rates(found: CohortComparison) -> list[str]:
    cells = [_percent(rate) for one in found.cohorts for rate in (one.fmr, one.fnmr)]
    return [*cells, _percent(found.between.fmr)]


def _measures(found: CohortComparison) -> list[str]:
    by_name = {one.name: one for one in found.differentials}
    ratio = by_name["ratio"]
    return [_number(one) for one in (ratio.fmr, ratio.fnmr, *(by_name[name].both for name in MEASURES))]


def _percent(rate: Estimate) -> str:
    return f"{100 * rate.value:.3g} % ({100 * rate.low:.2g} to {100 * rate.high:.2g})"


def _number(measure: Estimate) -> str:
    return f"{measure.value:.3g} ({measure.low:.3g} to {measure.high:.3g})"


if __name__ == "__main__":
    main()
