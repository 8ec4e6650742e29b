"""Faces that are almost the same photo, on both sides of the split or with other labels."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..splits import TEST, TRAIN
from .close_pairs import ClosePairs, close_pairs
from .finding import Finding, Gallery, Sight
from .subject import Subject

#: Pairs that are shown of each kind.
_N_SHOWN = 18


def near_duplicate_pairs(subject: Subject) -> ClosePairs:
    """Pairs of rows of almost equal embeddings; of byte-identical copies the first stands for all."""
    usable = np.flatnonzero(subject.samples.table.has_embedding)
    _, first = np.unique(subject.contents[usable], return_index=True)
    rows = usable[np.sort(first)]
    pairs = close_pairs(subject.samples.table.embedding[rows])
    return ClosePairs(rows[pairs.first], rows[pairs.second], pairs.ratio)


def near_duplicates(subject: Subject, pairs: ClosePairs) -> Finding:
    """The pairs, those on both sides of the split first, then those with contradicting labels."""
    table = _table(subject, pairs)
    is_across, differs = table["across"].to_numpy(bool), (table["differs"] != "").to_numpy()
    words = (
        f"{len(table)} pairs of different files show almost the same face: they are closer than half the median distance "
        f"of a face to its nearest other face. {is_across.sum()} pairs are on both sides of the split, where they make "
        f"figures too good; contradicting labels or persons: {differs.sum()} (numbers: by a quarter of their standard "
        "deviation). Twins and photos of one session can be among them: look."
    )
    unit = f"pairs, {is_across.sum():,} of them across the split"
    galleries = (
        Gallery("near_across", "One in the training part, one in the test part", _sights(subject, table, is_across)),
        Gallery("near_contradicting", "Contradicting labels or persons", _sights(subject, table, differs)),
    )
    visible = table.drop(columns=["_first", "_second"])
    return Finding("near_duplicates", "Near-duplicates", f"{len(table):,}", unit, words, visible, galleries)


def _table(subject: Subject, pairs: ClosePairs) -> pd.DataFrame:
    keys, parts = subject.samples.table.keys, subject.samples.parts
    first, second = pairs.first, pairs.second
    is_across = np.isin(parts[first], (TRAIN, TEST)) & np.isin(parts[second], (TRAIN, TEST))
    table = pd.DataFrame(
        {
            "ratio": pairs.ratio,
            "first": keys[first],
            "second": keys[second],
            "first_part": parts[first],
            "second_part": parts[second],
            "across": is_across & (parts[first] != parts[second]),
            "differs": subject.differing(first, second),
            "first_labels": [subject.describe(row) for row in first],
            "second_labels": [subject.describe(row) for row in second],
            "_first": first,
            "_second": second,
        }
    )
    order = np.lexsort((table["ratio"], table["differs"] == "", ~table["across"]))
    return table.iloc[order].reset_index(drop=True)


def _sights(subject: Subject, table: pd.DataFrame, chosen: np.ndarray) -> tuple[Sight, ...]:
    """Both faces of each of the closest chosen pairs."""
    sights = []
    for pair in table[chosen].sort_values("ratio", kind="stable").head(_N_SHOWN).to_dict("records"):
        for row, part in ((pair["_first"], pair["first_part"]), (pair["_second"], pair["second_part"])):
            sights.append(Sight(int(row), (f"{pair['ratio']:.2f}, {part}", subject.describe(row))))
    return tuple(sights)
