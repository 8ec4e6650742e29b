"""Float32 that is float32: on recent GPUs torch rounds the inputs of convolutions to 10 bits unless told otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_float32(device: torch.device) -> Iterator[None]:
    """Convolutions on a CUDA device keep the precision of float32 inside this block; nothing changes elsewhere.

    Sets torch's process-wide switches and puts them back, so other threads should not change them meanwhile.
    """
    if device.type != "cuda":
        yield
        return
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield
