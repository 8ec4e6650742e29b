"""The table of prices, by hand."""

import numpy as np
import pytest

from faceheads.fairness.price import price_table, price_text

# Men are ordered but for one pair, women less: the best thresholds give 5/6 and 4/6.
MEN = [(1, 0), (2, 0), (3, 1), (4, 0), (5, 1), (6, 1)]
WOMEN = [(1, 1), (2, 0), (3, 1), (4, 0), (5, 1), (6, 1)]
SCORES, TRUTH = (np.array(column) for column in zip(*MEN, *WOMEN, strict=True))
COHORTS = ["men"] * 6 + ["women"] * 6


def test_each_cohort_at_its_best_is_the_reference_and_added_errors_are_counted_against_it():
    table = price_table(SCORES, TRUTH, COHORTS, per_cohort=True)
    assert table["accuracy"].round(4).to_dict("list") == {
        "men": [0.8333, 0.6667, 0.8333],
        "women": [0.6667, 0.6667, 0.6667],
    }
    assert table["added_errors"].to_dict("list") == {"men": [0, 1, 0], "women": [0, 0, 0]}
    assert table.loc["minimum", "all"].to_dict() == pytest.approx(
        {"accuracy": 9 / 12, "gap": 1 / 6, "mean_minus_gap": 3 / 4 - 1 / 6, "minimum": 4 / 6}
    )
    text = price_text(table)
    assert "+1 errors for men, +0 errors for women; it gains 0.0833" in text
    tolerant = price_table(SCORES, TRUTH, COHORTS, per_cohort=True, tolerance=1 / 6)
    assert tolerant["added_errors"].to_dict("list") == {"men": [0, 0, 0], "women": [0, 0, 0]}


def test_one_threshold_serves_both_cohorts():
    table = price_table(SCORES, TRUTH, COHORTS)
    assert (table["threshold", "men"] == table["threshold", "women"]).all()
    assert table.loc["accuracy", ("all", "accuracy")] == table["all", "accuracy"].max()
    assert table.loc["minimum", ("all", "minimum")] == table["all", "minimum"].max()
    assert table.loc["mean_minus_gap", ("all", "mean_minus_gap")] == table["all", "mean_minus_gap"].max()
