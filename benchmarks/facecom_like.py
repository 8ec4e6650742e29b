"""Rank-1 identification of distorted photos: LFW's DevTest people, seven distortions in three severities.

As Task B of the FACECOM challenge, made from LFW: every person of DevTest with two or more photos is enrolled with the
first; the second is the probe, distorted by ``finetune.distort``, written as a file, and detected and embedded afresh by
the pipeline. A probe in which no face is found is a miss. Detector and restoration were chosen with ``--part Train``.

    python -m benchmarks.facecom_like --data ../shared/data [--part Train] [--only mtcnn …] [--cache DIR]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faceheads.datasets import open_dataset
from faceheads.datasets.base import Dataset
from faceheads.datasets.pairs import read_pairs
from faceheads.metrics.intervals import wilson_interval
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.table import FaceTable
from faceheads.table_io import read_table
from faceheads.verification.identification import search
from features.embed import EmbedderRequest
from features.extract import Extraction
from features.pipeline_config import PipelineConfig
from finetune.distort import DistortionMaker, plan_distortions
from finetune.distortions import FACECOM_KINDS, SEVERITIES, Subject
from finetune.distortions.kinds import RECIPE_VERSION
from finetune.image_job import ImageJob

from .arguments import benchmark_parser
from .report import machine_line, markdown_table

SEED = 0
MIDDLE = 2
#: The bar: mean rank-1 at the middle severity as a share of clean rank-1.
BAR = 0.85
N_BOOTSTRAP = 2000


def _config(detector: str, restore: bool = False, no_face: str = "skip") -> PipelineConfig:
    settings = {"restore": True} if restore else {}
    embedder = EmbedderRequest(flip=True, restore=restore)
    return PipelineConfig(embedder, detector, settings, faces="central", no_face=no_face)


#: dlib's network with ``--flip --faces central``, as chosen for LFW's View 1.
CONFIGS = {
    "hog": _config("hog"),
    "cnn": _config("cnn"),
    "mtcnn": _config("mtcnn"),
    "hog --restore": _config("hog", restore=True),
    "cnn --restore": _config("cnn", restore=True),
    "mtcnn --restore": _config("mtcnn", restore=True),
    "hog --no_face whole": _config("hog", no_face="whole"),
    "mtcnn --restore --no_face whole": _config("mtcnn", restore=True, no_face="whole"),
}
#: Chosen on DevTrain: MTCNN and ``--restore``; the others are shown beside it.
DEFAULT = ["hog", "cnn", "mtcnn", "mtcnn --restore"]


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

    def share_kept(self, severity: int, rows: np.ndarray | slice = slice(None)) -> float:
        """Mean rank-1 over the kinds as a share of clean rank-1."""
        mean = np.mean([self.is_hit[kind, severity][rows].mean() for kind in FACECOM_KINDS])
        return float(mean / self.is_hit["clean", 0][rows].mean())


def main() -> None:
    """Print rank-1 by distortion, severity and detector."""
    args = _arguments()
    set_passive_wait()
    photos = open_dataset(args.data / "lfw" / "lfw-deepfunneled", "lfw")
    people = _people(args.data / "lfw" / f"pairsDev{args.part}.txt", photos, args.limit)
    folder = args.cache / f"{args.part}-{len(people.searched)}"
    _distort(photos, people, folder / "photos", resolve_jobs(args.jobs))
    print(f"{machine_line()}\n")
    print(f"Dev{args.part}: {len(people.enrolled)} people enrolled with a photo, {len(people.searched)} searched\n")
    results = {name: _result(name, photos.root, people, folder, resolve_jobs(args.jobs)) for name in args.only}
    for name, result in results.items():
        _print_result(name, result)
    _print_summary(results)


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--cache", type=Path, default=Path("demo/facecom_like"), help="where photos and tables are kept"
    )
    parser.add_argument("--part", choices=("Test", "Train"), default="Test", help="Train is for choices")
    parser.add_argument("--only", nargs="+", choices=list(CONFIGS), default=DEFAULT)
    parser.add_argument("--limit", type=int, help="search this many people, evenly spaced by name (default: all)")
    parser.add_argument("--jobs", type=int)
    return parser.parse_args()


def _people(pairs_path: Path, photos: Dataset, limit: int | None) -> People:
    """The people of a list of pairs with two or more photos in it, and the first two of each, by name."""
    pairs = read_pairs(pairs_path)
    named = sorted({*pairs["probe"], *pairs["reference"]})
    frame = pd.DataFrame({"path": named, "identity": [path.partition("/")[0] for path in named]})
    frame = frame[frame["path"].isin(photos.images)]
    several = frame.groupby("identity")["path"].agg(list)
    several = several[several.map(len) >= 2]
    n = len(several) if limit is None else min(limit, len(several))
    searched = several.iloc[np.linspace(0, len(several) - 1, n).round().astype(int)]
    return People(
        several.index.to_numpy(), several.str[0].to_numpy(), searched.index.to_numpy(), searched.str[1].to_numpy()
    )


def _distort(photos: Dataset, people: People, folder: Path, jobs: int) -> None:
    probes = Dataset("probes", photos.root, tuple(sorted(people.probe)), None)
    plans = plan_distortions(probes, FACECOM_KINDS, SEVERITIES, SEED, {}, Subject())
    settings = {"seed": SEED, "recipe_version": RECIPE_VERSION}
    summary = ImageJob(plans, DistortionMaker(photos.root), folder, settings, jobs).run()
    if summary.problems:
        raise SystemExit(f"photos of --data could not be distorted: {dict(summary.problems)}")


def _result(name: str, root: Path, people: People, folder: Path, jobs: int) -> Result:
    file_name = name.replace(" --", "-").replace(" ", "_")
    clean = _extracted(
        root, [*people.gallery, *people.probe], CONFIGS[name], folder / f"{file_name}-clean.parquet", jobs
    )
    distorted_names = [f"{kind}-{s}/{probe}" for kind in FACECOM_KINDS for s in SEVERITIES for probe in people.probe]
    distorted = _extracted(
        folder / "photos", distorted_names, CONFIGS[name], folder / f"{file_name}-distorted.parquet", jobs
    )
    gallery = _vectors(clean, people.gallery)
    sets = {("clean", 0): _vectors(clean, people.probe)}
    for kind in FACECOM_KINDS:
        for severity in SEVERITIES:
            sets[kind, severity] = _vectors(distorted, [f"{kind}-{severity}/{probe}" for probe in people.probe])
    hits, acquired = {}, {}
    for key, vectors in sets.items():
        found = search(vectors, people.searched, gallery, people.enrolled)
        hits[key] = found.mate_rank == 1
        acquired[key] = np.isfinite(vectors).all(axis=1)
    return Result(hits, acquired)


def _extracted(root: Path, images: list[str], config: PipelineConfig, output: Path, jobs: int) -> FaceTable:
    Extraction(root, sorted(set(images)), config, output, jobs).run()
    return read_table(output)


def _vectors(table: FaceTable, paths: list[str]) -> np.ndarray:
    """The embedding of each photo, NaN where there is none; float32 of shape (n_photos, dimension)."""
    position = pd.Index(table.path).get_indexer(pd.Index(list(paths)))
    return table.embedding[position]


def _print_result(name: str, result: Result) -> None:
    rows = [["clean", _cell(result, "clean", 0), "", "", _lost(result, "clean", 0)]]
    for kind in FACECOM_KINDS:
        cells = [_cell(result, kind, severity) for severity in SEVERITIES]
        rows.append([kind, *cells, " / ".join(_lost(result, kind, severity) for severity in SEVERITIES)])
    means = [np.mean([result.is_hit[kind, s].mean() for kind in FACECOM_KINDS]) for s in SEVERITIES]
    rows.append(["mean of the seven", *(f"{mean:.1%}" for mean in means), ""])
    print(f"**{name}**: rank-1 with 95 % interval\n")
    print(markdown_table(["distortion", *(f"severity {s}" for s in SEVERITIES), "no face found"], rows), "\n")


def _cell(result: Result, kind: str, severity: int) -> str:
    is_hit = result.is_hit[kind, severity]
    low, high = wilson_interval(float(is_hit.mean()), len(is_hit))
    return f"{is_hit.mean():.1%} ({low:.1%} to {high:.1%})"


def _lost(result: Result, kind: str, severity: int) -> str:
    return str(int((~result.is_acquired[kind, severity]).sum()))


def _print_summary(results: dict[str, Result]) -> None:
    rows = []
    for name, result in results.items():
        low, high = _interval(result)
        shares = [result.share_kept(severity) for severity in SEVERITIES]
        rows.append([name, f"{result.is_hit['clean', 0].mean():.1%}", *(f"{share:.1%}" for share in shares)])
        rows[-1][2 + SEVERITIES.index(MIDDLE)] += f" ({low:.1%} to {high:.1%})"
    header = ["detector", "clean rank-1", *(f"kept at severity {severity}" for severity in SEVERITIES)]
    print(f"Mean over the seven as a share of clean rank-1; the bar is {BAR:.0%} at severity {MIDDLE}:\n")
    print(markdown_table(header, rows))


def _interval(result: Result) -> tuple[float, float]:
    """95 % percentile interval of the share kept, over people drawn with all their photos."""
    rng = np.random.default_rng(0)
    n = len(result.is_hit["clean", 0])
    shares = [result.share_kept(MIDDLE, rng.integers(n, size=n)) for _ in range(N_BOOTSTRAP)]
    return tuple(np.quantile(shares, [0.025, 0.975]))


if __name__ == "__main__":
    main()
