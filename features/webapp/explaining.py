"""Which pixels a decision, or a similarity, came from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from faceheads.targets import REGRESSION

from ..embedders import TorchEmbedder
from ..explain.decision import Decision, SimilarityDecision
from ..explain.gradients import PixelMap, integrated_gradients
from ..explain.job import explain_face
from ..explain.network import DifferentiableNetwork
from ..explain.occlusion import occlusion
from ..explain.overlay import overlay
from ..pipeline import FacePipeline
from ..pipeline_config import PipelineConfig
from .annotating import found_and_embedded
from .comparing import Comparison
from .models import HeadChoice
from .photo import AppPhoto
from .refusal import Refused


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
    method = "gradients" if isinstance(pipeline.embedder, TorchEmbedder) else "occlusion"
    made = explain_face(pipeline, choice.file, crop, target, method)
    (head,) = (head for head in choice.file.heads if target in head.target.columns)
    measure = head.target.unit if head.target.task == REGRESSION else "log-odds"
    return Explanation.of(f"Face {face + 1}: {made.decision}", measure, crop, made)


def explain_comparison(pipeline: FacePipeline, comparison: Comparison) -> tuple[Explanation, Explanation]:
    """Which pixels of each face make it similar to the other, by the cosine of their embeddings."""
    pair = comparison.probe, comparison.reference
    maps = [_map(pipeline, SimilarityDecision(other.embedding), one.crop) for one, other in (pair, pair[::-1])]
    titles = ("First photo", "Second photo")
    return tuple(Explanation.of(t, "similarity", f.crop, m) for t, f, m in zip(titles, pair, maps, strict=True))


def _map(pipeline: FacePipeline, decision: Decision, crop: np.ndarray) -> PixelMap:
    if isinstance(pipeline.embedder, TorchEmbedder):
        return integrated_gradients(DifferentiableNetwork(pipeline.embedder), decision, crop)
    return occlusion(pipeline.embedder.embed, decision, crop)
