"""Synthetic photos for tests of the pipeline: no face in them, so the detector ``none`` takes the whole image."""

import numpy as np
from PIL import Image

from features.pipeline_config import PipelineConfig


def write_photos(folder, n, seed=0, size=80):
    """Write ``n`` smooth random pictures ``000.png`` … and return their names."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{i:03d}.png" for i in range(n)]
    for name in names:
        coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8).astype(np.uint8))
        coarse.resize((size, size), Image.Resampling.BICUBIC).save(folder / name)
    return names


def whole_image_config(**changes):
    """A pipeline that takes every image whole, so that synthetic pictures have embeddings."""
    return PipelineConfig(**{"detector": "none", **changes})


def colours(height=48, width=40, seed=0):
    """Large patches of random colour, RGB: something that every codec can hold."""
    patches = np.random.default_rng(seed).integers(0, 256, (-(-height // 8), -(-width // 8), 3))
    return np.kron(patches, np.ones((8, 8, 1))).astype(np.uint8)[:height, :width]
