"""What heads predict for many faces becomes the decisions about one."""

import numpy as np
import pytest

from faceheads.prediction import decide, number
from features.annotate import decide_face
from features.face import Face

FACE = Face([10, 20, 60, 70], 1.0, "hog")
GENDER = decide("gender", ("female", "male"), np.array([[0.9, 0.1], [0.45, 0.55]]), 0.5, 0.2)
AGE = number("age", np.array([34.2, 7.0]), "years", 5.7)


def attribute(name, *probabilities, threshold=0.5, classes=(0, 1)):
    p = np.array(probabilities)
    return decide(name, classes, np.stack([1 - p, p], axis=1), threshold, 0.2)


def texts(face):
    return [d.text for d in face.decisions]


def test_classes_and_numbers_are_described_row_by_row():
    assert texts(decide_face(FACE, [GENDER, AGE], 0)) == ["female 90 %", "age 34 ± 6"]
    assert texts(decide_face(FACE, [GENDER, AGE], 1)) == ["gender unsure", "age 7 ± 6"]


def test_only_what_is_asked_for_is_drawn():
    assert texts(decide_face(FACE, [GENDER, AGE], 0, ["age"])) == ["age 34 ± 6"]


def test_the_threshold_of_the_head_decides_rather_than_one_half():
    (decision,) = decide_face(FACE, [attribute("Smiling", 0.3, threshold=0.1)], 0).decisions
    assert decision.predicted == "Smiling"
    assert decision.text == "Smiling 30 %"
    (decision,) = decide_face(FACE, [attribute("Smiling", 0.11, threshold=0.1)], 0).decisions
    assert decision.is_unsure


def test_the_class_that_the_head_decided_on_is_drawn_though_another_is_more_probable():
    careful = decide("gender", ("female", "male"), np.array([[0.6, 0.4]]), 0.2, 0.2)
    assert texts(decide_face(FACE, [careful], 0)) == ["male 40 %"]


@pytest.mark.parametrize("classes", [(0, 1), (-1, 1), (False, True)])
def test_a_target_of_two_codes_is_an_attribute(classes):
    face = decide_face(FACE, [attribute("blond", 0.05, classes=classes)], 0)
    assert texts(face) == ["no blond 95 %"]
    assert face.attributes == {"blond": pytest.approx(0.05)}


def test_the_originals_four_attributes_are_drawn_of_many_and_all_are_kept():
    values = {"Bald": 0.1, "Male": 0.9, "Asian": 0.2, "White": 0.7, "Black": 0.1, "Smiling": 0.8}
    face = decide_face(FACE, [attribute(name, p) for name, p in values.items()], 0)
    assert texts(face) == ["White 70 %", "Male 90 %"]
    assert face.attributes == {name: pytest.approx(p) for name, p in values.items()}


def test_of_many_other_attributes_the_first_four_are_drawn():
    face = decide_face(FACE, [attribute(f"a{i}", 0.9) for i in range(9)], 0)
    assert texts(face) == [f"a{i} 90 %" for i in range(4)]
    assert len(face.attributes) == 9


def test_attributes_do_not_take_the_place_of_a_target_of_the_same_name():
    face = decide_face(FACE, [GENDER, attribute("Male", 0.9)], 0)
    assert [d.task for d in face.decisions] == ["gender", "gender attribute"]


def test_a_number_without_a_known_error_is_drawn_without_one():
    assert texts(decide_face(FACE, [number("height", np.array([1.8]), "m", np.nan)], 0)) == ["height 1.8 m"]


def test_a_target_that_no_head_predicts_is_named():
    with pytest.raises(ValueError, match="hat"):
        decide_face(FACE, [GENDER], 0, ["hat"])
