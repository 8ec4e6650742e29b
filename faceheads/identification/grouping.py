"""Faces without names grouped by person: average linkage, where two faces of one photo are never one person.

Every face begins as a group of its own. The two most alike groups are joined, again and again, until none are as alike
as the threshold; how alike two groups are is the mean over their pairs of faces (for the Euclidean metric: minus the root
of the mean squared distance). Groups with faces of the same photo are never joined.

A mean of pairs is at least the threshold only if one of the pairs is. So only pairs of faces at least as alike as the
threshold, found block by block, have to be kept; and the mean follows from the mean vectors of the groups. Of a face with
many such neighbours the most alike are kept; what that hides is found when the groups are compared with each other at the
end. Memory grows with the number of faces times their neighbours, not with its square.

References
----------
R. R. Sokal, C. D. Michener, A statistical method for evaluating systematic relationships, University of Kansas Science
Bulletin 38, 1958: average linkage. K. Wagstaff, C. Cardie, Clustering with instance-level constraints, ICML 2000:
cannot-link.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..verification.similarity import prepared, similarity_matrix

#: Most alike faces of each that are kept.
MAX_NEIGHBOURS = 30
#: Faces of one block of the matrix of similarities.
_BLOCK = 1024


def group_faces(
    embedding: np.ndarray,
    photo: np.ndarray,
    metric: str,
    threshold: float,
    max_neighbours: int = MAX_NEIGHBOURS,
) -> np.ndarray:
    """The group of each face, int64 array of shape (n_faces,): 0 is the largest; equally large ones by first face.

    Parameters
    ----------
    embedding : ndarray of shape (n_faces, dimension), float
        Finite.
    photo : array of shape (n_faces,)
        Faces with equal values are of one photo.
    metric : {"cosine", "euclidean"}
    threshold : float
        Groups that are less alike than this are not joined.
    max_neighbours : int, default=30

    Examples
    --------
    >>> faces = np.array([[1, 0], [0, 1], [1, 0.1], [1, 0.05]])
    >>> group_faces(faces, np.array(["a", "a", "b", "b"]), "cosine", 0.9)
    array([0, 1, 2, 0])
    """
    vectors = prepared(np.asarray(embedding, np.float32), metric)
    photo = pd.factorize(np.asarray(photo))[0]
    groups = _Groups(vectors, photo, metric, threshold)
    for begin in range(0, len(vectors), _BLOCK):
        groups.link_faces(np.arange(begin, min(begin + _BLOCK, len(vectors))), max_neighbours)
    groups.join_all()
    while groups.is_cut and groups.link_groups():
        groups.join_all()
    return _by_size(groups.labels())


class _Groups:
    """Groups while they are joined; a joined group gets a new number, so that what is known of its parts is void.

    Parameters
    ----------
    vectors : ndarray of shape (n_faces, dimension), float32
    photo : ndarray of shape (n_faces,), int
    metric, threshold

    Attributes
    ----------
    is_cut : bool
        Whether a face has more neighbours than were kept.
    """

    def __init__(self, vectors: np.ndarray, photo: np.ndarray, metric: str, threshold: float) -> None:
        n = len(vectors)
        self.is_cut = False
        self._vectors, self._photo = vectors, photo
        self._metric, self._threshold = metric, threshold
        self._mean = np.zeros((2 * n, vectors.shape[1]), np.float32)
        self._mean[:n] = vectors
        self._square = np.zeros(2 * n)
        self._square[:n] = (np.asarray(vectors, np.float64) ** 2).sum(axis=1)
        self._size = np.ones(2 * n, np.int64)
        self._parent = np.arange(2 * n)
        self._photos = [{int(p)} for p in photo]
        self._near: list[set[int]] = [set() for _ in range(n)]
        self._queue: list[tuple[float, int, int]] = []

    def link_faces(self, rows: np.ndarray, max_neighbours: int) -> None:
        """Queue the pairs of some faces with all faces of other photos that they are alike enough to."""
        similarity = similarity_matrix(self._vectors[rows], self._vectors, self._metric)
        similarity[self._photo[rows][:, None] == self._photo[None, :]] = -np.inf  # with itself too
        is_alike = similarity >= self._threshold
        if (is_alike.sum(axis=1) > max_neighbours).any():
            self.is_cut = True
            is_alike &= similarity >= np.partition(similarity, -max_neighbours, axis=1)[:, [-max_neighbours]]
        one, other = np.nonzero(is_alike)
        self._queue_pairs(rows[one], other, similarity[one, other])

    def link_groups(self) -> bool:
        """Queue the pairs of groups that are alike enough and may be joined; returns whether there are any."""
        there = np.flatnonzero(self._parent[: len(self._photos)] == np.arange(len(self._photos)))
        for begin in range(0, len(there), _BLOCK):
            rows = there[begin : begin + _BLOCK]
            similarity = self._between(rows, there)
            one, other = np.nonzero((similarity >= self._threshold) & (rows[:, None] < there[None, :]))
            pairs = zip(rows[one], there[other], strict=True)
            may = np.array([self._photos[a].isdisjoint(self._photos[b]) for a, b in pairs], bool)
            self._queue_pairs(rows[one[may]], there[other[may]], similarity[one[may], other[may]])
        return bool(self._queue)

    def _queue_pairs(self, one: np.ndarray, other: np.ndarray, similarity: np.ndarray) -> None:
        for a, b, s in zip(one.tolist(), other.tolist(), similarity.tolist(), strict=True):
            if b not in self._near[a]:
                self._near[a].add(b)
                self._near[b].add(a)
                self._queue.append((-s, min(a, b), max(a, b)))

    def _between(self, one: np.ndarray | list[int], other: np.ndarray | list[int]) -> np.ndarray:
        """How alike groups are: the mean over their pairs of faces, from their mean vectors and mean squares."""
        product = self._mean[one] @ self._mean[other].T
        if self._metric == "cosine":
            return product
        return -np.sqrt(np.maximum(self._square[one][:, None] + self._square[other][None, :] - 2 * product, 0))

    def join_all(self) -> None:
        """Join the most alike groups until none are alike enough."""
        heapq.heapify(self._queue)
        while self._queue:
            _, one, other = heapq.heappop(self._queue)
            if self._parent[one] == one and self._parent[other] == other:  # neither has been joined meanwhile
                self._join(one, other)

    def _join(self, one: int, other: int) -> None:
        new = len(self._photos)
        n_one, n_other = self._size[one], self._size[other]
        self._parent[[one, other]] = new
        self._size[new] = n_one + n_other
        for values in (self._mean, self._square):
            values[new] = (n_one * values[one] + n_other * values[other]) / (n_one + n_other)
        self._photos.append(self._photos[one] | self._photos[other])
        near = (self._near[one] | self._near[other]) - {one, other}
        self._near.append(set())
        for gone in (one, other):
            for neighbour in self._near[gone]:
                self._near[neighbour].discard(gone)
            self._near[gone] = self._photos[gone] = set()
        self._meet(new, sorted(n for n in near if self._photos[n].isdisjoint(self._photos[new])))

    def _meet(self, new: int, near: list[int]) -> None:
        """Queue a new group with those of its parts' neighbours that it is alike enough to."""
        if not near:
            return
        for neighbour, s in zip(near, self._between(near, [new])[:, 0].tolist(), strict=True):
            if s >= self._threshold:
                self._near[new].add(neighbour)
                self._near[neighbour].add(new)
                heapq.heappush(self._queue, (-s, neighbour, new))

    def labels(self) -> np.ndarray:
        """The number of the group of each face."""
        top = self._parent.copy()
        while (top[top] != top).any():
            top = top[top]
        return top[: len(self._mean) // 2]


def _by_size(labels: np.ndarray) -> np.ndarray:
    """Numbers from 0 on, larger groups first, equally large ones in the order of their first faces."""
    codes, _ = pd.factorize(labels)
    order = np.argsort(-np.bincount(codes), kind="stable")
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    return number[codes] if len(codes) else codes


def mean_similarity(one: Sequence[np.ndarray], other: Sequence[np.ndarray], metric: str) -> np.ndarray:
    """How alike groups of vectors are, by the same mean; float64 of shape (n_one, n_other).

    Parameters
    ----------
    one, other : sequence of ndarray of shape (n_faces, dimension), float
        The prepared vectors of each group.
    metric : {"cosine", "euclidean"}
    """
    means = [np.array([group.mean(axis=0, dtype=np.float64) for group in side]) for side in (one, other)]
    product = means[0] @ means[1].T
    if metric == "cosine":
        return product
    squares = [
        np.array([(np.asarray(group, np.float64) ** 2).sum(axis=1).mean() for group in side]) for side in (one, other)
    ]
    return -np.sqrt(np.maximum(squares[0][:, None] + squares[1][None, :] - 2 * product, 0))


def similarity_to_group(embedding: np.ndarray, group: np.ndarray, metric: str) -> np.ndarray:
    """How alike each face is to the others of its group, by the same mean; NaN for a face alone.

    Parameters
    ----------
    embedding : ndarray of shape (n_faces, dimension), float
        Finite.
    group : ndarray of shape (n_faces,), int
        From 0 on.
    metric : {"cosine", "euclidean"}

    Returns
    -------
    ndarray of shape (n_faces,), float64
    """
    vectors = np.asarray(prepared(np.asarray(embedding, np.float32), metric), np.float64)
    n_others = np.bincount(group)[group] - 1.0
    n_others[n_others == 0] = np.nan
    sums = np.zeros((group.max(initial=-1) + 1, vectors.shape[1]))
    np.add.at(sums, group, vectors)
    square = (vectors**2).sum(axis=1)
    product = ((sums[group] * vectors).sum(axis=1) - square) / n_others
    if metric == "cosine":
        return product
    mean_square = (np.bincount(group, square)[group] - square) / n_others
    return -np.sqrt(np.maximum(square + mean_square - 2 * product, 0))
