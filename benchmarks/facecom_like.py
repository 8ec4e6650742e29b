"""Rank-1 identification of distorted photos: LFW's DevTest people, seven distortions in three severities.

As Task B of the FACECOM challenge, made from LFW: every person of DevTest with two or more photos is enrolled with the
first; the second is the probe, distorted by ``finetune.distort``, written as a file, and detected and embedded afresh by
the pipeline. A probe in which no face is found is a miss. Detector and restoration were chosen with ``--part Train``.

    python -m benchmarks.facecom_like --data ../shared/data [--part Train] [--only mtcnn …] [--cache DIR]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from faceheads.datasets import open_dataset
from faceheads.metrics.intervals import wilson_interval
from faceheads.pool import resolve_jobs, set_passive_wait
from faceheads.table import FaceTable
from faceheads.table_io import read_table
from features.embed import EmbedderRequest
from features.extract import Extraction
from features.pipeline_config import PipelineConfig
from finetune.distortions import FACECOM_KINDS, SEVERITIES

from .arguments import benchmark_parser
from .distorted_photos import People, Result, people_of, plan_probes, search_all, write_distorted
from .report import machine_line, markdown_table

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


def main() -> None:
    """Print rank-1 by distortion, severity and detector."""
    args = _arguments()
    set_passive_wait()
    photos = open_dataset(args.data / "lfw" / "lfw-deepfunneled", "lfw")
    people = people_of(args.data / "lfw" / f"pairsDev{args.part}.txt", photos, args.limit)
    folder = args.cache / f"{args.part}-{len(people.searched)}"
    write_distorted(plan_probes(photos, people), photos.root, folder / "photos", resolve_jobs(args.jobs))
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


def _result(name: str, root: Path, people: People, folder: Path, jobs: int) -> Result:
    file_name = name.replace(" --", "-").replace(" ", "_")
    clean = _extracted(
        root, [*people.gallery, *people.probe], CONFIGS[name], folder / f"{file_name}-clean.parquet", jobs
    )
    distorted_names = [f"{kind}-{s}/{probe}" for kind in FACECOM_KINDS for s in SEVERITIES for probe in people.probe]
    distorted = _extracted(
        folder / "photos", distorted_names, CONFIGS[name], folder / f"{file_name}-distorted.parquet", jobs
    )
    return search_all(people, clean, distorted)


def _extracted(root: Path, images: list[str], config: PipelineConfig, output: Path, jobs: int) -> FaceTable:
    Extraction(root, sorted(set(images)), config, output, jobs).run()
    return read_table(output)


def _print_result(name: str, result: Result) -> None:
    rows = [["clean", _cell(result, "clean", 0), "", "", _lost(result, "clean", 0)]]
    for kind in FACECOM_KINDS:
        cells = [_cell(result, kind, severity) for severity in SEVERITIES]
        rows.append([kind, *cells, " / ".join(_lost(result, kind, severity) for severity in SEVERITIES)])
    means = [result.mean_rank_1(severity) for severity in SEVERITIES]
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
