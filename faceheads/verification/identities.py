"""Who is on each image of a table, when pairs are listed and names may not be."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..labels import LabelError, labels_for
from ..table import FaceTable

IDENTITY = "identity"


def labelled_identities(table: FaceTable, labels: pd.DataFrame, column: str = IDENTITY) -> np.ndarray:
    """Identity of each row by a label column, object array of shape (n_rows,); missing ones are empty.

    Raises
    ------
    LabelError
        If there is no such column.
    """
    if column not in labels.columns:
        raise LabelError(f"The labels must have a column {column!r}; they have {list(labels.columns)}.")
    values = labels_for(table, labels[[column]], allow_missing=True)[column]
    return np.array(["" if pd.isna(value) else str(value) for value in values], dtype=object)


def guessed_identities(
    table: FaceTable, probe: np.ndarray, reference: np.ndarray, is_mated: np.ndarray, is_fake: np.ndarray
) -> tuple[np.ndarray, str]:
    """Identity of each row by its folder, if the pairs agree, else by which images the mated pairs join.

    Parameters
    ----------
    table : FaceTable
    probe, reference : ndarray of shape (n_pairs,), int
        Rows.
    is_mated, is_fake : ndarray of shape (n_pairs,), bool
        A non-mated pair with a fake may well be in one folder.

    Returns
    -------
    identities : ndarray of shape (n_rows,), object (str)
    how : str
        In words.
    """
    folders = np.array([path.rpartition("/")[0] for path in table.path], dtype=object)
    is_one_folder = folders[probe] == folders[reference]
    if (is_one_folder == is_mated)[~is_fake].all() and (folders[probe] != "").all():
        return folders, "the folder of each image"
    graph = coo_array((np.ones(is_mated.sum(), bool), (probe[is_mated], reference[is_mated])), (len(table),) * 2)
    parts = connected_components(graph, directed=False)[1]
    return np.array([f"person {part}" for part in parts], dtype=object), "images that mated pairs join"
