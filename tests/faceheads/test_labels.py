"""Labels join by key, never by position; what does not fit is an error that names examples."""

import numpy as np
import pandas as pd
import pytest

from faceheads.labels import LabelError, default_label_path, labels_for, read_labels, write_labels
from tests.tables import small_table


def frame(**columns):
    paths = columns.pop("path")
    return pd.DataFrame(columns, index=pd.Index(paths, name="path", dtype=object))


def test_shuffled_labels_join_the_same_rows():
    table = small_table().usable
    labels = frame(path=["a/one.jpg", "a/two.jpg", "c.PNG"], age=[1, 2, 3])
    straight = labels_for(table, labels)
    shuffled = labels_for(table, labels.iloc[[2, 0, 1]])
    assert list(straight["age"]) == [1, 2, 2, 3]
    pd.testing.assert_frame_equal(straight, shuffled)


def test_a_key_of_a_second_face_wins_over_its_path():
    labels = frame(path=["a/one.jpg", "a/two.jpg", "a/two.jpg#2", "c.PNG"], age=[1, 2, 20, 3])
    assert list(labels_for(small_table().usable, labels)["age"]) == [1, 2, 20, 3]


def test_missing_labels_name_examples_from_both_sides():
    labels = frame(path=["one.jpg", "two.jpg"], age=[1, 2])
    with pytest.raises(LabelError, match=r"4 of 4 rows .*'a/one.jpg'.*2 of 2 labels match no row.*'one.jpg'"):
        labels_for(small_table().usable, labels)


def test_missing_labels_become_missing_values_when_allowed():
    labels = frame(path=["c.PNG"], age=[3.0], sex=["f"])
    matched = labels_for(small_table().usable, labels, allow_missing=True)
    assert list(matched["age"].isna()) == [True, True, True, False]
    assert list(matched["sex"].isna()) == [True, True, True, False]


def test_a_key_that_occurs_twice_is_refused(tmp_path):
    (tmp_path / "l.csv").write_text("path,age\na.jpg,1\nb.jpg,2\na.jpg,1\n")
    with pytest.raises(LabelError, match=r"several times: \['a.jpg'\]"):
        read_labels(tmp_path / "l.csv")


def test_the_original_label_file_is_read(tmp_path):
    (tmp_path / "label.csv").write_text(",Male,Asian\nA/A_1.jpg,1.0,0.0\nB/B_1.jpg,0.0,1.0\n")
    labels = read_labels(tmp_path / "label.csv")
    assert list(labels.index) == ["A/A_1.jpg", "B/B_1.jpg"]
    assert list(labels.columns) == ["Male", "Asian"]


@pytest.mark.parametrize("name", ["l.csv", "l.parquet"])
def test_labels_come_back_sorted(tmp_path, name):
    labels = frame(path=["b.jpg", "a.jpg"], identity=["007", "1e5"], age=[2.5, np.nan])
    write_labels(tmp_path / name, labels)
    again = read_labels(tmp_path / name)
    assert list(again.index) == ["a.jpg", "b.jpg"]
    assert list(again["identity"]) == ["1e5", "007"]
    assert list(again["age"].isna()) == [True, False]


def test_files_that_are_no_labels_are_refused(tmp_path):
    with pytest.raises(LabelError, match="no label file"):
        read_labels(tmp_path / "l.csv")
    (tmp_path / "l.csv").write_text("path\na.jpg\n")
    with pytest.raises(LabelError, match="no label column"):
        read_labels(tmp_path / "l.csv")
    (tmp_path / "l.csv").write_text("")
    with pytest.raises(LabelError, match="not a readable label file"):
        read_labels(tmp_path / "l.csv")


def test_labels_lie_beside_the_table():
    assert default_label_path("x/feature.parquet").name == "feature.label.csv"
