"""Several photos: their faces grouped by person."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from faceheads.identification.grouping import group_faces, similarity_to_group

from ..pipeline import FacePipeline
from ..thumbnails import thumbnail
from .annotating import found_and_embedded
from .models import ComparisonChoice
from .photo import AppPhoto

COLUMNS = ("person", "photo_number", "photo", "face_number", "x0", "y0", "x1", "y1", "similarity")


@dataclass(frozen=True, eq=False)
class SeenFaces:
    """What is kept of a photo while others are looked at.

    Attributes
    ----------
    name : str
    thumbnails : tuple of bytes
        JPEG, of each face.
    boxes_xyxy : ndarray of shape (n_faces, 4), float32
    embeddings : ndarray of shape (n_faces, dimension), float32
    problem : str
        Why there are no faces; may be empty.
    """

    name: str
    thumbnails: tuple[bytes, ...] = ()
    boxes_xyxy: np.ndarray | None = None
    embeddings: np.ndarray | None = None
    problem: str = ""


@dataclass(frozen=True)
class GroupedFace:
    """One face of a person.

    Attributes
    ----------
    photo : int
        Position of its photo.
    number : int
        Position in the photo, from 0.
    similarity : float
        To the other faces of the person on average; NaN for a face alone.
    """

    photo: int
    number: int
    similarity: float


@dataclass(frozen=True, eq=False)
class Groups:
    """Photos whose faces are grouped.

    Attributes
    ----------
    photos : tuple of SeenFaces
    people : tuple of tuple of GroupedFace
        The faces of each person, those with most faces first.
    choice : ComparisonChoice
    """

    photos: tuple[SeenFaces, ...]
    people: tuple[tuple[GroupedFace, ...], ...]
    choice: ComparisonChoice

    def to_csv(self) -> str:
        """One row a face; people are numbered from 1, as are the photos and the faces in a photo."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(COLUMNS)
        for number, faces in enumerate(self.people, start=1):
            for face in faces:
                photo = self.photos[face.photo]
                box = photo.boxes_xyxy[face.number].tolist()
                similarity = "" if np.isnan(face.similarity) else face.similarity
                table.writerow([number, face.photo + 1, photo.name, face.number + 1, *box, similarity])
        return text.getvalue()


def look_at(pipeline: FacePipeline, photo: AppPhoto, max_faces: int) -> SeenFaces:
    """The faces of one photo.

    Raises
    ------
    Refused
        If there are too many.
    """
    found, embeddings = found_and_embedded(pipeline, photo, max_faces)
    if embeddings is None:
        return SeenFaces(photo.name, problem="no face was found")
    image = Image.fromarray(photo.rgb)
    boxes = np.stack([face.box_xyxy for face in found.faces])
    return SeenFaces(photo.name, tuple(thumbnail(image, box) for box in boxes), boxes, embeddings)


def group(photos: Sequence[SeenFaces], choice: ComparisonChoice) -> Groups:
    """Group the faces of photos by person; two faces of one photo are never one person."""
    faces = [(i, j) for i, photo in enumerate(photos) for j in range(len(photo.thumbnails))]
    if not faces:
        return Groups(tuple(photos), (), choice)
    embeddings = np.concatenate([photo.embeddings for photo in photos if photo.embeddings is not None])
    metric = choice.file.metric
    number = group_faces(embeddings, np.array([i for i, _ in faces]), metric, choice.grouping_threshold)
    similarity = similarity_to_group(embeddings, number, metric)
    people: list[list[GroupedFace]] = [[] for _ in range(number.max() + 1)]
    for (i, j), person, value in zip(faces, number, similarity, strict=True):
        people[person].append(GroupedFace(i, j, float(value)))
    return Groups(tuple(photos), tuple(map(tuple, people)), choice)
