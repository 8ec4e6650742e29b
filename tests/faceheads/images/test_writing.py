"""Written pictures come back as they were, or what was there before stays."""

import stat

import numpy as np
import pytest
from PIL import Image

from faceheads.images.reading import read_image
from faceheads.images.writing import write_image
from tests.features.photos import colours


@pytest.mark.parametrize("name", ["a.png", "A.PNG", "ünï 写真.png"])
def test_a_png_comes_back_as_it_was_written(tmp_path, name):
    write_image(tmp_path / name, colours())
    np.testing.assert_array_equal(read_image(tmp_path / name).rgb, colours())
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_jpeg_comes_back_nearly_as_it_was_and_nearer_with_more_quality(tmp_path):
    errors = []
    for quality in (50, 95):
        write_image(tmp_path / "a.jpg", colours(), quality)
        errors.append(np.abs(read_image(tmp_path / "a.jpg").rgb.astype(int) - colours()).mean())
    assert errors[1] < 1 < errors[0]
    assert read_image(tmp_path / "a.jpg").format == "jpeg"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    write_image(path, colours())

    def save_half(self, file, *args, **kwargs):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", save_half)
    with pytest.raises(OSError, match="No space"):
        write_image(path, colours(seed=1))
    monkeypatch.undo()
    np.testing.assert_array_equal(read_image(path).rgb, colours())
    assert list(tmp_path.iterdir()) == [path]


def test_a_written_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    write_image(tmp_path / "a.png", colours())
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


@pytest.mark.parametrize(
    ("name", "rgb", "quality", "message"),
    [
        ("a.webp", colours(), 90, "must be written as one of"),
        ("a.jpg", colours(), 0, "quality must be 1 to 95; got 0"),
        ("a.jpg", np.zeros((1, 70_000, 3), np.uint8), 90, "at most 65500 px a side"),
        ("a.png", colours()[:, :, 0], 90, "shape \\(height, width, 3\\), RGB; got uint8 of shape \\(48, 40\\)"),
        ("a.png", colours().astype(float), 90, "got float64"),
        ("a.png", np.zeros((0, 5, 3), np.uint8), 90, "got uint8 of shape \\(0, 5, 3\\)"),
        ("a.png", [[1]], 90, "got list"),
    ],
)
def test_what_cannot_be_written_is_refused_with_a_reason(tmp_path, name, rgb, quality, message):
    with pytest.raises(ValueError, match=message):
        write_image(tmp_path / name, rgb, quality)
    assert not list(tmp_path.iterdir())
