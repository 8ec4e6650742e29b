"""Changes of a batch of crops, each crop by its own amount, computed for the whole batch on its device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

#: Weights of red, green and blue in the luma of ITU-R BT.601.
LUMA_RGB = (0.299, 0.587, 0.114)
WHITE = 255.0
#: Pixels to either side that a blur reaches.
_BLUR_RADIUS_PX = 4


def moved(x: Tensor, is_flipped: Tensor, shift_xy: Tensor, zoom: Tensor) -> Tensor:
    """Crops mirrored, shifted by a share of their side, and enlarged, in one bilinear resampling.

    Parameters
    ----------
    x : Tensor of shape (n, channels, height, width), float
    is_flipped : Tensor of shape (n,), bool
    shift_xy : Tensor of shape (n, 2)
        To the right and down.
    zoom : Tensor of shape (n,)
        Factor, about the middle.
    """
    theta = torch.zeros(len(x), 2, 3, device=x.device)
    theta[:, 0, 0] = torch.where(is_flipped, -1.0, 1.0) / zoom
    theta[:, 1, 1] = 1 / zoom
    theta[:, :, 2] = -2 * shift_xy * torch.stack([theta[:, 0, 0], theta[:, 1, 1]], 1)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def luma(x: Tensor) -> Tensor:
    """Brightness of each pixel, shape (n, 1, height, width)."""
    return (x * x.new_tensor(LUMA_RGB)[:, None, None]).sum(1, keepdim=True)


def recoloured(x: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor) -> Tensor:
    """Crops with brightness, contrast (about the mean luma) and saturation multiplied by factors of shape (n,)."""
    x = x * per_crop(brightness)
    mean = luma(x).mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * per_crop(contrast)
    gray = luma(x)
    return (gray + (x - gray) * per_crop(saturation)).clamp(0, WHITE)


def blurred(x: Tensor, sigma_px: Tensor) -> Tensor:
    """Crops blurred by Gaussians of standard deviations of shape (n,); borders are mirrored."""
    n, channels, height, width = x.shape
    offset = torch.arange(-_BLUR_RADIUS_PX, _BLUR_RADIUS_PX + 1, device=x.device)
    kernel = torch.exp(-0.5 * (offset / sigma_px[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    flat = F.pad(x, (_BLUR_RADIUS_PX,) * 4, mode="reflect").reshape(1, n * channels, -1, width + 2 * _BLUR_RADIUS_PX)
    flat = F.conv2d(flat, kernel[:, None, :, None], groups=n * channels)
    return F.conv2d(flat, kernel[:, None, None, :], groups=n * channels).reshape(n, channels, height, width)


def erased(x: Tensor, is_erased: Tensor, start_yx: Tensor, stop_yx: Tensor, colour_rgb: Tensor) -> Tensor:
    """Crops with a rectangle, given by shares of their sides, in one colour."""
    rows, columns = ((torch.arange(size, device=x.device) + 0.5) / size for size in x.shape[2:])
    in_rows = (rows >= start_yx[:, :1]) & (rows < stop_yx[:, :1])
    in_columns = (columns >= start_yx[:, 1:]) & (columns < stop_yx[:, 1:])
    is_inside = is_erased[:, None, None] & in_rows[:, :, None] & in_columns[:, None, :]
    return torch.where(is_inside[:, None], colour_rgb[:, :, None, None], x)


def per_crop(values: Tensor) -> Tensor:
    """Values of shape (n,) as they go with crops, shape (n, 1, 1, 1)."""
    return values[:, None, None, None]
