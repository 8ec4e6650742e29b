"""Batches of crops on the device: gathered, changed where that is asked for, and moved, ahead of their use."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np
import torch

from .blended_pixels import BlendedPixels

#: Batches that are gathered ahead.
N_AHEAD = 2
#: Changes crops of some rows, in place, for a step: uint8 of shape (n, height, width, 3), int64 of shape (n,), int.
Change = Callable[[np.ndarray, np.ndarray, int], None]


class BatchLoader:
    """Crops of given rows as tensors on a device.

    Parameters
    ----------
    pixels : ndarray of shape (n_crops, height, width, 3), uint8, or BlendedPixels
        May be memory-mapped.
    device : torch.device
    change : callable, optional
        See :data:`Change`; runs in as many threads as there are cores, each on another batch.
    """

    def __init__(self, pixels: np.ndarray | BlendedPixels, device: torch.device, change: Change | None = None) -> None:
        self._pixels = pixels
        self._device = device
        self._change = change

    def batches(self, rows_of_batches: Iterable[np.ndarray]) -> Iterator[torch.Tensor]:
        """For each array of rows, its crops as they are: uint8 of shape (n_rows, 3, height, width), channels last in memory."""
        return self._ahead(((rows, None) for rows in rows_of_batches), 1)

    def changed_batches(self, rows_and_steps: Iterable[tuple[np.ndarray, int]]) -> Iterator[torch.Tensor]:
        """For each array of rows and step, its crops, blended anew and changed where the loader was told how."""
        is_cheap = self._change is None and not isinstance(self._pixels, BlendedPixels)
        return self._ahead(rows_and_steps, 1 if is_cheap else _n_cores())

    def _ahead(
        self, rows_and_steps: Iterable[tuple[np.ndarray, int | None]], n_threads: int
    ) -> Iterator[torch.Tensor]:
        waiting: deque[Future] = deque()
        tasks = iter(rows_and_steps)
        with ThreadPoolExecutor(max_workers=n_threads) as gatherer:
            waiting.extend(gatherer.submit(self._gather, *task) for task in islice(tasks, max(N_AHEAD, n_threads)))
            while waiting:
                gathered = waiting.popleft().result()
                waiting.extend(gatherer.submit(self._gather, *task) for task in islice(tasks, 1))
                yield self._moved(gathered)

    def _gather(self, rows: np.ndarray, step: int | None) -> torch.Tensor:
        crops = self._read(rows, step)
        if self._change is not None and step is not None:
            self._change(crops, rows, step)
        batch = torch.from_numpy(crops)
        return batch.pin_memory() if self._device.type == "cuda" else batch

    def _read(self, rows: np.ndarray, step: int | None) -> np.ndarray:
        """A copy of crops."""
        if not isinstance(self._pixels, BlendedPixels):
            return np.take(self._pixels, rows, axis=0)
        return self._pixels[rows] if step is None else self._pixels.at_step(rows, step)

    def _moved(self, batch: torch.Tensor) -> torch.Tensor:
        return batch.to(self._device, non_blocking=True).permute(0, 3, 1, 2)


def _n_cores() -> int:
    from faceheads.pool import (
        default_jobs,  # which imports joblib: not needed where nothing is changed
    )

    return default_jobs()
