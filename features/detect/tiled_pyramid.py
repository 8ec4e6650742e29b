"""dlib's image pyramid in one plane: all sizes of an image beside and below each other, so that one pass scans them.

Level ``k`` has 5/6 of the rows and columns of level ``k − 1``, rounded down, and is interpolated from it. The levels
are stacked below the image until the rest fits into a second column, which is filled upwards along the right side.

References
----------
dlib 20.0.1, ``image_transforms/image_pyramid.h`` (layout, coordinates) and ``interpolation.h`` (bilinear resize).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

#: Size of a level relative to the one before, and the way back: a coordinate v of level k is v · 6/5 + 0.3 in k − 1.
SHRINK = 5.0 / 6
GROW, GROW_OFFSET_PX = 6 / 5.0, 0.3
#: Levels with fewer rows are left out, except the image itself.
MIN_LEVEL_ROWS = 5
#: dlib's layout needs this many columns; with fewer, dlib itself reads memory that is not its own.
MIN_COLUMNS = 10
#: Columns that dlib interpolates at once, stepping their common position in float32.
_LANES = 4


@dataclass(frozen=True)
class Region:
    """Where a level lies in the plane, in pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Layout:
    """A tiled pyramid: its size and its levels, largest first."""

    height: int
    width: int
    levels: tuple[Region, ...]

    @property
    def n_pixels(self) -> int:
        """Pixels of the plane, gaps included."""
        return self.height * self.width


def _level_sizes(height: int, width: int) -> list[tuple[int, int]]:
    sizes = [(height, width)]
    while True:
        height, width = math.floor(SHRINK * height), math.floor(SHRINK * width)
        if width == 0 or height < MIN_LEVEL_ROWS:
            return sizes
        sizes.append((height, width))


def _first_column_height(sizes: list[tuple[int, int]], gap: int) -> int:
    """Rows of the first column of levels: up to the level that fits beside the one before it, from half way down."""
    image_height, image_width = sizes[0]
    below_image = sum(height + gap for height, _ in sizes[1:]) - gap
    column, previous_width = image_height + gap, image_width
    for height, width in sizes[1:]:
        room = image_width - previous_width - gap
        # dlib subtracts unsigned numbers: room below zero counts as plenty.
        if (width <= room or room < 0) and 2 * (column - image_height) >= below_image:
            break
        column, previous_width = column + height + gap, width
    return column - gap


def make_layout(height: int, width: int, gap: int, border: int) -> Layout | None:
    """Where the levels of an image of ``height`` × ``width`` lie.

    Parameters
    ----------
    height, width : int
        Size of the image, in pixels.
    gap, border : int
        Pixels between levels and around all of them.

    Returns
    -------
    Layout or None
        None for images narrower than 10 pixels, for which dlib has no layout.
    """
    if width < MIN_COLUMNS:
        return None
    sizes = _level_sizes(height, width)
    column = _first_column_height(sizes, gap)
    levels: list[Region] = []
    y = border
    while len(levels) < len(sizes) and y < column + border:
        level_height, level_width = sizes[len(levels)]
        levels.append(Region(border, y, level_width, level_height))
        y += level_height + gap
    bottom = y - gap
    for level_height, level_width in sizes[len(levels) :]:
        if bottom - level_height < border + height:
            break
        levels.append(Region(border + width - level_width, bottom - level_height, level_width, level_height))
        bottom -= level_height + gap
    return Layout(column + 2 * border, width + 2 * border, tuple(levels))


def build_tiled_pyramid(images: Tensor, layout: Layout, average_rgb: Tensor, scale: float) -> Tensor:
    """The pyramids of images of one size, normalised.

    Parameters
    ----------
    images : Tensor of shape (n_images, height, width, 3), uint8, RGB
    layout : Layout
    average_rgb : Tensor of shape (3,), float32
        Subtracted from the image.
    scale : float
        Divides the image after that.

    Returns
    -------
    Tensor of shape (n_images, 3, layout.height, layout.width), float32
        Zero between and around the levels.
    """
    plane = torch.zeros(len(images), 3, layout.height, layout.width, device=images.device)
    level = _cut(plane, layout.levels[0])
    level.copy_(images.permute(0, 3, 1, 2)).sub_(average_rgb[:, None, None]).div_(scale)
    for region in layout.levels[1:]:
        level, previous = _cut(plane, region), level
        level.copy_(resize_bilinear(previous, region.height, region.width))
    return plane


def _cut(plane: Tensor, region: Region) -> Tensor:
    return plane[:, :, region.top : region.top + region.height, region.left : region.left + region.width]


def resize_bilinear(x: Tensor, height: int, width: int) -> Tensor:
    """A resized float image: the corners stay where they are, positions rounded as dlib's steps round them.

    Parameters
    ----------
    x : Tensor of shape (n, channels, rows, columns), float32
    height, width : int
        Size of the result.

    Returns
    -------
    Tensor of shape (n, channels, height, width), float32
    """
    top, bottom, row_weight = (torch.from_numpy(table).to(x.device) for table in row_table(x.shape[2], height))
    left, right, column_weight = (torch.from_numpy(table).to(x.device) for table in column_table(x.shape[3], width))
    x = x.index_select(2, top).lerp_(x.index_select(2, bottom), row_weight[:, None])
    return _take_columns(x, left).lerp_(_take_columns(x, right), column_weight)


def _take_columns(x: Tensor, columns: Tensor) -> Tensor:
    """``x[..., columns]``; for single columns torch's ``gather`` is ten times as fast as its ``index_select``."""
    return x.gather(3, columns.expand(*x.shape[:3], -1))


def _step(n_source: int, n_target: int) -> float:
    return (n_source - 1) / max(n_target - 1, 1)


def _table(positions: np.ndarray, n_source: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Index before, index behind and weight of the one behind, for positions in the source."""
    before = np.floor(positions).astype(np.int64)
    return before, np.minimum(before + 1, n_source - 1), (positions - before).astype(np.float32)


@functools.lru_cache(maxsize=256)
def row_table(n_source: int, n_target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each target row the source rows above and below it and the weight of the lower, added up in double."""
    steps = np.full(n_target, _step(n_source, n_target))
    steps[0] = 0.0
    return _table(np.minimum(np.add.accumulate(steps), n_source - 1), n_source)


@functools.lru_cache(maxsize=256)
def column_table(n_source: int, n_target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same for columns: groups of four step in float32, the columns behind the last whole group in double."""
    step = _step(n_source, n_target)
    lanes = np.arange(_LANES) * step
    n_groups = n_target // _LANES + 1
    steps = np.full((n_groups + 1, _LANES), np.float32(_LANES * step), np.float32)
    steps[0] = (lanes - _LANES * step).astype(np.float32)
    groups = np.add.accumulate(steps, axis=0, dtype=np.float32)[1:]
    last_right = np.floor(groups[:, -1]) + 1
    n_whole = int(np.argmax(last_right >= n_source)) if (last_right >= n_source).any() else n_groups
    n_grouped = min(_LANES * n_whole, n_target)
    rest = np.add.accumulate(np.r_[n_grouped * step, np.full(n_target - n_grouped, step)])[:-1]
    before, behind, weight = _table(groups[:n_whole].reshape(-1)[:n_grouped], n_source)
    tail = _table(np.minimum(rest, n_source - 1), n_source)
    return tuple(np.concatenate(parts) for parts in zip((before, behind, weight), tail))


def to_image(boxes_ltrb: np.ndarray, layout: Layout) -> np.ndarray:
    """Boxes of the plane in the coordinates of the image; the level nearest to a box's centre is the one it is in.

    Parameters
    ----------
    boxes_ltrb : ndarray of shape (n, 4), float64
    layout : Layout

    Returns
    -------
    ndarray of shape (n, 4), float64
        Unrounded; may reach beyond the image.
    """
    origins = np.array([(level.left, level.top) for level in layout.levels], np.float64)
    ends = origins + [(level.width - 1, level.height - 1) for level in layout.levels]
    centres = np.floor((boxes_ltrb[:, None, :2] + boxes_ltrb[:, None, 2:]) / 2 + 0.5)
    outside = np.maximum(np.maximum(origins - centres, centres - ends), 0)
    levels = np.argmin((outside**2).sum(2), axis=1)
    boxes = boxes_ltrb - np.tile(origins[levels], 2)
    for k in range(len(layout.levels) - 1):
        boxes = np.where((levels > k)[:, None], boxes * GROW + GROW_OFFSET_PX, boxes)
    return boxes
