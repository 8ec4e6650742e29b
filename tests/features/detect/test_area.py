"""Area averages against torch's own interpolation by area, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from features.detect.area import AreaSampler


def photo(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def by_torch(image, size_hw):
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    return torch.nn.functional.interpolate(pixels, size=size_hw, mode="area")


@pytest.mark.parametrize("size_hw", [(97, 131), (50, 60), (13, 18), (1, 1), (250, 300), (7, 400)])
def test_a_scaled_image_is_torchs_interpolation_by_area(size_hw):
    image = photo(97, 131)
    assert torch.equal(AreaSampler(image).scaled(size_hw), by_torch(image, size_hw))


@pytest.mark.parametrize("size_px", [24, 48])
def test_windows_are_torchs_interpolation_of_the_cut_out_pixels(size_px):
    image = photo(97, 131)
    windows = np.array([[0, 0, 131, 97], [5, 7, 6, 8], [100, 50, 131, 97], [10, 20, 34, 44], [3, 1, 100, 13]])
    crops = AreaSampler(image).windows(windows, size_px)
    for crop, (x0, y0, x1, y1) in zip(crops, windows, strict=True):
        assert torch.equal(crop[None], by_torch(image[y0:y1, x0:x1], (size_px, size_px)))


def test_no_windows_give_no_crops():
    assert AreaSampler(photo(20, 20)).windows(np.empty((0, 4), np.int64), 24).shape == (0, 3, 24, 24)


def test_a_table_whose_sums_run_over_still_gives_exact_means():
    white = np.full((3000, 3000, 3), 255, np.uint8)  # the sum over all is 2.3e9, beyond 32 bits
    sampler = AreaSampler(white)
    assert sampler.scaled((13, 13)).unique().tolist() == [255]
    assert sampler.windows(np.array([[500, 500, 3000, 3000]]), 24).unique().tolist() == [255]
