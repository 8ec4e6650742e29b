"""The faces that fakes are made of, from a feature table: where they are, whose they are, how alike they look."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from faceheads.spec import canonical_json
from faceheads.table import FaceTable, Status
from faceheads.verification.identities import IDENTITY, labelled_identities

#: Detectors with boxes such as dlib's landmark predictor was trained on.
_DETECTORS = ("hog", "cnn")


@dataclass(frozen=True)
class PhotoFace:
    """One face of one photo.

    Attributes
    ----------
    path : str
        Of the photo, relative to the data folder.
    identity : str
    box_xyxy : tuple of four float
        Half-open, pixels of the photo.
    """

    path: str
    identity: str
    box_xyxy: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class FaceCollection:
    """Faces, one a photo.

    Attributes
    ----------
    faces : tuple of PhotoFace, sorted by path
    identity : ndarray of shape (n_faces,), object (str)
    shape : ndarray of shape (n_faces, 2 · n_landmarks), float64
        Landmarks without position and size: faces in one pose are near each other. Without landmarks no columns.
    look : ndarray of shape (n_faces, dimension), float64
        The embeddings.
    """

    faces: tuple[PhotoFace, ...]
    identity: np.ndarray = field(repr=False)
    shape: np.ndarray = field(repr=False)
    look: np.ndarray = field(repr=False)

    @classmethod
    def from_table(cls, table: FaceTable, labels: pd.DataFrame, column: str = IDENTITY) -> FaceCollection:
        """The first face of every photo that has a face and an identity.

        Parameters
        ----------
        table : FaceTable
            Of the detector ``hog`` or ``cnn``.
        labels : DataFrame
            As :func:`faceheads.labels.read_labels` gives.
        column : str, default="identity"

        Raises
        ------
        ValueError
            If the boxes are another detector's, or fewer than two persons have a face.
        """
        _check_detector(table)
        identity = labelled_identities(table, labels, column)
        rows = np.flatnonzero((identity != "") & (table.face_index == 0) & (table.status == Status.OK))
        rows = rows[np.argsort(table.path[rows].astype(str), kind="stable")]
        n_persons = len(set(identity[rows]))
        if n_persons < 2:
            raise ValueError(f"Fakes need photos of two persons or more; got {n_persons} with a face and an identity.")
        faces = [PhotoFace(table.path[row], identity[row], tuple(table.box_xyxy[row].tolist())) for row in rows]
        shape = _without_position_and_size(table.landmarks_xy[rows])
        return cls(tuple(faces), identity[rows], shape, table.embedding[rows].astype(np.float64))

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def sha256(self) -> str:
        """A hash of which faces there are, whose, and what decides who is paired with whom."""
        rows = [[face.path, face.identity, *face.box_xyxy] for face in self.faces]
        digest = hashlib.sha256(canonical_json(rows).encode())
        for of_faces in (self.shape, self.look):
            digest.update(of_faces.tobytes())
        return digest.hexdigest()


def _check_detector(table: FaceTable) -> None:
    if table.spec is None or table.spec.detector not in _DETECTORS:
        found = "unknown ones" if table.spec is None else f"those of {table.spec.detector!r}"
        raise ValueError(
            f"The feature table must have boxes of the detector {' or '.join(_DETECTORS)}, in which dlib's 68 points can be "
            f"found; it has {found}. Extract with --detector hog."
        )


def _without_position_and_size(landmarks_xy: np.ndarray) -> np.ndarray:
    if not landmarks_xy.shape[1]:
        return np.empty((len(landmarks_xy), 0))
    centred = landmarks_xy - landmarks_xy.mean(axis=1, keepdims=True, dtype=np.float64)
    size = np.sqrt((centred**2).sum(axis=(1, 2), keepdims=True))
    return (centred / np.where(size > 0, size, 1)).reshape(len(centred), -1)
