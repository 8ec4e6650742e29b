"""Brightness and sharpness of a crop."""

import cv2
import numpy as np
import pytest
from PIL import Image

from features.quality import measure_quality

RNG_CROP = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
MIDDLE = RNG_CROP[16:48, 12:36]


def test_brightness_is_the_mean_luma_that_pillow_computes():
    expected = np.asarray(Image.fromarray(MIDDLE).convert("L")).mean()
    assert measure_quality(RNG_CROP)["brightness"] == pytest.approx(expected, abs=0.5)  # Pillow rounds each pixel


def test_sharpness_is_the_variance_that_opencv_computes():
    gray = cv2.cvtColor(MIDDLE.astype(np.float32), cv2.COLOR_RGB2GRAY)
    expected = cv2.Laplacian(gray, cv2.CV_32F, ksize=1)[1:-1, 1:-1].var()
    assert measure_quality(RNG_CROP)["sharpness"] == pytest.approx(expected, rel=1e-5)


def test_a_blurred_crop_is_less_sharp_and_as_bright():
    sharp, blurred = measure_quality(RNG_CROP), measure_quality(cv2.GaussianBlur(RNG_CROP, (0, 0), 2))
    assert blurred["sharpness"] < sharp["sharpness"] / 10
    assert blurred["brightness"] == pytest.approx(sharp["brightness"], abs=3)


def test_what_surrounds_the_middle_does_not_count():
    framed = np.zeros_like(RNG_CROP)
    framed[16:48, 12:36] = MIDDLE
    assert measure_quality(framed) == measure_quality(RNG_CROP)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_crop_too_small_for_edges_has_a_brightness_only(size):
    quality = measure_quality(np.full((size, size, 3), 200, np.uint8))
    assert quality["brightness"] == pytest.approx(200, abs=1e-3)
    assert np.isnan(quality["sharpness"])
