"""A gap within chance: how large it is, who counts, and which criteria care."""

import numpy as np
import pytest

from faceheads.fairness.chance import chance_gap, count_independent, settled
from faceheads.fairness.criterion import Criterion
from faceheads.fairness.optimum import TunedThresholds, cohort_thresholds, shared_threshold

SCORES, TRUTH, COHORTS = [1, 4, 6, 9, 2, 3, 5, 8], [0, 1, 1, 1, 0, 0, 0, 1], list("aaaabbbb")


def test_levelling_pays_only_beyond_two_thirds_of_a_standard_error():
    # What lowering the better cohort by 0.1 % changes in the expected score of other people, by simulation.
    n_rows, rng = {"m": 2000, "w": 3000}, np.random.default_rng(0)
    better, worse = 0.92, 0.9
    sigma = np.sqrt(better * (1 - better) / n_rows["m"] + worse * (1 - worse) / n_rows["w"])
    tuned = TunedThresholds("accuracy", 0.91, {"m": 0.5, "w": 0.5}, {"m": better, "w": worse}, True)
    limit = chance_gap(tuned, n_rows)
    assert limit == pytest.approx(0.6745 * sigma, rel=1e-4)
    noise = sigma * rng.normal(size=400_000)
    for gap, pays in ((limit - 0.002, False), (limit + 0.002, True)):
        lowered = 1e-3
        gain = np.abs(gap + noise).mean() - np.abs(gap - lowered + noise).mean() - lowered / 2
        assert bool(gain > 0) is pays
    assert chance_gap(TunedThresholds("accuracy", 0.9, {"all": 0.5}, {"all": 0.9}, True), {"all": 10}) == 0


def test_persons_count_once_in_each_cohort():
    assert count_independent(COHORTS, None, 8) == {"a": 4, "b": 4}
    assert count_independent(COHORTS, [1, 1, 2, 2, 3, 3, 3, 3], 8) == {"a": 2, "b": 1}
    assert count_independent(None, [1, 1, 2, 2, 3, 3, 3, 3], 8) == {"all": 3}


@pytest.mark.parametrize("tune", [shared_threshold, cohort_thresholds])
def test_chance_is_settled_by_the_plain_accuracies_and_the_persons_and_for_mean_minus_gap_only(tune):
    problem, groups = (SCORES, TRUTH, COHORTS), [1, 1, 2, 2, 3, 3, 3, 4]
    chance = chance_gap(tune(*problem, "accuracy"), {"a": 2, "b": 2})
    assert settled(Criterion(tolerance="chance"), tune, problem, groups) == Criterion(tolerance=chance)
    assert settled(Criterion("minimum", tolerance="chance"), tune, problem, groups) == Criterion("minimum")
    assert settled(Criterion(tolerance=0.25), tune, problem, groups) == Criterion(tolerance=0.25)


def test_thresholds_for_a_tolerance_that_is_not_settled_are_refused():
    with pytest.raises(
        ValueError, match="depends on the number of rows. Settle it with faceheads.fairness.chance.settled"
    ):
        shared_threshold(SCORES, TRUTH, COHORTS, Criterion(tolerance="chance"))
