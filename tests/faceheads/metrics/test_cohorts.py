"""Metrics by cohort: what is shown, what is hidden, and what two cohorts together say."""

import math

import numpy as np
import pandas as pd
import pytest

from faceheads.metrics import GroupBootstrap, regression_metrics
from faceheads.metrics.cohorts import MIN_GROUPS, MIN_ROWS, measure_cohorts

SIZES = {"f": 120, "m": 80, "rare": MIN_ROWS - 1}


def problem():
    """Errors of cohorts of which one is rare and some rows belong to none."""
    rng = np.random.default_rng(0)
    names = np.array([name for name, n in SIZES.items() for _ in range(n)] + [None] * 5, object)
    truth = rng.uniform(20, 60, len(names))
    guess = truth + rng.normal(0, 4, len(names)) + 3 * (names == "m")
    return pd.Categorical(names, ["f", "m", "rare", "absent"]), truth, guess


def table_of(cohorts, truth, guess, groups=None):
    draws = GroupBootstrap(np.arange(len(truth)) if groups is None else groups, n_resamples=200)
    return measure_cohorts(
        "gender", cohorts, draws, lambda rows, part: regression_metrics(truth[rows], guess[rows], part)
    )


def test_each_cohort_is_measured_on_its_rows():
    cohorts, truth, guess = problem()
    table = table_of(cohorts, truth, guess)
    assert [(c.name, c.n_rows) for c in table.cohorts] == list(SIZES.items())
    for cohort in table.cohorts[:2]:
        rows = cohorts == cohort.name
        assert cohort.metrics["mae"].value == pytest.approx(np.abs(truth - guess)[rows].mean())
        assert cohort.metrics["mae"].low < cohort.metrics["mae"].value < cohort.metrics["mae"].high


def test_small_cohorts_and_rows_without_one_are_named_but_not_measured():
    table = table_of(*problem())
    rare = table.cohorts[2]
    assert not rare.metrics
    assert f"fewer than {MIN_ROWS} rows" in rare.note
    assert table.note == "5 rows have no value of gender"
    assert [(d.one, d.other) for d in table.differences] == [("f", "m")]


def test_many_rows_of_few_persons_are_a_small_cohort():
    cohorts, truth, guess = problem()
    persons = np.where(cohorts == "m", np.arange(len(truth)) % (MIN_GROUPS - 1), np.arange(len(truth)))
    assert [bool(c.metrics) for c in table_of(cohorts, truth, guess, persons).cohorts] == [True, False, False]


def test_an_error_is_combined_as_mean_plus_gap_and_a_share_as_mean_minus_gap():
    cohorts, truth, guess = problem()
    table = table_of(cohorts, truth, guess)
    f, m = (cohort.metrics for cohort in table.cohorts[:2])
    for name, sign in (("mae", 1), ("rmse", 1), ("within_5", -1)):
        one, other = f[name].value, m[name].value
        assert table.combined[name].value == pytest.approx((one + other) / 2 + sign * abs(one - other))
        assert table.gaps[name].value == pytest.approx(abs(one - other))
        assert table.differences[0].metrics[name].value == pytest.approx(one - other)


def test_a_difference_is_taken_draw_by_draw():
    """The same persons in both cohorts, the same errors: no draw tells them apart."""
    errors = np.random.default_rng(1).normal(0, 5, 60)
    persons, cohorts = np.tile(np.arange(60), 2), pd.Categorical(np.repeat(["day", "night"], 60))
    table = table_of(cohorts, np.zeros(120), np.tile(errors, 2), persons)
    difference = table.differences[0].metrics["mae"]
    assert (difference.value, difference.low, difference.high) == pytest.approx((0, 0, 0))


def test_the_gap_is_as_sure_as_the_difference_of_the_cohorts():
    rng = np.random.default_rng(2)
    cohorts = pd.Categorical(np.repeat(["a", "b"], 100))
    for shift, is_sure in ((0.0, False), (6.0, True)):
        guess = rng.normal(0, 2, 200) + shift * (cohorts == "b")
        table = table_of(cohorts, np.zeros(200), guess)
        gap, difference = table.gaps["mae"], table.differences[0].metrics["mae"]
        assert (gap.low > 0) == is_sure == (difference.low > 0 or difference.high < 0)
        assert gap.low <= gap.value <= gap.high
        mean = np.mean([cohort.metrics["mae"].value for cohort in table.cohorts])
        assert (table.combined["mae"].low > mean) == is_sure


def test_one_cohort_has_no_gap():
    cohorts, truth, guess = problem()
    table = table_of(pd.Categorical(np.where(cohorts == "f", "f", None)), truth, guess)
    assert math.isnan(table.gaps["mae"].value)
    assert math.isnan(table.combined["mae"].value)
    assert table.differences == ()


def test_the_table_becomes_json():
    values = table_of(*problem()).to_json()
    assert values["cohorts"][2]["metrics"] == {}
    assert set(values["combined"]["mae"]) == {"value", "low", "high", "note"}
    assert values["differences"][0]["one"] == "f"


def test_cohorts_must_have_a_value_a_row():
    with pytest.raises(ValueError, match="the 3 rows of the groups; got 2"):
        measure_cohorts("x", pd.Categorical(["a", "b"]), GroupBootstrap(np.arange(3)), dict)
