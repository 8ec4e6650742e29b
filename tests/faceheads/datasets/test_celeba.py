import pytest

from faceheads.datasets import Problem, open_dataset

IMAGES = ("000001.jpg", "000002.jpg")
ATTRIBUTES = "2\n5_o_Clock_Shadow Male \n000001.jpg -1  1\n000002.jpg  1 -1\n"


@pytest.fixture
def tree(make_tree):
    return make_tree(*(f"img_align_celeba/{name}" for name in IMAGES))


def test_the_three_lists_are_joined_and_marks_become_one_and_zero(tree, write):
    write("Anno/list_attr_celeba.txt", ATTRIBUTES)
    write("Anno/identity_CelebA.txt", "000001.jpg 2880\n000002.jpg 2937\n")
    write("Eval/list_eval_partition.txt", "000001.jpg 0\n000002.jpg 2\n")
    dataset = open_dataset(tree)
    assert (dataset.name, dataset.images, dataset.problems) == ("celeba", IMAGES, ())
    assert dataset.labels.to_dict("index") == {
        "000001.jpg": {"5_o_Clock_Shadow": 0, "Male": 1, "identity": "2880", "split": "train"},
        "000002.jpg": {"5_o_Clock_Shadow": 1, "Male": 0, "identity": "2937", "split": "test"},
    }


def test_the_repacked_lists_give_the_same(tree, write):
    write("list_attr_celeba.csv", "image_id,5_o_Clock_Shadow,Male\n000001.jpg,-1,1\n000002.jpg,1,-1\n")
    write("list_eval_partition.csv", "image_id,partition\n000001.jpg,0\n000002.jpg,1\n")
    dataset = open_dataset(tree)
    assert dataset.problems == ()
    labels = dataset.labels
    assert labels["Male"].tolist() == [1, 0]
    assert labels["split"].tolist() == ["train", "val"]


def test_the_losslessly_packed_images_are_labelled_too(make_tree, write):
    root = make_tree("img_align_celeba_png/000001.png", "img_align_celeba_png/000002.png")
    write("list_attr_celeba.txt", ATTRIBUTES)
    dataset = open_dataset(root)
    assert dataset.labels["Male"].to_dict() == {"000001.png": 1, "000002.png": 0}
    assert dataset.problems == ()


def test_a_list_cut_short_is_a_problem(tree, write):
    write("list_attr_celeba.txt", ATTRIBUTES.rpartition("000002")[0])
    assert open_dataset(tree).problems == (
        Problem("list_attr_celeba.txt", "it should have 2 rows by its first line; it has 1"),
        Problem("000002.jpg", "not labelled in list_attr_celeba.txt"),
    )


def test_an_unknown_part_or_identity_is_a_problem_and_missing(tree, write):
    write("list_eval_partition.txt", "000001.jpg 7\n000002.jpg 1\n")
    write("identity_CelebA.txt", "000001.jpg 1\n000002.jpg x\n")
    dataset = open_dataset(tree)
    assert dataset.labels.isna().to_numpy().tolist() == [[False, True], [True, False]]
    assert [problem.what for problem in dataset.problems] == [
        "identity in identity_CelebA.txt cannot be read: 'x'",
        "split in list_eval_partition.txt cannot be read: '7'",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("2\nA B\n000001.jpg 1 x\n", r"line 3: an attribute must be 1 or -1; got 'x'"),
        ("2\nA B\n000001.jpg 1\n", r"line 3: a row must have 3 fields; got 2"),
        ("A B\n000001.jpg 1 1\n", r"line 1: must be the number of images; got 'A B'"),
        ("1\n", "must begin with a line that names the columns"),
    ],
)
def test_a_malformed_list_of_attributes_is_an_error_with_its_line(tree, write, content, message):
    write("list_attr_celeba.txt", content)
    with pytest.raises(ValueError, match=message):
        open_dataset(tree)
