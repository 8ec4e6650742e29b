"""How long does the exact optimum of a criterion take, and how does the time grow with the scores?

    python -m benchmarks.fairness_speed [--rows 1000000] [--rounds 5]

Scores are normal, one positive in five, two cohorts of 60 and 40 %; half of the sizes have four decimals only, so that
many scores are equal. Sizes and criteria take turns; the table gives the median of the rounds and the slowest.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from faceheads.fairness.criterion import MEAN_MINUS_GAP, MINIMUM
from faceheads.fairness.optimum import cohort_thresholds, shared_threshold

from .report import machine_line, markdown_table

_PREVALENCE, _SHARE_OF_FIRST = 0.2, 0.6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    problems = {(n, tied): _problem(n, tied) for n in (args.rows // 10, args.rows) for tied in (False, True)}
    cases = [
        (tune, criterion) for tune in (shared_threshold, cohort_thresholds) for criterion in (MEAN_MINUS_GAP, MINIMUM)
    ]
    seconds: dict[tuple, list[float]] = {}
    for _ in range(args.rounds):
        for size, problem in problems.items():
            for tune, criterion in cases:
                seconds.setdefault((*size, tune.__name__, criterion), []).append(_time(tune, problem, criterion))
    print(f"{machine_line()}\n")
    rows = [
        [f"{n:,}", "yes" if tied else "no", tune, criterion, f"{statistics.median(times):.3f}", f"{max(times):.3f}"]
        for (n, tied, tune, criterion), times in seconds.items()
    ]
    print(markdown_table(["scores", "ties", "function", "criterion", "median s", "slowest s"], rows))


def _problem(n_rows: int, is_tied: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = rng.random(n_rows) < _PREVALENCE
    cohorts = np.where(rng.random(n_rows) < _SHARE_OF_FIRST, "woman", "man").astype(object)
    scores = rng.normal(size=n_rows) + 1.5 * truth + 0.3 * (cohorts == "man")
    return (scores.round(4) if is_tied else scores), truth, cohorts


def _time(tune: Callable, problem: tuple[np.ndarray, np.ndarray, np.ndarray], criterion: str) -> float:
    start = time.perf_counter()
    tune(*problem, criterion)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
