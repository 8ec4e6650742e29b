"""The photos in a folder: listed once, and nothing left out unseen."""

import os
import sys

import pytest

from features.folders import list_images


def make_files(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_images_of_nested_folders_are_listed_sorted_by_code_point(tmp_path):
    make_files(tmp_path, "b/2.jpg", "b/10.JPEG", "B.Png", "a.webp", "é/ü.tiff", "b/c/d/e.HEIC")
    assert list_images(tmp_path) == ["B.Png", "a.webp", "b/10.JPEG", "b/2.jpg", "b/c/d/e.HEIC", "é/ü.tiff"]
    assert list_images(str(tmp_path)) == list_images(tmp_path)


def test_other_files_and_hidden_ones_are_not_listed(tmp_path):
    make_files(tmp_path, "a.jpg", ".a.jpg", "._a.jpg", ".git/x.jpg", "notes.txt", "sub/no_extension", "sub/b.jpg.part")
    assert list_images(tmp_path) == ["a.jpg"]


def test_links_in_a_circle_end_and_every_image_is_listed_once(tmp_path):
    make_files(tmp_path, "a/1.jpg", "b/2.jpg")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a")
    (tmp_path / "0_link_to_b").symlink_to(tmp_path / "b")
    (tmp_path / "z_link_to_b").symlink_to(tmp_path / "b")
    assert list_images(tmp_path) == ["a/1.jpg", "b/2.jpg"]


def test_a_linked_folder_elsewhere_and_a_broken_link_are_listed(tmp_path):
    make_files(tmp_path, "elsewhere/3.jpg", "data/1.jpg")
    (tmp_path / "data" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "2.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert list_images(tmp_path / "data") == ["1.jpg", "2.jpg", "more/3.jpg"]


@pytest.mark.skipif(sys.platform == "darwin", reason="the file system accepts UTF-8 names only")
def test_a_name_that_no_table_can_hold_is_a_problem_and_not_a_silent_loss(tmp_path):
    make_files(tmp_path, "good.jpg")
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    with pytest.raises(OSError, match="1 cannot: .*UTF-8"):
        list_images(tmp_path)


def test_a_folder_that_cannot_be_entered_is_a_problem_and_not_a_silent_loss(tmp_path, monkeypatch):
    make_files(tmp_path, "open/1.jpg", "shut/2.jpg")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(OSError, match="shut: .*Permission denied"):
        list_images(tmp_path)


def test_a_folder_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(NotADirectoryError, match="must be a folder"):
        list_images(tmp_path / "absent")
