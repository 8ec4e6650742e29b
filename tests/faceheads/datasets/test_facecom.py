import pytest

from faceheads.datasets import Problem, open_dataset

TASK_A = ("train/female/a.jpg", "train/male/b.jpg", "val/male/c.jpg")
TASK_B = (
    "train/001_frontal/001_frontal.jpg",
    "train/001_frontal/distortion/001_frontal_foggy.jpg",
    "val/Ann_Lee/Ann_Lee_0001.jpg",
)


@pytest.mark.parametrize("folder", ["", "Task_A/"])
def test_task_a_gives_genders(make_tree, folder):
    dataset = open_dataset(make_tree(*(folder + path for path in TASK_A)))
    assert (dataset.name, dataset.images, dataset.problems) == ("facecom", TASK_A, ())
    assert dataset.labels["gender"].tolist() == ["female", "male", "male"]
    assert dataset.labels["split"].tolist() == ["train", "train", "val"]


@pytest.mark.parametrize("folder", ["", "Task_B/"])
def test_task_b_gives_persons_and_distortions(make_tree, folder):
    dataset = open_dataset(make_tree(*(folder + path for path in TASK_B)))
    assert (dataset.name, dataset.images, dataset.problems) == ("facecom", TASK_B, ())
    assert dataset.labels["identity"].tolist() == ["001_frontal", "001_frontal", "Ann_Lee"]
    assert dataset.labels["distortion"].tolist() == ["clean", "foggy", "clean"]
    assert dataset.labels["split"].tolist() == ["train", "train", "val"]


def test_two_tasks_in_one_folder_must_be_told_apart(make_tree):
    root = make_tree(*(f"Task_A/{path}" for path in TASK_A), *(f"Task_B/{path}" for path in TASK_B))
    with pytest.raises(ValueError, match=r"task must name one of the tasks in .*, \['A', 'B'\]; got None"):
        open_dataset(root)
    assert "gender" in open_dataset(root, task="A", name="facecom").labels
    assert "identity" in open_dataset(root, task="B", name="facecom").labels


def test_a_task_that_is_not_there_is_an_error(make_tree):
    with pytest.raises(ValueError, match=r"\['A'\]; got 'B'"):
        open_dataset(make_tree(*TASK_A), "facecom", task="B")


def test_an_unknown_distortion_is_a_problem_and_missing(make_tree):
    stray, strange = "train/stray.jpg", "train/001_frontal/distortion/001_frontal_purple.jpg"
    dataset = open_dataset(make_tree(*TASK_B, strange, stray))
    assert dataset.labels["distortion"].isna().sum() == 1
    assert [problem.path for problem in dataset.problems] == [strange, stray]
    assert dataset.problems[1] == Problem(stray, "not labelled in the folder names")
