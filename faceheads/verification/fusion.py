"""Several tables of the same photos compared at once, for what one gets wrong another may get right.

Vectors are brought to length 1. Those of different embedders are put one behind the other, so that the cosine of what
comes out is the mean of the cosines. Those of one embedder, whose tables differ in the detector that found the faces, are
averaged, and a face that one detector missed has the vector of the other. Every score can be fitted to either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import pandas as pd

from ..joining import join_tables
from ..table import FaceTable
from .similarity import prepared

#: Columns that a row takes from another table: all but which photo it is.
_TAKEN = [f.name for f in fields(FaceTable) if f.name not in ("path", "sha256", "image_hw", "spec")]


def fused_table(tables: Sequence[FaceTable]) -> FaceTable:
    """One table for comparisons; a single one comes back as it is.

    Parameters
    ----------
    tables : sequence of FaceTable
        At least one; of several each must have a specification and one row a photo, of the same photos.

    Returns
    -------
    FaceTable
        A row has a vector where all tables have one, or can take one, and of the same face.

    Raises
    ------
    TableError
        If the tables do not fit together.
    """
    if len(tables) == 1:
        return tables[0]
    found = [_filled(table, [other for other in tables if other is not table]) for table in tables]
    joined = join_tables([replace(table, embedding=prepared(table.embedding, "cosine")) for table in found])
    if len({table.spec.embedder_digest for table in tables}) > 1:
        return joined
    mean = joined.embedding.reshape(len(joined), len(tables), -1).mean(axis=1)
    embedder = joined.spec.embedder
    embedder = replace(embedder, dimension=mean.shape[1], input={**embedder.input, "combined": "mean"})
    return replace(joined, embedding=mean, spec=joined.spec.with_embedder(embedder))


def _filled(table: FaceTable, others: Sequence[FaceTable]) -> FaceTable:
    """The table with rows of others of the same embedder where it has no vector itself."""
    for other in others:
        if None in (table.spec, other.spec) or other.spec.embedder_digest != table.spec.embedder_digest:
            continue
        found = other[other.has_embedding & (other.face_index == 0)]
        row = pd.Index(found.path).get_indexer(table.path)
        taken = ~table.has_embedding & (row >= 0)
        columns = {name: getattr(table, name).copy() for name in _TAKEN}
        for name, column in columns.items():
            column[taken] = getattr(found, name)[row[taken]]
        table = replace(table, **columns)
    return table
