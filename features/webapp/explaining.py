"""Which pixels a decision, or a similarity, came from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from faceheads.targets import REGRESSION

from ..embedders import Embedder, TorchEmbedder
from ..explain.decision import Decision, SimilarityDecision
from ..explain.gradients import PixelMap
from ..explain.job import explain_face
from ..explain.methods import pixel_map
from ..explain.overlay import overlay
from ..explain.pair_job import similarity_decision
from ..pipeline import FacePipeline
from ..pipeline_config import PipelineConfig
from .annotating import found_and_embedded
from .comparing import Comparison
from .models import HeadChoice
from .photo import AppPhoto
from .refusal import Refused

#: The kind of heads whose decisions are steps.
TREES = "hgb"


@dataclass(frozen=True, eq=False)
class Explanation:
    """A map of pixels drawn beside its crop.

    Attributes
    ----------
    title : str
    picture : ndarray of shape (height, width, 3), uint8, RGB
    measure : str
        What is explained, as a number: log-odds of a class, a unit, or similarity.
    score, baseline_score : float
        That number, of the crop and of the blurred crop.
    method : str
    """

    title: str
    picture: np.ndarray
    measure: str
    score: float
    baseline_score: float
    method: str

    @classmethod
    def of(cls, title: str, measure: str, crop: np.ndarray, found: PixelMap) -> Explanation:
        """The drawing of a map."""
        return cls(title, overlay(crop, found), measure, found.score, found.baseline_score, found.method)


def without_jitter(config: PipelineConfig) -> PipelineConfig:
    """The pipeline whose crops are what is explained."""
    return replace(config, embedder=replace(config.embedder, jitter=0))


def explain_decision(
    pipeline: FacePipeline, choice: HeadChoice, photo: AppPhoto, face: object, target: object, max_faces: int
) -> Explanation:
    """Which pixels of a face one of its decisions came from.

    Parameters
    ----------
    pipeline : FacePipeline
    choice : HeadChoice
    photo : AppPhoto
    face : int
        Position of the face in the photo; as the page sent it, so it may be anything.
    target : str
        One of the heads' targets; likewise.
    max_faces : int

    Raises
    ------
    Refused
        If there is no such face or target any more.
    """
    found, _ = found_and_embedded(pipeline, photo, max_faces)
    if not isinstance(face, int) or not 0 <= face < len(found.faces) or target not in choice.file.targets:
        raise Refused("This face is not there any more. Annotate the photo again.")
    crop = found.crops[face, 0]
    (head,) = (head for head in choice.file.heads if target in head.target.columns)
    made = explain_face(pipeline, choice.file, crop, target, _method(pipeline.embedder, head.kind))
    measure = head.target.unit if head.target.task == REGRESSION else "log-odds"
    return Explanation.of(f"Face {face + 1}: {made.decision}", measure, crop, made)


def explain_comparison(pipeline: FacePipeline, comparison: Comparison) -> tuple[Explanation, Explanation]:
    """Which pixels of each face make it similar to the other."""
    crops = comparison.probe.crop, comparison.reference.crop
    method = _method(pipeline.embedder)
    maps = [
        pixel_map(pipeline.embedder, _similarity_to(comparison, 1 - row), crop, method)
        for row, crop in enumerate(crops)
    ]
    titles = ("First photo", "Second photo")
    return tuple(Explanation.of(t, "similarity", c, m) for t, c, m in zip(titles, crops, maps, strict=True))


def _similarity_to(comparison: Comparison, row: int) -> Decision:
    if comparison.choice.file is None:
        return SimilarityDecision(comparison.table.embedding[row])
    return similarity_decision(comparison.choice.file, comparison.table, row)


def _method(embedder: Embedder, kind: str = "") -> str:
    """Gradients where there are any: networks outside torch have none, and those of trees are zero."""
    return "gradients" if isinstance(embedder, TorchEmbedder) and kind != TREES else "occlusion"
