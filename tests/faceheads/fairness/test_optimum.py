"""The optimum of a criterion, against enumeration of every decision in whole numbers."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, precision_score, recall_score

from faceheads.fairness.criterion import CRITERIA, Criterion
from faceheads.fairness.optimum import cohort_thresholds, shared_threshold

COHORTS = ("x", "y", "z")
#: One number a row, which hypothesis draws faster than three: five scores, two classes, three cohorts.
ROWS = st.lists(st.integers(0, 29), min_size=1, max_size=7).map(lambda codes: [decode(code) for code in codes])
#: Tuning y alone to its best, 1, would leave x at 1/2 behind: an error must be added to y.
LEVELLING = [(0, True, "x"), (1, False, "x"), (0, False, "y"), (1, True, "y")]


def decode(code):
    return code // 6, bool(code % 2), COHORTS[code // 2 % 3]


def correct(rows, name, threshold):
    """How many decisions about a cohort are right, in 420ths of its rows: whole numbers for up to 7 rows."""
    right = [(score >= threshold) == is_positive for score, is_positive, cohort in rows if cohort == name]
    return 420 * sum(right) // len(right)


def mean_minus_gap(shares):
    """Of whole numbers, times their number: a whole number."""
    return sum(shares) - len(shares) * (max(shares) - min(shares))


def enumerated(rows, criterion, is_shared):
    """The largest value of a criterion over all thresholds: one for all cohorts, or every combination."""
    names = sorted({name for _, _, name in rows})
    cuts = [-1, *(score + 0.5 for score in sorted({score for score, _, _ in rows}))]
    shares = [[correct(rows, name, cut) for cut in cuts] for name in names]
    return max(map(criterion, zip(*shares, strict=True) if is_shared else itertools.product(*shares)))


@settings(max_examples=1000, derandomize=True)
@example(LEVELLING)
@given(ROWS)
def test_the_optimum_is_that_of_enumeration(rows):
    scores, truth, cohorts = zip(*rows, strict=True)
    for name, criterion, unit in (("mean_minus_gap", mean_minus_gap, 420 * len(set(cohorts))), ("minimum", min, 420)):
        for tune, is_shared in ((shared_threshold, True), (cohort_thresholds, False)):
            tuned = tune(scores, truth, cohorts, name)
            reached = {name: correct(rows, name, threshold) for name, threshold in tuned.thresholds.items()}
            assert criterion(list(reached.values())) == enumerated(rows, criterion, is_shared)
            assert tuned.value == pytest.approx(criterion(list(reached.values())) / unit, abs=1e-12)
            assert tuned.accuracy == {name: share / 420 for name, share in reached.items()}
            assert tuned.is_shared is is_shared
            assert not is_shared or len(set(tuned.thresholds.values())) == 1


@settings(max_examples=50, derandomize=True)
@example(LEVELLING, 1)
@given(ROWS, st.integers(0, 3))
def test_a_gap_that_is_tolerated_costs_nothing(rows, sixths):
    scores, truth, cohorts = zip(*rows, strict=True)

    def tolerant(shares):
        return sum(shares) - len(shares) * max(max(shares) - min(shares) - 70 * sixths, 0)

    for tune, is_shared in ((shared_threshold, True), (cohort_thresholds, False)):
        tuned = tune(scores, truth, cohorts, Criterion(tolerance=sixths / 6))
        reached = [correct(rows, name, threshold) for name, threshold in tuned.thresholds.items()]
        assert tolerant(reached) == enumerated(rows, tolerant, is_shared)
        assert tuned.value == pytest.approx(mean_minus_gap(reached) / 420 / len(reached), abs=1e-12)


def test_mean_minus_gap_adds_errors_to_the_better_cohort_and_maximin_does_not():
    scores, truth, cohorts = zip(*LEVELLING, strict=True)
    assert cohort_thresholds(scores, truth, cohorts, "mean_minus_gap").accuracy == {"x": 0.5, "y": 0.5}
    assert cohort_thresholds(scores, truth, cohorts, "minimum").accuracy == {"x": 0.5, "y": 1.0}


@pytest.mark.parametrize("criterion", ["accuracy", "balanced_accuracy", "f1", "recall_at_precision"])
def test_the_other_criteria_are_those_of_scikit_learn_at_the_best_of_all_thresholds(criterion):
    rng = np.random.default_rng(0)
    truth = rng.random(60) < 0.4
    scores = np.round(rng.normal(size=60) + truth, 1)

    def value(decided):
        if criterion == "recall_at_precision":
            is_precise = precision_score(truth, decided, zero_division=0) >= 0.7
            return recall_score(truth, decided) if is_precise else -np.inf
        measures = {"accuracy": accuracy_score, "balanced_accuracy": balanced_accuracy_score, "f1": f1_score}
        return measures[criterion](truth, decided)

    tuned = shared_threshold(scores, truth, criterion=Criterion(criterion, 0.7))
    reachable = [value(scores >= cut) for cut in (*np.unique(scores), np.inf)]
    assert tuned.value == pytest.approx(max(reachable), abs=1e-12)
    assert value(scores >= tuned.thresholds["all"]) == pytest.approx(tuned.value, abs=1e-12)
    alone = cohort_thresholds(scores, truth, criterion=Criterion(criterion, 0.7))
    assert alone.thresholds == tuned.thresholds


@given(st.lists(st.tuples(st.floats(-1e308, 1e308), st.booleans()), min_size=1, max_size=6))
@example([(1.0, False), (np.nextafter(1.0, 2.0), True)])
@example([(-1.7e308, False), (1.7e308, True)])
@settings(max_examples=50, derandomize=True)
def test_a_threshold_separates_neighbours_however_close_or_far_they_are(rows):
    scores, truth = (np.array(column) for column in zip(*rows, strict=True))
    tuned = shared_threshold(scores, truth, criterion="accuracy")
    decided = scores >= tuned.thresholds["all"]
    assert (decided == truth).mean() == tuned.value


def test_the_threshold_lies_in_the_middle_of_the_widest_of_equally_good_gaps():
    scores, truth = [0.0, 0.1, 0.2, 0.9, 1.0], [0, 1, 0, 1, 1]
    assert shared_threshold(scores, truth, criterion="accuracy").thresholds["all"] == pytest.approx(0.55)


def test_of_equal_thresholds_the_best_for_the_worst_cohort_is_taken():
    # Mean - gap is 1/2 for the accuracies (2/3, 1) of the threshold 0.5 and for (1/2, 1/2) of all others; 5 has the widest gap.
    rows = [(9, True, "x"), (1, True, "x"), *[(0, True, "x"), (0, False, "x")] * 2, (1, True, "y"), (0, False, "y")]
    tuned = shared_threshold(*zip(*rows, strict=True))
    assert tuned.thresholds["x"] == 0.5
    assert tuned.value == pytest.approx(0.5)
    assert tuned.accuracy == {"x": 2 / 3, "y": 1.0}


def test_missing_cohorts_are_one_cohort():
    tuned = shared_threshold([0.2, 0.8], [0, 1])
    assert tuned.accuracy == {"all": 1.0}
    assert tuned.value == 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([], []), "at least one; got shapes"),
        (([0.1, 0.2], [0]), "one value a row"),
        (([0.1, np.nan], [0, 1]), "must be finite; 1 of 2"),
        (([0.1, 0.2], [-1, 1]), "must hold 0 and 1"),
        (([0.1, 0.2], [0, 1], ["a"]), "one value a row, 2"),
        (([0.1, 0.2], [0, 1], ["a", None]), "must have a cohort; 1 of 2"),
        (([0.1, 0.2], [0, 1], None, "gmean"), f"one of {', '.join(CRITERIA)}; got 'gmean'"),
        (([0.1, 0.2], [1, 1], None, "f1"), "F1 is undefined: there are no negative rows"),
        (([0.1, 0.2], [0, 0], None, "balanced_accuracy"), "no positive rows"),
        (
            ([0.1, 0.2], [1, 0], None, Criterion("recall_at_precision", 0.8)),
            "precision of 0.8 on these rows; the highest is 0.5",
        ),
    ],
)
def test_what_is_wrong_is_said(arguments, words):
    for tune in (shared_threshold, cohort_thresholds):
        with pytest.raises(ValueError, match=words):
            tune(*arguments)
