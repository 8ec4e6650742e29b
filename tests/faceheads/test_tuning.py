"""Thresholds of heads, tuned out of fold."""

import dataclasses

import numpy as np
import pytest

from faceheads.fairness.chance import chance_gap
from faceheads.fairness.criterion import Criterion
from faceheads.fairness.optimum import cohort_thresholds, shared_threshold
from faceheads.fitted_head import CohortThresholds, Head
from faceheads.fitting import fit_head, predict_probabilities
from faceheads.heads import make_head
from faceheads.labels import LabelError
from faceheads.splits import grouped_folds
from faceheads.targets import Target
from faceheads.tuning import TrainingRows, Tuning, can_be_tuned, tune_thresholds

CRITERION = Target("criterion", "classification", ("criterion",), (0, 1))
BOTH = Target("attributes", "multilabel", ("glasses", "hat"), (0, 1))


def make(n_rows):
    return make_head("logistic", "classification", n_rows, 3)


def training_rows(n=300, seed=0):
    """Two photos a person, a rare class that cohorts have at different rates."""
    rng = np.random.default_rng(seed)
    groups = np.arange(n) // 2
    gender = np.where(rng.random(n // 2) < 0.5, "male", "female")[groups]
    y = (rng.random(n) < np.where(gender == "male", 0.1, 0.4)).astype(int)
    X = rng.normal(size=(n, 3)) + y[:, None] + (gender == "female")[:, None]
    return TrainingRows(X.astype(np.float32), y, groups, gender.astype(object), "gender")


def test_a_threshold_is_the_optimum_of_probabilities_by_heads_that_had_not_seen_the_person():
    rows = training_rows()
    found = tune_thresholds(CRITERION, make, rows, Tuning("mean_minus_gap"), seed=3)
    p = np.empty(len(rows.y))
    for train, test in grouped_folds(rows.groups, 5, 3):
        head = make(len(train))
        fit_head(head, rows.X[train], rows.y[train], rows.groups[train], 3)
        p[test] = head.predict_proba(rows.X[test])[:, 1]
    problem = (p, rows.y, rows.cohorts.astype(str))
    people = {name: len(set(rows.groups[rows.cohorts == name])) for name in ("female", "male")}
    limit = chance_gap(shared_threshold(*problem, "accuracy"), people)
    assert found.thresholds == (shared_threshold(*problem, Criterion(tolerance=limit)).thresholds["male"],)
    assert found.how.startswith("mean_minus_gap over 'gender' (a gap up to 0.0")
    assert found.how.endswith("on out-of-fold probabilities of 300 training rows")
    assert "errors for female" in found.remarks[0] and found.remarks[0].startswith("criterion: price of mean - gap")


def test_heads_out_of_fold_learn_with_the_weights_of_the_head():
    rows = training_rows()
    weighted = dataclasses.replace(rows, weights=np.where(rows.y == 1, 4.0, 1.0))
    plain, shifted = (tune_thresholds(CRITERION, make, r, Tuning("accuracy"), 0).thresholds for r in (rows, weighted))
    assert shifted[0] > plain[0] + 0.1


def test_rows_of_an_unknown_cohort_are_learned_from_and_not_compared():
    rows = training_rows()
    rows.cohorts[:40] = None
    found = tune_thresholds(CRITERION, make, rows, Tuning("minimum"), seed=0)
    assert found.how == "minimum over 'gender', on out-of-fold probabilities of 260 training rows"


def test_each_attribute_gets_its_own_threshold():
    rows = training_rows()
    y = np.stack([rows.y, (rows.X[:, 0] > 1).astype(int)], axis=1)
    both = TrainingRows(rows.X, y, rows.groups)

    def head(n_rows):
        return make_head("logistic", "multilabel", n_rows, 3)

    found = tune_thresholds(BOTH, head, both, Tuning("f1"), seed=0)
    p = np.empty(y.shape)
    for train, test in grouped_folds(rows.groups, 5, 0):
        fitted = head(len(train))
        fit_head(fitted, rows.X[train], y[train], rows.groups[train], 0)
        p[test] = predict_probabilities(fitted, rows.X[test], "multilabel")
    expected = [shared_threshold(p[:, k], y[:, k], criterion="f1").thresholds["all"] for k in (0, 1)]
    assert found.thresholds == tuple(expected)
    assert (found.how, found.remarks) == ("f1, on out-of-fold probabilities of 300 training rows", [])


def test_a_threshold_that_nothing_reaches_can_be_stored():
    rows = training_rows()
    worthless = TrainingRows(np.zeros_like(rows.X), rows.y, rows.groups)
    (threshold,) = tune_thresholds(CRITERION, make, worthless, Tuning("accuracy"), seed=0).thresholds
    assert 0 <= threshold <= np.nextafter(1.0, 2.0)


def test_what_can_be_tuned_is_decided_between_two_classes():
    assert can_be_tuned(CRITERION) and can_be_tuned(BOTH)
    assert not can_be_tuned(Target("age", "regression", ("age",)))
    assert not can_be_tuned(Target("race", "classification", ("race",), ("a", "b", "c")))


def test_what_is_wrong_is_said():
    rows = training_rows()
    plain = TrainingRows(rows.X, rows.y, rows.groups)
    with pytest.raises(ValueError, match="must be one of accuracy, .*; got 'gini'"):
        Tuning("gini")
    with pytest.raises(ValueError, match=r"min_precision must be in \(0, 1\]; got 2"):
        Tuning("recall_at_precision", 2)
    with pytest.raises(LabelError, match="minimum compares cohorts: name their label column with --cohort"):
        tune_thresholds(CRITERION, make, plain, Tuning("minimum"), 0)
    worthless = TrainingRows(np.zeros_like(rows.X), rows.y, rows.groups)
    with pytest.raises(LabelError, match="cannot be tuned: No threshold reaches a precision of 0.9 "):
        tune_thresholds(CRITERION, make, worthless, Tuning("recall_at_precision"), 0)
    nobody = TrainingRows(rows.X, rows.y, rows.groups, np.full(300, None, object), "gender")
    with pytest.raises(LabelError, match="needs rows whose 'gender' is known"):
        tune_thresholds(CRITERION, make, nobody, Tuning("minimum"), 0)
    with pytest.raises(LabelError, match="all training rows belong to one"):
        tune_thresholds(CRITERION, make, TrainingRows(rows.X, rows.y, np.zeros(300, int)), Tuning("f1"), 0)
    rare = TrainingRows(rows.X, (rows.groups == 0).astype(int), rows.groups)
    with pytest.raises(LabelError, match="criterion: a class is missing from a fold"):
        tune_thresholds(CRITERION, make, rare, Tuning("f1"), 0)


def test_each_cohort_gets_its_own_threshold_and_what_predicting_it_loses_is_told():
    rows = training_rows(600)
    target = Target("gender", "classification", ("gender",), ("female", "male"))
    gender = Head(target, "logistic", make(600), settings={"c_times_dimension": 0.01})
    tuning = Tuning("mean_minus_gap", per_cohort=True)
    found = tune_thresholds(CRITERION, make, rows, tuning, 0, gender)
    p, p_male = np.empty(600), np.empty(600)
    for train, test in grouped_folds(rows.groups, 5, 0):
        is_male = (rows.cohorts == "male").astype(int)
        for y, result, settings in ((rows.y, p, {}), (is_male, p_male, gender.settings)):
            head = make_head("logistic", "classification", len(train), 3, settings=settings)
            fit_head(head, rows.X[train], y[train], rows.groups[train], 0)
            result[test] = head.predict_proba(rows.X[test])[:, 1]
    cohorts = rows.cohorts.astype(str)
    people = {name: len(set(rows.groups[cohorts == name])) for name in ("female", "male")}
    limit = chance_gap(cohort_thresholds(p, rows.y, cohorts, "accuracy"), people)
    expected = cohort_thresholds(p, rows.y, cohorts, Criterion(tolerance=limit))
    assert found.by_cohort == CohortThresholds("gender", tuple(expected.thresholds[n] for n in ("female", "male")))
    assert found.by_cohort.values[0] != found.by_cohort.values[1]
    decided = p >= (1 - p_male) * found.by_cohort.values[0] + p_male * found.by_cohort.values[1]
    reached = 100 * (decided == rows.y)[cohorts == "male"].mean()
    assert f"{reached:.2f} % for male ({100 * expected.accuracy['male']:.2f} % known)" in found.remarks[-1]
    assert f"rightly for {100 * ((p_male >= 0.5) == (cohorts == 'male')).mean():.1f} %" in found.remarks[-1]
    assert "one for each 'gender' as predicted" in found.how
    rows.cohorts[:] = np.where(np.arange(600) < 40, "female", "male")
    with pytest.raises(LabelError, match="'gender' must have 50 training rows .* got {'female': 40, 'male': 560}"):
        tune_thresholds(CRITERION, make, rows, tuning, 0, gender)
    with pytest.raises(LabelError, match="exist for single targets only"):
        tune_thresholds(BOTH, make, rows, tuning, 0, gender)
