"""Which of the faces that were found in an image count, by the policies of a configuration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from faceheads.table import Status

from .face import Face
from .pipeline_config import PipelineConfig
from .seen_image import ImageFaces


def choose_faces(faces: Sequence[Face], image_hw: tuple[int, int], config: PipelineConfig) -> ImageFaces:
    """What the policies for small faces, for several and for none make of the faces of an image; without crops.

    Parameters
    ----------
    faces : sequence of Face
        All that the detector found.
    image_hw : tuple of int
        Height and width of the image in pixels.
    config : PipelineConfig
        Its ``faces``, ``min_face_px`` and ``no_face`` are what is applied.
    """
    if not faces and config.no_face == "whole":
        whole = Face(np.array([0, 0, image_hw[1], image_hw[0]]), float("nan"), "none")
        return ImageFaces(Status.WHOLE_IMAGE, "no face was found, the whole image was taken", 0, [whole])
    if not faces:
        return ImageFaces(Status.NO_FACE)
    large = [face for face in faces if face.size_px >= config.min_face_px]
    if not large:
        reason = f"the largest face has {max(f.size_px for f in faces):.0f} px"
        return ImageFaces(Status.TOO_SMALL, reason, len(faces))
    if config.faces == "only" and len(large) > 1:
        return ImageFaces(Status.SEVERAL_FACES, f"{len(large)} faces", len(faces))
    return ImageFaces(Status.OK, "", len(faces), _keep(config.faces, large, image_hw))


def _keep(policy: str, faces: list[Face], image_hw: tuple[int, int]) -> list[Face]:
    if policy == "largest":
        return [max(faces, key=lambda face: float(np.prod(face.box_xyxy[2:] - face.box_xyxy[:2])))]
    if policy == "central":
        centre = np.array([image_hw[1], image_hw[0]]) / 2
        return [
            min(faces, key=lambda face: float(np.linalg.norm((face.box_xyxy[:2] + face.box_xyxy[2:]) / 2 - centre)))
        ]
    return faces
