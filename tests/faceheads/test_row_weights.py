"""Weights of training rows: what they make equal, and what they leave as it was."""

import numpy as np
import pandas as pd
import pytest

from faceheads.labels import LabelError
from faceheads.row_weights import reweighing, row_weights
from faceheads.targets import Target

GENDER = Target("gender", "classification", ("gender",), ("female", "male"))
RNG = np.random.default_rng(0)
COHORTS = pd.Categorical(RNG.choice(["a", "b", "c"], 400, p=[0.6, 0.3, 0.1]))
Y = (RNG.random(400) < np.array([0.2, 0.5, 0.7])[COHORTS.codes]).astype(int)


def test_the_class_is_as_frequent_in_every_cohort_and_margins_stay():
    weights = reweighing(Y, COHORTS)
    shares = [np.average(Y[COHORTS == name], weights=weights[COHORTS == name]) for name in "abc"]
    assert shares == pytest.approx([Y.mean()] * 3)
    for name in "abc":
        assert weights[COHORTS == name].sum() == pytest.approx((COHORTS == name).sum())
    assert weights.sum() == pytest.approx(400)


def test_the_weights_are_those_of_the_paper():
    """Table 5 of Kamiran and Calders 2012: 10 people; the weights of the four cells are 0.75, 1.5, 0.67 and 2."""
    sex = pd.Categorical(list("MMMMMFFFFF"))
    granted = np.array([1, 1, 1, 1, 0, 0, 0, 1, 1, 0])
    expected = {("M", 1): 0.75, ("M", 0): 2.0, ("F", 1): 1.5, ("F", 0): 2 / 3}
    got = reweighing(granted, sex)
    assert got == pytest.approx([expected[pair] for pair in zip(sex, granted, strict=True)])


def test_rows_of_unknown_cohort_keep_their_weight():
    some = COHORTS.set_categories(["a", "b"])
    weights = reweighing(Y, some)
    assert (weights[some.codes < 0] == 1).all()
    assert weights[some.codes >= 0] == pytest.approx(reweighing(Y[some.codes >= 0], some[some.codes >= 0]))


def test_a_class_that_a_cohort_lacks_is_explained():
    with pytest.raises(LabelError, match="a class never occurs in c"):
        reweighing(np.where(COHORTS == "c", 1, Y), COHORTS)


def test_balanced_classes_have_equal_weight_within_every_cohort():
    weights, remarks = row_weights(GENDER, Y, "balanced", COHORTS, "race")
    assert np.average(Y, weights=weights) == pytest.approx(0.5)
    for name in "abc":
        assert np.average(Y[COHORTS == name], weights=weights[COHORTS == name]) == pytest.approx(0.5)
    assert remarks[0].startswith("gender: training rows weigh 0.")
    assert "independent of race" in remarks[0]


def test_numbers_and_the_cohort_itself_are_not_reweighed():
    age = Target("age", "regression", ("age",), unit="years")
    weights, (remark,) = row_weights(age, Y.astype(float), None, COHORTS, "race")
    assert weights is None
    assert "a number has no classes" in remark
    assert row_weights(age, Y.astype(float), "balanced", None, "") == (None, [])
    weights, (remark,) = row_weights(GENDER, Y, None, COHORTS, "gender")
    assert weights is None
    assert remark == "gender: it is what the cohorts are made of, so its rows are not reweighed"


def test_attributes_that_share_their_rows_are_refused():
    several = Target("attributes", "multilabel", ("a", "b"), (0, 1))
    with pytest.raises(LabelError, match="Name single attributes"):
        row_weights(several, np.zeros((400, 2), int), "balanced", None, "")
