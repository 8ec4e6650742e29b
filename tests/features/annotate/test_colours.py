"""Colours can be told apart and text on them can be read."""

import itertools

import pytest

from features.annotate import Decision, describe
from features.annotate.colours import GRAY, PALETTE, contrast_ratio, face_colour, relative_luminance, text_colour
from tests.features.annotate.scenes import age, face, gender

BOX = [0, 0, 10, 10]


def test_the_palette_is_that_of_okabe_and_ito():
    # https://jfly.uni-koeln.de/color/: the eight colours as printed there, less black
    published = {"#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}
    assert {"#" + bytes(colour).hex().upper() for colour in PALETTE} == published


@pytest.mark.parametrize(
    ("a", "b", "ratio"),
    [
        ((0, 0, 0), (255, 255, 255), 21.0),  # by definition
        ((118, 118, 118), (255, 255, 255), 4.54),  # the well-known lightest gray that passes AA on white, #767676
        ((119, 119, 119), (255, 255, 255), 4.48),  # and the first that does not, #777777
        ((255, 0, 0), (255, 255, 255), 4.0),  # WebAIM's contrast checker, 3.998
    ],
)
def test_contrast_ratios_are_those_of_the_guidelines(a, b, ratio):
    assert contrast_ratio(a, b) == pytest.approx(ratio, abs=0.005)
    assert contrast_ratio(a, b) == contrast_ratio(b, a)


@pytest.mark.parametrize("colour", [*PALETTE, GRAY])
def test_text_on_every_colour_has_the_contrast_that_the_guidelines_ask_for(colour):
    assert contrast_ratio(colour, text_colour(colour)) >= 4.5  # WCAG 2.1, level AA


def test_the_colours_of_two_classes_differ_in_gray():
    assert abs(relative_luminance(PALETTE[0]) - relative_luminance(PALETTE[1])) > 0.2
    assert text_colour(PALETTE[0]) != text_colour(PALETTE[1])


def test_a_class_has_one_colour_and_other_classes_others():
    a, b = face_colour(face(BOX, gender(0.1))), face_colour(face(BOX, gender(0.9)))
    assert face_colour(face(BOX, gender(0.05))) == a
    assert len({a, b, GRAY}) == 3


def test_the_first_decision_with_classes_gives_the_colour():
    assert face_colour(face(BOX, age(), gender(0.9))) == face_colour(face(BOX, gender(0.9)))
    assert face_colour(face(BOX, age())) == PALETTE[0]
    assert face_colour(face(BOX, Decision("note", "seen", predicted="seen"))) == PALETTE[0]
    assert face_colour(face(BOX, Decision("name", "unknown", predicted="unknown"))) == GRAY
    assert (
        face_colour(face(BOX, Decision("person", "person 9", predicted="person 9", palette_position=8))) == PALETTE[1]
    )


def test_what_is_unsure_or_unknown_is_gray():
    assert face_colour(face(BOX, gender(0.5), age())) == GRAY
    assert face_colour(face(BOX)) == GRAY


def test_more_classes_than_colours_start_again():
    names = [f"class {i}" for i in range(9)]
    colours = [face_colour(face(BOX, describe("t", {n: float(n == one) for n in names}))) for one in names]
    assert colours[:7] == list(PALETTE)
    assert all(a != b for a, b in itertools.pairwise(colours))
