import io

import numpy as np
from PIL import Image

from faceheads.images.writing import write_image
from faceheads.table import FaceTable
from features.thumbnails import SIDE_PX, Section, contact_sheet, cut_faces
from tests.tables import face_row, table_spec


def photo_with_a_red_face(path):
    image = np.full((60, 100, 3), 255, np.uint8)
    image[10:30, 0:20] = (255, 0, 0)
    write_image(path, image)


def test_a_thumbnail_is_a_square_around_the_face_gray_beyond_the_photo(tmp_path):
    photo_with_a_red_face(tmp_path / "a.png")
    rng = np.random.default_rng(0)
    rows = [face_row(name, rng, box_xyxy=np.array([0, 10, 20, 30])) for name in ("a.png", "gone.png")]
    pictures = cut_faces(tmp_path, FaceTable.from_rows(rows, 5, table_spec()), [0, 1])
    assert set(pictures) == {0}  # a photo that is gone has no thumbnail
    seen = np.array(Image.open(io.BytesIO(pictures[0]))).astype(int)
    assert seen.shape == (SIDE_PX, SIDE_PX, 3)
    middle, left, right = seen[64, 64], seen[64, 5], seen[64, -5]
    assert middle[0] > 230 and middle[1] < 40
    assert abs(left - 128).max() < 30 and right.min() > 220


def test_a_sheet_has_a_place_for_every_tile_and_text_that_fits_below_it():
    tiles = tuple((None, f"a very long folder name/{i:04d}.jpg") for i in range(17))
    sheet = contact_sheet([Section("Бел?", tiles), Section("empty", ())])
    assert sheet.dtype == np.uint8 and (sheet == 255).mean() > 0.8
    column = sheet[:, 8:136].min(axis=(1, 2))  # three rows of frames in the first column
    assert (np.flatnonzero(column < 200)[-1] - np.flatnonzero(column < 200)[0]) > 3 * SIDE_PX
