import os

import pytest

from faceheads.datasets.listing import first_images, list_files, list_images


def test_images_are_found_at_any_depth_and_sorted(make_tree):
    root = make_tree("b/2.JPG", "a.png", "b/c/d/1.webp", "b/notes.txt")
    assert list_images(root) == (["a.png", "b/2.JPG", "b/c/d/1.webp"], [])


def test_hidden_files_and_the_rubbish_of_archives_are_no_images(make_tree):
    root = make_tree("._a.jpg", ".git/b.jpg", "__MACOSX/c.jpg", "d.jpg")
    assert list_images(root) == (["d.jpg"], [])


def test_a_folder_named_like_an_image_is_entered_and_not_listed(make_tree):
    assert list_images(make_tree("folder.jpg/a.jpg"))[0] == ["folder.jpg/a.jpg"]


def test_a_part_of_the_tree_is_listed_with_paths_from_the_root(make_tree):
    assert list_images(make_tree("a/1.jpg", "b/2.jpg"), "b")[0] == ["b/2.jpg"]


def test_a_link_to_a_folder_above_ends_and_a_real_folder_keeps_its_own_name(make_tree):
    root = make_tree("real/1.jpg")
    (root / "real" / "again").symlink_to(root)
    (root / "alias").symlink_to(root / "real")
    (root / "zebra").symlink_to(root / "real")
    assert list_images(root)[0] == ["real/1.jpg"]


def test_a_linked_folder_outside_is_followed(make_tree, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "1.jpg").touch()
    root = make_tree("0.jpg")
    (root / "link").symlink_to(outside)
    assert list_images(root)[0] == ["0.jpg", "link/1.jpg"]


def test_a_name_that_is_not_utf8_is_a_problem_and_not_a_crash(make_tree):
    root = make_tree("a.jpg")
    try:
        open(os.fsencode(root) + b"/\xff.jpg", "wb").close()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    images, problems = list_images(root)
    assert images == ["a.jpg"]
    assert [problem.what for problem in problems] == ["the name is not valid UTF-8: rename the file"]
    assert problems[0].path.isascii()


def test_a_folder_that_cannot_be_read_is_a_problem(make_tree, monkeypatch):
    root = make_tree("a/1.jpg", "b/2.jpg")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    images, problems = list_images(root)
    assert images == ["b/2.jpg"]
    assert [(problem.path, problem.what) for problem in problems] == [
        ("a", "folder cannot be read: Permission denied")
    ]


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(NotADirectoryError, match="must be a folder"):
        list_images(tmp_path / "nothing")


def test_every_file_is_listed_when_no_extension_is_asked_for(make_tree):
    assert list_files(make_tree("a.jpg", "b.txt", "c"))[0] == ["a.jpg", "b.txt", "c"]


def test_a_few_images_are_enough_to_recognise_a_layout(make_tree):
    root = make_tree("1.jpg", "2.jpg", "3.jpg", "n.txt", "sub.jpg/4.jpg")
    assert len(first_images(root, 2)) == 2
    assert set(first_images(root, 9)) == {"1.jpg", "2.jpg", "3.jpg"}
    assert first_images(root / "nothing", 2) == []
