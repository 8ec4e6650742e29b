"""Batches of crops on the device: gathered and moved, nothing else; the next batch is gathered while one is in use."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np
import torch

#: Batches that are gathered ahead.
N_AHEAD = 2


class BatchLoader:
    """Crops of given rows as tensors on a device.

    Parameters
    ----------
    pixels : ndarray of shape (n_crops, height, width, 3), uint8
        May be memory-mapped.
    device : torch.device
    """

    def __init__(self, pixels: np.ndarray, device: torch.device) -> None:
        self._pixels = pixels
        self._device = device

    def batches(self, rows_of_batches: Iterable[np.ndarray]) -> Iterator[torch.Tensor]:
        """For each array of rows, its crops: uint8 of shape (n_rows, 3, height, width), channels last in memory."""
        waiting: deque[Future] = deque()
        rows_of_batches = iter(rows_of_batches)
        with ThreadPoolExecutor(max_workers=1) as gatherer:
            waiting.extend(gatherer.submit(self._gather, rows) for rows in islice(rows_of_batches, N_AHEAD))
            while waiting:
                gathered = waiting.popleft().result()
                waiting.extend(gatherer.submit(self._gather, rows) for rows in islice(rows_of_batches, 1))
                yield self._moved(gathered)

    def _gather(self, rows: np.ndarray) -> torch.Tensor:
        batch = torch.from_numpy(np.take(self._pixels, rows, axis=0))
        return batch.pin_memory() if self._device.type == "cuda" else batch

    def _moved(self, batch: torch.Tensor) -> torch.Tensor:
        return batch.to(self._device, non_blocking=True).permute(0, 3, 1, 2)
