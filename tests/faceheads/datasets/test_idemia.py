import pytest

from faceheads.datasets import Problem, open_dataset
from faceheads.datasets.idemia import read_test_list

TRAIN = ("train/000000.jpg", "train/000001.jpg", "train/000002.jpg")
LABELS = "000000.jpg\t-1\t1\n000001.jpg\t1\t-1\n000002.jpg\t1\t1\n"


@pytest.mark.parametrize("name", ["train.txt", "label_train.txt"])
@pytest.mark.parametrize("labels", [LABELS, LABELS.replace("0000", "train/0000")])
def test_criterion_and_gender_are_read(make_tree, write, name, labels):
    root = make_tree(*TRAIN)
    write(name, labels)
    dataset = open_dataset(root)
    assert (dataset.name, dataset.images, dataset.problems) == ("idemia", TRAIN, ())
    assert dataset.labels["criterion"].tolist() == [0, 1, 1]
    assert dataset.labels["criterion"].dtype.kind == "i"
    assert dataset.labels["gender"].tolist() == ["male", "female", "male"]


def test_images_of_the_same_name_in_both_parts_stay_apart(make_tree, write):
    root = make_tree(*TRAIN, "test/000000.jpg", "test/000001.jpg")
    write("train.txt", LABELS)
    write("test.txt", "000001.jpg\n000000.jpg\n")
    dataset = open_dataset(root)
    assert dataset.problems == ()
    assert dataset.labels["split"].tolist() == ["test", "test", "train", "train", "train"]
    assert dataset.labels.loc["test/000000.jpg", ["criterion", "gender"]].isna().all()
    assert read_test_list(root) == ["test/000001.jpg", "test/000000.jpg"]


def test_the_test_list_and_the_test_images_must_agree(make_tree, write):
    root = make_tree(*TRAIN, "test/000000.jpg", "test/000001.jpg")
    write("train.txt", LABELS)
    write("test.txt", "000000.jpg\n000009.jpg\n")
    assert open_dataset(root).problems == (
        Problem("test/000009.jpg", "labelled in test.txt, but there is no such file"),
        Problem("test/000001.jpg", "not labelled in test.txt"),
    )


def test_a_test_list_that_repeats_an_image_is_an_error(write, tmp_path):
    write("test.txt", "000000.jpg\n000000.jpg\n")
    with pytest.raises(ValueError, match="name each image once; it has 1 repetitions"):
        read_test_list(tmp_path)


def test_labels_other_than_plus_and_minus_one_are_problems(make_tree, write):
    root = make_tree(*TRAIN)
    write("train.txt", LABELS.replace("000001.jpg\t1\t-1", "000001.jpg\t0\tF"))
    dataset = open_dataset(root)
    assert dataset.labels.isna()["criterion"].tolist() == [False, True, False]
    assert dataset.labels.isna()["gender"].tolist() == [False, True, False]
    assert dataset.problems == (
        Problem("train/000001.jpg", "criterion in train.txt must be -1 or 1; got '0'"),
        Problem("train/000001.jpg", "gender in train.txt must be -1 or 1; got 'F'"),
    )
