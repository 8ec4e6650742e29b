"""Each distortion does what its parameters say, measured on the pictures."""

import numpy as np
import pytest

from finetune.distortions import Subject
from finetune.distortions.camera import blur, jpeg, noise, resize
from finetune.distortions.light import low_light, sun
from finetune.distortions.occlusion import occlude_eyes, occlude_mouth, occlude_nose
from finetune.distortions.weather import fog, rain

FACE = Subject(75.0)  # half the reference


def rng(seed=0):
    return np.random.default_rng(seed)


def flat(level, size=160):
    return np.full((size, size, 3), level, np.uint8)


def test_a_blurred_edge_has_the_width_that_the_face_asks_for():
    edge = flat(0)
    edge[:, 80:] = 255
    slope = np.diff(blur(edge, rng(), FACE, sigma_px=4)[0, :, 0].astype(float))
    sigma = np.sqrt((slope * (np.arange(len(slope)) - 79) ** 2).sum() / slope.sum())
    assert sigma == pytest.approx(2, abs=0.1), "4 px on a face of 150 px are 2 on one of 75"


def test_noise_has_its_sigma_and_no_mean():
    change = noise(flat(128), rng(), FACE, sigma=25).astype(float) - 128
    assert change.std() == pytest.approx(25, rel=0.02)
    assert abs(change.mean()) < 0.5
    assert abs(np.corrcoef(change[..., 0].ravel(), change[..., 1].ravel())[0, 1]) < 0.05


def test_a_resized_photo_holds_no_more_than_its_small_copy():
    stripes = flat(0, 150)
    stripes[:, ::2] = 255  # nothing of it survives halving
    small = resize(stripes, rng(), Subject(150.0), face_px=48)
    assert np.ptp(small[:, 10:-10].astype(int)) < 255 / 3
    np.testing.assert_array_equal(resize(stripes, rng(), Subject(30.0), face_px=48), stripes)


def test_jpeg_keeps_the_order_of_colours():
    rgb = flat(0, 64)
    rgb[...] = (200, 100, 30)
    assert np.abs(jpeg(rgb, rng(), FACE, quality=20).astype(int) - rgb).max() < 8


def test_low_light_has_its_gain_and_more_noise_where_more_light_is():
    bright, dark = (low_light(flat(v), rng(), FACE, gain=0.3, electrons_at_white=500, read_noise=3) for v in (240, 60))
    assert bright.mean() == pytest.approx(72, abs=0.3)
    assert dark.mean() == pytest.approx(18, abs=0.3)
    assert bright.std() == pytest.approx(np.sqrt(72 * 255 / 500 + 9), rel=0.03)
    assert dark.std() == pytest.approx(np.sqrt(18 * 255 / 500 + 9), rel=0.05)


def test_fog_shrinks_contrast_by_its_transmission_and_is_smooth():
    black, white = (fog(flat(v), rng(), FACE, transmission=0.4, sigma_px=0.1).astype(float) for v in (0, 255))
    through = (white - black).mean(axis=2) / 255
    assert through.mean() == pytest.approx(0.4, abs=0.06)
    assert np.abs(np.diff(through, axis=0)).max() < 0.02
    assert black.mean() > 100


def test_rain_is_bright_streaks_that_fall():
    wet = rain(flat(40, 200), rng(), Subject(150.0), n_drops=60, length_px=24, transmission=1.0).astype(float)[..., 0]
    streaks = wet > wet.min() + 40
    assert 0.02 < streaks.mean() < 0.4
    along, across = np.abs(np.diff(wet, axis=0)).mean(), np.abs(np.diff(wet, axis=1)).mean()
    assert along < across / 2, "streaks are long downwards and thin across"


def test_the_sun_is_white_above_and_its_light_falls_off():
    rgb = sun(flat(60, 200), rng(), Subject(150.0), disc=0.14, halo=0.15, veil=0.03, exposure=0.85)
    level = rgb.astype(float).mean(axis=2)
    y, _ = np.unravel_index(level.argmax(), level.shape)
    assert level.max() > 250 and y < 80
    corners = level[-20:, :20].mean(), level[-20:, -20:].mean()
    assert 60 < min(corners) < 200, "the veil brightens the farthest corner too"


@pytest.mark.parametrize(("cover", "part"), [(occlude_eyes, 0), (occlude_nose, 2), (occlude_mouth, 3)])
@pytest.mark.parametrize("scheme", ["arcface5", "dlib5"])
def test_a_patch_lies_on_its_part_and_nowhere_else(cover, part, scheme):
    landmarks = {
        "arcface5": [[60, 70], [100, 70], [80, 92], [66, 116], [94, 116]],
        "dlib5": [[108, 70], [92, 70], [52, 70], [68, 70], [80, 100]],
    }[scheme]
    subject = Subject(100.0, np.array(landmarks, float), scheme)
    centres = subject.parts_xy.copy()
    np.testing.assert_allclose(centres, [[60, 70], [100, 70], [80, 92], [80, 116]], atol=1.5)
    centres[:2] = centres[:2].mean(axis=0)
    rgb = flat(255)
    change = np.abs(cover(rgb, rng(), subject, width=0.5, height=0.3).astype(float) - rgb).sum(axis=2)
    is_covered = change > change.max() / 2
    ys, xs = np.nonzero(is_covered)
    assert (xs.mean(), ys.mean()) == pytest.approx(tuple(centres[part]), abs=1)
    assert np.ptp(xs) + 1 == pytest.approx(0.5 * 40, abs=2)
    assert np.ptp(ys) + 1 == pytest.approx(0.3 * 40, abs=2)


def test_the_bar_over_the_eyes_turns_with_the_face():
    upright = np.array([[60, 70], [100, 70], [80, 92], [66, 116], [94, 116]], float)
    turned = (upright - 80) @ np.array([[0, 1], [-1, 0]]) + 80  # a quarter turn
    subject = Subject(100.0, turned, "arcface5")
    ys, xs = np.nonzero((occlude_eyes(flat(255), rng(), subject, width=1.5, height=0.4) != 255).any(axis=2))
    assert np.ptp(ys) > 3 * np.ptp(xs)


def test_coinciding_landmarks_are_refused():
    subject = Subject(100.0, np.full((5, 2), 50.0), "arcface5")
    with pytest.raises(ValueError, match="coincide"):
        occlude_eyes(flat(255), rng(), subject, width=1, height=1)


@pytest.mark.parametrize("face_px", [0, -3, float("nan"), float("inf")])
def test_a_face_has_a_size(face_px):
    with pytest.raises(ValueError, match="face_px must be positive"):
        Subject(face_px)
