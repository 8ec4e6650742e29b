import pytest

from faceheads.datasets import Problem, open_dataset

HEADER = "file,age,gender,race,service_test\n"
TRAIN = f"{HEADER}train/1.jpg,59,Male,East Asian,True\ntrain/2.jpg,more than 70,Female,Latino_Hispanic,False\n"
VAL = f"{HEADER}val/1.jpg,3-9,Male,East Asian,False\n"


@pytest.mark.parametrize("folder", ["", "fairface-img-margin025-trainval/"])
def test_both_label_files_are_read_whatever_folder_holds_the_images(make_tree, write, folder):
    root = make_tree(*(f"{folder}{name}" for name in ("train/1.jpg", "train/2.jpg", "val/1.jpg")))
    write("fairface_label_train.csv", TRAIN)
    write("fairface_label_val.csv", VAL)
    dataset = open_dataset(root)
    assert (dataset.name, dataset.images, dataset.problems) == (
        "fairface",
        ("train/1.jpg", "train/2.jpg", "val/1.jpg"),
        (),
    )
    assert dataset.labels["gender"].tolist() == ["male", "female", "male"]
    assert dataset.labels["race"].tolist() == ["East Asian", "Latino_Hispanic", "East Asian"]
    assert dataset.labels["age_band"].tolist() == ["59", "more than 70", "3-9"]
    assert dataset.labels["age_low"].tolist() == [59, 70, 3]
    assert dataset.labels["age_high"].isna().tolist() == [False, True, False]
    assert dataset.labels["service_test"].tolist() == [True, False, False]
    assert dataset.labels["split"].tolist() == ["train", "train", "val"]


def test_values_that_make_no_sense_are_problems(make_tree, write):
    root = make_tree("train/1.jpg", "train/2.jpg")
    write("fairface_label_train.csv", f"{HEADER}train/1.jpg,young,X,Martian,True\ntrain/2.jpg,0-2,Male,White,True\n")
    dataset = open_dataset(root)
    assert dataset.labels.loc["train/1.jpg", ["gender", "race", "age_band", "age_low"]].isna().all()
    assert dataset.problems == (
        Problem("train/1.jpg", "age in fairface_label_train.csv cannot be read: 'young'"),
        Problem("train/1.jpg", "gender in fairface_label_train.csv cannot be read: 'X'"),
        Problem("train/1.jpg", "race in fairface_label_train.csv cannot be read: 'Martian'"),
    )


def test_a_label_file_without_a_needed_column_is_an_error(make_tree, write):
    root = make_tree("val/1.jpg")
    write("fairface_label_val.csv", "file,age,gender\nval/1.jpg,3-9,Male\n")
    with pytest.raises(ValueError, match=r"missing: \['race'\]"):
        open_dataset(root)
