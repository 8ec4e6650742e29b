"""Two photos: whether they show one person, as far as the choice of a threshold lets one say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faceheads.table import FaceRow, FaceTable, Status
from faceheads.verification.similarity import similarities
from faceheads.verification.threshold_file import Decision

from ..face import Face
from ..pipeline import FacePipeline
from ..seen_image import ImageFaces, SeenImage
from .annotating import found_and_embedded
from .models import ComparisonChoice
from .photo import AppPhoto
from .refusal import Refused


@dataclass(frozen=True, eq=False)
class ComparedFace:
    """The face of a photo that is compared: the largest.

    Attributes
    ----------
    photo : AppPhoto
    face : Face
    crop : ndarray of shape (height, width, 3), uint8, RGB
        What the network saw.
    embedding : ndarray of shape (dimension,), float32
    n_faces : int
        In the photo.
    """

    photo: AppPhoto
    face: Face
    crop: np.ndarray
    embedding: np.ndarray
    n_faces: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two faces compared.

    Attributes
    ----------
    probe, reference : ComparedFace
    choice : ComparisonChoice
    table : FaceTable
        Of the two faces, in this order.
    similarity : float
    decision : Decision or None
        None where there is no threshold to decide by.
    """

    probe: ComparedFace
    reference: ComparedFace
    choice: ComparisonChoice
    table: FaceTable
    similarity: float
    decision: Decision | None


def compared_face(pipeline: FacePipeline, photo: AppPhoto, max_faces: int) -> ComparedFace:
    """The largest face of a photo.

    Raises
    ------
    Refused
        If there is none, or too many.
    """
    found, embeddings = found_and_embedded(pipeline, photo, max_faces)
    if embeddings is None:
        raise Refused(
            f"No face was found in “{photo.name}”, so there is nothing to compare. Try a sharper or more frontal photo."
        )
    largest = int(np.argmax([face.size_px for face in found.faces]))
    return ComparedFace(photo, found.faces[largest], found.crops[largest, 0], embeddings[largest], len(found.faces))


def compare(
    pipeline: FacePipeline, choice: ComparisonChoice, probe: ComparedFace, reference: ComparedFace
) -> Comparison:
    """Compare two faces."""
    rows = [_row(face, str(number)) for number, face in enumerate((probe, reference))]
    table = FaceTable.from_rows(rows, len(probe.face.landmarks_xy), pipeline.table_spec)
    if choice.file is None:
        cosine = float(similarities(table.embedding, np.array([0]), np.array([1]), "cosine")[0])
        return Comparison(probe, reference, choice, table, cosine, None)
    decision = choice.file.decide_photos(table)
    return Comparison(probe, reference, choice, table, decision.similarity, decision)


def _row(compared: ComparedFace, path: str) -> FaceRow:
    found = ImageFaces(Status.OK, "", compared.n_faces, [compared.face], compared.crop[None, None])
    return SeenImage(path, "", compared.photo.rgb.shape[:2], found).rows(compared.embedding[None])[0]
