"""Comparisons of real and fake images as a list in the form of the Kryptonite challenge."""

from __future__ import annotations

import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.atomic import atomic_path

from .fake_plan import FAKE

#: Columns of the file: two images, whether they are mated, which is a deepfake.
COLUMNS = ("pathA", "pathB", "label", "deepfake_a", "deepfake_b")
#: Of each of the three kinds of pair, at most.
MAX_PAIRS_PER_KIND = 20_000


def list_pairs(labels: pd.DataFrame, seed: int, max_pairs: int = MAX_PAIRS_PER_KIND) -> pd.DataFrame:
    """Pairs of real images of one person, of two persons, and of fakes with real images of the person they claim.

    A fake is not compared with the photo that it was made of.

    Parameters
    ----------
    labels : DataFrame
        Index = path of the image; columns ``identity``, ``kind`` (real or fake) and ``source``.
    seed : int
        Of what is drawn where there are more than ``max_pairs`` of a kind, and of the pairs of two persons.
    max_pairs : int, default=20,000
        Of each kind.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`, all pairs of a kind together; label 1 for real images of one person only.
    """
    rng = np.random.default_rng(seed)
    labels = labels.sort_index()
    real, fake = labels[labels["kind"] != FAKE], labels[labels["kind"] == FAKE]
    by_person = real.groupby("identity").groups
    mated = _draw([pair for paths in by_person.values() for pair in combinations(paths, 2)], max_pairs, rng)
    others = _two_persons(real["identity"], min(max_pairs, max(len(mated), 1)), rng)
    claims = [
        (path, reference)
        for path, identity, source in zip(fake.index, fake["identity"], fake["source"])
        for reference in by_person.get(identity, ())
        if real.at[reference, "source"] != source
    ]
    rows = [(*pair, 1, 0, 0) for pair in mated] + [(*pair, 0, 0, 0) for pair in others]
    return pd.DataFrame(rows + [(*pair, 0, 1, 0) for pair in _draw(claims, max_pairs, rng)], columns=list(COLUMNS))


def _draw(pairs: list[tuple[str, str]], n: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    if len(pairs) <= n:
        return pairs
    return [pairs[k] for k in np.sort(rng.choice(len(pairs), n, replace=False))]


def _two_persons(identity: pd.Series, n: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """At most ``n`` different pairs of images of two persons."""
    if identity.nunique() < 2:
        return []
    one, other = rng.integers(len(identity), size=(2, 4 * n))
    names = identity.to_numpy()
    is_two = names[one] != names[other]
    low, high = np.minimum(one, other)[is_two], np.maximum(one, other)[is_two]
    distinct = dict.fromkeys(zip(low.tolist(), high.tolist()))
    return [(identity.index[a], identity.index[b]) for a, b in list(distinct)[:n]]


def write_pairs(path: str | os.PathLike, pairs: pd.DataFrame) -> None:
    """Write a list of pairs as CSV, atomically; :func:`faceheads.datasets.pairs.read_pairs` reads it."""
    with atomic_path(Path(path)) as temporary:
        pairs.to_csv(temporary, index=False, lineterminator="\n")
