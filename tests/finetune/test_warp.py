"""Faces bent onto other points."""

import numpy as np
import pytest

from finetune.warp import moved_like, warp_points

from .faces import face_photo, face_points


def test_points_that_stay_leave_the_picture_as_it_is():
    photo = face_photo(1)
    warped = warp_points(photo.rgb, photo.points_xy, photo.points_xy, photo.rgb.shape[:2])
    inside = warped.any(axis=2)
    assert inside.mean() > 0.1
    assert np.abs(warped.astype(int) - photo.rgb)[inside].max() <= 1


def test_an_affine_move_of_the_points_moves_every_pixel_by_it():
    rgb = np.dstack(
        [np.add.outer(np.zeros(80), np.arange(100)), np.add.outer(np.arange(80), np.zeros(100)), np.zeros((80, 100))]
    )
    source = np.array([[10, 10], [60, 12], [55, 60], [14, 58], [30, 30]], np.float64)
    matrix, shift = np.array([[1.1, 0.2], [-0.1, 0.9]]), np.array([3.0, 8.0])
    warped = warp_points(rgb.astype(np.uint8), source, source @ matrix.T + shift, (80, 100))
    y, x = np.nonzero(warped[:, :, 0])
    expected = (np.column_stack([x, y]) - shift) @ np.linalg.inv(matrix).T  # the picture's values are its coordinates
    assert len(x) > 500
    assert np.abs(warped[y, x, :2] - expected).max() <= 0.6  # rounding to whole numbers, and OpenCV's 1/32 pixel


def test_outside_of_the_points_and_of_the_picture_nothing_breaks():
    photo = face_photo(2)
    moved = photo.points_xy + (70, -60)
    warped = warp_points(photo.rgb, photo.points_xy, moved, (130, 120))
    assert not warped[:, :40].any()
    assert warp_points(photo.rgb, photo.points_xy, moved + 500, (130, 120)).shape == (130, 120, 3)


@pytest.mark.parametrize("turn", [0.0, 0.4])
def test_the_similarity_undoes_turn_scale_and_shift(turn):
    small, large = face_points((50, 50), 40), face_points((71, 66), 66, turn)
    assert np.abs(moved_like(small, large) - large).max() < 1e-4


def test_the_similarity_never_mirrors():
    face = face_points()
    mirrored = face * (-1, 1) + (120, 0)
    moved = moved_like(face, mirrored)
    cross = np.linalg.det(np.stack([moved[16] - moved[0], moved[8] - moved[0]]))
    assert cross > 0
