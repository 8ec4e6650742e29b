"""What makes two faces similar: the pixels of each that bring it nearer to the other, or keep it away.

====================================  =================================================================================
``A.jpg-B.jpg.similarity.png``        above the crop of A with the map over it, below that of B: see :mod:`.overlay`
``A.jpg-B.jpg.npz``                   arrays: ``probe_crop`` and ``reference_crop`` (height, width, 3), uint8, ``probe``
                                      and ``reference``, the maps (height, width), float32; no pickles
====================================  =================================================================================

Each map is made with the other face as it is, and its shares add up to how much less alike the two would be if this crop
were blurred beyond recognition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from faceheads.atomic import atomic_path
from faceheads.images.reading import read_image
from faceheads.images.unreadable import UnreadableImage
from faceheads.images.writing import write_image
from faceheads.joining import parts_of_spec
from faceheads.table import FaceTable
from faceheads.verification.scores.faces import face_inputs
from faceheads.verification.scores.registry import wants_quality
from faceheads.verification.threshold_file import ThresholdFile

from ..pipeline import FacePipeline
from ..pipeline_config import PipelineConfig
from .decision import Decision, ScoreDecision, SimilarityDecision
from .gradients import PixelMap
from .methods import METHODS, pixel_map
from .overlay import overlay


@dataclass(frozen=True, eq=False)
class ExplainedPair:
    """Two crops and what their pixels do to the similarity.

    Attributes
    ----------
    crops : tuple of two arrays of shape (height, width, 3), uint8, RGB
        Of the probe and of the reference.
    maps : tuple of two PixelMap
    """

    crops: tuple[np.ndarray, np.ndarray]
    maps: tuple[PixelMap, PixelMap]

    @property
    def picture(self) -> np.ndarray:
        """Each crop beside its map, the probe above, uint8 of shape (height, width, 3)."""
        return np.concatenate([overlay(crop, found) for crop, found in zip(self.crops, self.maps, strict=True)])


def check_explainable(file: ThresholdFile) -> None:
    """Refuse a threshold whose similarities are not those of one network.

    Raises
    ------
    ValueError
    """
    n_parts = len(parts_of_spec(file.spec))
    if n_parts > 1:
        raise ValueError(
            f"--explain shows the crop of one network; this threshold is of {n_parts} fused tables. Explain with a threshold of "
            "a single table (made without --fuse)."
        )


def explain_pair(
    pipeline: FacePipeline, file: ThresholdFile, faces: FaceTable, crops: tuple[np.ndarray, np.ndarray], method: str
) -> ExplainedPair:
    """What the pixels of two crops do to the similarity of the faces; what a bona fide check says of them has no part in it.

    Parameters
    ----------
    pipeline : FacePipeline
        Made the embeddings.
    file : ThresholdFile
        Says what similarity is.
    faces : FaceTable
        Two rows, of the crops.
    crops : tuple of two arrays of shape (height, width, 3), uint8, RGB
    method : {"gradients", "occlusion"}

    Raises
    ------
    ValueError
        If the threshold cannot be explained, the method is unknown, or gradients are asked of an embedder that does not run
        in torch.
    """
    check_explainable(file)
    maps = [
        pixel_map(pipeline.embedder, similarity_decision(file, faces, 1 - row), crop, method)
        for row, crop in enumerate(crops)
    ]
    return ExplainedPair(tuple(crops), tuple(maps))


def similarity_decision(file: ThresholdFile, faces: FaceTable, other: int) -> Decision:
    """How similar one of two faces is to the other, in the similarity of a threshold.

    Parameters
    ----------
    file : ThresholdFile
    faces : FaceTable
        Two rows.
    other : {0, 1}
        The row that stays as it is.
    """
    name = f"similarity ({file.similarity_name})"
    if file.score is None:
        return SimilarityDecision(faces.embedding[other], name, metric=file.metric)
    inputs = face_inputs(faces, wants_quality(file.score))
    return ScoreDecision(file.score, inputs[other], inputs[1 - other, faces.embedding.shape[1] :], name)


@dataclass(frozen=True)
class PairExplanationJob:
    """Where the explanation of two photos goes, and how it is made.

    Attributes
    ----------
    output : Path
        Folder.
    config : PipelineConfig
        Of the embeddings; the network runs in torch whatever it says.
    method : {"gradients", "occlusion"}
    """

    output: Path
    config: PipelineConfig
    method: str = METHODS[0]

    def run(self, photos: tuple[Path, Path], file: ThresholdFile, faces: FaceTable) -> Path:
        """Explain the similarity of two photos; returns where the picture lies.

        Parameters
        ----------
        photos : tuple of two Path
        file : ThresholdFile
        faces : FaceTable
            Two rows with an embedding, of these photos.

        Raises
        ------
        ValueError
            If the threshold cannot be explained, or a photo has changed.
        """
        pipeline = FacePipeline(
            replace(self.config, embedder=replace(self.config.embedder, backend="torch", jitter=0))
        )
        crops = tuple(_crop(pipeline, photo) for photo in photos)
        return self._write(photos, explain_pair(pipeline, file, faces, crops, self.method))

    def _write(self, photos: tuple[Path, Path], found: ExplainedPair) -> Path:
        self.output.mkdir(parents=True, exist_ok=True)
        stem = "-".join(photo.name for photo in photos)
        picture = self.output / f"{stem}.similarity.png"
        write_image(picture, found.picture)
        (probe_crop, reference_crop), (probe, reference) = found.crops, (one.values for one in found.maps)
        arrays = {"probe_crop": probe_crop, "reference_crop": reference_crop, "probe": probe, "reference": reference}
        with atomic_path(self.output / f"{stem}.npz") as temporary, open(temporary, "wb") as opened:
            np.savez_compressed(opened, **arrays)
        return picture


def _crop(pipeline: FacePipeline, photo: Path) -> np.ndarray:
    """The aligned crop of the face that is compared, without jitter."""
    try:
        found = pipeline.find_faces([read_image(photo).rgb])[0]
    except UnreadableImage as error:
        raise ValueError(f"{photo} can no longer be read: {error.reason}.") from error
    if found.crops is None:
        raise ValueError(f"{photo} has no face any more: {found.reason or found.status}.")
    return found.crops[0, 0]
