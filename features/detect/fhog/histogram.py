"""Orientation histograms of cells.

Each pixel votes with its gradient's magnitude, shared bilinearly among the four nearest cells. The four votes are one
vector: votes are collected in an accumulator ``[orientation][column of cells][left-top, left-bottom, right-top,
right-bottom]`` while eight image rows between the same two rows of cells go by, and only then sorted into cells. A
block of columns at a time keeps the accumulator in the first-level cache.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .geometry import BIN_STRIDE, BLOCK, CELL, N_BINS, count_cells, count_visible, histogram_pitch
from .gradient import gradient_row_first_wins, gradient_row_last_wins
from .simd import LANES, Pointer, Value, Writer, at, clear, emitted

#: Places in a row of pixels that vote in turn: neighbours often vote for the same cells and orientation, and each vote
#: would wait for the one before it.
N_STREAMS = 4


def _vote_weights() -> np.ndarray:
    """Weights of the four cells for each position of a pixel between cell centres: (8 rows × 8 columns × 4,)."""
    after = (2 * np.arange(CELL) + 1) / (2 * CELL)
    both = np.stack([1 - after, after])
    return np.einsum("br,sc->rcsb", both, both).astype(np.float32).ravel()


VOTE_WEIGHTS = _vote_weights()


def _vote(writer: Writer, accumulator: Pointer, bins: Pointer, magnitudes: Pointer, weights, cell: Value, lane: int):
    """One pixel's four votes."""
    pixel = cell * CELL + lane
    target = accumulator + (writer.to_index(writer.load(bins + pixel)) + cell * 4)
    magnitude = writer.splat(writer.load(magnitudes + pixel), 4)
    writer.store(writer.fma(magnitude, weights[lane], writer.load(target, 4)), target)


@emitted
def vote_row(
    writer: Writer,
    accumulator: Pointer,
    bins: Pointer,
    magnitudes: Pointer,
    weights: Pointer,
    n_cells: Value,
) -> None:
    """Votes of a row of pixels: ``N_STREAMS`` runs of ``n_cells`` columns of cells."""
    kept = [writer.load(weights + 4 * lane, 4) for lane in range(CELL)]
    with writer.loop(0, n_cells) as cell:
        for lane in range(CELL):
            for stream in range(N_STREAMS):
                _vote(writer, accumulator, bins, magnitudes, kept, cell + n_cells * stream, lane)


def _quarters(writer: Writer, accumulator: Pointer) -> list[Value]:
    """The four votes of ``LANES`` columns of cells, one vector for each position."""
    parts = [writer.load(accumulator + LANES * part, LANES) for part in range(4)]
    quarters = []
    for quarter in range(4):
        order = range(quarter, 2 * LANES, 4)
        low, high = (writer.shuffle(parts[i], parts[i + 1], order) for i in (0, 2))
        quarters.append(writer.shuffle(low, high, range(LANES)))
    return quarters


@emitted
def sort_votes(
    writer: Writer, accumulator: Pointer, n_cells: Value, top: Pointer, bottom: Pointer, pitch: Value
) -> None:
    """Add the accumulator to two rows of the histogram and clear it.

    Cell ``q`` of a row gets the left votes of column ``q`` and the right votes of column ``q - 1``.
    """
    zero = writer.constant(0.0)
    moved_on = range(LANES - 1, 2 * LANES - 1)
    with writer.loop(0, N_BINS) as orientation:
        votes = accumulator + orientation * BIN_STRIDE
        carried = [writer.variable(zero), writer.variable(zero)]
        with writer.loop(0, n_cells + 1, LANES) as cell:
            quarters = _quarters(writer, votes + cell * 4)
            for part in range(4):
                writer.store(zero, votes + cell * 4 + LANES * part)
            for side, row in enumerate((top, bottom)):
                right = writer.shuffle(carried[side].get(), quarters[2 + side], moved_on)
                carried[side].set(quarters[2 + side])
                target = row + orientation * pitch + cell
                writer.store(writer.load(target, LANES) + (quarters[side] + right), target)


@njit
def gradient_block(pixels, n_columns, row, first, n, work):
    """Gradients of the ``n`` pixels from column ``first`` on; magnitude 0 in columns that have none."""
    start, n_visible = row * n_columns + first, count_visible(n_columns)
    n_eights = 1 + (max(n_visible - CELL, 0) + CELL - 1) // CELL * CELL
    n_first = max(min(n_eights - first, n), 0)
    gradient_row_last_wins(pixels, start, n_columns, n_first, work.bins, work.magnitudes)
    bins, magnitudes = at(work.bins, n_first), at(work.magnitudes, n_first)
    gradient_row_first_wins(pixels, start + n_first, n_columns, n - n_first, bins, magnitudes)
    clear(work.magnitudes, 0, 1 - first)
    inside = max(min(n_visible - first, n), 0)
    clear(work.magnitudes, inside, n + N_STREAMS * CELL - inside)


@njit
def add_rows(pixels, n_columns, rows, top, bottom, work):
    """Add the votes of the image rows ``rows[0]`` to ``rows[1] - 1`` to the two rows of cells they lie between."""
    n_cells = count_cells(n_columns)
    pitch = histogram_pitch(n_cells)
    for block in range(0, n_cells + 1, BLOCK):
        n_block = min(BLOCK, n_cells + 1 - block)
        n_run = -(-n_block // N_STREAMS)
        first = block * CELL - CELL // 2
        for row in range(rows[0], rows[1]):
            gradient_block(pixels, n_columns, row, first, n_block * CELL, work)
            weights = at(VOTE_WEIGHTS, (row + CELL // 2) % CELL * 4 * CELL)
            vote_row(work.accumulator, work.bins, work.magnitudes, weights, n_run)
        sort_votes(work.accumulator, n_block, at(top, block), at(bottom, block), pitch)
