import pytest

from faceheads.datasets import Problem, open_dataset

PUBLISHED = "file_name,num_ratings,apparent_age_avg,apparent_age_std,real_age\n"


@pytest.fixture
def tree(make_tree):
    return make_tree("train/000000.jpg", "train/000000.jpg_face.jpg", "valid/004113.jpg", "valid/004113.jpg_face.jpg")


def test_real_and_apparent_ages_are_read_from_the_published_averages(tree, write):
    write("gt_avg_train.csv", f"{PUBLISHED}000000.jpg,36,5.25,0.96,4\n")
    write("gt_avg_valid.csv", f"{PUBLISHED}004113.jpg,40,30.5,2.5,31\n")
    dataset = open_dataset(tree)
    assert (dataset.name, dataset.problems) == ("appa_real", ())
    assert dataset.labels.to_dict("index") == {
        "train/000000.jpg": {
            "age": 4,
            "num_ratings": 36,
            "apparent_age_avg": 5.25,
            "apparent_age_std": 0.96,
            "split": "train",
        },
        "valid/004113.jpg": {
            "age": 31,
            "num_ratings": 40,
            "apparent_age_avg": 30.5,
            "apparent_age_std": 2.5,
            "split": "valid",
        },
    }


def test_the_published_crops_carry_the_labels_of_their_photos(tree, write):
    write("gt_avg_train.csv", f"{PUBLISHED}000000.jpg,36,5.25,0.96,4\n")
    dataset = open_dataset(tree, "appa_real", crops=True)
    assert dataset.images == ("train/000000.jpg_face.jpg", "valid/004113.jpg_face.jpg")
    assert dataset.labels["age"].to_dict() == {"train/000000.jpg_face.jpg": 4}
    assert dataset.problems == (Problem("valid/004113.jpg_face.jpg", "not labelled in the label files"),)


@pytest.mark.parametrize("header", ["", "file,age\n"])
@pytest.mark.parametrize("folder", ["", "train/"])
def test_a_list_of_ages_needs_no_header_and_may_name_the_folder(make_tree, write, header, folder):
    root = make_tree("train/000000.jpg", "train/000001.jpg")
    write("train_labels.csv", f"{header}{folder}000000.jpg,4\n{folder}000001.jpg,old\n")
    dataset = open_dataset(root)
    assert dataset.name == "appa_real"
    assert dataset.labels["age"]["train/000000.jpg"] == 4
    assert dataset.labels["age"].isna().tolist() == [False, True]
    assert [problem.what for problem in dataset.problems] == ["age in train_labels.csv cannot be read: 'old'"]
