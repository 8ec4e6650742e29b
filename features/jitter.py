"""Slightly moved copies of a crop, as dlib makes them, the same in every run."""

from __future__ import annotations

from collections.abc import Sequence

import dlib
import numpy as np

#: As dlib: turned by up to 3 degrees, shifted by up to 2 %, zoomed to 97 to 100 % of the chip less a border.
_MAX_ROTATION_DEG = 3.0
_MAX_SHIFT = 0.02
_MIN_ZOOM = 0.97
_BORDER_PX = 3

#: Every chip gets the same movements, in every process.
SEED = 0


def jitter_crops(crops: np.ndarray, n_jitters: int, seed: int = SEED) -> np.ndarray:
    """Copies of crops, each a little turned, moved and zoomed, half of them mirrored.

    The ranges are those of dlib's ``jitter_image``, whose own random numbers cannot be seeded; here crop i gets the
    same movements whatever the others are, so that a face has the same vector in every run.

    Parameters
    ----------
    crops : ndarray of shape (n_crops, height, width, 3), uint8
    n_jitters : int
        Copies of each crop.
    seed : int

    Returns
    -------
    ndarray of shape (n_crops * n_jitters, height, width, 3), uint8
        The copies of one crop next to each other.
    """
    rng = np.random.default_rng(seed)
    moves = [_random_move(rng, crops.shape[1:3]) for _ in range(n_jitters)]
    copies = [_moved(np.ascontiguousarray(crop), *move) for crop in crops for move in moves]
    return np.array(copies, np.uint8).reshape(-1, *crops.shape[1:])


def _random_move(rng: np.random.Generator, size_hw: Sequence[int]) -> tuple[dlib.chip_details, bool]:
    """Where a jittered copy is taken from, in whole pixels as in dlib, and whether it is mirrored."""
    height, width = size_hw
    inner = dlib.shrink_rect(dlib.rectangle(0, 0, width - 1, height - 1), _BORDER_PX)
    shift = rng.uniform(-_MAX_SHIFT, _MAX_SHIFT, 2) * (inner.width(), inner.height())
    zoom = rng.uniform(_MIN_ZOOM, 1.0)
    centre = dlib.center(inner) + dlib.point(*(int(v) for v in np.rint(shift)))
    place = dlib.centered_rect(centre, int(inner.width() / zoom), int(inner.height() / zoom))
    angle = np.radians(rng.uniform(-_MAX_ROTATION_DEG, _MAX_ROTATION_DEG))
    return dlib.chip_details(place, dlib.chip_dims(height, width), angle), bool(rng.random() < 0.5)


def _moved(crop: np.ndarray, place: dlib.chip_details, is_mirrored: bool) -> np.ndarray:
    moved = dlib.extract_image_chip(crop, place)
    return moved[:, ::-1] if is_mirrored else moved
