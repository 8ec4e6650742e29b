"""LFW's accuracy: the best threshold, folds of other people, failures as errors, intervals that know of shared people."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceheads.verification.accuracy import (
    best_threshold,
    cross_validated_accuracy,
    identity_folds,
    identity_interval,
    is_correct,
    logistic_threshold,
)
from faceheads.verification.trials import Trials


def trials_of(similarity, is_mated, probe=None, reference=None):
    similarity = np.asarray(similarity, float)
    n = len(similarity)
    rows = np.where(np.isnan(similarity), -1, np.arange(n))
    names = np.array([f"p{i}" for i in range(n)], object) if probe is None else np.asarray(probe, object)
    others = names if reference is None else np.asarray(reference, object)
    return Trials(rows, np.arange(n), np.asarray(is_mated, bool), similarity, names, others)


def people(n=300, n_people=60, seed=0):
    rng = np.random.default_rng(seed)
    is_mated = rng.random(n) < 0.5
    probe = rng.integers(0, n_people, n)
    reference = np.where(is_mated, probe, (probe + rng.integers(1, n_people, n)) % n_people)
    similarity = rng.normal(np.where(is_mated, 1.0, -1.0), 1.0)
    return trials_of(similarity, is_mated, [f"p{i}" for i in probe], [f"p{i}" for i in reference])


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=30))
def test_no_threshold_is_better_than_the_best(cases):
    trials = trials_of([s / 3 for s, _ in cases], [m for _, m in cases])
    found = is_correct(trials, best_threshold(trials)).mean()
    candidates = [*trials.similarity, trials.similarity.max() + 1, *(trials.similarity + 1e-9)]
    assert found == max(is_correct(trials, t).mean() for t in candidates)


def test_the_threshold_lies_in_the_middle_of_the_gap():
    assert best_threshold(trials_of([0.0, 0.2, 0.8, 1.0], [0, 0, 1, 1])) == pytest.approx(0.5)


def test_the_logistic_threshold_lies_between_two_equal_bells():
    rng = np.random.default_rng(0)
    is_mated = np.arange(20_000) % 2 == 1
    found = logistic_threshold(trials_of(rng.normal(np.where(is_mated, 3.0, 1.0), 0.7), is_mated))
    assert found == pytest.approx(2.0, abs=0.02)  # equal variances: the middle of the means (Bayes' rule)


def test_a_logistic_threshold_needs_both_kinds():
    with pytest.raises(ValueError, match="mated and non-mated"):
        logistic_threshold(trials_of([0.1, 0.2], [1, 1]))


def test_a_match_is_a_similarity_of_at_least_the_threshold():
    assert list(is_correct(trials_of([0.5, 0.5], [1, 0]), 0.5)) == [True, False]


def test_a_comparison_that_was_not_made_is_an_error_whatever_the_truth():
    trials = trials_of([np.nan, np.nan, 1.0], [1, 0, 1])
    assert list(is_correct(trials, 0.5)) == [False, False, True]
    assert best_threshold(trials) < 1.0


def test_a_threshold_without_comparisons_is_refused():
    with pytest.raises(ValueError, match="at least one comparison"):
        best_threshold(trials_of([np.nan], [1]))


def test_no_person_is_on_both_sides_of_a_fold_and_every_trial_is_tested_once():
    trials = people()
    tested = []
    for train, test in identity_folds(trials, 10, seed=0):
        sides = [set(trials.probe_identity[part]) | set(trials.reference_identity[part]) for part in (train, test)]
        assert not sides[0] & sides[1]
        tested += list(test)
    assert sorted(tested) == list(range(len(trials)))


def test_cross_validated_accuracy_equals_a_plain_loop():
    trials = people()
    right = 0
    means = []
    for train, test in identity_folds(trials, 10, seed=0):
        threshold = best_threshold(trials[train])
        hits = [(trials.similarity[i] >= threshold) == trials.is_mated[i] for i in test]
        right += sum(hits)
        means.append(sum(hits) / len(hits))
    found = cross_validated_accuracy(trials)
    assert found.accuracy == pytest.approx(right / len(trials))
    spread = sum((m - sum(means) / 10) ** 2 for m in means) / 9
    assert found.standard_error == pytest.approx((spread / 10) ** 0.5)


def test_the_folds_of_a_protocol_are_used_as_they_are():
    trials = people()
    fold = np.arange(len(trials)) % 4
    means = []
    for k in range(4):
        threshold = best_threshold(trials[fold != k])
        means.append(
            np.mean([(s >= threshold) == m for s, m in zip(trials.similarity[fold == k], trials.is_mated[fold == k])])
        )
    found = cross_validated_accuracy(trials, fold=fold)
    assert found.accuracy == pytest.approx(np.mean(means))
    assert found.standard_error == pytest.approx(np.std(means, ddof=1) / 2)
    with pytest.raises(ValueError, match="needs two or more"):
        cross_validated_accuracy(trials, fold=np.zeros(len(trials), int))


def test_the_interval_is_wider_when_trials_share_people():
    trials = people(n=400, n_people=20)
    right = np.random.default_rng(1).random(20)[[int(p[1:]) for p in trials.probe_identity]] > 0.3
    alone = trials_of(trials.similarity, trials.is_mated)
    shared, independent = (np.diff(identity_interval(right, t))[0] for t in (trials, alone))
    assert shared > 1.5 * independent


def test_the_interval_contains_the_mean():
    trials = people()
    right = is_correct(trials, 0.0)
    low, high = identity_interval(right, trials)
    assert low < right.mean() < high
