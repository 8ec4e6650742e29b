"""Pairs of vectors that are much closer than neighbours usually are, in bounded memory.

How close is close depends on the network; the distance of a face to its nearest other face gives the scale. Copies of one
photo (scaled, compressed again, mirrored, recoloured) are far below its median; different photos of one session are near it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

#: Pairs closer than this share of the median distance to the nearest neighbour are near-duplicates.
NEAR = 0.5
#: More pairs than this are cut to the closest.
MAX_PAIRS = 200_000
#: Rows whose nearest neighbour is looked for to find the scale.
_N_SCALE_ROWS = 2000
#: Rows and columns of one block of distances, 32 MB.
_BLOCK_ROWS, _BLOCK_COLUMNS = 1024, 8192
#: Squared distances in single precision are this far off, relative to the largest squared length.
_ROUNDING = 1e-5


@dataclass(frozen=True, eq=False)
class ClosePairs:
    """Pairs of rows, the closest first.

    Attributes
    ----------
    first, second : ndarray of shape (n_pairs,), int64
        ``first < second``.
    ratio : ndarray of shape (n_pairs,), float64
        Distance as a share of the median distance to the nearest neighbour.
    """

    first: np.ndarray
    second: np.ndarray
    ratio: np.ndarray

    def __len__(self) -> int:
        return len(self.first)


def close_pairs(vectors: np.ndarray, near: float = NEAR, max_pairs: int = MAX_PAIRS) -> ClosePairs:
    """All pairs whose Euclidean distance is at most ``near`` times the median distance to the nearest neighbour.

    Parameters
    ----------
    vectors : ndarray of shape (n_rows, dimension), float32
        Finite. Time grows with the square of the rows, memory with the rows.
    near : float, default=0.5
    max_pairs : int, default=200,000
        Of more pairs the closest are kept.
    """
    if len(vectors) < 2:
        return ClosePairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    vectors = np.asarray(vectors - vectors.mean(axis=0), np.float32)
    scale = _typical_distance(vectors)
    pairs = np.empty((0, 3))
    for found in _candidates(vectors, near * scale):
        pairs = np.concatenate([pairs, found])
        if len(pairs) > 2 * max_pairs:
            pairs = _closest(pairs, max_pairs)
    first, second, distance = _closest(pairs, max_pairs).T
    ratio = distance / scale if scale else np.zeros(len(distance))
    return ClosePairs(first.astype(np.int64), second.astype(np.int64), ratio)


def _closest(pairs: np.ndarray, n: int) -> np.ndarray:
    return pairs[np.lexsort(pairs.T)][:n]  # by distance, then by second and first row


def _typical_distance(vectors: np.ndarray) -> float:
    """Median distance of some rows to their nearest neighbour among all."""
    rows = np.unique(np.linspace(0, len(vectors) - 1, _N_SCALE_ROWS).astype(int))
    nearest = np.full(len(rows), np.inf)
    for start in range(0, len(rows), _BLOCK_ROWS):
        some = rows[start : start + _BLOCK_ROWS]
        for columns, squares in _blocks(vectors, some, 0):
            squares[some[:, None] == columns[None, :]] = np.inf
            nearest[start : start + len(some)] = np.minimum(nearest[start : start + len(some)], squares.min(axis=1))
    return float(np.sqrt(np.median(nearest)))


def _candidates(vectors: np.ndarray, limit: float) -> Iterator[np.ndarray]:
    """Rows (first, second, distance) of pairs within the limit, block by block."""
    slack = _ROUNDING * float((vectors**2).sum(axis=1).max())
    for start in range(0, len(vectors), _BLOCK_ROWS):
        some = np.arange(start, min(start + _BLOCK_ROWS, len(vectors)))
        for columns, squares in _blocks(vectors, some, start):
            i, j = np.nonzero(squares <= limit**2 + slack)
            first, second = some[i], columns[j]
            is_new = first < second
            first, second = first[is_new], second[is_new]
            distance = np.linalg.norm(vectors[first].astype(np.float64) - vectors[second], axis=1)
            is_near = distance <= limit
            yield np.column_stack([first, second, distance])[is_near]


def _blocks(vectors: np.ndarray, rows: np.ndarray, start: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Columns from ``start`` on, block by block, and the squared distances of rows to them, at least 0."""
    lengths = (vectors[rows] ** 2).sum(axis=1)[:, None]
    for first in range(start, len(vectors), _BLOCK_COLUMNS):
        columns = np.arange(first, min(first + _BLOCK_COLUMNS, len(vectors)))
        block = vectors[columns]
        squares = lengths + (block**2).sum(axis=1) - 2 * vectors[rows] @ block.T
        yield columns, np.maximum(squares, 0)
