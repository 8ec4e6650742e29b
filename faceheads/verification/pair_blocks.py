"""The pairs that are most wrong, with their photos: two people who are most alike, one person who is least."""

from __future__ import annotations

import numpy as np

from ..report.document import Block, Gallery, Heading, Note, Text, Tile
from ..report.thumbnails import PhotoReader
from .comparisons import Comparisons

N_PAIRS = 6


def pair_blocks(comparisons: Comparisons, photos: PhotoReader) -> list[Block]:
    """Two galleries, the probe and the reference of a pair beside each other.

    Parameters
    ----------
    comparisons : Comparisons
    photos : PhotoReader
        Shows rows of the table.
    """
    similarity, is_mated = comparisons.trials.similarity, comparisons.trials.is_mated
    alike = np.where(~is_mated, similarity, np.nan)
    unlike = np.where(is_mated, -similarity, np.nan)
    return [
        Text("A pair may be labelled wrong too: look before blaming the network."),
        Heading("Two people, most alike"),
        _gallery(comparisons, photos, worst_pairs(comparisons, alike), "non_mated"),
        Heading("One person, least alike"),
        _gallery(comparisons, photos, worst_pairs(comparisons, unlike), "mated"),
    ]


def worst_pairs(comparisons: Comparisons, badness: np.ndarray) -> np.ndarray:
    """Positions of the trials of the largest ``badness``, at most :data:`N_PAIRS`, each photo once; NaN takes no part."""
    found = np.flatnonzero(np.isfinite(badness))
    chosen, seen = [], set()
    for trial in found[np.argsort(-badness[found], kind="stable")]:
        rows = {int(comparisons.probe[trial]), int(comparisons.reference[trial])}
        if not rows & seen:
            seen |= rows
            chosen.append(trial)
        if len(chosen) == N_PAIRS:
            break
    return np.array(chosen, np.int64)


def _gallery(comparisons: Comparisons, photos: PhotoReader, trials: np.ndarray, name: str) -> Block:
    rows = np.stack([comparisons.probe[trials], comparisons.reference[trials]], axis=1).ravel()
    pictures = photos(comparisons.table[rows])
    if all(picture is None for picture in pictures):
        return Note("No photo of these pairs was found in the folder of --data_dir.")
    told = [
        words
        for i, trial in enumerate(trials)
        for words in (f"{i + 1}: {comparisons.trials.similarity[trial]:.4f}", f"{i + 1}")
    ]
    keys = comparisons.table.keys[rows]
    return Gallery(name, tuple(Tile(*tile) for tile in zip(pictures, zip(told, keys, strict=True), strict=True)))
