"""Faults that were planted are found, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from faceheads.audit.balance import balance
from faceheads.audit.duplicates import duplicates
from faceheads.audit.identities import identities
from faceheads.audit.label_errors import label_errors
from faceheads.audit.lost_faces import lost_faces
from faceheads.audit.near_duplicates import near_duplicate_pairs, near_duplicates
from faceheads.audit.unlabelled import unlabelled
from faceheads.table import FaceTable
from tests.faceheads.audit.subjects import changed, people, subject_of


def split_by_photo(labels):
    """A careless split: the first photo of every person is for the test."""
    return labels.assign(split=np.where(labels.index.str.endswith("_0000.jpg"), "test", "train"))


def test_rows_are_counted_by_class_cohort_and_part():
    table, labels = people()
    labels.loc[labels.index[0], "gender"] = None
    found = balance(subject_of(table, labels)).table.set_index(["column", "value"])
    assert found.loc[("gender", "unknown"), "rows"] == 1
    assert found.loc[("gender", "male"), "rows"] == (labels["gender"] == "male").sum()
    crossed = (labels["gender"] == "male") & (labels["glasses"] == 1)
    assert found.loc[("gender × glasses", "male × 1"), "rows"] == crossed.sum()
    assert (found["rows"] == found[["train", "test", "none"]].sum(axis=1)).all()


def test_lost_faces_are_counted_by_class():
    table, labels = people(n_without_face=12)
    second = int(np.flatnonzero(table.has_embedding)[0])  # becomes another face of an image that counts already
    other = table.path[int(np.flatnonzero(table.has_embedding)[1])]
    table = changed(table, [second], path=other, face_index=1)
    found = lost_faces(subject_of(table, labels)).table.set_index(["column", "value"])
    lost = labels.loc[table.path[~table.has_embedding], "gender"].value_counts()
    assert found.loc[("all images", ""), ["images", "lost"]].tolist() == [239, 12]
    assert [found.loc[("gender", name), "missed"] for name in ("female", "male")] == [lost["female"], lost["male"]]
    assert (found["low"] <= found["share_missed"] + 1e-12).all()
    assert (found["share_missed"] <= found["high"] + 1e-12).all()


def test_missing_labels_and_the_problems_of_the_adapter_are_listed():
    table, labels = people()
    labels.loc[labels.index[3], "age"] = np.nan
    problems = pd.DataFrame({"path": ["x.jpg"], "what": ["malformed name"]})
    found = unlabelled(subject_of(table, labels), problems).table
    assert found.to_numpy().tolist() == [["x.jpg", "malformed name"], [labels.index[3], "no age"]]


def test_persons_on_both_sides_of_a_given_split_are_named():
    table, labels = people()
    found = identities(subject_of(table, split_by_photo(labels)))
    assert found.table["person"].nunique() == found.table.shape[0] == 80
    assert found.table[["train", "test"]].to_numpy().tolist() == [[2, 1]] * 80
    assert identities(subject_of(table, labels)).number == "0"
    unknown = identities(subject_of(table, labels.drop(columns="identity")))
    assert (unknown.number, len(unknown.table)) == ("?", 0)


def test_copies_that_contradict_themselves_come_first_and_copies_across_the_split_are_marked():
    table, labels = people()
    table = table[np.argsort(table.path)]
    table = changed(table, [5, 10], sha256="c" * 64)  # photos 2 and 1 of persons 1 and 3: other ages
    table = changed(table, [0, 2], sha256="a" * 64)  # photos 0 and 2 of one person
    finding = duplicates(subject_of(table, split_by_photo(labels)))
    assert finding.table["set"].tolist() == [1, 1, 2, 2]
    assert finding.table["key"].tolist() == [*table.path[[5, 10]], *table.path[[0, 2]]]
    assert finding.table["differs"].tolist() == ["age", "age", "", ""]
    assert finding.table["across"].tolist() == [False, False, True, True]
    assert [sight.row for sight in finding.galleries[0].sights] == [5, 10]


def with_near_copies(table, labels, n=4):
    """The first photos once more, slightly changed and with the other gender."""
    first = table[:n]
    moved = first.embedding + np.random.default_rng(1).normal(0, 1e-3, first.embedding.shape)
    paths = np.array([f"copy/{i}.jpg" for i in range(n)], object)
    shas = np.array([f"{i:064x}" for i in range(n)], object)
    columns = {name: getattr(first, name) for name in FaceTable._column_names()}
    copies = FaceTable(**{**columns, "path": paths, "sha256": shas, "embedding": moved}, spec=table.spec)
    flipped = labels.loc[first.path].assign(identity=["somebody", *[""] * (n - 1)])
    flipped["gender"] = flipped["gender"].map({"male": "female", "female": "male"})
    flipped.index = pd.Index(paths, name="path")
    return FaceTable.concatenate([table, copies]), pd.concat([labels, flipped])


def test_near_copies_are_found_with_what_contradicts():
    table, labels = with_near_copies(*people())
    labels["split"] = np.where(labels.index.isin(["copy/0.jpg", "copy/1.jpg"]), "test", "train")
    table = changed(table, [8, 9], sha256="e" * 64, embedding=table.embedding[8])  # equal files are no near-duplicates
    subject = subject_of(table, labels)
    found = near_duplicates(subject, near_duplicate_pairs(subject)).table
    assert sorted(found["second"][found["differs"].str.startswith("gender")]) == [f"copy/{i}.jpg" for i in range(4)]
    assert sorted(found["second"][found["across"]]) == ["copy/0.jpg", "copy/1.jpg"]
    assert found["across"].head(2).all()
    assert found["second"][found["differs"] == "gender, person"].tolist() == ["copy/0.jpg"]
    assert (found["ratio"] < 0.5).all()


@pytest.mark.parametrize("has_copy", [False, True])
def test_planted_label_errors_lead_the_list_even_where_a_near_copy_has_the_same_error(has_copy):
    table, labels = people(n_people=120)
    table = table[np.argsort(table.path)]
    wrong = table.path[[4, 40, 100]]
    labels.loc[wrong, "gender"] = ["male" if labels.loc[p, "gender"] == "female" else "female" for p in wrong]
    labels.loc[wrong[0], "age"] += 60
    if has_copy:
        order = np.r_[[4, 40, 100], np.setdiff1d(np.arange(len(table)), [4, 40, 100])]
        table, labels = with_near_copies(table[order], labels, 3)
        labels.loc[[f"copy/{i}.jpg" for i in range(3)], "gender"] = labels.loc[wrong, "gender"].to_numpy()
    subject = subject_of(table, labels)
    found = label_errors(subject, near_duplicate_pairs(subject)).table
    listed = found[(found["column"] == "gender") & ~found["key"].str.startswith("copy/")]
    assert set(listed["key"].head(3)) == set(wrong)
    assert found[found["column"] == "age"]["key"].iloc[0] == wrong[0]
    assert (found.groupby("column")["strength"].diff().dropna() <= 0).all()
