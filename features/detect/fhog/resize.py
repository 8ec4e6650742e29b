"""dlib's bilinear resize of colour images, equal to the bit.

Every rounding counts: in flat areas a pixel becomes ``v`` or ``v - 1`` by rounding alone, and after normalisation a
difference of one grey value is a whole feature. dlib works in float32 for groups of four columns and in double for the
few columns on the right, and neither may be contracted to fused multiply-adds.

A pixel is a uint32, red in the low byte. A row that is needed is first *spread*: for every target column the source
pixels on its left and right are fetched and their three channels converted, once, however many target rows use them.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from .simd import INT32, INT64, LANES, Pointer, Value, Writer, at, emitted

#: Channels of a pixel, and of a spread row: those of the left neighbours, then those of the right ones.
N_CHANNELS = 3
N_SPREAD = 2 * N_CHANNELS
#: Target columns that are done in all rows before the next ones, and floats of a spread row of so many.
TILE = 512
SPREAD_FLOATS = N_SPREAD * TILE


def channels(pixels: Value) -> list[Value]:
    """Red, green and blue of pixels, as int32."""
    return [pixels & 255, (pixels >> 8) & 255, pixels >> 16]


@njit
def pack(image, pixels):
    """RGB bytes (height, width, 3) to pixels, row after row."""
    n_rows, n_columns = image.shape[0], image.shape[1]
    for row in range(n_rows):
        for column in range(n_columns):
            red, green, blue = image[row, column, 0], image[row, column, 1], image[row, column, 2]
            pixels[row * n_columns + column] = np.uint32(red | (np.uint32(green) << 8) | (np.uint32(blue) << 16))


@njit
def place_columns(n_source, n_target, left, right_weight, left_weight):
    """Where the target columns of dlib's float32 loop lie in the source, and how many columns it does.

    Fills, for each of them, the source column to the left and the weights of both neighbours. Position and step are
    float32 and accumulate, four columns apart, from one group of four before the first.
    """
    scale = (n_source - 1) / max(n_target - 1, 1)
    step = np.float32(4 * scale)
    start = -4 * scale
    x0, x1 = np.float32(start), np.float32(start + scale)
    x2, x3 = np.float32(start + 2 * scale), np.float32(start + 3 * scale)
    done = 0
    while done < n_target:
        x0, x1, x2, x3 = x0 + step, x1 + step, x2 + step, x3 + step
        if int(x3) + 1 >= n_source:
            break
        for lane, x in enumerate((x0, x1, x2, x3)):
            column = int(x)
            fraction = x - np.float32(column)
            left[done + lane] = column
            right_weight[done + lane] = fraction
            left_weight[done + lane] = np.float32(1) - fraction
        done += 4
    return min(done, n_target)


@emitted
def fetch_pairs(writer: Writer, row: Pointer, left: Pointer, n: Value, pairs: Pointer) -> None:
    """For each target column its two source pixels, as one uint64."""
    with writer.loop(0, n) as column:
        source = row + writer.to_index(writer.load(left + column))
        writer.store(writer.load(source.viewed_as(INT64)), pairs + column)


@emitted
def split_pairs(writer: Writer, pairs: Pointer, n: Value, spread: Pointer) -> None:
    """Pairs of pixels to six rows of floats: red, green, blue on the left, then on the right."""
    pixels = pairs.viewed_as(INT32)
    with writer.loop(0, n, LANES) as column:
        first = writer.load(pixels + column * 2, LANES)
        second = writer.load(pixels + column * 2 + LANES, LANES)
        for side in range(2):
            chosen = writer.shuffle(first, second, range(side, 2 * LANES, 2))
            for channel, value in enumerate(channels(chosen)):
                target = spread + (side * N_CHANNELS + channel) * TILE + column
                writer.store(writer.to_float(value), target)


@emitted
def blend_rows(
    writer: Writer,
    spread_rows: tuple[Pointer, Pointer],
    row_weights: tuple[Value, Value],
    column_weights: tuple[Pointer, Pointer],
    n: Value,
    pixels: Pointer,
) -> None:
    """One target row from the two spread rows around it: four products, added from left to right, truncated.

    The row above and its weight come before those of the row below, the left neighbours' weights before the right's.
    """
    heights = [writer.splat(weight) for weight in row_weights]
    with writer.loop(0, n, LANES) as column:
        widths = [writer.load(weights + column, LANES) for weights in column_weights]
        corners = [
            (row, height * width, side)
            for row, height in zip(spread_rows, heights)
            for side, width in enumerate(widths)
        ]
        pixel = None
        for channel in range(N_CHANNELS):
            total = None
            for row, weight, side in corners:
                source = row + (side * N_CHANNELS + channel) * TILE + column
                product = weight * writer.load(source, LANES)
                total = product if total is None else total + product
            shifted = writer.to_int32(total) << (8 * channel)
            pixel = shifted if pixel is None else pixel | shifted
        writer.store(pixel, pixels + column)


@njit
def channel_of(pixel, shift):
    """One channel of a pixel, as a double."""
    return np.float64((pixel >> np.uint32(shift)) & np.uint32(255))


@njit
def blend_right_columns(above, below, n_source, weight, target, first, n_target):
    """The columns of a row from ``first`` on that dlib computes one by one in double, from the two rows around it."""
    scale = (n_source - 1) / max(n_target - 1, 1)
    x = -scale + first * scale
    for column in range(first, n_target):
        x += scale
        left = math.floor(x)
        right = min(left + 1, n_source - 1)
        fraction = x - left
        pixel = np.uint32(0)
        for shift in (0, 8, 16):
            top = (1 - fraction) * channel_of(above[left], shift)
            top += fraction * channel_of(above[right], shift)
            bottom = (1 - fraction) * channel_of(below[left], shift)
            bottom += fraction * channel_of(below[right], shift)
            value = int((1 - weight) * top + weight * bottom)
            pixel |= np.uint32(np.uint32(value) << np.uint32(shift))
        target[column] = pixel


@njit
def resize_columns(source, source_size, target, target_size, first, n, work):
    """The ``n`` target columns from ``first`` on (rounded up to whole vectors), in all rows."""
    n_rows, n_columns = source_size
    scale = (n_rows - 1) / max(target_size[0] - 1, 1)
    column_weights = at(work.left_weight, first), at(work.right_weight, first)
    spread = at(work.spread, 0), at(work.spread, SPREAD_FLOATS)
    held = [-1, -1]
    y = 0.0
    for row in range(target_size[0]):
        above = math.floor(y)
        below = min(above + 1, n_rows - 1)
        for wanted in (above, below):
            if held[wanted & 1] != wanted:
                fetch_pairs(at(source, wanted * n_columns), at(work.left, first), n, work.pairs)
                split_pairs(work.pairs, n, spread[wanted & 1])
                held[wanted & 1] = wanted
        rows, row_weights = (
            (spread[above & 1], spread[below & 1]),
            (np.float32(1 - (y - above)), np.float32(y - above)),
        )
        blend_rows(rows, row_weights, column_weights, n, at(target, row * target_size[1] + first))
        y += scale


@njit
def resize_right_columns(source, source_size, target, target_size, first):
    """The columns from ``first`` on, which dlib computes one by one in double."""
    n_rows, n_columns = source_size
    scale = (n_rows - 1) / max(target_size[0] - 1, 1)
    y = 0.0
    for row in range(target_size[0]):
        above = math.floor(y)
        below = min(above + 1, n_rows - 1)
        rows = at(source, above * n_columns), at(source, below * n_columns)
        target_row = at(target, row * target_size[1])
        blend_right_columns(rows[0], rows[1], n_columns, y - above, target_row, first, target_size[1])
        y += scale


@njit
def resize(source, source_size, target, target_size, work):
    """Resize pixels to ``target_size`` (height, width), as ``dlib.resize_image`` with bilinear interpolation does.

    A tile of columns after the other, so that spread rows stay in the first-level cache. The last tile goes first:
    its vectors reach into the next row, which the first tile then writes.
    """
    n_fast = place_columns(source_size[1], target_size[1], work.left, work.right_weight, work.left_weight)
    for tile in range((n_fast - 1) // TILE, -1, -1):
        first = tile * TILE
        resize_columns(source, source_size, target, target_size, first, min(TILE, n_fast - first), work)
    resize_right_columns(source, source_size, target, target_size, n_fast)
