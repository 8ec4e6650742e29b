"""Raw outputs of heads become decisions with texts."""

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.annotate import (
    Decision,
    FaceDecisions,
    decisions,
    describe,
    describe_attribute,
    describe_attributes,
    names,
    records,
    text,
)
from features.face import Face

FACE = Face([10, 20, 60, 70], 1.0, "hog")


@pytest.mark.parametrize("module", [decisions, names, records, text], ids=lambda m: m.__name__)
def test_the_examples_in_docstrings_run(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    ("probabilities", "text"),
    [
        ({"male": 0.03, "female": 0.97}, "female 97 %"),
        ({"male": 0.60, "female": 0.40}, "male 60 %"),
        ({"male": 0.599, "female": 0.401}, "gender unsure"),
        ({"male": 1.0, "female": 0.0}, "male 100 %"),
        ({"male": 0.999, "female": 0.001}, "male >99 %"),
        ({"person": 0.004}, "person <1 %"),
    ],
)
def test_classes_are_named_with_their_probability_unless_rivals_are_close(probabilities, text):
    decision = describe("gender", probabilities, margin=0.199)
    assert decision.text == text
    assert decision.is_unsure == text.endswith("unsure")


def test_an_unsure_decision_keeps_its_class_and_probabilities():
    decision = describe("race", {"White": 0.3, "Black": 0.36, "Asian": 0.34})
    assert (decision.predicted, decision.is_unsure) == ("Black", True)
    assert decision.probabilities == {"White": 0.3, "Black": 0.36, "Asian": 0.34}


def test_a_margin_of_zero_is_never_unsure():
    assert describe("gender", {"male": 0.5, "female": 0.5}, margin=0).text == "male 50 %"


def test_the_heads_own_threshold_and_judgement_win():
    decision = describe("blond", {"yes": 0.3, "no": 0.7}, predicted="yes", is_unsure=False)
    assert decision.text == "yes 30 %"
    assert describe("blond", {"yes": 0.9, "no": 0.1}, is_unsure=True).text == "blond unsure"


@pytest.mark.parametrize(
    ("value", "error", "unit", "text"),
    [
        (34.2, 5.7, "", "age 34 ± 6"),
        (34.2, 5.7, "years", "age 34 ± 6 years"),
        (34.2, 0.57, "", "age 34.2 ± 0.6"),
        (0.1234, 0.01, "", "age 0.12 ± 0.01"),
        (1234.0, 120.0, "", "age 1234 ± 120"),
        (34.26, None, "", "age 34.3"),
        (34.26, 0.0, "", "age 34.3 ± 0"),
        (1234.5, None, "", "age 1234"),
        (0.0012345, None, "", "age 0.00123"),
        (30.0, None, "", "age 30"),
        (0.0, None, "", "age 0"),
        (-0.4, 5.0, "", "age 0 ± 5"),
    ],
)
def test_numbers_have_the_digits_that_their_error_leaves_meaningful(value, error, unit, text):
    decision = describe("age", value, error=error, unit=unit)
    assert decision.text == text
    assert (decision.value, decision.error, decision.predicted, decision.is_unsure) == (value, error, None, False)


def test_attributes_are_read_as_the_original_drew_them():
    # the first row of the original's ellen-selfie.csv: drawn as "White Female" in 2018
    row = {"Male": 0.496219624887, "Asian": 0.000496296274384, "White": 0.955557740398, "Black": 0.00355620945753}
    race, gender = describe_attributes(row, margin=0)
    assert (race.predicted, gender.predicted) == ("White", "Female")
    assert describe_attributes(row)[1].text == "gender unsure"
    assert describe_attributes(row)[0].text == "White 96 %"


def test_a_probability_of_one_half_is_male_as_in_the_original():
    assert describe_attribute("Male", 0.5, margin=0).predicted == "Male"
    assert describe_attribute("Male", math.nextafter(0.5, 0), margin=0).predicted == "Female"


def test_other_attributes_are_there_or_not():
    shown = describe_attributes({"Smiling": 0.93, "Asian": 0.02, "Bald": 0.45}, ["Smiling", "Asian", "Bald"])
    assert [d.text for d in shown] == ["Smiling 93 %", "no Asian 98 %", "Bald unsure"]


def test_an_attribute_that_the_head_does_not_have_is_named():
    with pytest.raises(ValueError, match="Hat"):
        describe_attributes({"Male": 0.5}, ["Male", "Hat"])


@given(st.dictionaries(st.text(min_size=1), st.floats(0, 1), min_size=1, max_size=5), st.floats(0, 1))
def test_the_class_is_the_most_probable_and_unsure_exactly_below_the_margin(probabilities, margin):
    decision = describe("task", probabilities, margin=margin)
    ordered = sorted(probabilities.values())
    assert probabilities[decision.predicted] == ordered[-1]
    assert decision.is_unsure == (len(ordered) > 1 and ordered[-1] - ordered[-2] < margin)


@given(st.floats(0, 1))
def test_a_percentage_is_within_half_a_percent_and_certain_only_when_it_is(probability):
    shown = decisions.percent(probability)
    assert (shown == "100 %") == (probability == 1)
    assert (shown == "0 %") == (probability == 0)
    if shown[0] not in "<>":
        assert abs(int(shown.removesuffix(" %")) - 100 * probability) <= 0.5


@pytest.mark.parametrize(
    "make",
    [
        lambda: Decision("", "text"),
        lambda: Decision("gender", "x", probabilities={"male": 1.2}),
        lambda: Decision("gender", "x", probabilities={"male": math.nan}),
        lambda: Decision("gender", "x", probabilities={"male": 1.0}, predicted="female"),
        lambda: Decision("age", "x", value=math.inf),
        lambda: Decision("age", "x", value=1.0, error=math.nan),
        lambda: describe("gender", {}),
        lambda: describe("gender", {"male": 1.0}, predicted="female"),
        lambda: describe("age", math.nan),
        lambda: FaceDecisions(FACE, (Decision("age", "a"), Decision("age", "b"))),
        lambda: FaceDecisions(FACE, (), {"Male": -0.1}),
    ],
)
def test_what_makes_no_sense_is_refused(make):
    with pytest.raises(ValueError, match="must|may"):
        make()
