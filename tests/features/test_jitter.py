"""Jittered copies move as far as dlib's own, and the same way in every run."""

import dlib
import numpy as np

from features.jitter import jitter_crops
from tests.features.scenes import noise_image, smooth_image


def test_jittered_copies_are_the_same_in_every_run_and_for_every_neighbour():
    crops = np.stack([noise_image(150, 150), smooth_image(150, 150)])
    copies = jitter_crops(crops, 4)
    assert copies.shape == (8, 150, 150, 3)
    np.testing.assert_array_equal(copies, jitter_crops(crops, 4))
    np.testing.assert_array_equal(copies[4:], jitter_crops(crops[1:], 4))
    assert (jitter_crops(crops, 4, seed=1) != copies).any()


def test_jitter_moves_as_far_as_dlibs_own():
    half = smooth_image(150, 75)
    chip = np.concatenate([half, half[:, ::-1]], axis=1)  # symmetric, so that mirroring adds nothing to the spread
    own, theirs = jitter_crops(chip[np.newaxis], 200).astype(float), np.array(dlib.jitter_image(chip, 200), float)
    np.testing.assert_allclose(own.std(axis=0).mean(), theirs.std(axis=0).mean(), rtol=0.15)
    assert np.abs(own.mean(axis=0) - theirs.mean(axis=0)).mean() < 0.15 * own.std(axis=0).mean()


def test_about_half_of_the_jittered_copies_are_mirrored():
    ramp = np.repeat(np.arange(150, dtype=np.uint8)[np.newaxis, :, np.newaxis], 3, axis=2) * np.ones(
        (150, 1, 1), np.uint8
    )
    copies = jitter_crops(ramp[np.newaxis], 100).astype(int)
    is_mirrored = copies[:, 75, 20, 0] > copies[:, 75, 130, 0]
    assert 35 <= is_mirrored.sum() <= 65


def test_no_crops_have_no_copies():
    assert jitter_crops(np.empty((0, 150, 150, 3), np.uint8), 5).shape == (0, 150, 150, 3)
