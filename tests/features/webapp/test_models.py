import pytest

from faceheads.identification.thresholds import default_threshold_path
from features.annotate.cli import default_heads
from features.webapp.models import SHIPPED, SHIPPED_THRESHOLD, Catalogue


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue.load([default_heads(), default_heads()], [default_threshold_path()], ["dlib"])


def test_what_ships_and_what_was_named_can_be_chosen(catalogue):
    assert [choice.name for choice in catalogue.heads] == [SHIPPED, "default_heads.skops", "default_heads.skops (2)"]
    names = [choice.name for choice in catalogue.comparisons]
    assert names == ["dlib_threshold.json", SHIPPED_THRESHOLD, "dlib, similarity only"]
    assert [choice.is_shipped for choice in catalogue.heads] == [True, False, False]


def test_an_unknown_name_is_the_first_choice(catalogue):
    assert catalogue.head("nobody") is catalogue.heads[0]
    assert catalogue.comparison(["dlib"]) is catalogue.comparisons[0]
    assert catalogue.comparison(SHIPPED_THRESHOLD) is catalogue.comparisons[1]


def test_faces_are_grouped_only_by_what_has_a_threshold(catalogue):
    assert [choice.name for choice in catalogue.groupings] == ["dlib_threshold.json", SHIPPED_THRESHOLD]
    assert catalogue.groupings[0].grouping_threshold > catalogue.groupings[0].file.threshold


def test_every_choice_looks_at_all_faces_and_takes_no_photo_whole(catalogue):
    assert {(config.faces, config.no_face) for config in catalogue.configs} == {("all", "skip")}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": ["nowhere.skops"]}, "There is no head file at nowhere.skops"),
        ({"thresholds": ["nowhere.json"]}, "There is no readable threshold file at nowhere.json"),
        ({"embedders": ["nowhere"]}, "--embedder must be one of"),
    ],
)
def test_what_cannot_be_offered_is_told_at_once(options, message):
    from pathlib import Path

    values = {"heads": [], "thresholds": [], "embedders": [], **options}
    values["heads"], values["thresholds"] = map(Path, values["heads"]), map(Path, values["thresholds"])
    with pytest.raises(ValueError, match=message):
        Catalogue.load(**values)
