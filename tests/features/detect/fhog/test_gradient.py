"""Orientation and magnitude of single pixels."""

import itertools

import numpy as np

from features.detect.fhog import histogram
from features.detect.fhog.geometry import BIN_STRIDE, SLACK
from tests.features.detect.fhog.reference import DIRECTIONS, gradient, orientation
from tests.features.detect.fhog.test_resize import packed

#: Pixels whose gradients are computed at once.
_N = 512


def gradients_of(image, row, first, work):
    """Orientation and magnitude of ``_N`` pixels of a row."""
    pixels = np.concatenate([np.zeros(SLACK, np.uint32), packed(image), np.zeros(SLACK, np.uint32)])[SLACK:]
    histogram.gradient_block(pixels, image.shape[1], row, first, _N, work)
    return work.bins[:_N] // BIN_STRIDE, work.magnitudes[:_N].copy()


def every_gradient():
    values = np.arange(-255, 256)
    return np.stack(np.meshgrid(values, values, indexing="ij"), axis=-1).reshape(-1, 2)


def all_orientations(gradients):
    """What :func:`reference.orientation` says, for many gradients at once."""
    dots = gradients.astype(np.float32) @ DIRECTIONS.T.astype(np.float32)
    both = np.stack([dots, -dots], axis=2).reshape(len(gradients), 18)  # 0, 9, 1, 10, …: the order of the comparisons
    numbers = np.stack([np.arange(9), np.arange(9) + 9], axis=1).ravel()
    return np.where(both.max(1) > 0, numbers[both.argmax(1)], 0)


def test_the_vectorised_reference_is_the_loop():
    sample = every_gradient()[::997]
    assert all_orientations(sample).tolist() == [orientation(gx, gy) for gx, gy in sample]


def test_all_261121_gradients_get_dlibs_orientation(work_for):
    work, found, wanted = work_for(3, 3 * _N), [], every_gradient()
    for part in np.array_split(wanted, len(wanted) // (_N // 3) + 1):
        image = np.zeros((3, 3 * _N, 3), np.uint8)
        middle = 3 * np.arange(len(part)) + 1
        for (row, shift), side in zip(((1, 1), (1, -1), (2, 0), (0, 0)), itertools.cycle((1, -1))):
            values = np.maximum(side * part[:, 0 if row == 1 else 1], 0)
            image[row, middle + shift] = values[:, np.newaxis]
        bins, magnitudes = gradients_of(image, 1, 0, work)
        assert np.array_equal(magnitudes[middle], np.sqrt((part**2).sum(1).astype(np.float32)))
        found.append(bins[middle].copy())
    assert np.array_equal(np.concatenate(found), all_orientations(wanted))


def test_the_longest_gradient_of_the_channels_counts_and_ties_are_dlibs(work_for):
    # Few values, so that ties between channels are common; the last columns are those that dlib does one by one.
    image = np.random.default_rng(0).integers(0, 3, (3, 213, 3)).astype(np.uint8)
    bins, magnitudes = gradients_of(image, 1, 0, work_for(3, 213))
    for x in range(1, 212):
        gx, gy = gradient(image, 1, x)
        assert magnitudes[x] == np.sqrt(np.float32(gx * gx + gy * gy))
        assert bins[x] == orientation(gx, gy), x


def test_pixels_outside_have_no_magnitude(work_for):
    image = np.random.default_rng(0).integers(0, 256, (3, 213, 3), np.uint8)
    _, magnitudes = gradients_of(image, 1, -4, work_for(3, 213))
    assert not magnitudes[:5].any()
    assert not magnitudes[4 + 212 :].any()
    assert magnitudes[5 : 4 + 212].all()
