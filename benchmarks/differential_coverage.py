"""Coverage of the 95 % intervals of measures of inequality between cohorts, when comparisons share people.

Cohorts of simulated people have known FMR and FNMR at one threshold, equal or not; within a cohort every person is compared
with every other. A line says how many of the intervals of each measure hold the truth.

    python -m benchmarks.differential_coverage [--n_draws 300]
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from faceheads.metrics.intervals import Estimate
from faceheads.verification.cohort_errors import compare_cohorts
from faceheads.verification.differentials import KnownRate, differentials
from faceheads.verification.trials import Trials

from .interval_coverage import DISTANCE, Population
from .report import machine_line, markdown_table

MEASURES = ("gap", "ratio", "ratio to the mean", "Gini", "FDR", "GARBE", "IR")


@dataclass(frozen=True)
class Cohorts:
    """Cohorts of equally many people, with their true rates."""

    n_people: int
    fmr: tuple[float, ...]
    fnmr: tuple[float, ...]

    def draw(self, rng: np.random.Generator) -> tuple[Trials, pd.Categorical]:
        """Comparisons within the cohorts whose rates at the threshold 0 are the true ones, and the cohort of each row."""
        population = Population(self.n_people, None)
        apart, together = population.spread
        parts, cohort = [], []
        for k, (fmr, fnmr) in enumerate(zip(self.fmr, self.fnmr, strict=True)):
            trials = population.draw(rng)
            moved = np.where(trials.is_mated, norm.isf(fnmr) * together - DISTANCE, -norm.isf(fmr) * apart)
            parts.append(replace(trials, similarity=trials.similarity + moved))
            cohort.append(np.full(len(trials), k))
        codes = np.concatenate(cohort)
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in ("is_mated", "similarity")
        }
        people = [
            np.concatenate([getattr(part, side) + k * self.n_people for k, part in enumerate(parts)])
            for side in ("probe_identity", "reference_identity")
        ]
        rows = np.arange(len(codes))
        names = [str(k) for k in range(len(self.fmr))]
        return Trials(rows, rows, *columns.values(), *people), pd.Categorical.from_codes(codes, names)

    def truth(self) -> dict[str, tuple[float, float, float]]:
        """The measures of the true rates: of FMR, of FNMR, of both; NaN where there is none."""
        sides = [[KnownRate(Estimate(rate, rate, rate), 1.0) for rate in rates] for rates in (self.fmr, self.fnmr)]
        return {one.name: _values((one.fmr, one.fnmr, one.both)) for one in differentials(*sides)}


COHORTS = (
    Cohorts(100, (0.01, 0.01), (0.05, 0.05)),
    Cohorts(100, (0.01, 0.03), (0.05, 0.05)),
    Cohorts(100, (0.01, 0.03, 0.02), (0.02, 0.05, 0.1)),
    Cohorts(60, (0.01, 0.02, 0.02, 0.05), (0.05, 0.05, 0.05, 0.05)),
)


def main() -> None:
    """Print the share of intervals that hold the truth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n_draws", type=int, default=300, help="sets of people for each line (default: %(default)s)")
    args = parser.parse_args()
    print(f"{machine_line()}\n")
    print(markdown_table(["cohorts", *MEASURES], [_row(cohorts, args.n_draws) for cohorts in COHORTS]))
    print("\nOf FMR, of FNMR; FDR, GARBE and IR are of both.")


def _row(cohorts: Cohorts, n_draws: int) -> list[str]:
    rng = np.random.default_rng(0)
    truth, hits = cohorts.truth(), defaultdict(list)
    for _ in range(n_draws):
        found = compare_cohorts("cohort", *cohorts.draw(rng), 0.0)
        for one in found.differentials:
            for k, estimate in enumerate((one.fmr, one.fnmr, one.both)):
                if estimate is not None and np.isfinite(estimate.value):
                    hits[one.name, k].append(estimate.low - 1e-9 <= truth[one.name][k] <= estimate.high + 1e-9)
    cells = [", ".join(f"{np.mean(hits[name, k]):.1%}" for k in range(3) if hits[name, k]) for name in MEASURES]
    rates = (", ".join(f"{100 * x:g}" for x in rates) for rates in (cohorts.fmr, cohorts.fnmr))
    return ["{} people each, FMR {} %, FNMR {} %".format(cohorts.n_people, *rates), *cells]


def _values(estimates: Sequence[Estimate | None]) -> tuple[float, ...]:
    return tuple(np.nan if one is None else one.value for one in estimates)


if __name__ == "__main__":
    main()
