"""Coverage of the 95 % intervals of error rates when comparisons share people.

Similarities are simulated with an effect of each person on all comparisons, an effect of each photo, and noise; all are
normal, so that the true rates are known. Rates that fewer comparisons than the rule of 3 asks for would have to bear are
refused by the project and left out here. The last column is what a two-way bootstrap over people does with the FMR.

    python -m benchmarks.interval_coverage [--n_draws 500]
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from faceheads.metrics.intervals import Estimate
from faceheads.verification.error_rates import comparisons_needed
from faceheads.verification.trials import Trials
from faceheads.verification.uncertainty import UncertainRates

from .report import machine_line, markdown_table

#: Of the mean of mated similarities from that of the others.
DISTANCE = 3.0
_N_BOOTSTRAPS = 200
RATES = ("FMR 1e-2", "FMR 1e-3", "FNMR 5e-2", "EER", "FNMR at FMR 1e-1", "FNMR at FMR 1e-2", "AUC")


@dataclass(frozen=True)
class Population:
    """How similarities come about, and which comparisons are made."""

    n_people: int
    pairs_a_person: int | None
    person: float = 0.3
    photo: float = 0.3
    noise: float = 1.0
    mated_person: float = 0.5
    n_photos: int = 4

    @property
    def name(self) -> str:
        """In words."""
        pairs = "every pair of persons" if self.pairs_a_person is None else f"{self.pairs_a_person} pairs a person"
        return f"{self.n_people} people, {pairs}, person effect {self.person} and {self.mated_person}"

    @property
    def spread(self) -> tuple[float, float]:
        """Standard deviations of non-mated and of mated similarities."""
        photos = 2 * self.photo**2 + self.noise**2
        return math.sqrt(2 * self.person**2 + photos), math.sqrt(self.mated_person**2 + photos)

    def draw(self, rng: np.random.Generator) -> Trials:
        """Comparisons of new people."""
        n = self.n_people
        people, mated_people = rng.normal(0, self.person, n), rng.normal(0, self.mated_person, n)
        photos = rng.normal(0, self.photo, (n, self.n_photos))
        a, b = np.triu_indices(n, 1)
        if self.pairs_a_person is not None:
            chosen = rng.choice(len(a), self.pairs_a_person * n, replace=False)
            a, b = a[chosen], b[chosen]
        i, j = rng.integers(0, self.n_photos, (2, len(a)))
        non_mated = people[a] + people[b] + photos[a, i] + photos[b, j]
        k, m = np.triu_indices(self.n_photos, 1)
        c = np.repeat(np.arange(n), len(k))
        k, m = np.tile(k, n), np.tile(m, n)
        mated = DISTANCE + mated_people[c] + photos[c, k] + photos[c, m]
        similarity = np.concatenate([non_mated, mated])
        similarity += rng.normal(0, self.noise, len(similarity))
        rows = np.arange(len(similarity))
        return Trials(rows, rows, rows >= len(a), similarity, np.concatenate([a, c]), np.concatenate([b, c]))

    def truth(self) -> dict[str, float]:
        """The rates of all people there could be."""
        out, mated = self.spread
        at_limit = {x: norm.cdf((norm.isf(x) * out - DISTANCE) / mated) for x in (1e-1, 1e-2)}
        area = norm.cdf(DISTANCE / math.hypot(out, mated))
        values = (1e-2, 1e-3, 5e-2, norm.sf(DISTANCE / (out + mated)), at_limit[1e-1], at_limit[1e-2], area)
        return dict(zip(RATES, map(float, values)))

    def estimates(self, rates: UncertainRates) -> dict[str, Estimate]:
        """What a test would report; refused rates have no interval."""
        out, mated = self.spread
        found = [rates.fmr(norm.isf(x) * out) for x in (1e-2, 1e-3)]
        found = [
            e if rates.curve.n_non_mated >= comparisons_needed(x) else Estimate(math.nan)
            for e, x in zip(found, (1e-2, 1e-3))
        ]
        found.append(rates.fnmr(DISTANCE + norm.ppf(5e-2) * mated))
        found.append(rates.eer())
        found += [rates.fnmr_at_fmr(rates.curve.operating_point(x)) for x in (1e-1, 1e-2)]
        return dict(zip(RATES, [*found, rates.auc()]))


POPULATIONS = [Population(n, pairs) for pairs in (None, 3) for n in (50, 100, 200)]
POPULATIONS += [
    Population(100, None, person=0.0, photo=0.1, mated_person=0.1),
    Population(100, None, person=0.6, noise=0.7, mated_person=0.8),
]


def main() -> None:
    """Print the share of intervals that hold the truth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n_draws", type=int, default=500, help="sets of people for each line (default: %(default)s)")
    args = parser.parse_args()
    print(f"{machine_line()}\n")
    rows = [_row(population, args.n_draws) for population in POPULATIONS]
    print(markdown_table(["population", *RATES, "FMR 1e-2, two-way bootstrap"], rows))
    values = [float(cell[:-1]) for row in rows for cell in row[1:-1] if cell != "refused"]
    error = 100 * math.sqrt(0.95 * 0.05 / args.n_draws)
    inside = sum(93 <= value <= 97 for value in values)
    print(
        f"\n{inside} of {len(values)} within 93 to 97 %, mean {np.mean(values):.1f} %, from {min(values):.1f} to "
        f"{max(values):.1f} %; standard error of each {error:.1f} %"
    )


def _row(population: Population, n_draws: int) -> list[str]:
    rng = np.random.default_rng(0)
    truth, hits, n_bootstrap = population.truth(), defaultdict(list), 0
    for _ in range(n_draws):
        rates = UncertainRates(population.draw(rng))
        for name, estimate in population.estimates(rates).items():
            if math.isfinite(estimate.value):
                hits[name].append(estimate.low <= truth[name] <= estimate.high)
        low, high = _bootstrap_of_fmr(rates, norm.isf(1e-2) * population.spread[0], rng)
        n_bootstrap += low <= truth["FMR 1e-2"] <= high
    cells = [f"{np.mean(hits[name]):.1%}" if hits[name] else "refused" for name in RATES]
    bootstrap = f"{n_bootstrap / n_draws:.1%}" if hits[RATES[0]] else "refused"
    return [population.name, *cells, bootstrap]


def _bootstrap_of_fmr(rates: UncertainRates, threshold: float, rng: np.random.Generator) -> tuple[float, float]:
    """Percentile interval; a pair of persons counts as often as the product of how often they were drawn."""
    trials, n = rates.trials[~rates.trials.is_mated], int(rates.shared.n_identities)
    cell = trials.probe_identity * n + trials.reference_identity
    made, errors = (
        np.bincount(cell, weight, n * n).reshape(n, n) for weight in (None, trials.similarity >= threshold)
    )
    drawn = rng.multinomial(n, np.full(n, 1 / n), _N_BOOTSTRAPS).astype(float)
    replicates = ((drawn @ errors) * drawn).sum(axis=1) / ((drawn @ made) * drawn).sum(axis=1)
    low, high = np.quantile(replicates, [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    main()
