"""Small pictures of faces: the right part of the right photo, and of nothing else."""

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from faceheads.report.thumbnails import SIZE_PX, face_thumbnails
from faceheads.table import FaceRow, FaceTable, Status
from tests.tables import face_row, table_spec

RED = (255, 0, 0)


@pytest.fixture
def folder(tmp_path):
    """A photo of 120 x 80 with a red square at 60 … 80, 30 … 50."""
    (tmp_path / "photos").mkdir()
    photo = Image.new("RGB", (120, 80), (0, 128, 0))
    photo.paste(RED, (60, 30, 80, 50))
    photo.save(tmp_path / "photos" / "a.png")
    photo.save(tmp_path / "secret.png")
    return tmp_path / "photos"


def table_of(path, box=None, sha256=""):
    if box is None:
        row = FaceRow(path, sha256, Status.NO_FACE, image_hw=(80, 120))
    else:
        row = face_row(path, np.random.default_rng(0), sha256=sha256, box_xyxy=np.array(box, np.float32))
    return FaceTable.from_rows([row], 5, table_spec())


def picture(folder, box, **columns):
    (jpeg,) = face_thumbnails(table_of("a.png", box, **columns), folder)
    return np.asarray(Image.open(io.BytesIO(jpeg)), int)


def test_the_face_is_in_the_middle_with_a_margin(folder):
    pixels = picture(folder, [60, 30, 80, 50])
    assert pixels.shape == (SIZE_PX, SIZE_PX, 3)
    is_red = (np.abs(pixels - RED) < 60).all(axis=2)
    rows, columns = np.flatnonzero(is_red.any(axis=1)), np.flatnonzero(is_red.any(axis=0))
    for found in (rows, columns):  # a margin of a quarter on each side leaves two thirds to the box
        assert found[0] == pytest.approx(SIZE_PX / 6, abs=3) and found[-1] == pytest.approx(SIZE_PX * 5 / 6, abs=3)


def test_near_the_border_the_square_moves_inside_the_photo(folder):
    assert (picture(folder, [90, 0, 130, 40]).max(axis=2) > 60).all()


@pytest.mark.parametrize("box", [None, [np.nan] * 4, [5, 5, 5, 9], [-1e9, -1e9, 1e9, 1e9]])
def test_without_a_box_the_whole_photo_is_shown(folder, box):
    pixels = picture(folder, box)
    assert (pixels[SIZE_PX // 2].max(axis=1) > 60).all()
    assert (pixels[:20].max(axis=2) < 60).all() and (pixels[-20:].max(axis=2) < 60).all()  # black above and below


def test_a_photo_that_is_another_one_is_not_shown(folder):
    content = hashlib.sha256((folder / "a.png").read_bytes()).hexdigest()
    assert face_thumbnails(table_of("a.png", sha256=content), folder) != [None]
    assert face_thumbnails(table_of("a.png", sha256="ab" * 32), folder) == [None]


@pytest.mark.parametrize("path", ["../secret.png", "x/../../secret.png", "missing.png", "."])
def test_what_is_missing_or_outside_the_folder_is_not_shown(folder, path):
    assert face_thumbnails(table_of(path), folder) == [None]


def test_an_absolute_path_is_not_followed(folder):
    assert face_thumbnails(table_of(str(folder.parent / "secret.png")), folder) == [None]
