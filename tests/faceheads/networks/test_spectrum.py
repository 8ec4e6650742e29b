"""The energies of frequencies."""

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn

from faceheads.networks.spectrum import DIMENSION, spectrum


def noise(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (200, 200, 3), dtype=np.uint8)


def cells(crop):
    return spectrum(crop[None])[0].reshape(3, 7, 4, 63)


def test_the_numbers_are_those_of_a_plain_loop_over_blocks():
    crop = noise()
    channels = np.asarray(Image.fromarray(crop).convert("YCbCr"), np.float64)
    total = np.zeros((3, 7, 4, 64))
    for channel in range(3):
        for row in range(49):
            for column in range(49):
                block = channels[4 * row : 4 * row + 8, 4 * column : 4 * column + 8, channel]
                energy = np.log(dctn(block, norm="ortho").ravel() ** 2 + 0.3)
                cell = column // 7
                # the middle column of cells stands alone, the others are averaged with their mirror image
                total[channel, row // 7, min(cell, 6 - cell)] += energy / (49 if cell == 3 else 98)
    assert spectrum(crop[None]).shape == (1, DIMENSION)
    assert cells(crop) == pytest.approx(total[..., 1:], abs=2e-3)


def test_a_blurred_face_loses_the_fine_frequencies_of_its_cells_and_of_no_others():
    crop = noise()
    changed = crop.copy()
    changed[64:136, 64:136] = cv2.GaussianBlur(crop, (0, 0), 1.2)[64:136, 64:136]
    lost = cells(crop) - cells(changed)
    fine = np.add.outer(np.arange(8), np.arange(8)).ravel()[1:] >= 9
    assert (lost[:, 3, 3][:, fine] > 2).all()
    assert not lost[:, [0, 1, 5, 6]].any() and not lost[:, :, :2].any()


def test_a_mirrored_crop_has_the_same_spectrum():
    crop = noise(1)
    assert spectrum(crop[None, :, ::-1]) == pytest.approx(spectrum(crop[None]), abs=1e-3)


def test_a_flat_crop_is_finite():
    assert np.isfinite(spectrum(np.full((2, 200, 200, 3), 7, np.uint8))).all()


def test_crops_of_another_size_are_refused():
    with pytest.raises(ValueError, match="200, 200"):
        spectrum(np.zeros((1, 150, 150, 3), np.uint8))
