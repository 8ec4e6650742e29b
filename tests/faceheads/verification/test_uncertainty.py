"""Intervals that know of shared people: the variance against a double loop, the linearisation against a jackknife."""

import math

import numpy as np
import pytest

from faceheads.metrics.intervals import wilson_interval
from faceheads.verification.trials import Trials
from faceheads.verification.uncertainty import SharedIdentities, Spread, UncertainRates, mean_with_interval, wilson_of


def simulated_trials(n_people=60, seed=0, n_lost=0):
    """Two photos a person, three non-mated pairs a person; a person's similarities rise and fall together."""
    rng = np.random.default_rng(seed)
    first = np.concatenate([np.arange(n_people), np.repeat(np.arange(n_people), 3)])
    second = np.concatenate([np.arange(n_people), (first[n_people:] + rng.integers(1, n_people, 3 * n_people))])
    second %= n_people
    is_mated = first == second
    people = rng.normal(0, 0.5, n_people)
    similarity = (
        np.where(is_mated, 2.0, 0.0) + people[first] + people[second] + rng.normal(0, np.where(is_mated, 2, 0.7))
    )
    rows = np.arange(len(first))
    rows[:n_lost] = -1
    similarity[:n_lost] = np.nan
    names = np.array([f"p{i}" for i in range(n_people)], object)
    return Trials(rows, np.arange(len(first)), is_mated, similarity, names[first], names[second])


def test_the_variance_is_the_sum_of_products_over_comparisons_that_share_a_person():
    rng = np.random.default_rng(0)
    probe, reference = rng.integers(0, 8, (2, 40))  # repeated pairs, pairs in both orders, pairs of one person
    residuals = rng.normal(0, 1, 40)
    wanted = sum(
        residuals[i] * residuals[j]
        for i in range(40)
        for j in range(40)
        if {probe[i], reference[i]} & {probe[j], reference[j]}
    )
    shared = SharedIdentities(probe.astype(str).astype(object), reference.astype(str).astype(object))
    independent = {}
    for i in range(40):
        pair = frozenset((probe[i], reference[i]))
        independent[pair] = independent.get(pair, 0) + residuals[i]
    floor = sum(value**2 for value in independent.values())
    assert shared.n_pairs == len(independent)
    assert shared.spread(residuals).variance == pytest.approx(max(wanted, floor) * 8 / 6)


def test_without_shared_people_the_interval_is_that_of_wilson():
    right = np.arange(200) < 150
    names = np.arange(400).astype(str).astype(object)
    trials = Trials(np.arange(200), np.arange(200), right, np.zeros(200), names[:200], names[200:])
    found = mean_with_interval(right, trials)
    assert (found.low, found.high) == pytest.approx(wilson_interval(0.75, 200), abs=0.002)


def test_one_person_in_all_comparisons_makes_them_one():
    right = np.arange(200) < 150
    names = np.array(["same"] * 200, object)
    others = np.arange(200).astype(str).astype(object)
    lone, shared = (mean_with_interval(right, Trials(*[right] * 4, a, others)) for a in (others, names))
    assert shared.high - shared.low == pytest.approx(
        lone.high - lone.low, rel=0.1
    )  # residuals cancel in the one person
    half = np.concatenate([np.array(["a"] * 150, object), np.array(["b"] * 50, object)])
    carried = mean_with_interval(right, Trials(*[right] * 4, half, others))
    assert carried.high - carried.low > 3 * (lone.high - lone.low)


def jackknife_error(trials, statistic, n_groups=40):
    """Standard error by leaving out one group of people at a time; a quantile needs more than one person a group."""
    group = [np.array([int(name[1:]) % n_groups for name in side]) for side in sides_of(trials)]
    left = [statistic(UncertainRates(trials[(group[0] != g) & (group[1] != g)])) for g in range(n_groups)]
    return math.sqrt((n_groups - 1) / n_groups * np.sum((np.array(left) - np.mean(left)) ** 2))


def sides_of(trials):
    return trials.probe_identity, trials.reference_identity


@pytest.mark.parametrize(
    ("estimate", "statistic"),
    [
        (lambda r: r.fmr(0.8), lambda r: r.curve.rates_at(0.8)[0]),
        (lambda r: r.fnmr(0.8), lambda r: r.curve.rates_at(0.8)[1]),
        (lambda r: r.auc(), lambda r: r.curve.auc),
        (lambda r: r.eer(), lambda r: r.curve.eer().interpolated),
    ],
    ids=["fmr", "fnmr", "auc", "eer"],
)
def test_the_spread_is_near_that_of_a_jackknife_over_people(estimate, statistic):
    trials = simulated_trials(n_people=400)
    found = estimate(UncertainRates(trials))
    assert found.low < found.value < found.high
    assert found.value == statistic(UncertainRates(trials))
    error = jackknife_error(trials, statistic)
    assert (found.high - found.low) / (2 * 1.98) == pytest.approx(error, rel=0.3)


def test_where_the_fnmr_is_flat_the_eer_is_as_sure_as_the_fnmr():
    trials = simulated_trials(n_people=100)
    trials.similarity[trials.is_mated] = np.linspace(-50, 50, 100)  # FNMR is near 1/2 at every threshold that matters
    rates = UncertainRates(trials)
    eer, fnmr = rates.eer(), rates.fnmr(rates.curve.eer().threshold)
    assert eer.high - eer.low == pytest.approx(fnmr.high - fnmr.low, rel=0.1)


def test_the_interval_of_an_fnmr_at_an_fmr_is_wider_than_at_a_fixed_threshold():
    rates = UncertainRates(simulated_trials(n_people=150))
    point = rates.curve.operating_point(0.1)
    found, fixed = rates.fnmr_at_fmr(point), rates.fnmr(point.threshold)
    assert found.value == fixed.value == point.fnmr
    assert found.high - found.low > fixed.high - fixed.low


def test_a_refused_operating_point_stays_undefined_and_says_why():
    rates = UncertainRates(simulated_trials())
    refused = rates.fnmr_at_fmr(rates.curve.operating_point(1e-4))
    assert math.isnan(refused.value) and refused.note.startswith("refused")


def test_a_rate_without_errors_is_bounded_by_the_number_of_pairs_of_persons():
    found = wilson_of(0.0, Spread(0.0, 10), 300)
    assert found.low == 0
    assert found.high == pytest.approx(wilson_interval(0.0, 300)[1], rel=0.02)


def test_comparisons_that_were_not_made_are_left_out_of_rates():
    rates = UncertainRates(simulated_trials(n_lost=7))
    assert rates.curve.n_mated == 60 - 7
    assert UncertainRates(simulated_trials(n_people=10)).fmr(0.5).note.startswith("only 10 identities")
