from faceheads.datasets import Problem, open_dataset


def labels_of(dataset):
    return dataset.labels.to_dict("index")


def test_the_first_folder_is_the_label(make_tree):
    dataset = open_dataset(make_tree("female/x/1.jpg", "male/2.jpg"), "folder", column="gender")
    assert labels_of(dataset) == {"female/x/1.jpg": {"gender": "female"}, "male/2.jpg": {"gender": "male"}}


def test_folders_of_parts_are_the_split_and_the_next_folder_is_the_label(make_tree):
    dataset = open_dataset(make_tree("train/male/1.jpg", "val/female/2.jpg"), "folder")
    assert labels_of(dataset) == {
        "train/male/1.jpg": {"label": "male", "split": "train"},
        "val/female/2.jpg": {"label": "female", "split": "val"},
    }


def test_parts_without_further_folders_are_the_only_label(make_tree):
    assert labels_of(open_dataset(make_tree("train/1.jpg", "test/2.jpg"))) == {
        "test/2.jpg": {"split": "test"},
        "train/1.jpg": {"split": "train"},
    }


def test_one_folder_tells_no_images_apart_and_is_no_label(make_tree):
    assert open_dataset(make_tree("photos/1.jpg", "photos/2.jpg")).labels is None


def test_an_image_beside_the_folders_of_labels_is_a_problem(make_tree):
    dataset = open_dataset(make_tree("a/1.jpg", "b/2.jpg", "3.jpg"))
    assert dataset.problems == (Problem("3.jpg", "not labelled in the folder names"),)
    assert len(dataset.images) == 3
