import pytest

from faceheads.datasets import ADAPTERS, detect_dataset, open_dataset

NAMES = [
    "adience",
    "appa_real",
    "celeba",
    "csv",
    "facecom",
    "fairface",
    "folder",
    "idemia",
    "kryptonite",
    "lfw",
    "lfwa",
    "utkface",
]


def test_every_layout_of_the_documentation_has_an_adapter():
    assert sorted(ADAPTERS) == NAMES
    assert all(name == adapter.name for name, adapter in ADAPTERS.items())


def test_a_folder_that_fits_nothing_is_read_as_a_folder(make_tree):
    assert open_dataset(make_tree("cats/1.jpg", "dogs/2.jpg")).name == "folder"


def test_an_empty_folder_is_a_data_set_without_images(tmp_path):
    dataset = open_dataset(tmp_path)
    assert (dataset.name, dataset.images, dataset.labels) == ("folder", (), None)


def test_a_layout_that_fits_two_sets_is_an_error_that_lists_them(make_tree, write):
    root = make_tree("train/1.jpg")
    write("fairface_label_train.csv", "file,age,gender,race\n")
    write("labels.csv", "path,age\ntrain/1.jpg,3\n")
    with pytest.raises(ValueError, match="it fits csv, fairface. Name one of them"):
        detect_dataset(root)
    assert open_dataset(root, "csv").labels["age"].tolist() == [3]


def test_an_unknown_name_is_an_error_that_lists_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=f"must be one of {', '.join(NAMES)}; got 'imdb'"):
        open_dataset(tmp_path, "imdb")


def test_an_option_that_the_adapter_does_not_have_is_an_error(tmp_path):
    with pytest.raises(TypeError, match=r"'folder' must be among \['column'\]; got \['colour'\]"):
        open_dataset(tmp_path, "folder", colour="label")


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="must exist"):
        open_dataset(tmp_path / "nothing")


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"folder", "csv"}))
def test_no_set_is_recognised_in_an_empty_folder_or_in_a_file(tmp_path, write, name):
    file = write("a.txt", "")
    assert not ADAPTERS[name].detect(tmp_path)
    assert not ADAPTERS[name].detect(file)
    assert not ADAPTERS[name].detect(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["adience", "appa_real", "celeba", "fairface", "idemia", "kryptonite", "lfwa"])
def test_a_set_named_for_a_folder_without_its_label_files_is_an_error(make_tree, name):
    with pytest.raises(FileNotFoundError, match="must hold"):
        open_dataset(make_tree("a.jpg"), name)
