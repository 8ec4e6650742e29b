"""People with the vectors of their photos, and how alike a face is to each of them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from ..table import FaceTable
from ..verification.similarity import prepared, similarity_matrix

#: What a face is called that is like nobody; nobody may be called that.
UNKNOWN = "unknown"


class GalleryError(ValueError):
    """A gallery cannot be used; the message says what is wrong and what to do."""


@dataclass(frozen=True, eq=False)
class Gallery:
    """Enrolled people.

    Attributes
    ----------
    names : ndarray of shape (n_people,), object (str)
        Sorted.
    vectors : ndarray of shape (n_photos, dimension), float32
        Prepared for ``metric``, ordered by person.
    starts : ndarray of shape (n_people,), int64
        Where the photos of each person begin.
    metric : {"cosine", "euclidean"}
    """

    names: np.ndarray
    vectors: np.ndarray
    starts: np.ndarray
    metric: str

    @classmethod
    def of(cls, embedding: np.ndarray, name: np.ndarray, metric: str) -> Gallery:
        """Enrol photos.

        Parameters
        ----------
        embedding : ndarray of shape (n_photos, dimension), float32
            Rows of NaN are not enrolled.
        name : array of shape (n_photos,), of str
            Who is on each; rows without a name are not enrolled.
        metric : {"cosine", "euclidean"}

        Raises
        ------
        GalleryError
            If nobody is enrolled.
        """
        name = np.asarray(name, object)
        rows = np.flatnonzero(np.isfinite(embedding).all(axis=1) & (name != ""))
        if not len(rows):
            raise GalleryError("the gallery must have at least one photo with a face and a name; it has none.")
        codes, names = pd.factorize(name[rows], sort=True)
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(len(names)))
        return cls(
            np.asarray(names, object), prepared(np.asarray(embedding[rows[order]], np.float32), metric), starts, metric
        )

    def __len__(self) -> int:
        return len(self.names)

    @property
    def n_photos(self) -> int:
        """Photos enrolled, of all people."""
        return len(self.vectors)

    def similarity(self, embedding: np.ndarray) -> np.ndarray:
        """Similarity of faces to people: that of the person's most alike photo.

        Parameters
        ----------
        embedding : ndarray of shape (n_faces, dimension), float32
            Finite.

        Returns
        -------
        ndarray of shape (n_faces, n_people), float32

        Raises
        ------
        GalleryError
            If the dimension is another than the gallery's.
        """
        if embedding.shape[1] != self.vectors.shape[1]:
            dimensions = f"{embedding.shape[1]} and {self.vectors.shape[1]}"
            raise GalleryError(f"faces and gallery must have one dimension; got {dimensions}.")
        each = similarity_matrix(prepared(np.asarray(embedding, np.float32), self.metric), self.vectors, self.metric)
        return np.maximum.reduceat(each, self.starts, axis=1)


def person_of(path: str) -> str:
    """Who is on a photo of a gallery folder: its first folder, or its own name where it lies in none.

    Accents that a file system stores as letters of their own are joined to their letters (NFC).

    Examples
    --------
    >>> person_of("Ada Lovelace/portrait.jpg"), person_of("Ada Lovelace.jpg")
    ('Ada Lovelace', 'Ada Lovelace')
    """
    first, *rest = PurePosixPath(path).parts
    return unicodedata.normalize("NFC", first if rest else PurePosixPath(first).stem)


def people_of(table: FaceTable) -> np.ndarray:
    """Who is on each row of a gallery's table, object array (str) of shape (n_rows,).

    Raises
    ------
    GalleryError
        If somebody is called like the faces that are like nobody.
    """
    people = np.array([person_of(path) for path in table.path], dtype=object)
    if UNKNOWN in {person.casefold() for person in people}:
        raise GalleryError(f"nobody in the gallery may be called {UNKNOWN!r}: so are faces like nobody. Rename them.")
    return people


def twins(gallery: Gallery, threshold: float) -> list[tuple[str, str, float]]:
    """Pairs of people who are as alike as one: names and similarity, the most alike first.

    They may be relatives, or one person under two names; a face of one may be given the name of the other.
    """
    found = []
    for number, first in enumerate(gallery.starts):
        end = gallery.starts[number + 1] if number + 1 < len(gallery) else gallery.n_photos
        each = similarity_matrix(gallery.vectors[first:end], gallery.vectors, gallery.metric).max(axis=0)
        best = np.maximum.reduceat(each, gallery.starts)
        others = np.flatnonzero(best >= threshold)
        found += [(gallery.names[number], gallery.names[k], float(best[k])) for k in others[others > number]]
    return sorted(found, key=lambda pair: -pair[2])
