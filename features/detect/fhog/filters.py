"""Scores of all windows of a strip: 305 separable filters, then the scores that matter once more without them.

The weights of a detector on a plane are a few outer products (see :mod:`.weights`): a filter along rows, then one along
columns. Planes are flat, so a row filter is one long one-dimensional filter. Both passes keep a tile of sums in
registers: the first several filters by several vectors, the second several rows by one vector. The arithmetic is
float32, in another order than dlib's; windows near or above the threshold therefore get their score from the weights
themselves, whose rounding error is below 2e-6.
"""

from __future__ import annotations

import operator
from typing import NamedTuple

import numpy as np
from numba import njit, types

from .geometry import N_PLANES, WINDOW
from .simd import LANES, REGISTERS, Pointer, Value, Writer, at, clear, emitted

#: Filters and vectors of the tile of the row pass, rows of the tile of the column pass.
TILE_FILTERS = 5 if REGISTERS >= 32 else 3
TILE_VECTORS = 4
TILE_ROWS = 8 if REGISTERS >= 32 else 4
#: Floats of one row of a detector's weights on a plane: ten weights, then zeros to whole vectors.
ROW_FLOATS = -(-WINDOW // LANES) * LANES
#: How far below the threshold a score of the separable filters may lie to be computed again.
RESCORE_MARGIN = 1e-3
#: A hit: detector, level, row, column, score less the detector's threshold.
HIT_FLOATS = 5


def _write_row_filters(
    writer: Writer, n_filters: int, plane: Pointer, n: Value, taps: Pointer, target, stride
) -> None:
    """``n_filters`` filters along ``n`` numbers of a plane."""
    with writer.loop(0, n, TILE_VECTORS * LANES) as start:
        sums = [[writer.constant(0.0)] * TILE_VECTORS for _ in range(n_filters)]
        for tap in range(WINDOW):
            numbers = [writer.load(plane + start + (tap + v * LANES), LANES) for v in range(TILE_VECTORS)]
            for f in range(n_filters):
                weight = writer.splat(writer.load(taps + (f * WINDOW + tap)))
                sums[f] = [writer.fma(weight, number, total) for number, total in zip(numbers, sums[f])]
        for f in range(n_filters):
            for v in range(TILE_VECTORS):
                writer.store(sums[f][v], target + stride * f + start + v * LANES)


@emitted
def filter_rows(
    writer: Writer, plane: Pointer, n: Value, filters: Pointer, n_filters: Value, responses: Pointer, stride: Value
) -> None:
    """Up to ``TILE_FILTERS`` row filters, applied to ``n`` numbers of a plane; responses ``stride`` numbers apart."""
    for number in range(1, TILE_FILTERS + 1):
        with writer.when(n_filters.equals(number)):
            _write_row_filters(writer, number, plane, n, filters, responses, stride)


@emitted
def filter_columns(
    writer: Writer,
    responses: Pointer,
    pitch: Value,
    size: tuple[Value, Value],
    taps: Pointer,
    scores: Pointer,
    score_pitch: Value,
) -> None:
    """Add one column filter's sums to ``size`` (rows, columns) scores.

    Whole tiles are done, so up to ``TILE_ROWS - 1`` rows more than asked.
    """
    n_rows, n_columns = size
    weights = [writer.splat(writer.load(taps + tap)) for tap in range(WINDOW)]
    with writer.loop(0, n_rows, TILE_ROWS) as row, writer.loop(0, n_columns, LANES) as column:
        source = responses + row * pitch + column
        sums_at = [scores + (row + r) * score_pitch + column for r in range(TILE_ROWS)]
        sums = [writer.load(pointer, LANES) for pointer in sums_at]
        for line in range(TILE_ROWS + WINDOW - 1):
            numbers = writer.load(source + pitch * line, LANES)
            for r in range(max(0, line - WINDOW + 1), min(TILE_ROWS, line + 1)):
                sums[r] = writer.fma(weights[line - r], numbers, sums[r])
        for total, pointer in zip(sums, sums_at):
            writer.store(total, pointer)


class Strip(NamedTuple):
    """Where the rows of windows that are scored at once lie in the work space (see ``geometry.strip_layout``)."""

    first_row: int
    n_rows: int
    n_columns: int
    pitch: int
    plane_stride: int
    response_stride: int
    score_pitch: int
    score_stride: int


@njit
def filter_strip(strip, model, work):
    """Scores of the windows of a strip for every detector, into ``work.scores``."""
    clear(work.scores, 0, model.thresholds.size * strip.score_stride)
    n = (strip.n_rows + WINDOW - 1) * strip.pitch
    for plane in range(N_PLANES):
        begin, end = model.filter_starts[plane], model.filter_starts[plane + 1]
        n_groups = -(-(end - begin) // TILE_FILTERS)
        source = at(work.planes, plane * strip.plane_stride)
        for group in range(n_groups):
            first = begin + (end - begin) * group // n_groups
            count = begin + (end - begin) * (group + 1) // n_groups - first
            filters = at(model.row_filters, first * WINDOW)
            responses = at(work.responses, (first - begin) * strip.response_stride)
            filter_rows(source, n, filters, count, responses, strip.response_stride)
        for one in range(begin, end):
            responses = at(work.responses, (one - begin) * strip.response_stride)
            taps = at(model.column_filters, one * WINDOW)
            scores = work.scores[model.filter_detectors[one] * strip.score_stride :]
            filter_columns(responses, strip.pitch, (strip.n_rows, strip.n_columns), taps, scores, strip.score_pitch)


def _write_largest(writer: Writer, numbers: Pointer, n: Value) -> Value:
    """The largest of ``n`` numbers, rounded up to whole vectors."""
    best = writer.variable(writer.constant(-np.inf))
    with writer.loop(0, n, LANES) as index:
        best.set(writer.maximum(writer.load(numbers + index, LANES), best.get()))
    return writer.reduce(writer.maximum, best.get())


largest = emitted(_write_largest, returns=types.float32)


def _write_weighted_sum(writer: Writer, planes: Pointer, stride: Value, pitch: Value, weights: Pointer) -> Value:
    """Sum of a window's features times a detector's weights; both begin where the pointers are."""
    zero = writer.constant(0.0)
    sums = [writer.variable(zero) for _ in range(2)]
    with writer.loop(0, N_PLANES) as plane:
        window, factors = planes + plane * stride, weights + plane * (WINDOW * ROW_FLOATS)
        for row in range(WINDOW):
            for part in range(0, ROW_FLOATS, LANES):
                numbers = writer.load(window + pitch * row + part, LANES)
                factor = writer.load(factors + (row * ROW_FLOATS + part), LANES)
                sums[row % 2].set(writer.fma(numbers, factor, sums[row % 2].get()))
    return writer.reduce(operator.add, sums[0].get() + sums[1].get())


weighted_sum = emitted(_write_weighted_sum, returns=types.float32)


@njit
def window_score(strip, row, column, detector, model, work):
    """Score of one window, from the whole weights; no threshold taken off."""
    window = at(work.planes, row * strip.pitch + column)
    weights = at(model.weights, detector * (N_PLANES * WINDOW * ROW_FLOATS))
    return np.float64(weighted_sum(window, strip.plane_stride, strip.pitch, weights))


@njit
def keep_hit(work, detector, level, row, column, score):
    """Count a hit, and write it down if there is room."""
    start = work.n_hits[0] * HIT_FLOATS
    work.n_hits[0] += 1
    if start + HIT_FLOATS > work.hits.size:
        return
    work.hits[start] = detector
    work.hits[start + 1] = level
    work.hits[start + 2] = row
    work.hits[start + 3] = column
    work.hits[start + 4] = score


@njit
def collect_hits(strip, level, threshold, model, work):
    """Keep the windows of a strip that reach their detector's threshold plus ``threshold``."""
    for detector in range(model.thresholds.size):
        lowest = model.thresholds[detector] + threshold
        for row in range(strip.n_rows):
            start = detector * strip.score_stride + row * strip.score_pitch
            if largest(at(work.scores, start), strip.n_columns) < lowest - RESCORE_MARGIN:
                continue
            for column in range(strip.n_columns):
                if work.scores[start + column] < lowest - RESCORE_MARGIN:
                    continue
                score = window_score(strip, row, column, detector, model, work) - model.thresholds[detector]
                if score >= threshold:
                    keep_hit(work, detector, level, strip.first_row + row, column, score)
