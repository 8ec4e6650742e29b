"""Scaling an image, or many windows of it, by averages over areas that are read from one table of sums.

An output pixel is the mean of the input pixels between ``floor(i · n / m)`` and ``ceil((i + 1) · n / m)`` in each
direction, n input and m output pixels: what torch calls adaptive average pooling and interpolation by "area". With a
table of the sums over all rectangles that start at the corner of the image, such a mean costs four look-ups however
large its area is, so that a whole pyramid and thousands of windows need one pass over the image.

References
----------
F. Crow: Summed-area tables for texture mapping. SIGGRAPH 1984.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch


class AreaSampler:
    """Area averages of one image.

    Parameters
    ----------
    image : ndarray of shape (height, width, 3), uint8
    device : str or torch.device
        Where the averages are computed.

    Notes
    -----
    The sums are exact: integers, in 32 bits that may run over where the image is large, which cancels in the
    difference as long as the sum over one area stays below 2³¹ (areas of 8 million pixels).
    """

    def __init__(self, image: np.ndarray, device: str | torch.device = "cpu") -> None:
        self.size_hw = image.shape[:2]
        self._sums = torch.from_numpy(cv2.integral(image, sdepth=cv2.CV_32S)).to(device)

    def scaled(self, size_hw: tuple[int, int]) -> torch.Tensor:
        """The whole image in another size: float32, shape (1, 3, height, width), values 0 to 255, channels last."""
        top, bottom = self._borders(np.array([0]), np.array([self.size_hw[0]]), size_hw[0])
        left, right = self._borders(np.array([0]), np.array([self.size_hw[1]]), size_hw[1])
        rows = self._sums.index_select(0, bottom[0]) - self._sums.index_select(0, top[0])
        sums = (rows.index_select(1, right[0]) - rows.index_select(1, left[0])).float()
        widths = (right - left).float().repeat_interleave(3, dim=1)
        flat = sums.flatten(1).div_((bottom - top).float().T).div_(widths)  # long rows: torch loops over the last axis
        return flat.view_as(sums).permute(2, 0, 1)[None]

    def windows(self, windows_xyxy: np.ndarray, size_px: int) -> torch.Tensor:
        """Windows of the image, each scaled to a square: float32, shape (n, 3, size_px, size_px), channels last.

        Parameters
        ----------
        windows_xyxy : ndarray of shape (n, 4), int
            ``x0, y0, x1, y1``, half-open, not empty and inside the image.
        size_px : int
        """
        x0, y0, x1, y1 = windows_xyxy.astype(np.int64).T
        top, bottom = self._borders(y0, y1, size_px)
        left, right = self._borders(x0, x1, size_px)
        sums = self._sums_at(bottom, right).sub_(self._sums_at(bottom, left))
        sums = sums.sub_(self._sums_at(top, right)).add_(self._sums_at(top, left)).float()
        sums.div_((bottom - top).float()[:, :, None, None]).div_((right - left).float()[:, None, :, None])
        return sums.permute(0, 3, 1, 2)

    def _sums_at(self, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Entries of the table where n × m rows meet n × m columns, shape (n, m, m, 3)."""
        places = (rows * self._sums.shape[1])[:, :, None] + columns[:, None, :]
        return self._sums.view(-1, 3).index_select(0, places.flatten()).view(*places.shape, 3)

    def _borders(self, start: np.ndarray, stop: np.ndarray, n_parts: int) -> tuple[torch.Tensor, torch.Tensor]:
        """First index and index behind the last of the parts of n ranges; both of shape (n, n_parts)."""
        part, length = np.arange(n_parts), (stop - start)[:, None]
        first = start[:, None] + part * length // n_parts
        behind = start[:, None] - (-(part + 1) * length // n_parts)
        return torch.from_numpy(first).to(self._sums.device), torch.from_numpy(behind).to(self._sums.device)
