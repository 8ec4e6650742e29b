"""Embeddings of another network for the faces that are learned from, out of its feature table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from faceheads.table import FaceTable

_N_EXAMPLES = 3


def teacher_embeddings(table: FaceTable, keys: Sequence[str]) -> np.ndarray:
    """The embeddings of faces, joined by their keys.

    Parameters
    ----------
    table : FaceTable
        Of any embedder.
    keys : sequence of str, length n_faces

    Returns
    -------
    ndarray of shape (n_faces, dimension), float32

    Raises
    ------
    ValueError
        If a face has no embedding in the table.
    """
    faces = table[table.has_embedding]
    position = pd.Index([str(key) for key in faces.keys]).get_indexer(list(keys))
    missing = [keys[i] for i in np.flatnonzero(position < 0)]
    if missing:
        raise ValueError(
            f"--teacher must have an embedding of every face that is learned from; {len(missing)} of {len(keys)} are "
            f"missing, for example {missing[:_N_EXAMPLES]}. Extract it from the same photos with the same detector."
        )
    return np.ascontiguousarray(faces.embedding[position], np.float32)
