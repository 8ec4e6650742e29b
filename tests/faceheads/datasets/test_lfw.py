import pytest

from faceheads.datasets import Problem, open_dataset

PEOPLE = ("Ann_Lee/Ann_Lee_0001.jpg", "Bob_Ray/Bob_Ray_0001.jpg", "Bob_Ray/Bob_Ray_0002.jpg")


def test_the_folder_is_the_identity(make_tree):
    dataset = open_dataset(make_tree(*PEOPLE))
    assert (dataset.name, dataset.images, dataset.problems) == ("lfw", PEOPLE, ())
    assert dataset.labels["identity"].tolist() == ["Ann_Lee", "Bob_Ray", "Bob_Ray"]
    assert list(dataset.labels.columns) == ["identity"]


def test_paths_are_relative_to_the_folder_of_the_people_whichever_folder_is_opened(make_tree, write):
    root = make_tree(*(f"lfw-deepfunneled/{path}" for path in PEOPLE))
    write("gender.csv", "path,identity,gender\n" + "".join(f"{path},x,male\n" for path in PEOPLE))
    dataset = open_dataset(root)
    assert (dataset.images, dataset.root) == (PEOPLE, root / "lfw-deepfunneled")
    assert dataset.labels["gender"].tolist() == ["male"] * 3


def test_a_gender_that_makes_no_sense_a_missing_one_and_a_file_that_is_not_there_are_problems(make_tree, write):
    root = make_tree(*PEOPLE)
    write("gender.csv", f"path,gender\n{PEOPLE[0]},female\n{PEOPLE[1]},maybe\nEve/Eve_0001.jpg,female\n")
    dataset = open_dataset(root)
    assert dataset.labels["gender"].isna().tolist() == [False, True, True]
    assert dataset.problems == (
        Problem(PEOPLE[1], "gender in gender.csv cannot be read: 'maybe'"),
        Problem("Eve/Eve_0001.jpg", "labelled in gender.csv, but there is no such file"),
        Problem(PEOPLE[2], "not labelled in gender.csv"),
    )


@pytest.mark.parametrize(
    "line", ["Bob_Ray_0001.jpg\nBob_Ray_0002.jpg", "Bob_Ray", "Bob_Ray\\Bob_Ray_0001.jpg\nBob_Ray_0002.jpg"]
)
def test_lists_of_names_give_genders_to_images_or_to_persons(make_tree, write, line):
    root = make_tree(*PEOPLE)
    write("female_names.txt", "Ann_Lee_0001.jpg\n\n")
    write("male_names.txt", line)
    dataset = open_dataset(root)
    assert dataset.labels["gender"].tolist() == ["female", "male", "male"]
    assert dataset.problems == ()


def test_a_name_in_both_lists_has_no_gender(make_tree, write):
    root = make_tree(*PEOPLE)
    write("female_names.txt", "Ann_Lee_0001.jpg\nBob_Ray_0001.jpg\nAnFernce_Negron_0001.jpg\n")
    write("male_names.txt", "Bob_Ray\n")
    dataset = open_dataset(root)
    assert dataset.labels["gender"].isna().tolist() == [False, True, False]
    assert [problem.path for problem in dataset.problems] == [
        "Bob_Ray/Bob_Ray_0001.jpg",
        "AnFernce_Negron/AnFernce_Negron_0001.jpg",
    ]


def test_an_image_named_after_another_person_is_a_problem_and_an_image_outside_has_no_identity(make_tree):
    dataset = open_dataset(make_tree(*PEOPLE, "Ann_Lee/Bob_Ray_0003.jpg", "stray.jpg"), "lfw")
    assert [(problem.path, problem.what.partition(":")[0]) for problem in dataset.problems] == [
        ("Ann_Lee/Bob_Ray_0003.jpg", "malformed name"),
        ("stray.jpg", "not labelled in the folder names"),
    ]
    assert dataset.labels["identity"]["Ann_Lee/Bob_Ray_0003.jpg"] == "Ann_Lee"
    assert "stray.jpg" in dataset.images


def test_a_list_that_names_no_image_is_an_error(make_tree, write):
    root = make_tree(*PEOPLE)
    write("gender.csv", "path,gender\nlfw/x.jpg,male\n")
    with pytest.raises(ValueError, match="gender.csv labels must lie below"):
        open_dataset(root)


def test_the_shared_part_has_the_documented_counts(data_dir):
    dataset = open_dataset(data_dir / "lfw")
    assert (dataset.name, len(dataset.images), dataset.problems) == ("lfw", 4_992, ())
    assert dataset.labels["gender"].value_counts().to_dict() == {
        "male": 3_668,
        "female": 1_322,
    }  # cut -d, -f3 | sort | uniq -c
    assert (dataset.labels["identity"] == dataset.labels.index.str.split("/").str[0]).all()


def test_folders_whose_images_are_named_otherwise_are_not_taken_for_lfw(make_tree):
    assert open_dataset(make_tree("Ann_Lee/image_0001.jpg", "Bob_Ray/image_0001.jpg")).name == "folder"
