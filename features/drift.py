"""How far the embeddings of a table in 8 bits are from those of the same faces in float32."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from faceheads.table import FaceTable

from .pipeline import FacePipeline
from .pipeline_config import PipelineConfig

#: Images that are embedded a second time.
SAMPLE_IMAGES = 32


@dataclass(frozen=True)
class Drift:
    """Cosine distances to float32: 0 is the same direction, 1 a right angle.

    Attributes
    ----------
    n_faces : int
        Faces that were compared.
    mean, largest : float
        NaN where there was no face.
    """

    n_faces: int
    mean: float
    largest: float

    def __str__(self) -> str:
        return f"cosine distance to float32: mean {self.mean:.5f}, largest {self.largest:.5f} ({self.n_faces} faces)"


def measure_drift(root: Path, table: FaceTable, config: PipelineConfig, n_images: int = SAMPLE_IMAGES) -> Drift:
    """Embed the faces of some images of a table again, in float32, and compare.

    Parameters
    ----------
    root : Path
        The data folder.
    table : FaceTable
    config : PipelineConfig
        What the table was made with.
    n_images : int, default=32
        Images with a face, evenly spaced; those that changed meanwhile do not count.
    """
    there = {(table.path[i], table.face_index[i]): table.embedding[i] for i in np.flatnonzero(table.has_embedding)}
    paths = sorted({path for path, _ in there})
    some = paths[:: max(1, len(paths) // n_images)][:n_images]
    in_float32 = replace(config, embedder=replace(config.embedder, precision="float32"))
    rows = FacePipeline(in_float32).rows_of(root, some)
    pairs = [(there.get((row.path, row.face_index)), row.embedding) for row in rows]
    distances = np.array([_cosine_distance(*pair) for pair in pairs if not any(vector is None for vector in pair)])
    if not len(distances):
        return Drift(0, float("nan"), float("nan"))
    return Drift(len(distances), float(distances.mean()), float(distances.max()))


def _cosine_distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(1 - one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
