"""Masks, colours and seams."""

import cv2
import numpy as np
import pytest

from finetune.blending import feather_blend, hull_mask, match_colours, poisson_blend

from .faces import face_photo, face_points


@pytest.mark.parametrize("width", [51, 52, 53, 60])
def test_a_poisson_blend_of_a_picture_with_itself_moves_nothing(width):
    photo = face_photo(1)
    blended = poisson_blend(photo.rgb, photo.rgb, hull_mask(face_points(width=width), (130, 120)))
    assert np.abs(blended.astype(int) - photo.rgb).max() <= 2


def test_a_poisson_blend_takes_the_gradients_of_the_face_and_the_level_of_the_target():
    face, target = face_photo(1).rgb, np.full((130, 120, 3), 90, np.uint8)
    mask = hull_mask(face_points(), (130, 120))
    dark = poisson_blend(face // 2, target, mask)
    bright = poisson_blend(face // 2 + 100, target, mask)  # the same gradients
    assert np.abs(dark.astype(int) - bright).max() <= 2
    assert (dark[mask == 0] == 90).all()


def test_a_poisson_blend_keeps_the_laplacian_of_the_face_and_its_surrounding():
    face, target = face_photo(1).rgb // 3 + 60, face_photo(2).rgb // 3 + 60  # far from the ends of the scale
    mask = hull_mask(face_points(), (130, 120))
    blended = poisson_blend(face, target, mask)
    assert (blended[mask == 0] == target[mask == 0]).all()
    four = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], np.float64)
    wanted, have = (cv2.filter2D(x.astype(np.float64), -1, four) for x in (face, blended))
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0
    assert np.abs(have - wanted)[inner].max() <= 4  # rounding of five pixels
    assert np.abs(blended.astype(int) - target)[inner].max() > 20


def test_a_feathered_blend_is_the_face_inside_and_the_target_outside():
    face, target = face_photo(1).rgb, face_photo(2).rgb
    mask = hull_mask(face_points(), (130, 120))
    blended = feather_blend(face, target, mask, 5)
    deep = cv2.erode(mask, np.ones((31, 31), np.uint8)) > 0
    assert deep.any() and (blended[deep] == face[deep]).all()
    far = cv2.dilate(mask, np.ones((9, 9), np.uint8)) == 0
    assert (blended[far] == target[far]).all()


def test_the_masked_part_gets_the_mean_and_contrast_of_the_target():
    face, target = face_photo(1).rgb, face_photo(3).rgb // 3 + 90
    mask = hull_mask(face_points(), (130, 120))
    matched = match_colours(face, target, mask)
    lab = [cv2.cvtColor(x.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[mask > 0] for x in (face, matched, target)]
    before, after, wanted = (x.mean(axis=0) for x in lab)
    assert np.abs(before - wanted).max() > 5
    assert np.abs(after - wanted).max() < 1.5  # colours that leave the gamut are cut
    contrast = [float(x[:, 0].std()) for x in lab]
    assert contrast[2] < 0.7 * contrast[0]
    assert contrast[1] == pytest.approx(max(contrast[2], contrast[0] / 1.6), rel=0.15)


def test_a_mask_beyond_the_picture_changes_nothing():
    photo = face_photo(1)
    mask = hull_mask(face_points((900, 900)), (130, 120))
    assert not mask.any()
    assert (poisson_blend(photo.rgb, face_photo(2).rgb, mask) == face_photo(2).rgb).all()
    assert (match_colours(photo.rgb, photo.rgb, mask) == photo.rgb).all()
    reaching_out = hull_mask(face_points((5, 66)), (130, 120))
    assert not reaching_out[:, :2].any() and reaching_out[:, 2].any()
    assert poisson_blend(photo.rgb, photo.rgb, reaching_out).shape == photo.rgb.shape
