"""Several tables of the same photos compared at once: the similarity is the mean of the similarities in each.

Tables differ in their embedder, or in the detector that found the faces; what one gets wrong another may get right. The
vectors of each are brought to length 1 and put one behind the other, so that the cosine of what comes out is the mean of
the cosines, and every score can be fitted to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..joining import join_tables
from ..table import FaceTable
from .similarity import prepared


def fused_table(tables: Sequence[FaceTable]) -> FaceTable:
    """One table for comparisons; a single one comes back as it is.

    Parameters
    ----------
    tables : sequence of FaceTable
        At least one; of several each must have a specification and one row a photo, of the same photos.

    Returns
    -------
    FaceTable
        A row has a vector where all tables have one, and of the same face.

    Raises
    ------
    TableError
        If the tables do not fit together.
    """
    if len(tables) == 1:
        return tables[0]
    return join_tables([replace(table, embedding=prepared(table.embedding, "cosine")) for table in tables])
