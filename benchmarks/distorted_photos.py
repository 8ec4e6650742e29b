"""Distorted photos of the people of LFW's View 1, and searches for these people: what benchmarks on distortions share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.datasets.base import Dataset
from faceheads.datasets.pairs import read_pairs
from faceheads.table import FaceTable
from faceheads.verification.identification import search
from finetune.distort import DistortionMaker, PlannedDistortion, plan_distortions
from finetune.distortions import FACECOM_KINDS, SEVERITIES, Subject
from finetune.distortions.kinds import RECIPE_VERSION
from finetune.image_job import ImageJob

SEED = 0


@dataclass(frozen=True)
class People:
    """Who is enrolled with which photo, and who is searched with which other one; relative paths."""

    enrolled: np.ndarray
    gallery: np.ndarray
    searched: np.ndarray
    probe: np.ndarray


@dataclass(frozen=True)
class Result:
    """Whether each person was found, and whether a face was, by kind and severity; ``clean`` has severity 0."""

    is_hit: dict[tuple[str, int], np.ndarray]
    is_acquired: dict[tuple[str, int], np.ndarray]

    def mean_rank_1(self, severity: int, rows: np.ndarray | slice = slice(None)) -> float:
        """Rank-1 at a severity, the mean over the kinds."""
        return float(np.mean([self.is_hit[kind, severity][rows].mean() for kind in FACECOM_KINDS]))

    def share_kept(self, severity: int, rows: np.ndarray | slice = slice(None)) -> float:
        """The same as a share of clean rank-1."""
        return self.mean_rank_1(severity, rows) / float(self.is_hit["clean", 0][rows].mean())


def people_of(pairs_path: Path, photos: Dataset, limit: int | None = None) -> People:
    """The people of a list of pairs with two or more photos in it, and the first two of each, by name."""
    several = photos_of(pairs_path, photos)
    n = len(several) if limit is None else min(limit, len(several))
    searched = several.iloc[np.linspace(0, len(several) - 1, n).round().astype(int)]
    return People(
        several.index.to_numpy(), several.str[0].to_numpy(), searched.index.to_numpy(), searched.str[1].to_numpy()
    )


def photos_of(pairs_path: Path, photos: Dataset) -> pd.Series:
    """The photos in a list of pairs of each person who has two or more, lists of relative paths by name."""
    pairs = read_pairs(pairs_path)
    named = sorted({*pairs["probe"], *pairs["reference"]})
    frame = pd.DataFrame({"path": named, "identity": [path.partition("/")[0] for path in named]})
    frame = frame[frame["path"].isin(photos.images)]
    several = frame.groupby("identity")["path"].agg(list)
    return several[several.map(len) >= 2]


def plan_probes(photos: Dataset, people: People) -> list[PlannedDistortion]:
    """Every probe in seven kinds and three severities."""
    probes = Dataset("probes", photos.root, tuple(sorted(people.probe)), None)
    return plan_distortions(probes, FACECOM_KINDS, SEVERITIES, SEED, {}, Subject())


def write_distorted(plans: list[PlannedDistortion], root: Path, folder: Path, jobs: int) -> None:
    """Write planned pictures unless they are there."""
    settings = {"seed": SEED, "recipe_version": RECIPE_VERSION}
    summary = ImageJob(plans, DistortionMaker(root), folder, settings, jobs).run()
    if summary.problems:
        raise SystemExit(f"photos of --data could not be distorted: {dict(summary.problems)}")


def search_all(people: People, clean: FaceTable, distorted: FaceTable) -> Result:
    """Search every person with the clean probe and with every distorted one; paths are those of the plan."""
    gallery = vectors(clean, people.gallery)
    sets = {("clean", 0): vectors(clean, people.probe)}
    for kind in FACECOM_KINDS:
        for severity in SEVERITIES:
            sets[kind, severity] = vectors(distorted, [f"{kind}-{severity}/{probe}" for probe in people.probe])
    hits, acquired = {}, {}
    for key, probes in sets.items():
        found = search(probes, people.searched, gallery, people.enrolled)
        hits[key] = found.mate_rank == 1
        acquired[key] = np.isfinite(probes).all(axis=1)
    return Result(hits, acquired)


def vectors(table: FaceTable, paths: list[str] | np.ndarray) -> np.ndarray:
    """The embedding of each photo, NaN where there is none; float32 of shape (n_photos, dimension)."""
    position = pd.Index(table.path).get_indexer(pd.Index(list(paths)))
    return table.embedding[position]
