"""True against predicted decades."""

import numpy as np
import pytest

from faceheads.metrics import GroupBootstrap
from faceheads.metrics.cohorts import MIN_ROWS
from faceheads.metrics.decades import decade_confusion, decades


def test_decades_begin_with_a_zero_and_have_no_gaps():
    found = decades([9.99, 10, 39.5, np.nan])
    assert list(found.categories) == ["0 to 9", "10 to 19", "20 to 29", "30 to 39"]
    assert found.codes.tolist() == [0, 1, 3, -1]


def test_counts_are_those_of_a_plain_loop_and_shares_those_of_the_true_decade():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 50, 400).astype(float)
    guess = truth + rng.normal(0, 8, 400)
    result = decade_confusion(truth, guess, GroupBootstrap(np.arange(400), n_resamples=50))
    expected = np.zeros_like(result.counts)
    for t, g in zip(truth, guess, strict=True):
        expected[int(t // 10), int(max(g, 0) // 10)] += 1
    assert np.array_equal(result.counts, expected)
    for k, row in enumerate(result.shares[:5]):
        assert [share.value for share in row] == pytest.approx(expected[k] / expected[k].sum())
        assert row[k].low < row[k].value < row[k].high


def test_decades_with_few_rows_have_counts_only():
    truth = np.repeat([25.0, 85.0], [MIN_ROWS, MIN_ROWS - 1])
    result = decade_confusion(truth, truth, GroupBootstrap(np.arange(len(truth)), n_resamples=10))
    assert result.names[0] == "20 to 29"
    assert [bool(row) for row in result.shares] == [True] + [False] * 6
    assert result.counts[-1, -1] == MIN_ROWS - 1
    assert result.to_json()["names"][-1] == "80 to 89"
