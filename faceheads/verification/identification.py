"""Identification: each probe is searched in a gallery of people.

A *search* is mated when the probe's person is enrolled. The candidates of a search are the people of the gallery, each
with the highest similarity of their images, the most alike first.

=====================  =================================================================================================
rank-k hit rate (CMC)  share of mated searches whose person is among the first k candidates, at whatever similarity
FNIR(R, t)             share of mated searches whose person is not among the first R candidates with similarity ≥ t
FPIR(t)                share of non-mated searches with any candidate of similarity ≥ t
=====================  =================================================================================================

A probe without an embedding is a miss when it is mated (failure to acquire), and finds nobody when it is not. A tie is
counted against the person looked for.

References
----------
ISO/IEC 19795-1:2021: FNIR, FPIR, and the cumulative match characteristic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..identification.gallery import Gallery
from .error_rates import comparisons_needed

#: Probes of one block of the matrix of similarities.
_BLOCK = 512
UNKNOWN = ""
#: Beyond every rank.
NO_RANK = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Searches:
    """The results of searches.

    Attributes
    ----------
    identity : ndarray of shape (n_probes,), object (str)
        Who is on the probe.
    found : ndarray of shape (n_probes,), object (str)
        The first candidate; empty for a probe without an embedding.
    top_similarity : ndarray of shape (n_probes,), float64
        Of the first candidate; NaN for a probe without an embedding.
    is_mated : ndarray of shape (n_probes,), bool
        Whether the probe's person is in the gallery.
    mate_similarity : ndarray of shape (n_probes,), float64
        Of the probe's person; NaN when not mated or without an embedding.
    mate_rank : ndarray of shape (n_probes,), int64
        Position of the probe's person among the candidates, from 1; :data:`NO_RANK` when there is none.
    n_people : int
        In the gallery.
    """

    identity: np.ndarray
    found: np.ndarray
    top_similarity: np.ndarray
    is_mated: np.ndarray
    mate_similarity: np.ndarray
    mate_rank: np.ndarray
    n_people: int

    def __len__(self) -> int:
        return len(self.identity)

    def hit_rate(self, rank: int = 1) -> float:
        """Share of mated searches with the right person among the first ``rank``; NaN without mated searches."""
        return _share(self.mate_rank[self.is_mated] <= rank)

    def cmc(self, n_ranks: int = 20) -> np.ndarray:
        """Hit rates at ranks 1 to ``n_ranks``, float64 of shape (n_ranks,)."""
        return np.array([self.hit_rate(rank) for rank in range(1, n_ranks + 1)])

    def fnir(self, threshold: float, rank: int | None = None) -> float:
        """False negative identification rate; ``rank`` None for all candidates. NaN without mated searches."""
        is_hit = self.mate_similarity >= threshold
        if rank is not None:
            is_hit &= self.mate_rank <= rank
        return _share(~is_hit[self.is_mated])

    def fpir(self, threshold: float) -> float:
        """False positive identification rate; NaN without non-mated searches."""
        return _share(self.top_similarity[~self.is_mated] >= threshold)

    def threshold_at_fpir(self, limit: float) -> float:
        """The lowest threshold with FPIR ≤ ``limit``, in the middle of the gap below it.

        Raises
        ------
        ValueError
            If there are fewer non-mated searches than the rule of 3 asks for.
        """
        tops = np.sort(np.nan_to_num(self.top_similarity[~self.is_mated], nan=-np.inf))[::-1]
        needed = comparisons_needed(limit)
        if len(tops) < needed:
            raise ValueError(
                f"FPIR {limit:g} needs {needed:,} searches of people who are not enrolled (rule of 3); there are "
                f"{len(tops):,}."
            )
        n_allowed = int(limit * len(tops) + 1e-6)
        refused = tops[n_allowed]  # the most alike that must not be found
        above = tops[tops > refused]
        if not np.isfinite(refused) or not len(above):
            return float(np.nextafter(max(refused, np.finfo(float).min), np.inf))
        middle = (refused + above[-1]) / 2
        return float(middle if middle > refused else above[-1])

    def decided(self, threshold: float) -> np.ndarray:
        """The person each probe is taken for, object (str); empty where the similarity is below the threshold."""
        return np.where(self.top_similarity >= threshold, self.found, UNKNOWN)

    def macro_f1(self, threshold: float) -> float:
        """Mean F1 over people, with "nobody of the gallery" as one more class.

        All probes count: rejects and failures too. A wrong name is an error of both people.
        """
        return float(self.f1_by_class(threshold).mean())

    def f1_by_class(self, threshold: float) -> np.ndarray:
        """F1 of each person who is looked for or found, and of "nobody", float64 in no particular order."""
        truth = np.where(self.is_mated, self.identity, UNKNOWN)
        decided = self.decided(threshold)
        codes, names = pd.factorize(np.concatenate([truth, decided]))
        truth, decided = np.split(codes, 2)
        n_right = np.bincount(truth[truth == decided], minlength=len(names))
        n_either = np.bincount(truth, minlength=len(names)) + np.bincount(decided, minlength=len(names))
        return 2 * n_right / n_either


def _share(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def search(
    probes: np.ndarray,
    probe_identity: np.ndarray,
    gallery: np.ndarray,
    gallery_identity: np.ndarray,
    metric: str = "cosine",
) -> Searches:
    """Search each probe in a gallery, by one matrix product in blocks.

    Parameters
    ----------
    probes : ndarray of shape (n_probes, dimension), float32
        NaN in rows of images without an embedding.
    probe_identity : ndarray of shape (n_probes,), of str
        Whoever is not in the gallery makes a non-mated search.
    gallery : ndarray of shape (n_images, dimension), float32
        Rows of NaN are not enrolled.
    gallery_identity : ndarray of shape (n_images,), of str
    metric : {"cosine", "euclidean"}

    Raises
    ------
    ValueError
        If nobody is enrolled, dimensions differ or the metric is unknown.
    """
    enrolled = Gallery.of(gallery, gallery_identity, metric)
    names = enrolled.names
    mate = pd.Index(names).get_indexer(pd.Index(np.asarray(probe_identity, object)))
    n = len(probes)
    top, first = np.full(n, np.nan), np.full(n, -1)
    mate_similarity, rank = np.full(n, np.nan), np.full(n, NO_RANK)
    made = np.flatnonzero(np.isfinite(probes).all(axis=1))
    for begin in range(0, len(made), _BLOCK):
        rows = made[begin : begin + _BLOCK]
        best = enrolled.similarity(probes[rows])
        first[rows] = best.argmax(axis=1)
        top[rows] = best[np.arange(len(rows)), first[rows]]
        known = mate[rows] >= 0
        own = best[np.flatnonzero(known), mate[rows[known]]]
        mate_similarity[rows[known]] = own
        rank[rows[known]] = (best[known] >= own[:, None]).sum(axis=1)
    found = np.where(first >= 0, np.append(names, UNKNOWN)[first], UNKNOWN)
    identity = np.asarray(probe_identity, object)
    return Searches(identity, found, top, mate >= 0, mate_similarity, rank, len(names))
