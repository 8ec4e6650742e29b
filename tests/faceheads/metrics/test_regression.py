"""Regression metrics against plain loops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceheads.metrics import GroupBootstrap, regression_metrics


def in_plain_loops(truth, guess):
    errors = [abs(g - t) for g, t in zip(guess, truth, strict=True)]
    n = len(errors)
    return {
        "mae": sum(errors) / n,
        "rmse": math.sqrt(sum(e * e for e in errors) / n),
        "within_5": sum(e <= 5 for e in errors) / n,
        "within_10": sum(e <= 10 for e in errors) / n,
    }


@given(st.lists(st.tuples(st.integers(0, 116), st.integers(0, 116)), min_size=2, max_size=40))
def test_values_are_those_of_plain_loops(pairs):
    truth, guess = np.array(pairs, float).T
    results = regression_metrics(truth, guess, GroupBootstrap(np.arange(len(pairs)), n_resamples=2))
    for name, expected in in_plain_loops(truth, guess).items():
        assert results[name].value == pytest.approx(expected), name


def test_every_draw_is_the_value_on_the_drawn_rows():
    rng = np.random.default_rng(0)
    truth, guess, groups = rng.uniform(0, 90, 50), rng.uniform(0, 90, 50), rng.integers(0, 15, 50)
    draws = GroupBootstrap(groups, n_resamples=20)
    results = regression_metrics(truth, guess, draws)
    for number, counts in enumerate(np.concatenate(list(draws.counts()))):
        rows = np.repeat(np.arange(50), counts[draws.group_of_row].astype(int))
        for name, expected in in_plain_loops(truth[rows], guess[rows]).items():
            assert results[name].replicates[number] == pytest.approx(expected), name


def test_an_error_of_exactly_five_years_is_within_five():
    results = regression_metrics([20, 20], [25, 25.001], GroupBootstrap([0, 1], n_resamples=2))
    assert results["within_5"].value == 0.5


def test_other_tolerances_are_named_after_themselves():
    results = regression_metrics([0.1, 0.2], [0.1, 0.3], GroupBootstrap([0, 1], n_resamples=2), tolerances=[0.05])
    assert results["within_0.05"].value == 0.5


def test_wrong_shapes_and_missing_numbers_are_refused():
    draws = GroupBootstrap([0, 1])
    with pytest.raises(ValueError, match="2 rows of the groups"):
        regression_metrics([1.0], [1.0, 2.0], draws)
    with pytest.raises(ValueError, match="finite"):
        regression_metrics([1.0, math.nan], [1.0, 2.0], draws)
