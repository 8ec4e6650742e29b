"""Face swaps and self-blends of drawn faces."""

import cv2
import numpy as np
import pytest

from finetune.blending import hull_mask
from finetune.face_points import with_forehead
from finetune.face_swap import BLENDS, FacePhoto, swap_face
from finetune.self_blend import self_blend

from .faces import face_photo, face_points


@pytest.mark.parametrize("blend", BLENDS)
def test_a_swap_changes_the_face_and_nothing_else(blend):
    source, target = face_photo(1, centre_xy=(55, 60), width=50), face_photo(2, turn=0.2)
    swapped = swap_face(source, target, blend)
    near = cv2.dilate(hull_mask(with_forehead(target.points_xy), (130, 120)), np.ones((15, 15))) > 0
    changed = (swapped != target.rgb).any(axis=2)
    assert swapped.dtype == np.uint8 and swapped.shape == target.rgb.shape
    assert changed[near].mean() > 0.4
    assert not changed[~near].any()


@pytest.mark.parametrize("blend", BLENDS)
def test_a_face_swapped_with_itself_stays(blend):
    photo = face_photo(1)
    assert np.abs(swap_face(photo, photo, blend).astype(int) - photo.rgb).max() <= 3


def test_a_bright_face_becomes_as_dark_as_the_target():
    target = face_photo(2)
    bright = FacePhoto(np.clip(target.rgb.astype(int) // 2 + 120, 0, 255).astype(np.uint8), target.points_xy)
    dark = FacePhoto(target.rgb // 2, target.points_xy)
    middle = (slice(55, 75), slice(50, 70))
    swapped = swap_face(bright, dark, "feather")[middle].mean()
    assert abs(swapped - dark.rgb[middle].mean()) < 0.2 * abs(bright.rgb[middle].mean() - dark.rgb[middle].mean())


def test_the_blends_differ():
    source, target = face_photo(1), face_photo(2)
    assert np.abs(swap_face(source, target, "poisson").astype(int) - swap_face(source, target, "feather")).max() > 10


def test_features_lie_where_the_proportions_say():
    source, target = face_photo(1, width=80), face_photo(2, width=80)
    low = source.points_xy.copy()
    low[48:] += (0, 6)  # the mouth, and a disc in its middle
    source, flat = np.full_like(source.rgb, 100), FacePhoto(np.full_like(target.rgb, 100), target.points_xy)
    middle = low[48:].mean(axis=0)
    cv2.circle(source, middle.round().astype(int).tolist(), 5, (255, 255, 255), -1)
    down = {}
    for own_shape in (0.0, 0.5, 1.0):
        swapped = swap_face(FacePhoto(source, low), flat, "feather", own_shape)[:, :, 0].astype(float)
        bright = np.clip(swapped - np.median(swapped), 0, None)
        down[own_shape] = (bright.sum(axis=1) @ np.arange(len(bright))) / bright.sum() - target.points_xy[
            48:, 1
        ].mean()
    assert down[0.0] == pytest.approx(0, abs=0.8)
    assert 2.5 < down[1.0] < 6  # the whole face is fitted to the target's, and so it is lifted a little
    assert down[0.5] == pytest.approx((down[0.0] + down[1.0]) / 2, abs=0.8)


@pytest.mark.parametrize(("blend", "own_shape"), [("magic", 0.5), ("poisson", 1.5)])
def test_unknown_settings_are_refused(blend, own_shape):
    with pytest.raises(ValueError, match="blend must be one of"):
        swap_face(face_photo(1), face_photo(2), blend, own_shape)


def test_a_self_blend_depends_on_its_seed_only_and_stays_near_the_photo():
    photo = face_photo(1, size_hw=(130, 120))
    one, again, other = (self_blend(photo, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()
    for seed in range(8):
        blended = self_blend(photo, np.random.default_rng(seed))
        assert 0 < np.abs(blended.astype(int) - photo.rgb).mean() < 40


def test_the_forehead_is_above_the_brows_of_a_turned_face():
    face = face_points(turn=np.pi / 2)  # upwards in the face is to the right in the picture
    more = with_forehead(face)
    assert more.shape == (78, 2)
    assert (more[68:, 0] > face[17:27, 0] + 2).all()
    assert np.abs(more[68:, 1] - face[17:27, 1]).max() < 1
