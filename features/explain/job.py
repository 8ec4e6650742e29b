"""Explanations of what heads decide about every face of a folder of photos.

====================================  =================================================================================
``team.jpg.0.gender.png``             the crop of the first face, and the map over it: see :mod:`.overlay`
``team.jpg.0.npz``                    its arrays: ``crop`` (height, width, 3), uint8, and for each target the map
                                      (height, width), float32; no pickles
``team.jpg.0.attention.png``          by attention, in place of the first: see :mod:`.attention_picture`; the arrays are then
                                      ``attention``, its rollout, and ``attention_heads`` (n_heads, height, width)
====================================  =================================================================================

Sub-folders are those of the photos. Faces have the numbers that they have in ``faces.csv``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from faceheads.atomic import atomic_path
from faceheads.headfile import HeadFile
from faceheads.images.reading import read_image
from faceheads.images.unreadable import UnreadableImage
from faceheads.images.writing import write_image
from faceheads.pool import OrderedPool
from faceheads.store import load_heads

from ..pipeline import FacePipeline
from ..pipeline_config import PipelineConfig
from .attention import Attention, attention_of
from .attention_picture import attention_picture
from .decision import head_decision
from .gradients import PixelMap
from .methods import pixel_map
from .overlay import overlay

#: The way that asks the network only, and no head.
ATTENTION = "attention"
#: Folder inside the output folder.
EXPLANATIONS = "explanations"


@dataclass(frozen=True)
class Explained:
    """One photo: how many faces were explained, or why none was."""

    path: str
    n_faces: int = 0
    reason: str = ""


@dataclass(frozen=True)
class ExplanationJob:
    """One run over a folder.

    Attributes
    ----------
    root : Path
        Folder of the photos.
    output : Path
        Folder that the explanations go below.
    model : Path
        Head file.
    config : PipelineConfig
        Of the heads; the network runs in torch whatever it says.
    targets : tuple of str
    method : {"gradients", "occlusion", "attention"}
        Attention is the network's and the same for every target.
    trust : bool
        Whether a pickled head file may be loaded.
    jobs : int
    """

    root: Path
    output: Path
    model: Path
    config: PipelineConfig
    targets: tuple[str, ...]
    method: str = "gradients"
    trust: bool = False
    jobs: int = 1

    def run(self, photos: Sequence[str], on_photo: Callable[[], object] = lambda: None) -> list[Explained]:
        """Explain every face; photos are named by paths relative to ``root``."""
        done = []
        with OrderedPool(partial(_explain_photo, self), _after_death, min(self.jobs, len(photos))) as pool:
            for explained in pool.map(photos):
                done.append(explained)
                on_photo()
        return done


def _after_death(path: str) -> Explained:
    return Explained(path, reason="the worker process died while it processed this photo")


#: The heads and the pipeline of this process, by job: a worker loads its networks once.
_TOOLS: dict[str, tuple[HeadFile, FacePipeline]] = {}


def _tools(job: ExplanationJob) -> tuple[HeadFile, FacePipeline]:
    config = replace(job.config, embedder=replace(job.config.embedder, backend="torch", jitter=0))
    key = repr((job.model, job.trust, config))
    if key not in _TOOLS:
        _TOOLS.clear()
        _TOOLS[key] = load_heads(job.model, job.trust), FacePipeline(config)
    return _TOOLS[key]


def _explain_photo(job: ExplanationJob, path: str) -> Explained:
    heads, pipeline = _tools(job)
    try:
        image = read_image(job.root / path).rgb
    except UnreadableImage as error:
        return Explained(path, reason=error.reason)
    found = pipeline.find_faces([image])[0]
    if found.crops is None:
        return Explained(path, reason=found.reason or found.status.value)
    folder = job.output / EXPLANATIONS / Path(path).parent
    folder.mkdir(parents=True, exist_ok=True)
    for number, versions in enumerate(found.crops):
        stem = folder / f"{Path(path).name}.{number}"
        if job.method == ATTENTION:
            _write_attention(stem, versions[0], attention_of(pipeline.embedder, versions[0]))
            continue
        maps = {target: explain_face(pipeline, heads, versions[0], target, job.method) for target in job.targets}
        _write_face(stem, versions[0], maps)
    return Explained(path, len(found.crops))


def explain_face(
    pipeline: FacePipeline, heads: HeadFile, crop: np.ndarray, target: str, method: str = "gradients"
) -> PixelMap:
    """What the pixels of one crop do to one decision.

    Parameters
    ----------
    pipeline : FacePipeline
        Its embedder made the embeddings that the heads learned from.
    heads : HeadFile
    crop : array of shape (height, width, 3), uint8, RGB
    target : str
        One of the heads' targets.
    method : {"gradients", "occlusion"}, default="gradients"

    Raises
    ------
    ValueError
        If the method is unknown, or gradients are asked of an embedder that does not run in torch.
    """
    decision = head_decision(heads, target, pipeline.embedder.embed(crop[None])[0])
    return pixel_map(pipeline.embedder, decision, crop, method)


def _write_face(stem: Path, crop: np.ndarray, maps: dict[str, PixelMap]) -> None:
    for target, found in maps.items():
        write_image(stem.with_name(f"{stem.name}.{_in_file_name(target)}.png"), overlay(crop, found))
    _write_arrays(stem, crop=crop, **{target: found.values for target, found in maps.items()})


def _write_attention(stem: Path, crop: np.ndarray, found: Attention) -> None:
    write_image(stem.with_name(f"{stem.name}.{ATTENTION}.png"), attention_picture(crop, found))
    _write_arrays(stem, crop=crop, attention=found.rollout(), attention_heads=found.of_heads())


def _write_arrays(stem: Path, **arrays: np.ndarray) -> None:
    with atomic_path(stem.with_name(f"{stem.name}.npz")) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)


def _in_file_name(target: str) -> str:
    return re.sub(r"[^\w-]", "_", target)
