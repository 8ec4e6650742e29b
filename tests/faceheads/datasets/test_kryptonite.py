import json

import pytest

from faceheads.datasets import Problem, open_dataset

TRAIN = ("train/images/000000/0.jpg", "train/images/000000/1.jpg", "train/images/000012/0.jpg")


@pytest.mark.parametrize(
    "keys", [("000000/0.jpg", "000000/1.jpg", "000012/0.jpg"), ("0/0.jpg", "0/1.jpg", "12/0.jpg")]
)
@pytest.mark.parametrize("meta", ["train/meta.json", "meta.json"])
def test_kinds_are_read_whether_the_folders_are_padded_or_not(make_tree, write, keys, meta):
    root = make_tree(*TRAIN)
    write(meta, json.dumps(dict(zip(keys, (0, 1, 0)))))
    dataset = open_dataset(root)
    assert (dataset.name, dataset.images, dataset.problems) == ("kryptonite", TRAIN, ())
    assert dataset.labels["kind"].tolist() == ["real", "fake", "real"]
    assert dataset.labels["identity"].tolist() == ["000000", "000000", "000012"]
    assert dataset.labels["split"].unique().tolist() == ["train"]


def test_the_training_part_can_be_opened_itself(make_tree, write):
    root = make_tree(*TRAIN)
    write("train/meta.json", '{"000000/0.jpg": 0, "000000/1.jpg": 1, "000012/0.jpg": 0}')
    assert open_dataset(root / "train").images == tuple(path.removeprefix("train/") for path in TRAIN)


def test_the_images_of_test_pairs_have_no_label_but_their_pair(make_tree, write):
    pair = ("test_public/images/00000007/0.jpg", "test_public/images/00000007/1.jpg")
    root = make_tree(*TRAIN, *pair)
    write("train/meta.json", '{"0/0.jpg": 0, "0/1.jpg": 1, "12/0.jpg": 0}')
    dataset = open_dataset(root)
    assert dataset.problems == ()
    assert dataset.images == (*pair, *TRAIN)
    labels = dataset.labels.loc[list(pair)]
    assert labels[["identity", "kind"]].isna().all(axis=None)
    assert labels["pair"].tolist() == ["00000007", "00000007"]
    assert labels["split"].tolist() == ["test_public", "test_public"]


def test_kinds_that_make_no_sense_and_files_that_are_missing_are_problems(make_tree, write):
    root = make_tree(*TRAIN)
    write("train/meta.json", '{"0/0.jpg": 2, "000000/1.jpg": 0, "0/1.jpg": 1, "99/0.jpg": 0, "12/0.jpg": 1.0}')
    dataset = open_dataset(root)
    assert dataset.labels["kind"].isna().all()
    assert [problem.path for problem in dataset.problems] == [TRAIN[0], TRAIN[2], TRAIN[1], "99/0.jpg"]
    assert dataset.problems[3] == Problem("99/0.jpg", "labelled in meta.json, but there is no such file")


def test_another_file_of_kinds_can_be_named(make_tree, write):
    root = make_tree(*TRAIN)
    write("train/meta.json", '{"0/0.jpg": 0, "0/1.jpg": 1, "12/0.jpg": 0}')
    write("clean.json", '{"0/0.jpg": 1, "0/1.jpg": 1, "12/0.jpg": 1}')
    assert set(open_dataset(root, "kryptonite", meta="clean.json").labels["kind"]) == {"fake"}
