"""Names for the faces of photos, from a gallery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..table import FaceTable
from .assignment import NOBODY, assign_people
from .gallery import UNKNOWN, Gallery


@dataclass(frozen=True, eq=False)
class Names:
    """What a gallery says about the rows of a table.

    Attributes
    ----------
    name : ndarray of shape (n_rows,), object (str)
        The person each face is taken for, ``unknown``, or empty in rows without an embedding.
    similarity : ndarray of shape (n_rows,), float64
        To that person; of unknown faces, to the nearest. NaN without an embedding.
    nearest : ndarray of shape (n_rows,), object (str)
        The person most alike, whatever the threshold and the other faces of the photo say.
    n_taken : int
        Faces whose nearest person was given to another face of their photo.
    """

    name: np.ndarray
    similarity: np.ndarray
    nearest: np.ndarray
    n_taken: int


def name_faces(table: FaceTable, gallery: Gallery, threshold: float) -> Names:
    """Name the faces of each photo, each person at most once in a photo.

    Parameters
    ----------
    table : FaceTable
        Of the photos; all faces of each.
    gallery : Gallery
    threshold : float
        Least similarity to be given a name.
    """
    name, nearest = (np.full(len(table), "", dtype=object) for _ in range(2))
    similarity, n_taken = np.full(len(table), np.nan), 0
    made = np.flatnonzero(table.has_embedding)
    photo = pd.factorize(table.path[made])[0]
    for rows in np.split(made, np.flatnonzero(np.diff(photo)) + 1):
        if not len(rows):
            continue
        each = gallery.similarity(table.embedding[rows])
        person, first = assign_people(each, threshold), each.argmax(axis=1)
        is_named = person != NOBODY
        shown = np.where(is_named, person, first)
        name[rows] = np.where(is_named, gallery.names[shown], UNKNOWN)
        similarity[rows] = each[np.arange(len(rows)), shown]
        nearest[rows] = gallery.names[first]
        n_taken += int(((person != first) & (each.max(axis=1) >= threshold)).sum())
    return Names(name, similarity, nearest, n_taken)
