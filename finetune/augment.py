"""Random changes of a batch of crops, computed for the whole batch on its device; for training only.

All random numbers come from one seeded generator on the CPU, so a batch is changed in the same way on every device. What
an augmentation changes, the network learns to ignore: with colour changes it cannot learn what depends on colour.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F

from .processes import Share

#: Weights of red, green and blue in the luma of ITU-R BT.601.
LUMA_RGB = (0.299, 0.587, 0.114)
WHITE = 255.0
#: Pixels to either side that a blur reaches.
_BLUR_RADIUS_PX = 4
#: Smallest and largest standard deviation of a blur, in pixels.
_BLUR_SIGMA_PX = (0.5, 2.0)
#: Smallest and largest share of a crop that is erased, and ratio of the sides.
_ERASED_SHARE, _ERASED_RATIO = (0.02, 0.2), (0.4, 2.5)


@dataclass(frozen=True)
class Augmentation:
    """How strongly crops are changed; with all values 0 they are not.

    Attributes
    ----------
    flip : float
        Probability of the mirror image.
    shift : float
        Largest shift to either side, as a share of the crop's side; what comes in repeats the border.
    zoom : float
        Largest enlargement or reduction, as a share.
    colour : float
        Largest change of brightness, contrast and saturation, as a share.
    gray, blur, erase : float
        Probability of colour taken away, of a Gaussian blur, of a rectangle of one random colour.
    """

    flip: float = 0.5
    shift: float = 0.04
    zoom: float = 0.08
    colour: float = 0.2
    gray: float = 0.0
    blur: float = 0.0
    erase: float = 0.0

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"augmentation {name!r} must be in [0, 1]; got {getattr(self, name)}.")

    def __call__(self, crops: Tensor, generator: torch.Generator, share: Share | None = None) -> Tensor:
        """Changed crops.

        Parameters
        ----------
        crops : Tensor of shape (n_crops, 3, height, width), uint8, RGB
        generator : torch.Generator
            On the CPU.
        share : Share, optional
            Which part of a larger batch the crops are; they are then changed as they would be in that batch.

        Returns
        -------
        Tensor of the same shape, float32 in [0, 255]
        """
        dice = _Dice(Share(0, len(crops), len(crops)) if share is None else share, generator, crops.device)
        x = crops.float()
        if self.flip or self.shift or self.zoom:
            x = moved(x, dice.chance(self.flip), dice.between(-self.shift, self.shift, 2), self._zoom(dice))
        if self.colour:
            x = recoloured(x, *(1 + dice.between(-self.colour, self.colour, 3)).unbind(1))
        if self.gray:
            x = torch.where(_per_crop(dice.chance(self.gray)), luma(x).expand_as(x), x)
        if self.blur:
            x = torch.where(_per_crop(dice.chance(self.blur)), blurred(x, dice.between(*_BLUR_SIGMA_PX, 1)[:, 0]), x)
        if self.erase:
            x = self._erased(x, dice)
        return x

    def _zoom(self, dice: _Dice) -> Tensor:
        return 1 + dice.between(-self.zoom, self.zoom, 1)[:, 0]

    def _erased(self, x: Tensor, dice: _Dice) -> Tensor:
        is_erased = dice.chance(self.erase)
        share, ratio = dice.between(*_ERASED_SHARE, 1), dice.between(*_ERASED_RATIO, 1)
        side_yx = torch.cat([(share * ratio).sqrt(), (share / ratio).sqrt()], 1).clamp(max=1)
        start_yx = dice.between(0, 1, 2) * (1 - side_yx)
        return erased(x, is_erased, start_yx, start_yx + side_yx, dice.between(0, WHITE, 3))


class _Dice:
    """Random numbers for each crop of a share, drawn on the CPU for the whole batch and moved."""

    def __init__(self, share: Share, generator: torch.Generator, device: torch.device) -> None:
        self._share = share
        self._generator = generator
        self._device = device

    def between(self, low: float, high: float, n_numbers: int) -> Tensor:
        """Uniform numbers, float32 of shape (n_crops, n_numbers)."""
        numbers = torch.rand(self._share.n_all, n_numbers, generator=self._generator)[self._share.rows]
        return (low + (high - low) * numbers).to(self._device, non_blocking=True)

    def chance(self, probability: float) -> Tensor:
        """True with a probability, bool of shape (n_crops,)."""
        return self.between(0, 1, 1)[:, 0] < probability


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
    x = x * _per_crop(brightness)
    mean = luma(x).mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * _per_crop(contrast)
    gray = luma(x)
    return (gray + (x - gray) * _per_crop(saturation)).clamp(0, WHITE)


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


def _per_crop(values: Tensor) -> Tensor:
    return values[:, None, None, None]
