from pathlib import Path

import pandas as pd
import pytest

from faceheads.datasets import Dataset, Problem
from faceheads.datasets.base import assemble, label_frame


def labels(**ages):
    return label_frame([f"{name}.jpg" for name in ages], {"age": list(ages.values())})


def test_labels_join_images_by_path_and_not_by_position():
    dataset = assemble("x", Path(), ["b.jpg", "a.jpg"], {"list": labels(b=2, a=1)})
    assert dataset.images == ("a.jpg", "b.jpg")
    assert dataset.labels["age"].to_dict() == {"a.jpg": 1, "b.jpg": 2}
    assert dataset.labels.index.name == "path"
    assert dataset.problems == ()


def test_a_labelled_file_that_is_missing_and_an_image_without_a_label_are_problems():
    dataset = assemble("x", Path(), ["a.jpg", "b.jpg"], {"ages.csv": labels(a=1, c=3)})
    assert dataset.problems == (
        Problem("c.jpg", "labelled in ages.csv, but there is no such file"),
        Problem("b.jpg", "not labelled in ages.csv"),
    )
    assert list(dataset.labels.index) == ["a.jpg"]
    assert dataset.images == ("a.jpg", "b.jpg")


def test_rows_that_repeat_a_path_become_one_and_what_they_disagree_on_is_missing():
    frame = label_frame(
        ["a.jpg", "a.jpg", "b.jpg", "b.jpg"], {"age": [1, 2, 3, 3], "gender": ["male", "male", "female", "female"]}
    )
    dataset = assemble("x", Path(), ["a.jpg", "b.jpg"], {"list": frame})
    assert dataset.labels["age"].isna().to_dict() == {"a.jpg": True, "b.jpg": False}
    assert dataset.labels["gender"].to_dict() == {"a.jpg": "male", "b.jpg": "female"}
    assert dataset.problems == (
        Problem("a.jpg", "listed more than once in list with different age: set to missing"),
        Problem("b.jpg", "listed more than once in list with the same values"),
    )


def test_labels_of_which_none_has_an_image_are_an_error_that_shows_both_sides():
    with pytest.raises(
        ValueError, match=r"none of 1 does, for example 'z\.jpg'\. It holds 1 images, such as 'a\.jpg'"
    ):
        assemble("x", Path("photos"), ["a.jpg"], {"list": labels(z=1)})


def test_two_lists_are_joined_and_each_gap_is_named():
    genders = label_frame(["a.jpg"], {"gender": ["male"]})
    dataset = assemble("x", Path(), ["a.jpg", "b.jpg"], {"ages": labels(a=1, b=2), "genders": genders})
    assert dataset.labels["age"].tolist() == [1, 2]
    assert dataset.labels["gender"].isna().tolist() == [False, True]
    assert dataset.problems == (Problem("b.jpg", "not labelled in genders"),)


def test_without_lists_there_are_no_labels():
    assert assemble("x", Path(), ["a.jpg"], {}).labels is None


def test_whole_numbers_stay_whole_when_every_image_has_one():
    assert assemble("x", Path(), ["a.jpg"], {"list": labels(a=1)}).labels["age"].dtype.kind == "i"


def test_the_problem_table_has_a_row_for_every_problem():
    dataset = assemble("x", Path(), ["a.jpg", "b.jpg"], {"list": labels(a=1)})
    assert dataset.problem_table.to_dict("records") == [{"path": "b.jpg", "what": "not labelled in list"}]
    assert list(assemble("x", Path(), [], {}).problem_table.columns) == ["path", "what"]


@pytest.mark.parametrize("images", [("b.jpg", "a.jpg"), ("a.jpg", "a.jpg")])
def test_images_out_of_order_or_repeated_are_refused(images):
    with pytest.raises(ValueError, match="sorted and each listed once"):
        Dataset("x", Path(), images, None)


def test_labels_without_their_image_are_refused():
    with pytest.raises(ValueError, match=r"do not: \['b\.jpg'\]"):
        Dataset("x", Path(), ("a.jpg",), labels(b=1))


def test_labels_without_a_key_are_refused():
    with pytest.raises(ValueError, match="unique index named 'path'"):
        Dataset("x", Path(), ("a.jpg",), pd.DataFrame({"age": [1]}, index=["a.jpg"]))
