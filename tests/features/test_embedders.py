"""Crops through a network in batches."""

import numpy as np
import pytest

from faceheads.spec import EmbedderSpec
from features.embedders import embed_in_batches


def test_batches_do_not_change_the_numbers_and_flip_averages_the_mirror_image():
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (7, 4, 4, 3), np.uint8)
    spec = EmbedderSpec("left", "0" * 64, 3, "none")
    left = lambda batch: batch[:, :, 0].mean(axis=1, dtype=np.float32)
    whole = embed_in_batches(left, crops, 7, spec)
    np.testing.assert_array_equal(whole, embed_in_batches(left, crops, 2, spec))
    flipped = embed_in_batches(left, crops, 3, EmbedderSpec("left", "0" * 64, 3, "none", flip=True))
    np.testing.assert_allclose(flipped, (left(crops) + crops[:, :, -1].mean(axis=1)) / 2, rtol=1e-6)


def test_a_network_that_gives_nonsense_is_an_error():
    crops = np.zeros((2, 4, 4, 3), np.uint8)
    spec = EmbedderSpec("x", "0" * 64, 3, "none")
    with pytest.raises(RuntimeError, match="shape"):
        embed_in_batches(lambda b: np.zeros((len(b), 2)), crops, 8, spec)
    with pytest.raises(RuntimeError, match="not finite"):
        embed_in_batches(lambda b: np.full((len(b), 3), np.nan), crops, 8, spec)
