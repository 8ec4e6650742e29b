"""Decisions: who is decided for, when a decision is unsure, what a number carries."""

import math

import numpy as np
import pytest

from faceheads.prediction import decide, decided_positions, number


def test_the_second_of_two_classes_is_decided_from_the_threshold_on():
    second = np.array([0.29, 0.3, 0.31])
    assert decided_positions(np.stack([1 - second, second], axis=1), 0.3).tolist() == [0, 1, 1]


def test_of_more_classes_the_most_probable_is_decided():
    prediction = decide("race", ("a", "b", "c"), [[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]], math.nan, 0.0)
    assert list(prediction.value) == ["b", "a"]
    assert prediction.confidence.tolist() == [0.5, 0.6]
    assert prediction.probability_of("c").tolist() == [0.3, 0.3]
    with pytest.raises(ValueError, match="got 'd'"):
        prediction.probability_of("d")


def test_two_classes_are_unsure_near_the_threshold():
    second = np.array([0.15, 0.25, 0.35, 0.45])
    prediction = decide("gender", ("f", "m"), np.stack([1 - second, second], axis=1), 0.3, 0.2)
    assert prediction.is_unsure.tolist() == [False, True, True, False]


def test_more_classes_are_unsure_when_the_two_best_are_near():
    probabilities = [[0.55, 0.4, 0.05], [0.7, 0.2, 0.1], [0.9, 0.05, 0.05]]
    prediction = decide("race", ("a", "b", "c"), probabilities, math.nan, 0.2)
    assert prediction.is_unsure.tolist() == [True, False, False]


def test_a_number_has_no_classes_and_is_never_unsure():
    prediction = number("age", [30, 40.5], "years", 4.0)
    assert prediction.is_number
    assert prediction.value.tolist() == [30.0, 40.5]
    assert not prediction.is_unsure.any()
    assert np.isnan(prediction.confidence).all()
