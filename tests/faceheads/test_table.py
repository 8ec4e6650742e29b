"""The feature table: validated once, sliced as a whole, failures counted."""

import dataclasses

import numpy as np
import pytest

from faceheads.table import FaceRow, FaceTable, Status, face_key
from tests.tables import face_row, small_table, table_spec


def test_slicing_keeps_the_columns_together():
    table = small_table()
    chosen = table[np.array([5, 0])]
    assert list(chosen.path) == ["c.PNG", "a/one.jpg"]
    np.testing.assert_array_equal(chosen.embedding, table.embedding[[5, 0]])
    np.testing.assert_array_equal(chosen.landmarks_xy, table.landmarks_xy[[5, 0]])
    assert table[1:3].spec is table.spec


def test_the_usable_rows_are_those_with_an_embedding():
    table = small_table()
    assert list(table.usable.path) == ["a/one.jpg", "a/two.jpg", "a/two.jpg", "c.PNG"]
    assert np.isnan(table.embedding[~table.has_embedding]).all()


def test_images_are_counted_once_whatever_their_number_of_faces():
    counts = small_table().status_counts()
    assert counts["ok"] == 3
    assert counts["no_face"] == 1
    assert counts["unreadable"] == 1
    assert sum(counts.values()) == small_table().n_images == 5
    assert set(counts) == {s.value for s in Status}


def test_keys_number_faces_from_the_second_on():
    assert list(small_table().keys[:3]) == ["a/one.jpg", "a/two.jpg", "a/two.jpg#2"]
    assert face_key("x.jpg", 2) == "x.jpg#3"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("embedding", np.zeros((5, 8))),
        ("embedding", np.zeros(6)),
        ("box_xyxy", np.zeros((6, 3))),
        ("landmarks_xy", np.zeros((6, 5))),
        ("sha256", np.array(["x"], object)),
        ("face_index", np.zeros((6, 1))),
    ],
)
def test_a_column_of_another_shape_is_refused_by_name(column, value):
    with pytest.raises(ValueError, match=f"Column {column} has shape"):
        dataclasses.replace(small_table(), **{column: value})


def test_another_dimension_than_the_specification_says_is_refused():
    with pytest.raises(ValueError, match="must have 9 columns for 'dlib'; got 8. Extract again"):
        dataclasses.replace(small_table(), spec=table_spec(9))


def test_an_embedding_that_is_not_finite_is_refused_by_key():
    table = small_table()
    broken = table.embedding.copy()
    broken[2, 3] = np.nan
    with pytest.raises(ValueError, match=r"'a/two.jpg#2' has status ok but its embedding is not finite"):
        dataclasses.replace(table, embedding=broken)


def test_an_unknown_status_is_refused():
    with pytest.raises(ValueError, match="status must be one of .* got \\['fine'\\]"):
        dataclasses.replace(small_table(), status=np.array(["fine"] * 6, object))


def test_a_face_that_occurs_twice_is_refused():
    table = small_table()
    with pytest.raises(ValueError, match=r"several for \['a/one.jpg'\]"):
        FaceTable.concatenate([table, table[:1]])


def test_tables_of_other_specifications_do_not_join():
    one = small_table()
    two = FaceTable.from_rows([face_row("z.jpg", np.random.default_rng(1))], 5, table_spec(detector="cnn"))
    with pytest.raises(ValueError, match="different specifications"):
        FaceTable.concatenate([one, two])


def test_joining_keeps_the_order():
    table = small_table()
    joined = FaceTable.concatenate([table[3:], table[:3]])
    assert list(joined.keys) == list(table.keys[3:]) + list(table.keys[:3])


def test_a_table_without_rows_is_a_table():
    table = FaceTable.from_rows([], 5, table_spec())
    assert len(table) == 0
    assert len(table.usable) == 0
    assert sum(table.status_counts().values()) == 0


def test_a_whole_image_counts_as_its_own_status_and_has_an_embedding():
    row = face_row("w.jpg", np.random.default_rng(0), status=Status.WHOLE_IMAGE)
    table = FaceTable.from_rows([row, FaceRow("x.jpg", "", Status.FAILED, "why")], 5, table_spec())
    assert table.status_counts()["whole_image"] == 1
    assert list(table.has_embedding) == [True, False]
