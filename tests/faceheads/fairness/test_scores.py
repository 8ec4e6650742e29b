"""Scores of decisions, cohort by cohort."""

import pytest

from faceheads.fairness.scores import cohort_accuracies, mean_minus_gap_score, minimum_score


def test_the_challenge_scores_the_mean_of_two_accuracies_minus_their_distance():
    # The figures of the challenge's own baseline: women 0.91163, men 0.96415 give 0.88537.
    truth = [1] * 200_000
    women = [1] * 91_163 + [0] * 8_837
    men = [1] * 96_415 + [0] * 3_585
    cohorts = ["woman"] * 100_000 + ["man"] * 100_000
    assert mean_minus_gap_score(truth, women + men, sensitive_features=cohorts) == pytest.approx(0.88537)
    assert minimum_score(truth, women + men, sensitive_features=cohorts) == 0.91163
    assert cohort_accuracies(truth, women + men, cohorts) == {"man": 0.96415, "woman": 0.91163}


def test_without_cohorts_the_score_is_the_accuracy():
    assert mean_minus_gap_score(["a", "b", "b"], ["a", "b", "a"]) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("truth", "decided", "cohorts", "words"),
    [
        ([], [], None, "at least one"),
        ([0, 1], [0], None, "one value a row"),
        ([0, 1], [0, 1], ["a"], "one value a row, 2"),
        ([0, 1], [0, 1], ["a", None], "must have a cohort"),
    ],
)
def test_what_is_wrong_is_said(truth, decided, cohorts, words):
    with pytest.raises(ValueError, match=words):
        cohort_accuracies(truth, decided, cohorts)
