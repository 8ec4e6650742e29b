"""Intervals against plain loops, and their coverage by simulation."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from faceheads.metrics import Estimate, GroupBootstrap, Resampled, wilson_interval


def mean_of(draws, values, is_proportion=False):
    rows = np.stack([values, np.ones(len(values))], axis=1)
    return draws.of_sums(rows, lambda sums: sums[:, 0] / sums[:, 1], is_proportion)


def mean_in_plain_loops(values, groups, n_resamples, seed):
    """Draw groups with replacement and take the mean over all their rows, one draw after the other."""
    names = sorted(set(groups))
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(n_resamples):
        drawn = []
        for position in rng.integers(0, len(names), len(names)):
            drawn += [value for value, group in zip(values, groups, strict=True) if group == names[position]]
        means.append(sum(drawn) / len(drawn))
    return means


def test_the_draws_are_those_of_a_plain_loop_over_groups():
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 12, 60)
    values = rng.random(60)
    result = mean_of(GroupBootstrap(groups, n_resamples=50, seed=3), values)
    assert result.replicates == pytest.approx(mean_in_plain_loops(list(values), list(groups), 50, 3))
    assert result.value == pytest.approx(values.mean())


def test_a_function_of_weights_sees_the_same_draws_as_a_function_of_sums():
    rng = np.random.default_rng(2)
    groups, values = rng.integers(0, 30, 100), rng.random(100)
    draws = GroupBootstrap(groups, n_resamples=40, seed=5)
    by_weights = draws.of_weights(lambda w: (w * values).sum(axis=1) / w.sum(axis=1))
    assert by_weights.replicates == pytest.approx(mean_of(draws, values).replicates)


def test_blocks_of_draws_do_not_depend_on_their_size(monkeypatch):
    draws = GroupBootstrap(np.arange(20), n_resamples=30, seed=1)
    whole = np.concatenate(list(draws.counts()))
    monkeypatch.setattr("faceheads.metrics.intervals._BLOCK_CELLS", 100)
    blocks = list(draws.counts())
    assert len(blocks) == 6
    assert np.array_equal(np.concatenate(blocks), whole)
    assert (whole.sum(axis=1) == 20).all()


def test_the_interval_is_the_percentile_interval_of_the_draws():
    result = mean_of(GroupBootstrap(np.arange(50), seed=0), np.arange(50.0))
    estimate = result.estimate()
    assert estimate.low == pytest.approx(np.percentile(result.replicates, 2.5))
    assert estimate.high == pytest.approx(np.percentile(result.replicates, 97.5))
    assert estimate.note == ""


def test_rows_of_a_person_do_not_make_the_interval_narrower():
    values = np.random.default_rng(0).random(40)
    once = mean_of(GroupBootstrap(np.arange(40)), values).estimate()
    tenfold = mean_of(GroupBootstrap(np.repeat(np.arange(40), 10)), np.repeat(values, 10)).estimate()
    assert (tenfold.value, tenfold.low, tenfold.high) == pytest.approx((once.value, once.low, once.high))


def test_one_group_has_no_interval_and_says_so():
    estimate = mean_of(GroupBootstrap(np.zeros(5)), np.arange(5.0)).estimate()
    assert estimate.value == 2
    assert math.isnan(estimate.low)
    assert math.isnan(estimate.high)
    assert "one group" in estimate.note


def test_few_groups_are_said_to_be_few():
    assert "only 3 groups" in mean_of(GroupBootstrap([1, 2, 3]), np.arange(3.0)).estimate().note


def test_a_difference_of_shares_that_no_draw_changes_has_wilsons_limit_on_both_sides():
    draws = GroupBootstrap(np.repeat(np.arange(100), 3))
    same = replace(draws.of_mean(np.zeros(300)), is_difference=True).estimate()
    limit = wilson_interval(0.0, 100)[1]
    assert (same.value, same.low, same.high) == (0, -limit, limit)
    values = np.r_[np.ones(150), np.zeros(150)]
    assert replace(draws.of_mean(values), is_difference=True).estimate() == draws.of_mean(values).estimate()


def test_a_perfect_proportion_has_wilsons_interval_on_its_groups():
    draws = GroupBootstrap(np.repeat(np.arange(100), 3))
    estimate = mean_of(draws, np.ones(300), is_proportion=True).estimate()
    assert (estimate.low, estimate.high) == wilson_interval(1.0, 100)
    assert estimate.low < 0.97


def test_an_undefined_value_is_nan_with_its_reason():
    draws = GroupBootstrap(np.arange(30))
    result = draws.of_sums(np.ones((30, 1)), lambda sums: np.full(len(sums), np.nan), note="no rows of class x")
    estimate = result.estimate()
    assert math.isnan(estimate.value)
    assert estimate.note == "no rows of class x"


def test_undefined_draws_are_left_out_and_said_when_many():
    replicates = np.r_[np.linspace(0, 1, 90), np.full(10, np.nan)]
    estimate = Resampled(0.5, replicates, 40).estimate()
    assert estimate.low == pytest.approx(np.quantile(np.linspace(0, 1, 90), 0.025))
    assert "undefined in 10% of the draws" in estimate.note
    assert "in every draw" in Resampled(0.5, np.full(10, np.nan), 40).estimate().note


def test_the_mean_of_metrics_uses_the_same_draws_and_names_what_is_missing():
    draws = GroupBootstrap(np.arange(40))
    first, second = mean_of(draws, np.arange(40.0)), mean_of(draws, np.arange(40.0)[::-1].copy())
    mean = Resampled.mean([first, second])
    assert mean.replicates == pytest.approx(np.full(1000, 19.5))  # what one gains the other loses, draw by draw
    undefined = Resampled(math.nan, np.empty(0), 40, "nothing")
    assert "1 of 2" in Resampled.mean([first, undefined]).note
    assert math.isnan(Resampled.mean([undefined]).value)


def test_a_subset_is_measured_on_its_rows_with_the_draws_of_all():
    rng = np.random.default_rng(4)
    groups, values = rng.integers(0, 25, 90), rng.random(90)
    draws = GroupBootstrap(groups, n_resamples=30, seed=2)
    rows = (rng.random(90) < 0.4) & (groups < 20)
    part = draws.subset(rows)
    weights = np.concatenate(list(draws.counts()))[:, draws.group_of_row] * rows
    expected = (weights * values).sum(axis=1) / weights.sum(axis=1)
    assert part.of_mean(values[rows]).replicates == pytest.approx(expected)
    by_weights = part.of_weights(lambda w: (w * values[rows]).sum(axis=1) / w.sum(axis=1))
    assert by_weights.replicates == pytest.approx(expected)
    assert part.n_groups == len(set(groups[rows]))
    assert math.isnan(draws.subset(np.zeros(90, bool)).of_mean(np.empty(0)).value)


def test_what_needs_two_parts_is_undefined_with_one():
    defined, undefined = Resampled(0.5, np.full(10, 0.5), 40), Resampled(math.nan, np.empty(0), 40)
    gap = Resampled.combine([defined, undefined], np.ptp, at_least=2)
    assert math.isnan(gap.value)
    assert gap.note == "undefined for 1 of 2 parts"


@given(st.integers(1, 500), st.floats(0, 1))
def test_wilson_is_scipys(n, share):
    successes = round(share * n)
    expected = binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson_interval(successes / n, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_an_estimate_survives_json():
    for estimate in (Estimate(0.5, 0.25, 0.75, "note"), Estimate(math.nan, note="undefined")):
        again = Estimate.from_json(estimate.to_json())
        assert repr(again) == repr(estimate)
    assert Estimate(math.nan).to_json()["value"] is None


def test_groups_must_be_one_value_a_row():
    with pytest.raises(ValueError, match="one value a row"):
        GroupBootstrap(np.empty(0))


def test_95_percent_intervals_of_clustered_rows_cover_the_truth_about_95_times_in_100():
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(400):
        skill = rng.beta(8, 2, 80)  # each person has an accuracy of his own; the mean is 0.8
        groups = np.repeat(np.arange(80), rng.integers(1, 6, 80))
        right = rng.random(len(groups)) < skill[groups]
        estimate = mean_of(GroupBootstrap(groups, 300, trial), right.astype(float)).estimate()
        hits += estimate.low <= 0.8 <= estimate.high
    assert 0.92 <= hits / 400 <= 0.98  # 95 % plus or minus 2.7 standard errors of 400 trials
