import hashlib

import numpy as np
import pytest

from faceheads.datasets import Problem, open_dataset
from faceheads.datasets.utkface import parse_name
from faceheads.splits import split_by_content


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("26_1_3_20170119193056816.jpg.chip.jpg", (26, "female", "Indian")),
        ("1_0_0_20161219140530307.jpg", (1, "male", "White")),
        ("116_1_4_20170112213001988.jpg.chip.jpg", (116, "female", "Others")),
        ("55_0_0_20170116232725357jpg.chip.jpg", (55, "male", "White")),  # of the published set: a dot is missing
        ("14_0_0_2017011022340900.jpg.chip.jpg", (14, "male", "White")),  # of the published set: a digit is missing
        ("39_1_20170116174525125.jpg.chip.jpg", None),  # of the published set: no race
        ("26_2_3_20170119193056816.jpg", None),
        ("26_1_5_20170119193056816.jpg", None),
        ("200_1_3_20170119193056816.jpg", None),
        ("26_1_3_4_20170119193056816.jpg", None),
        ("٢_1_3_20170119193056816.jpg", None),
        ("photo.jpg", None),
    ],
)
def test_labels_are_read_from_a_name_of_the_published_form_only(name, labels):
    assert parse_name(name) == labels


def test_a_malformed_name_is_listed_and_keeps_its_row_without_labels(make_tree):
    root = make_tree("26_1_3_20170119193056816.jpg.chip.jpg", "61_1_20170109142408075.jpg.chip.jpg")
    dataset = open_dataset(root)
    assert dataset.name == "utkface"
    assert dataset.labels.loc["26_1_3_20170119193056816.jpg.chip.jpg"].tolist() == [26.0, "female", "Indian"]
    assert dataset.labels.loc["61_1_20170109142408075.jpg.chip.jpg"].isna().all()
    assert dataset.problems == (
        Problem(
            "61_1_20170109142408075.jpg.chip.jpg",
            "malformed name: it must be age_gender_race_date; all labels are missing",
        ),
    )


def test_the_folder_above_is_recognised_too(make_tree):
    dataset = open_dataset(make_tree("UTKFace/26_1_3_20170119193056816.jpg.chip.jpg"))
    assert (dataset.name, dataset.root.name) == ("utkface", "UTKFace")


def test_an_empty_set_has_empty_labels(tmp_path):
    dataset = open_dataset(tmp_path, "utkface")
    assert dataset.images == () and list(dataset.labels.columns) == ["age", "gender", "race"]


def test_the_shared_part_has_the_documented_counts(data_dir):
    dataset = open_dataset(data_dir / "utkface")
    assert (dataset.name, len(dataset.images), len(dataset.problems)) == ("utkface", 17_718, 2)
    assert dataset.labels.isna().all(axis=1).sum() == 2
    # Second source: `ls | cut -d_ -f2 | sort | uniq -c` and the same for -f3, the two malformed names apart.
    assert dataset.labels["gender"].value_counts().to_dict() == {"male": 9_292, "female": 8_424}
    assert dataset.labels["race"].value_counts().to_dict() == {
        "White": 7_552,
        "Black": 3_358,
        "Indian": 2_979,
        "Asian": 2_553,
        "Others": 1_274,
    }


def test_the_split_by_content_of_the_shared_part_has_the_counts_of_another_tool(data_dir):
    dataset = open_dataset(data_dir / "utkface")
    sha256 = [hashlib.sha256((dataset.root / path).read_bytes()).hexdigest() for path in dataset.images]
    part = split_by_content(sha256, dataset.labels)
    # Second source: sha256sum and awk, with the sum of the hexadecimal digits mod 5 (16 is 1 mod 5) and the labels in the names.
    assert dict(zip(*np.unique(part.astype(str), return_counts=True))) == {"none": 381, "test": 3_461, "train": 13_876}
