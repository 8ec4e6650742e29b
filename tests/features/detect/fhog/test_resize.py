"""The resize, equal to dlib's to the bit."""

import dlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.detect.fhog import geometry, resize
from tests.features.detect.fhog.reference import textured


def packed(image):
    return (image.astype(np.uint32) << np.array([0, 8, 16], np.uint32)).sum(2, dtype=np.uint32).ravel()


def unpacked(pixels, size):
    channels = pixels[: size[0] * size[1], np.newaxis] >> np.array([0, 8, 16], np.uint32) & np.uint32(255)
    return channels.astype(np.uint8).reshape(*size, 3)


def resized(image, size, work_for):
    work = work_for(max(image.shape[0], size[0]), max(image.shape[1], size[1]))
    target = np.zeros(size[0] * size[1] + geometry.SLACK, np.uint32)
    resize.resize(packed(image), image.shape[:2], target, size, work)
    return unpacked(target, size)


@pytest.fixture(scope="module")
def steps():
    return {"upsampled": geometry.upsampled_size, "shrunk": geometry.shrunk_size}


def test_packing_keeps_every_byte():
    image = textured(7, 11)
    pixels = np.zeros(7 * 11, np.uint32)
    readonly = image.view()
    readonly.flags.writeable = False
    resize.pack(readonly, pixels)
    assert np.array_equal(pixels, packed(image))


@pytest.mark.parametrize("step", ["upsampled", "shrunk"])
@pytest.mark.parametrize("size", [(2, 2), (5, 7), (9, 64), (64, 9), (40, 129), (30, 511), (20, 1300)])
def test_a_step_of_the_pyramid_equals_dlibs_to_the_bit(step, size, steps, work_for):
    target = steps[step](*size)
    for image in (textured(*size), np.full((*size, 3), 201, np.uint8), np.full((*size, 3), (255, 1, 77), np.uint8)):
        assert np.array_equal(resized(image, target, work_for), dlib.resize_image(image, *target))


@settings(max_examples=60)
@given(height=st.integers(1, 40), width=st.integers(1, 90), seed=st.integers(0, 1000), step=st.booleans())
def test_any_image_equals_dlibs_to_the_bit(height, width, seed, step, work_for):
    target = geometry.upsampled_size(height, width) if step else geometry.shrunk_size(height + 1, width + 1)
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    if min(target) > 0:
        assert np.array_equal(resized(image, target, work_for), dlib.resize_image(image, *target))


def test_flat_areas_keep_dlibs_rounding_which_is_not_always_the_value_itself(work_for):
    image = np.full((90, 100, 3), 200, np.uint8)
    result = resized(image, geometry.shrunk_size(90, 100), work_for)
    assert set(np.unique(result)) == {199, 200}
