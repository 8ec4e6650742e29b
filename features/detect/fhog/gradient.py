"""Gradient of a colour image: for each pixel its magnitude and one of 18 orientations, chosen as dlib chooses."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from .geometry import BIN_STRIDE
from .resize import channels
from .simd import INT32, LANES, Pointer, Value, Writer, emitted

#: Unit vectors of the first five orientations as dlib writes them (``fhog.h``); the others are their mirror images.
_DIRECTIONS = ((1.0, 0.0), (0.9397, 0.342), (0.766, 0.6428), (0.5, 0.866), (0.1736, 0.9848))

#: dlib takes the orientation with the largest dot product. Within a quadrant that is the number of slopes below
#: |gy| / |gx|, where the slope k is where directions k and k + 1 tie.
SLOPES = tuple(float(np.float32((x0 - x1) / (y1 - y0))) for (x0, y0), (x1, y1) in itertools.pairwise(_DIRECTIONS))


def _differences(writer: Writer, before: Value, after: Value) -> list[Value]:
    """Per channel ``after - before``, as floats; exact."""
    return [writer.to_float(b - a) for a, b in zip(channels(before), channels(after))]


def strongest_channel(
    writer: Writer, gx: list[Value], gy: list[Value], later_wins: bool
) -> tuple[Value, Value, Value]:
    """Gradient and squared length of the channel where that is largest.

    All are whole numbers below 2^24, so fused multiply-adds change nothing.
    """
    best_x, best_y = gx[0], gy[0]
    best = writer.fma(best_x, best_x, best_y * best_y)
    for x, y in zip(gx[1:], gy[1:]):
        length = writer.fma(x, x, y * y)
        is_better = length >= best if later_wins else length > best
        best_x, best_y = writer.select(is_better, x, best_x), writer.select(is_better, y, best_y)
        best = writer.select(is_better, length, best)
    return best_x, best_y, best


def orientation(writer: Writer, gx: Value, gy: Value, stride: int) -> Value:
    """Which of the 18 orientations, times ``stride``: int32; 0 where there is no gradient.

    Within the first quadrant a number from 0 to 4; the other quadrants mirror it. An upright gradient belongs to the
    first direction of a tied pair: 4 where y grows, 13 where it falls.
    """
    steep, flat = writer.absolute(gy), writer.absolute(gx)
    zero, step = writer.constant(0, INT32), writer.constant(0, INT32)
    for slope in SLOPES:
        step = writer.select(steep > flat * slope, step + stride, step)
    falls = gy < 0.0
    is_left = gx < writer.select(falls, writer.constant(0.5), writer.constant(0.0))
    half, whole = writer.constant(9 * stride, INT32), writer.constant(18 * stride, INT32)
    base = writer.select(is_left, half, writer.select(falls, whole, zero))
    turned = writer.select(is_left ^ falls, base - step, base + step)
    return writer.select(turned.equals(18 * stride), zero, turned)


def _gradient_row(later_wins: bool) -> Callable:
    def gradient_row(
        writer: Writer,
        pixels: Pointer,
        start: Value,
        n_columns: Value,
        n: Value,
        bins: Pointer,
        magnitudes: Pointer,
    ) -> None:
        """Gradients of ``n`` pixels from ``start`` on (rounded up to whole vectors), in an image ``n_columns`` wide.

        Writes the orientation times ``BIN_STRIDE`` (int32) and the magnitude.
        """
        middle = pixels + start
        above, below = middle + n_columns * -1, middle + n_columns
        with writer.loop(0, n, LANES) as column:
            left, right = writer.load(middle + column + -1, LANES), writer.load(middle + column + 1, LANES)
            up, down = writer.load(above + column, LANES), writer.load(below + column, LANES)
            gx, gy = _differences(writer, left, right), _differences(writer, up, down)
            best_x, best_y, squared = strongest_channel(writer, gx, gy, later_wins)
            writer.store(writer.sqrt(squared), magnitudes + column)
            writer.store(orientation(writer, best_x, best_y, BIN_STRIDE), bins + column)

    return emitted(gradient_row)


#: Among channels with equally long gradients the last wins in dlib's loop over eight columns, the first in the rest.
gradient_row_last_wins = _gradient_row(later_wins=True)
gradient_row_first_wins = _gradient_row(later_wins=False)
