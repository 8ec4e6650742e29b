"""LFW's photos as a feature table, its two parts, and who is on which photo: what benchmarks on people share."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from faceheads.datasets import open_dataset
from faceheads.datasets.pairs import read_pairs
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.table import FaceTable
from faceheads.table_io import read_table
from features.embed import EmbedderRequest
from features.extract import Extraction
from features.pipeline_config import PipelineConfig

#: The default embedder with flip, on faces of the default detector; as in ``benchmarks/lfw_view1.py``.
CONFIG = PipelineConfig(EmbedderRequest(flip=True), "hog", faces="central")
FILE = "hog-5_points-flip.parquet"


def lfw_table(
    data: Path, cache: Path, jobs: int | None = None, config: PipelineConfig = CONFIG, file: str = FILE
) -> FaceTable:
    """The table of View 1's photos, extracted unless ``cache`` has it already."""
    set_passive_wait()
    dataset = open_dataset(data / "lfw" / "lfw-deepfunneled", "lfw")
    Extraction(dataset.root, dataset.images, config, cache / file, resolve_jobs(jobs)).run()
    return read_table(cache / file)


def identities_of(table: FaceTable) -> np.ndarray:
    """The person of each row, object array (str)."""
    return np.array([path.partition("/")[0] for path in table.path], dtype=object)


def people_of_part(table: FaceTable, data: Path, part: str) -> np.ndarray:
    """Boolean array: rows of the people of DevTrain (``"Train"``) or DevTest (``"Test"``)."""
    pairs = read_pairs(data / "lfw" / f"pairsDev{part}.txt")
    people = {path.partition("/")[0] for side in ("probe", "reference") for path in pairs[side]}
    return np.isin(identities_of(table).astype(str), sorted(people))


def first_of_many(table: FaceTable) -> np.ndarray:
    """Boolean array: the first photo of each person who has two or more."""
    who = identities_of(table)
    _, first, counts = np.unique(who.astype(str), return_index=True, return_counts=True)
    is_first = np.zeros(len(table), bool)
    is_first[first[counts > 1]] = True
    return is_first
