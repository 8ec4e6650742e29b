"""What is known of an image once its faces are cut out, and the rows of a feature table that it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from faceheads.images.writing import write_image
from faceheads.table import FaceRow, Status, face_key

from .face import Face
from .quality import measure_quality


@dataclass(slots=True)
class ImageFaces:
    """What was found in one image: the faces that the policy kept, or why there are none.

    ``crops`` has shape (n_faces, n_versions, height, width, 3), uint8; several versions where the embedder jitters.
    """

    status: Status
    reason: str = ""
    n_faces: int = 0
    faces: list[Face] = field(default_factory=list)
    crops: np.ndarray | None = None

    @property
    def n_crops(self) -> int:
        """Crops that go through the network."""
        return 0 if self.crops is None else self.crops.shape[0] * self.crops.shape[1]


@dataclass(slots=True)
class SeenImage:
    """What is kept of an image once its faces are cut out.

    Attributes
    ----------
    path : str
        Relative to the data folder.
    sha256 : str
        Of the file; empty where it could not be read.
    image_hw : tuple of int
        Height and width in pixels; (0, 0) where it could not be decoded.
    found : ImageFaces
    """

    path: str
    sha256: str
    image_hw: tuple[int, int]
    found: ImageFaces

    def rows(self, embeddings: np.ndarray | str | None) -> list[FaceRow]:
        """The image's rows of a feature table, at least one.

        Parameters
        ----------
        embeddings : ndarray of shape (n_faces, dimension), float32, or str or None
            Of the faces that were found; why embedding failed; None where there is no face.
        """
        if isinstance(embeddings, str):
            return [self._row(status=Status.FAILED, reason=embeddings)]
        if embeddings is None:
            return [self._row()]
        found = zip(self.found.faces, embeddings, self.found.crops, strict=True)
        return [
            self._row(
                face_index=i,
                box_xyxy=face.box_xyxy,
                landmarks_xy=face.landmarks_xy,
                detection_score=face.detection_score,
                embedding=vector,
                **measure_quality(crops[0]),
            )
            for i, (face, vector, crops) in enumerate(found)
        ]

    def _row(self, **values: object) -> FaceRow:
        common = {
            "path": self.path,
            "sha256": self.sha256,
            "image_hw": self.image_hw,
            "n_faces": self.found.n_faces,
            "status": self.found.status,
            "reason": self.found.reason,
        }
        return FaceRow(**{**common, **values})

    def save_crops(self, folder: Path) -> None:
        """Write the crop of each face, of several versions the first, as ``PATH.png``, ``PATH#2.png`` … below a folder."""
        if self.found.crops is None:
            return
        for i, crop in enumerate(self.found.crops[:, 0]):
            target = folder / f"{face_key(self.path, i)}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            write_image(target, crop)
