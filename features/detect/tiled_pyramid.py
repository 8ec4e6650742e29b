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
#: Numbers of the source that are interpolated at once; several arrays of this size are alive meanwhile.
BLOCK_VALUES = 200_000
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
        resize_bilinear(previous, out=level)
    return plane


def _cut(plane: Tensor, region: Region) -> Tensor:
    return plane[:, :, region.top : region.top + region.height, region.left : region.left + region.width]


def resize_bilinear(x: Tensor, out: Tensor) -> None:
    """Resizes float images as dlib does, to the last bit; the corners stay where they are.

    Parameters
    ----------
    x : Tensor of shape (n, channels, rows, columns), float32
    out : Tensor of shape (n, channels, out_rows, out_columns), float32
        Written to. A few rows at a time, so that what is between fits into the cache.
    """
    rows, columns = row_table(x.shape[2], out.shape[2]), column_table(x.shape[3], out.shape[3])
    n_rows = max(1, BLOCK_VALUES // (x.shape[0] * x.shape[1] * x.shape[3]))
    for start in range(0, out.shape[2], n_rows):
        block = rows.part(start, start + n_rows)
        first, last = int(block.before[0]), int(block.behind[-1])
        lines = x[:, :, first : last + 1]
        left, right = _take_columns(lines, columns.before), _take_columns(lines, columns.behind)
        _blend(left, right, block, columns, first, out[:, :, start : start + n_rows])


def _take_columns(x: Tensor, columns: np.ndarray) -> Tensor:
    """``x[..., columns]``; for single columns torch's ``gather`` is faster than its ``index_select``."""
    return x.gather(3, torch.from_numpy(columns).to(x.device).expand(*x.shape[:3], -1))


def _blend(left: Tensor, right: Tensor, rows: Table, columns: Table, first: int, out: Tensor) -> None:
    """Weighs the four neighbours of each target pixel; ``first`` is the source row that ``left`` starts with."""
    above, below = (torch.from_numpy(index - first).to(out.device) for index in (rows.before, rows.behind))
    behind = [torch.from_numpy(table.weight.astype(np.float32)).to(out.device) for table in (rows, columns)]
    before = [torch.from_numpy((1 - t.weight).astype(np.float32)).to(out.device) for t in (rows, columns)]
    total = left.index_select(2, above).mul_(before[0][:, None] * before[1])
    total.add_(right.index_select(2, above).mul_(before[0][:, None] * behind[1]))
    total.add_(left.index_select(2, below).mul_(behind[0][:, None] * before[1]))
    torch.add(total, right.index_select(2, below).mul_(behind[0][:, None] * behind[1]), out=out)
    tail = slice(columns.n_grouped, None)
    lines = (left[..., tail] * before[1][tail]).add_(right[..., tail] * behind[1][tail])
    weight = torch.from_numpy(rows.weight).to(out.device)[:, None]  # float64, and so is what it multiplies
    out[..., tail] = (1 - weight) * lines.index_select(2, above) + weight * lines.index_select(2, below)


@dataclass(frozen=True, eq=False)
class Table:
    """Where target rows (or columns) lie in the source.

    Attributes
    ----------
    before, behind : ndarray of shape (n_target,), int64
        Neighbours in the source.
    weight : ndarray of shape (n_target,)
        Weight of the one behind: float64 for rows, float32 for columns.
    n_grouped : int
        Columns that dlib computes in groups of four; the rest is rounded in another way.
    """

    before: np.ndarray
    behind: np.ndarray
    weight: np.ndarray
    n_grouped: int

    def part(self, start: int, stop: int) -> Table:
        """The targets from ``start`` to ``stop``."""
        return Table(self.before[start:stop], self.behind[start:stop], self.weight[start:stop], self.n_grouped)


def _step(n_source: int, n_target: int) -> float:
    return (n_source - 1) / max(n_target - 1, 1)


@functools.lru_cache(maxsize=256)
def row_table(n_source: int, n_target: int) -> Table:
    """Rows: positions are added up in double."""
    steps = np.full(n_target, _step(n_source, n_target))
    steps[0] = 0.0
    positions = np.add.accumulate(steps)
    before = np.minimum(np.floor(positions).astype(np.int64), n_source - 1)
    return Table(before, np.minimum(before + 1, n_source - 1), positions - before, n_target)


@functools.lru_cache(maxsize=256)
def column_table(n_source: int, n_target: int) -> Table:
    """Columns: groups of four step in float32, the columns behind the last whole group in double."""
    step = _step(n_source, n_target)
    n_groups = n_target // _LANES + 1
    steps = np.full((n_groups + 1, _LANES), np.float32(_LANES * step), np.float32)
    steps[0] = (np.arange(_LANES) * step - _LANES * step).astype(np.float32)
    groups = np.add.accumulate(steps, axis=0, dtype=np.float32)[1:]
    is_beyond = np.floor(groups[:, -1]) + 1 >= n_source
    n_whole = int(np.argmax(is_beyond)) if is_beyond.any() else n_groups
    n_grouped = min(_LANES * n_whole, n_target)
    grouped = groups.reshape(-1)[:n_grouped]
    tail = np.add.accumulate(np.r_[n_grouped * step, np.full(n_target - n_grouped, step)])[:-1]
    before = np.minimum(np.floor(np.r_[grouped, tail]).astype(np.int64), n_source - 1)
    weight = np.r_[grouped - before[:n_grouped], tail - before[n_grouped:]].astype(np.float32)
    return Table(before, np.minimum(before + 1, n_source - 1), weight, n_grouped)


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
