"""How alike two vectors are: the cosine of their angle, or minus their Euclidean distance. Higher is more alike."""

from __future__ import annotations

import numpy as np

METRICS = ("cosine", "euclidean")
#: Pairs whose vectors are gathered at once: few, so that they stay in the cache.
_BLOCK = 2048


def prepared(vectors: np.ndarray, metric: str) -> np.ndarray:
    """Vectors as :func:`similarity_matrix` takes them: of length 1 for the cosine, else as they are.

    Parameters
    ----------
    vectors : ndarray of shape (n_rows, dimension), float
        A row of NaN stays one, and so does one of zeros: it has no direction, and is alike to nothing.
    metric : {"cosine", "euclidean"}

    Raises
    ------
    ValueError
        If there is no such metric.
    """
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {METRICS}; got {metric!r}.")
    if metric == "euclidean":
        return vectors
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length == 0, 1, length)


def similarity_matrix(one: np.ndarray, other: np.ndarray, metric: str) -> np.ndarray:
    """Similarity of each of one block of prepared vectors with each of another, in their type, shape (n_one, n_other)."""
    product = one @ other.T
    if metric == "cosine":
        return product
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :] - 2 * product
    return -np.sqrt(np.maximum(squares, 0))


def row_similarities(one: np.ndarray, other: np.ndarray, metric: str) -> np.ndarray:
    """Similarity of each row of prepared vectors with the same row of others, in their type, shape (n_rows,)."""
    return (one * other).sum(axis=1) if metric == "cosine" else -np.linalg.norm(one - other, axis=1)


def similarities(embeddings: np.ndarray, probe: np.ndarray, reference: np.ndarray, metric: str) -> np.ndarray:
    """Similarity of pairs of rows.

    Parameters
    ----------
    embeddings : ndarray of shape (n_rows, dimension), float32
    probe, reference : ndarray of shape (n_trials,), int
        Rows; −1 for a missing one.
    metric : {"cosine", "euclidean"}

    Returns
    -------
    ndarray of shape (n_trials,), float64
        NaN where a row is missing.

    Raises
    ------
    ValueError
        If there is no such metric.
    """
    vectors = prepared(embeddings, metric)
    out = np.full(len(probe), np.nan)
    made = np.flatnonzero((probe >= 0) & (reference >= 0))
    for start in range(0, len(made), _BLOCK):
        rows = made[start : start + _BLOCK]
        one, two = (vectors[side[rows]].astype(np.float64) for side in (probe, reference))
        out[rows] = row_similarities(one, two, metric)
    return out
