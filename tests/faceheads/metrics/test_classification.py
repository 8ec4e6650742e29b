"""Classification metrics against scikit-learn and plain loops, with and without weights of draws."""

import math

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from faceheads.metrics import (
    GroupBootstrap,
    attribute_metrics,
    classification_metrics,
    majority_probabilities,
    mean_over_attributes,
    wilson_interval,
)


def problem(seed, n_classes, n_rows=80, n_groups=25):
    """True classes, scores with ties, and groups."""
    rng = np.random.default_rng(seed)
    y = np.r_[np.arange(n_classes), rng.integers(0, n_classes, n_rows - n_classes)]
    scores = rng.random((n_rows, n_classes)) + 0.5 * np.eye(n_classes)[y]
    scores = np.round(scores / scores.sum(axis=1, keepdims=True), 1)
    return y, scores, rng.integers(0, n_groups, n_rows)


def values_of_scikit_learn(y, decided, scores):
    columns = [1] if scores.shape[1] == 2 else range(scores.shape[1])
    areas = [
        (reference.roc_auc_score(y == c, scores[:, c]), reference.average_precision_score(y == c, scores[:, c]))
        for c in columns
    ]
    each = {"average": None, "zero_division": np.nan, "labels": list(columns)}
    return {
        "accuracy": reference.accuracy_score(y, decided),
        "balanced_accuracy": reference.balanced_accuracy_score(y, decided),
        "macro_f1": reference.f1_score(y, decided, average="macro"),
        "precision": reference.precision_score(y, decided, **each).mean(),
        "recall": reference.recall_score(y, decided, **each).mean(),
        "roc_auc": np.mean([area for area, _ in areas]),
        "pr_auc": np.mean([area for _, area in areas]),
        **errors_in_plain_loops(y, scores),
    }


def errors_in_plain_loops(y, scores):
    """Brier score, halved for two classes as scikit-learn's, and the calibration error bin by bin."""
    n_classes, distances, bins = scores.shape[1], [], {}
    for truth, row in zip(y, scores, strict=True):
        distances.append(sum((p - (c == truth)) ** 2 for c, p in enumerate(row)) / (2 if n_classes == 2 else 1))
        bins.setdefault(math.ceil(max(row) * 15), []).append((max(row), list(row).index(max(row)) == truth))
    error = 0.0
    for members in bins.values():
        confidence = sum(p for p, _ in members) / len(members)
        share_right = sum(is_right for _, is_right in members) / len(members)
        error += abs(share_right - confidence) * len(members) / len(y)
    return {"brier": sum(distances) / len(y), "ece": error}


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), n_classes=st.integers(2, 5))
def test_values_are_scikit_learns(seed, n_classes):
    y, scores, groups = problem(seed, n_classes)
    decided = scores.argmax(axis=1)
    results = classification_metrics(y, decided, scores, GroupBootstrap(groups, n_resamples=2))
    for name, expected in values_of_scikit_learn(y, decided, scores).items():
        assert results[name].value == pytest.approx(expected), name


@pytest.mark.parametrize("n_classes", [2, 4])
def test_every_draw_is_scikit_learns_value_on_the_drawn_rows(n_classes):
    y, scores, groups = problem(7, n_classes)
    decided = scores.argmax(axis=1)
    draws = GroupBootstrap(groups, n_resamples=20, seed=3)
    results = classification_metrics(y, decided, scores, draws)
    for number, counts in enumerate(np.concatenate(list(draws.counts()))):
        rows = np.repeat(np.arange(len(y)), counts[draws.group_of_row].astype(int))
        for name, expected in values_of_scikit_learn(y[rows], decided[rows], scores[rows]).items():
            assert results[name].replicates[number] == pytest.approx(expected, nan_ok=True), name


def test_the_auc_is_the_share_of_ordered_pairs():
    y, scores, groups = problem(3, 2)
    pairs = [(p, n) for p in scores[y == 1, 1] for n in scores[y == 0, 1]]
    share = sum(1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs) / len(pairs)
    results = classification_metrics(y, y, scores, GroupBootstrap(groups, n_resamples=2))
    assert results["roc_auc"].value == pytest.approx(share)


def test_a_wrong_prediction_lowers_the_macro_f1():
    y = np.repeat([0, 1, 2], 10)
    draws = GroupBootstrap(np.arange(30), n_resamples=2)
    scores = np.eye(3)[y]
    wrong = y.copy()
    wrong[0] = 2
    perfect = classification_metrics(y, y, scores, draws)["macro_f1"].value
    assert perfect == 1
    assert classification_metrics(y, wrong, scores, draws)["macro_f1"].value < perfect


def test_a_class_without_rows_is_left_out_of_means_and_named():
    y = np.array([0, 1, 0, 1] * 10)
    scores = np.tile([0.5, 0.3, 0.2], (40, 1))
    results = classification_metrics(y, scores.argmax(axis=1), scores, GroupBootstrap(np.arange(40)))
    assert results["balanced_accuracy"].value == 0.5
    assert "1 of 3 classes have no rows" in results["balanced_accuracy"].note
    assert "1 of 3 classes have no rows" in results["roc_auc"].note


def test_with_one_class_only_the_accuracy_is_defined():
    y = np.zeros(30, int)
    results = classification_metrics(y, y, np.tile([0.9, 0.1], (30, 1)), GroupBootstrap(np.arange(30)))
    assert results["accuracy"].value == 1
    assert results["brier"].value == pytest.approx(0.01)
    assert results["ece"].value == pytest.approx(0.1)
    for name in ("balanced_accuracy", "macro_f1", "recall", "roc_auc", "pr_auc"):
        estimate = results[name].estimate()
        assert math.isnan(estimate.value)
        assert "1 of 2 classes have no rows" in estimate.note


def test_the_majority_baseline_decides_for_the_most_frequent_class_of_training():
    probabilities = majority_probabilities(np.array([0, 1, 1, 2]), 4, 3)
    assert probabilities.tolist() == [[0.25, 0.5, 0.25, 0.0]] * 3
    y = np.array([0, 1, 2] * 10)
    scores = majority_probabilities(np.array([0, 1, 1, 2]), 3, 30)
    results = classification_metrics(y, scores.argmax(axis=1), scores, GroupBootstrap(np.arange(30)))
    assert results["accuracy"].value == pytest.approx(1 / 3)
    assert results["balanced_accuracy"].value == pytest.approx(1 / 3)
    assert results["roc_auc"].value == 0.5


def test_the_precision_of_a_class_that_is_never_decided_is_undefined_and_says_so():
    for n_classes in (2, 3):
        y = np.arange(30) % n_classes
        probabilities = np.tile(np.eye(n_classes)[0], (30, 1))
        results = classification_metrics(y, np.zeros(30, int), probabilities, GroupBootstrap(np.arange(30)))
        estimate = results["precision"].estimate()
        assert math.isnan(estimate.value)
        assert f"{n_classes - 1} of {n_classes} classes are never decided" in estimate.note


def test_a_perfect_recall_has_wilsons_interval_on_the_groups_of_its_class():
    y = np.repeat([0, 1], [80, 20])
    results = classification_metrics(y, y, np.eye(2)[y], GroupBootstrap(np.arange(100)))
    estimate = results["recall"].estimate()
    assert (estimate.low, estimate.high) == wilson_interval(1.0, 20)


def test_attributes_are_measured_one_by_one_and_averaged():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (60, 3))
    p = np.clip(truth * 0.4 + rng.random((60, 3)) * 0.6, 0, 1)
    draws = GroupBootstrap(np.arange(60), n_resamples=10)
    results = attribute_metrics(truth, p, draws, np.array([0.5, 0.5, 0.9]))
    for column, threshold in enumerate((0.5, 0.5, 0.9)):
        expected = (truth[:, column] == (p[:, column] >= threshold)).mean()
        assert results[column]["accuracy"].value == pytest.approx(expected)
        assert results[column]["roc_auc"].value == pytest.approx(
            reference.roc_auc_score(truth[:, column], p[:, column])
        )
    means = mean_over_attributes(results)
    assert means["accuracy"].value == pytest.approx(np.mean([r["accuracy"].value for r in results]))


def test_wrong_shapes_and_classes_are_refused():
    draws = GroupBootstrap(np.arange(4))
    scores = np.ones((4, 2))
    with pytest.raises(ValueError, match="4 rows of the groups"):
        classification_metrics(np.zeros(3, int), np.zeros(4, int), scores, draws)
    with pytest.raises(ValueError, match="y_true must lie in 0 … 1"):
        classification_metrics(np.array([0, 1, 2, 0]), np.zeros(4, int), scores, draws)


def test_draws_without_a_class_are_undefined_rather_than_zero():
    y = np.r_[np.zeros(20, int), np.ones(20, int), 2]
    draws = GroupBootstrap(np.arange(41), n_resamples=200)
    decided = np.r_[2, y[1:]]
    results = classification_metrics(y, decided, np.eye(3)[y], draws)
    lacks_class = np.concatenate(list(draws.counts()))[:, 40] == 0
    assert 0 < lacks_class.sum() < 200
    for name in ("balanced_accuracy", "macro_f1", "recall", "roc_auc", "pr_auc"):
        assert np.array_equal(np.isnan(results[name].replicates), lacks_class), name
        assert "of the draws" in results[name].estimate().note
