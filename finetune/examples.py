"""What is learned from, as arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .distortions import Subject


@dataclass(frozen=True, eq=False)
class Examples:
    """Crops, and which of them are learned from in which order.

    Attributes
    ----------
    pixels : ndarray of shape (n_crops, height, width, 3), uint8
    crop_row : ndarray of shape (n_rows,), int64
        Where the crop of each row lies in ``pixels``.
    validation : ndarray of shape (n_validation,), int64
        Rows that are validated on.
    batches_of : callable
        The rows of each batch of an epoch, int64 of shape (n_batches, batch_size).
    face : Subject
        Where the face lies in a crop; by default that is not known.
    """

    pixels: np.ndarray
    crop_row: np.ndarray
    validation: np.ndarray
    batches_of: Callable[[int], np.ndarray]
    face: Subject = field(default_factory=Subject)
