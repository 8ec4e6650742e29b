"""Error rates by cohort and how unequal they are: plain loops, published formulas, and simulated people."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceheads.metrics.intervals import Estimate
from faceheads.verification.cohort_errors import compare_cohorts
from faceheads.verification.comparisons import Comparisons
from faceheads.verification.differentials import KnownRate, differentials, gini
from faceheads.verification.report import markdown, measure
from tests.faceheads.verification.faces import faces_table, identities_of

RATES = st.lists(st.floats(1e-4, 0.5), min_size=2, max_size=5)


@pytest.fixture(scope="module")
def comparisons():
    table = faces_table(n_people=80, n_photos=4, n_lost=2, noise=0.9)
    return Comparisons.from_identities(table, identities_of(table), "cosine", "made-up", 20_000)


@pytest.fixture(scope="module")
def cohorts(comparisons):
    """By person: three of four in the first, and somebody in none."""
    codes = np.array([-1 if k == 79 else 0 if k % 4 else 1 for k in range(80)]).repeat(4)
    return pd.Categorical.from_codes(codes, ["many", "few"])


def known(rate, n=1000.0):
    reach = 2 * math.sqrt(rate * (1 - rate) / n)
    return KnownRate(Estimate(rate, max(0.0, rate - reach), rate + reach), n)


def test_rates_are_those_of_comparisons_within_a_cohort(comparisons, cohorts):
    trials = comparisons.trials
    found = compare_cohorts("size", trials, cohorts, 0.5)
    for code, errors in enumerate(found.cohorts):
        counts = {(mated, match): 0 for mated in (True, False) for match in (True, False)}
        for k in np.flatnonzero(trials.is_acquired):
            if cohorts.codes[trials.probe[k]] == cohorts.codes[trials.reference[k]] == code:
                counts[bool(trials.is_mated[k]), bool(trials.similarity[k] >= 0.5)] += 1
        assert (errors.n_mated, errors.n_non_mated) == (
            counts[True, True] + counts[True, False],
            counts[False, True] + counts[False, False],
        )
        assert errors.fmr.value == pytest.approx(counts[False, True] / errors.n_non_mated)
        assert errors.fnmr.value == pytest.approx(counts[True, False] / errors.n_mated)
        assert errors.fmr.low < errors.fmr.value < errors.fmr.high
    assert [one.n_identities for one in found.cohorts] == [59, 20] and found.between.n_mated == 0
    n_all = sum(one.n_mated + one.n_non_mated for one in (*found.cohorts, found.between))
    assert found.note.startswith(f"{trials.is_acquired.sum() - n_all:,} comparisons have a face without size")


def test_a_cohort_of_few_people_is_not_shown(comparisons):
    codes = np.where(np.arange(320) < 4 * 19, 1, 0)
    found = compare_cohorts(
        "size", comparisons.trials, pd.Categorical.from_codes(codes, ["many", "few"]), 0.5, {0.1: 0.5}
    )
    few = found.cohorts[1]
    assert math.isnan(few.fmr.value) and few.fmr.note == "not shown: fewer than 20 people"
    assert found.differentials == () and list(found.sweep[0].fmr) == ["many"]


@settings(max_examples=30)
@given(RATES, RATES)
def test_measures_are_their_published_formulas(one, other):
    n = min(len(one), len(other))
    fmr, fnmr = one[:n], other[:n]
    found = {d.name: d for d in differentials([known(x) for x in fmr], [known(x) for x in fnmr])}

    def by_hand(rates):
        pairs = [abs(a - b) for a in rates for b in rates]
        mean = math.prod(rates) ** (1 / n)
        garbe = n / (n - 1) * sum(pairs) / (2 * n**2 * (sum(rates) / n))
        return {
            "gap": max(pairs),
            "ratio": max(rates) / min(rates),
            "ratio to the mean": max(rates) / mean,
            "Gini": garbe,
        }

    a, b = by_hand(fmr), by_hand(fnmr)
    for name in a:
        assert (found[name].fmr.value, found[name].fnmr.value) == pytest.approx((a[name], b[name]))
    assert found["FDR"].both.value == pytest.approx(1 - 0.5 * a["gap"] - 0.5 * b["gap"])
    assert found["GARBE"].both.value == pytest.approx(0.5 * a["Gini"] + 0.5 * b["Gini"])
    assert found["IR"].both.value == pytest.approx(a["ratio"] ** 0.5 * b["ratio"] ** 0.5)
    for measure_ in found.values():
        for estimate in (measure_.fmr, measure_.fnmr, measure_.both):
            assert estimate is None or estimate.low <= estimate.value <= estimate.high


def test_all_errors_in_one_cohort_are_a_gini_of_one():
    assert gini(np.array([[0.1], [0.0], [0.0]]))[0] == pytest.approx(1)
    found = {d.name: d for d in differentials([known(0.1), known(0.0)], [known(0.1), known(0.1)])}
    assert math.isnan(found["ratio"].fmr.value) and math.isnan(found["IR"].both.value)
    assert found["ratio"].fmr.note == "undefined: a cohort has no error"


def test_equality_is_excluded_only_where_two_rates_surely_differ():
    rng = np.random.default_rng(0)
    n, hits = 400, {0.05: [], 0.15: []}
    for other, told in hits.items():
        for _ in range(60):
            rates = [known(max(rng.binomial(n, p), 1) / n, n) for p in (0.05, other)]
            ratio = differentials(rates, rates)[1].fmr
            told.append((ratio.low > 1, ratio.low <= other / 0.05 <= ratio.high))
    equal, unequal = (np.mean(hits[p], axis=0) for p in hits)
    assert equal[0] <= 0.1 and unequal[0] >= 0.95
    assert equal[1] >= 0.9 and unequal[1] >= 0.9


def test_fewer_than_two_cohorts_are_not_unequal():
    with pytest.raises(ValueError, match="two cohorts or more; got 1"):
        differentials([known(0.1)], [known(0.1)])


def test_a_report_has_the_cohorts_in_json_and_words(comparisons, cohorts):
    values = json.loads(json.dumps(measure(comparisons, cohorts={"size": cohorts}), allow_nan=False))
    (table,) = values["cohorts"]
    assert [one["cohort"] for one in table["cohorts"]] == ["many", "few"]
    assert [point["fmr_limit"] for point in table["sweep"]] == [1e-1, 1e-2, 1e-3]
    words = markdown(values)
    assert f"By size, at the threshold {table['threshold']:.4f}" in words
    assert "| few | 20 |" in words and "| IR | square root" in words and "few: FMR, FNMR" in words
