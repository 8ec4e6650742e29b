"""One photo: its faces, and what heads decide about them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass

import numpy as np

from faceheads.table import Status
from faceheads.versions import software_versions

from ..annotate.decisions import FaceDecisions
from ..annotate.drawing import draw_faces
from ..annotate.predictions import decide_face
from ..annotate.records import Columns, PhotoRecord, face_rows, photo_json
from ..pipeline import FacePipeline
from ..seen_image import ImageFaces
from .models import HeadChoice
from .photo import AppPhoto
from .refusal import Refused


@dataclass(frozen=True, eq=False)
class AnnotatedPhoto:
    """A photo with what was decided about its faces.

    Attributes
    ----------
    photo : AppPhoto
    faces : tuple of FaceDecisions
        In the order of the detector; empty where none was found.
    choice : HeadChoice
        The heads that decided.
    """

    photo: AppPhoto
    faces: tuple[FaceDecisions, ...]
    choice: HeadChoice

    def picture(self) -> np.ndarray:
        """The photo with its faces drawn on it, uint8 RGB array of shape (height or more, width or more, 3)."""
        return draw_faces(self.photo.rgb, self.faces)

    def to_json(self) -> str:
        """What ``faces.json`` of ``pred.py`` says of a photo, and where the decisions come from."""
        provenance = {
            "heads": self.choice.name,
            "embedder_digest": self.choice.file.table_spec.embedder_digest,
            "original_hw": list(self.photo.original_hw),
            "versions": software_versions(),
        }
        return json.dumps({**self._record(), "provenance": provenance}, indent=1, ensure_ascii=False, allow_nan=False)

    def to_csv(self) -> str:
        """What ``faces.csv`` of ``pred.py`` says of a photo."""
        columns = Columns()
        for face in self.faces:
            columns.add(face)
        text = io.StringIO()
        table = csv.DictWriter(text, columns.face_schema().names, lineterminator="\n")
        table.writeheader()
        table.writerows(face_rows(self._record()))
        return text.getvalue()

    def _record(self) -> dict:
        return photo_json(PhotoRecord(self.photo.name, self.photo.rgb, self.faces), "", "")


def annotate(pipeline: FacePipeline, choice: HeadChoice, photo: AppPhoto, max_faces: int) -> AnnotatedPhoto:
    """Find the faces of a photo and let heads decide about them.

    Raises
    ------
    Refused
        If there are more than ``max_faces``.
    """
    found, embeddings = found_and_embedded(pipeline, photo, max_faces)
    if embeddings is None:
        return AnnotatedPhoto(photo, (), choice)
    predictions = choice.file.predict(embeddings, pipeline.table_spec.embedder)
    faces = tuple(decide_face(face, predictions, row) for row, face in enumerate(found.faces))
    return AnnotatedPhoto(photo, faces, choice)


def found_and_embedded(
    pipeline: FacePipeline, photo: AppPhoto, max_faces: int
) -> tuple[ImageFaces, np.ndarray | None]:
    """The faces of a photo and their embeddings, shape (n_faces, dimension), float32; None where there is no face.

    Raises
    ------
    Refused
        If there are more than ``max_faces``, or the photo cannot be worked on.
    """
    found = pipeline.find_faces([photo.rgb])[0]
    if len(found.faces) > max_faces:
        raise Refused(
            f"“{photo.name}” shows {len(found.faces)} faces; the page takes at most {max_faces}. pred.py annotates any number."
        )
    embeddings = pipeline.embed([found])[0]
    if isinstance(embeddings, str) or found.status == Status.FAILED:
        raise Refused(f"“{photo.name}” could not be worked on. Try another photo.")
    return found, embeddings
