"""Rows with labels, groups and parts: nothing is lost in silence and no group is on both sides."""

import numpy as np
import pandas as pd
import pytest

from faceheads.labels import LabelError
from faceheads.samples import drop_conflicts, group_samples, join_labels, split_samples
from faceheads.splits import check_disjoint, save_split
from faceheads.table import FaceTable
from tests.faceheads.people import people_table
from tests.tables import face_row, table_spec


def samples_of(**options):
    return join_labels(*people_table(**options))


def table_of(paths, sha256, seed=0):
    rng = np.random.default_rng(seed)
    rows = [face_row(path, rng, sha256=sha) for path, sha in zip(paths, sha256, strict=True)]
    return FaceTable.from_rows(rows, 5, table_spec())


def test_samples_do_not_depend_on_the_order_of_rows_or_labels():
    table, labels = people_table()
    order = np.random.default_rng(9).permutation(len(table))
    first = split_samples(group_samples(join_labels(table, labels)))
    second = split_samples(group_samples(join_labels(table[order], labels.sample(frac=1, random_state=1))))
    assert list(first.table.keys) == list(second.table.keys)
    assert first.labels.equals(second.labels)
    assert np.array_equal(first.groups, second.groups)
    assert list(first.parts) == list(second.parts)


def test_a_row_without_a_label_is_an_error_unless_allowed():
    table, labels = people_table()
    with pytest.raises(LabelError, match="40 of 240 rows of the feature table have no label"):
        join_labels(table, labels.iloc[40:])
    samples = join_labels(table, labels.iloc[40:], allow_unlabelled=True)
    assert len(samples.table) == 200
    assert samples.remarks == ("40 rows of the table have no label",)


def test_an_image_without_a_face_needs_no_label():
    table, labels = people_table(n_without_face=3)
    nobody = list(table.path[~table.has_embedding])
    samples = join_labels(table, labels.drop(index=nobody))
    assert len(samples.table) == 237
    assert samples.remarks == ("3 rows of the table have no label",)


def test_labels_of_other_images_are_an_error_even_when_missing_ones_are_allowed():
    table, labels = people_table()
    with pytest.raises(LabelError, match="for example"):
        join_labels(table, labels.rename(index=lambda key: f"x/{key}"), allow_unlabelled=True)


def test_persons_and_equal_images_are_groups():
    table = table_of(["a.jpg", "b.jpg", "c.jpg", "d.jpg"], ["1" * 64, "2" * 64, "2" * 64, "3" * 64])
    labels = pd.DataFrame({"identity": ["p", "q", "r", "p"]}, index=list(table.path))
    groups = group_samples(join_labels(table, labels)).groups
    assert groups[0] == groups[3] != groups[1] == groups[2]


def test_the_identity_column_is_used_by_itself_and_another_when_named():
    samples = samples_of()
    assert "identity" in group_samples(samples).grouped_by
    assert len(np.unique(group_samples(samples).groups)) == 60
    assert len(np.unique(group_samples(samples, "mood").groups)) == 3
    assert len(np.unique(group_samples(samples, "content").groups)) == 240


def test_the_folder_is_the_person_in_tables_of_the_original_scripts():
    table, labels = people_table()
    bare = FaceTable(**{**vars(table), "sha256": np.full(len(table), "", object), "spec": None})
    samples = group_samples(join_labels(bare, labels.drop(columns="identity")))
    assert samples.grouped_by == "the first folder of the path"
    assert len(np.unique(samples.groups)) == 60


def test_few_folders_are_not_taken_for_persons():
    table, labels = people_table(n_people=10)
    bare = FaceTable(**{**vars(table), "sha256": np.full(len(table), "", object), "spec": None})
    assert "content" in group_samples(join_labels(bare, labels.drop(columns="identity"))).grouped_by


def test_an_unknown_column_of_persons_is_an_error():
    with pytest.raises(LabelError, match="got 'persons'"):
        group_samples(samples_of(), "persons")


def test_equal_images_with_different_labels_are_in_no_part():
    table = table_of(["a.jpg", "b.jpg", "c.jpg"], ["1" * 64, "1" * 64, "2" * 64])
    labels = pd.DataFrame({"age": [20, 30, 40], "race": ["x", "x", "y"]}, index=list(table.path))
    samples = drop_conflicts(join_labels(table, labels), ["age"])
    assert list(samples.table.path) == ["c.jpg"]
    assert "2 copies of equal images" in samples.remarks[0]
    assert len(drop_conflicts(join_labels(table, labels), ["race"]).table) == 3


def test_two_faces_of_one_image_may_have_different_labels():
    rng = np.random.default_rng(0)
    rows = [face_row("a.jpg", rng, sha256="1" * 64, face_index=i, n_faces=2) for i in range(2)]
    table = FaceTable.from_rows(rows, 5, table_spec())
    samples = join_labels(table, pd.DataFrame({"age": [20, 50]}, index=["a.jpg", "a.jpg#2"]))
    assert len(drop_conflicts(samples, ["age"]).table) == 2
    assert len(np.unique(group_samples(samples).groups)) == 1  # but they stay on one side


def test_a_random_split_keeps_persons_apart_and_has_the_asked_share():
    samples = split_samples(group_samples(samples_of(n_people=400)), "random", test_size=0.25, seed=1)
    check_disjoint(samples.groups, samples.parts)
    assert samples.in_part("test").mean() == pytest.approx(0.25, abs=0.07)


def test_the_split_by_content_is_that_of_the_shared_test_set():
    samples = split_samples(group_samples(samples_of(), "content"), "content")
    expected = [int(sha, 16) % 5 == 0 for sha in samples.table.sha256]
    assert list(samples.in_part("test")) == expected


@pytest.mark.parametrize("names", [("train", "val", "test"), (0, 1, 2), ("Training", "valid", "Test ")])
def test_a_given_split_is_honoured_and_its_validation_part_left_alone(names):
    table, labels = people_table()
    person = labels["identity"].str[-3:].astype(int)
    labels["split"] = [names[0] if p < 40 else names[1] if p < 50 else names[2] for p in person]
    samples = split_samples(group_samples(join_labels(table, labels)))
    assert samples.in_part("train").sum() == 160
    assert samples.in_part("test").sum() == 40
    assert "40 rows are in neither part" in samples.remarks[0]


def test_without_a_test_part_the_validation_part_is_reported():
    table, labels = people_table()
    labels["split"] = np.where(labels["identity"] < "Person_030", "train", "val")
    assert "validation" in split_samples(group_samples(join_labels(table, labels))).split_by


def test_a_given_split_that_shares_persons_loses_their_training_rows():
    table, labels = people_table()
    labels["split"] = [
        "test" if path.endswith("_0000.jpg") and path < "Person_010" else "train" for path in labels.index
    ]
    samples = split_samples(group_samples(join_labels(table, labels)))
    assert "30 training rows share a person" in samples.remarks[0]
    check_disjoint(samples.groups, samples.parts)


def test_a_split_file_is_read_back_as_it_was_written(tmp_path):
    first = split_samples(group_samples(samples_of()), "random", seed=3)
    file = tmp_path / "split.csv"
    save_split(file, first.table.keys, first.table.sha256, first.groups, first.parts)
    assert list(split_samples(group_samples(samples_of()), str(file)).parts) == list(first.parts)


def test_a_split_file_of_other_images_is_refused(tmp_path):
    samples = split_samples(group_samples(samples_of()), "random")
    file = tmp_path / "split.csv"
    save_split(file, samples.table.keys, samples.table.sha256, samples.groups, samples.parts)
    with pytest.raises(LabelError, match="240 images are not those"):
        split_samples(group_samples(samples_of(seed=5)), str(file))
    with pytest.raises(LabelError, match="has no part for 40 of 280 rows"):
        split_samples(group_samples(samples_of(n_people=70)), str(file))


def test_splits_that_do_not_exist_are_explained():
    samples = group_samples(samples_of())
    with pytest.raises(LabelError, match="there is no file nowhere.csv"):
        split_samples(samples, "nowhere.csv")
    with pytest.raises(LabelError, match="needs the label column 'split'"):
        split_samples(samples, "given")
    strange = samples.labels.assign(split="left")
    with pytest.raises(LabelError, match=r"must hold train, val and test; got \['left'\]"):
        split_samples(join_labels(samples.table, strange), "given")
    with pytest.raises(LabelError, match="The test part is empty"):
        split_samples(join_labels(samples.table, samples.labels.assign(split="train")), "given")
