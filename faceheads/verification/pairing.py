"""Comparisons made from identity labels: all of them, or a random part that fits in memory.

n images make n (n − 1) / 2 pairs: 5 billion for 100,000. Mated pairs are few and are listed; of the non-mated pairs a part
is drawn, uniformly and without repetition, or all are counted in bins without ever being listed (:func:`count_all_pairs`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .error_rates import ErrorCurve
from .similarity import prepared, similarity_matrix

#: Pairs that are listed when nothing else is said.
MAX_PAIRS = 5_000_000
#: Rows of one block of the matrix of all similarities: 2,048 x 2,048 float32 take 16 MiB.
_BLOCK = 2048
#: Bins of counted similarities.
_N_BINS = 1 << 16


@dataclass(frozen=True, eq=False)
class RowPairs:
    """Pairs of rows.

    Attributes
    ----------
    probe, reference : ndarray of shape (n_pairs,), int64
        probe < reference.
    is_mated : ndarray of shape (n_pairs,), bool
    n_mated_all, n_non_mated_all : int
        How many there are, listed or not.
    """

    probe: np.ndarray
    reference: np.ndarray
    is_mated: np.ndarray
    n_mated_all: int
    n_non_mated_all: int

    @property
    def is_complete(self) -> bool:
        """Whether every pair is listed."""
        return len(self.probe) == self.n_mated_all + self.n_non_mated_all


def pair_identities(identities: np.ndarray, max_pairs: int = MAX_PAIRS, seed: int = 0) -> RowPairs:
    """Pairs of rows by identity: all mated pairs (at most half of ``max_pairs``), and non-mated pairs up to ``max_pairs``.

    Parameters
    ----------
    identities : array of shape (n_rows,), of str
        Rows without one (None, NaN, empty) are in no pair.
    max_pairs : int, default=5,000,000
    seed : int, default=0
        Of what is drawn when there are more.

    Raises
    ------
    ValueError
        If there is no mated or no non-mated pair.
    """
    codes = _codes(identities)
    n_mated, n_non_mated = count_pairs(codes)
    if not n_mated or not n_non_mated:
        raise ValueError(
            f"{len(codes)} images of {codes.max(initial=-1) + 1} identities make {n_mated} mated and {n_non_mated} "
            "non-mated pairs; both kinds are needed. Give identities with two or more images each."
        )
    rng = np.random.default_rng(seed)
    probe, reference = _mated_pairs(codes)
    if len(probe) > max_pairs // 2:
        chosen = np.sort(rng.choice(len(probe), max_pairs // 2, replace=False))
        probe, reference = probe[chosen], reference[chosen]
    others = _non_mated_pairs(codes, min(n_non_mated, max_pairs - len(probe)), n_non_mated, rng)
    is_mated = np.arange(len(probe) + len(others[0])) < len(probe)
    sides = (np.concatenate([mated, other]) for mated, other in zip((probe, reference), others, strict=True))
    return RowPairs(*sides, is_mated, n_mated, n_non_mated)


def pair_fakes(
    identities: np.ndarray, is_fake: np.ndarray, max_pairs: int = MAX_PAIRS, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Each real image with each fake of the same person, or ``max_pairs`` of these pairs.

    Parameters
    ----------
    identities : array of shape (n_rows,), of str
        Of a fake, the person that it shows.
    is_fake : ndarray of shape (n_rows,), bool
    max_pairs, seed : int

    Returns
    -------
    probe, reference : ndarray of shape (n_pairs,), int64
        Rows of the real image and of the fake.
    """
    one, other = _mated_pairs(_codes(identities))
    chosen = np.flatnonzero(is_fake[one] != is_fake[other])
    if len(chosen) > max_pairs:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, max_pairs, replace=False))
    one, other = one[chosen], other[chosen]
    return np.where(is_fake[one], other, one), np.where(is_fake[one], one, other)


def count_pairs(codes: np.ndarray) -> tuple[int, int]:
    """Mated and non-mated pairs that rows with identity numbers (−1 for none) make."""
    sizes = np.bincount(codes[codes >= 0]).astype(object)  # Python's integers: no overflow
    total = int(sizes.sum())
    n_mated = int((sizes * (sizes - 1) // 2).sum())
    return n_mated, total * (total - 1) // 2 - n_mated


def _codes(identities: np.ndarray) -> np.ndarray:
    values = pd.Series(identities, dtype=object)
    return pd.factorize(values.where(values != "", None), use_na_sentinel=True)[0]


def _mated_pairs(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of rows of one identity, in the order of the identities."""
    rows = np.flatnonzero(codes >= 0)
    rows = rows[np.argsort(codes[rows], kind="stable")]
    sizes = np.bincount(codes[rows])
    starts = np.cumsum(sizes) - sizes
    lists = [
        (first + starts[sizes == n][:, None], second + starts[sizes == n][:, None])
        for n in np.unique(sizes[sizes > 1])
        for first, second in [np.triu_indices(n, 1)]
    ]
    sides = [np.concatenate([pair[side].ravel() for pair in lists] or [np.empty(0, np.int64)]) for side in (0, 1)]
    return rows[sides[0]], rows[sides[1]]


def _non_mated_pairs(
    codes: np.ndarray, n_wanted: int, n_all: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    rows = np.flatnonzero(codes >= 0)
    if n_wanted == n_all:
        first, second = np.triu_indices(len(rows), 1)
        is_other = codes[rows[first]] != codes[rows[second]]
        return rows[first[is_other]], rows[second[is_other]]
    found = np.empty(0, np.int64)
    while len(found) < n_wanted:
        drawn = rng.integers(0, len(rows), (2, int(1.1 * (n_wanted - len(found))) + 100))
        low, high = drawn.min(axis=0), drawn.max(axis=0)
        is_other = codes[rows[low]] != codes[rows[high]]
        found = _distinct(np.concatenate([found, low[is_other] * len(rows) + high[is_other]]))
    if len(found) > n_wanted:
        found = np.sort(rng.choice(found, n_wanted, replace=False))
    low, high = np.divmod(found, len(rows))
    return rows[low], rows[high]


def _distinct(values: np.ndarray) -> np.ndarray:
    """The distinct values in ascending order; for millions of numbers sorting beats the hash table of ``numpy.unique``."""
    ordered = np.sort(values)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


def count_all_pairs(embeddings: np.ndarray, identities: np.ndarray, metric: str, n_bins: int = _N_BINS) -> ErrorCurve:
    """Error rates over every pair of rows, counted block by block in bins of similarity.

    Parameters
    ----------
    embeddings : ndarray of shape (n_rows, dimension), float32
        Finite.
    identities : array of shape (n_rows,), of str
        Rows without one are in no pair.
    metric : {"cosine", "euclidean"}
    n_bins : int, default=65,536
        The curve is exact at the edges of these, to the rounding of float32.

    Returns
    -------
    ErrorCurve
        Memory does not grow with the number of pairs.
    """
    codes = _codes(identities)
    vectors = prepared(np.ascontiguousarray(embeddings[codes >= 0], np.float32), metric)
    codes = codes[codes >= 0]
    lowest = -1.0 if metric == "cosine" else -2 * float(np.linalg.norm(vectors, axis=1).max())
    highest = 1.0 if metric == "cosine" else 0.0
    scale = (n_bins - 1) / (highest - lowest)
    counts = np.zeros(2 * n_bins, np.int64)  # non-mated, then mated
    for start in range(0, len(codes), _BLOCK):
        for other in range(start, len(codes), _BLOCK):
            rows, columns = slice(start, start + _BLOCK), slice(other, other + _BLOCK)
            bins = _bins(vectors[rows], vectors[columns], metric, lowest, scale, n_bins)
            bins += n_bins * (codes[rows][:, None] == codes[columns][None, :])
            chosen = bins[np.triu_indices(len(bins), 1)] if start == other else bins.ravel()
            counts += np.bincount(chosen, minlength=2 * n_bins)
    return ErrorCurve.from_counts(lowest + np.arange(n_bins) / scale, counts[n_bins:], counts[:n_bins])


def _bins(one: np.ndarray, other: np.ndarray, metric: str, lowest: float, scale: float, n_bins: int) -> np.ndarray:
    """Bin of each similarity of two blocks, intp of shape (n_one, n_other)."""
    similarity = similarity_matrix(one, other, metric)
    similarity -= np.float32(lowest)
    similarity *= np.float32(scale)
    return np.clip(similarity, 0, n_bins - 1, out=similarity).astype(np.intp)
