"""``--precision int8``: how fast, how far from float32, and how many more errors on LFW's View 1.

The speed is that of :mod:`benchmarks.dlib_embedding`: chips in batches of 32, in turn with dlib one at a time. The
distances are between the embeddings of the same chips. An error is a pair of View 1 (DevTrain and DevTest, 3,200 pairs)
on the wrong side of dlib's own threshold, a distance of 0.6; pairs with a lost face are left out for both.

The ranges and means that the 8-bit network needs come from photos of UTKFace; none of LFW is used to make it.
``--save_statistics`` measures them again, and ends.

    python -m benchmarks.int8_embedding --data ../shared/data [--chips 200] [--rounds 5] [--pair_photos 4992]
"""

from __future__ import annotations

import argparse
import os
import statistics
from pathlib import Path

# Before torch is imported: a thread that waits must not take the core from the one that works.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pandas as pd
import torch

from faceheads.datasets.pairs import read_pairs
from faceheads.networks.dlib_resnet import build_dlib_resnet
from faceheads.networks.dlib_resnet_statistics import ActivationStatistics
from faceheads.weights import find_weights
from features.embed import EmbedderRequest
from features.embedders import Embedder
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig

from .arguments import benchmark_parser
from .dlib_embedding import lfw_chips, seconds_of
from .photos import photos_in, spread
from .report import machine_line, markdown_table

#: Chips that dlib embeds in each round; the others get all.
DLIB_CHIPS_A_ROUND = 16
#: Photos of UTKFace that are measured.
N_CALIBRATION = 512
#: dlib's own threshold of the distance.
SAME_PERSON = 0.6
LFW = Path("lfw", "lfw-deepfunneled")


def main() -> None:
    """Print speed, distances and errors, or save the statistics."""
    args = _arguments()
    if args.save_statistics is not None:
        _save_statistics(args.data, args.save_statistics)
        return
    print(f"{machine_line()}\n")
    chips = lfw_chips(args.data / LFW, args.chips)
    embedders = _embedders(chips)
    print(f"{_speed_table(embedders, chips, args.rounds)}\n\nload now {os.getloadavg()[0]:.1f}\n")
    float32, int8 = (embedders[name] for name in ("float32, 1 thread", "int8, 1 thread"))
    distances = cosine_distances(int8.embed(chips), float32.embed(chips))
    print(f"cosine distance of int8 to float32: mean {distances.mean():.5f}, largest {distances.max():.5f}\n")
    _print_errors(args.data, args.pair_photos, {"float32": float32, "int8": int8})


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--chips", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pair_photos", type=int, default=4992, help="photos whose pairs are judged")
    parser.add_argument("--save_statistics", type=Path, metavar="FILE")
    return parser.parse_args()


def _save_statistics(data: Path, path: Path) -> None:
    photos = spread(photos_in(data / "utkface" / "UTKFace"), N_CALIBRATION)
    pipeline = FacePipeline(PipelineConfig(no_face="whole"))
    seen = pipeline.look_at(Path("/"), [str(photo.resolve()) for photo in photos])
    chips = np.concatenate([image.found.crops[:, 0] for image in seen if image.found.crops is not None])
    module = build_dlib_resnet(find_weights("dlib_resnet"))
    ActivationStatistics.measured(module, torch.from_numpy(chips).permute(0, 3, 1, 2)).save(path)
    print(f"{path}: statistics of {len(chips)} chips")


def _embedders(chips: np.ndarray) -> dict[str, Embedder]:
    """dlib's own, then float32 and int8 with each number of threads, which is settled with the first chip."""
    embedders = {"dlib, one at a time": EmbedderRequest("dlib-reference").build()}
    for precision, n_threads in (("float32", 1), ("int8", 1), ("int8", 2)):
        torch.set_num_threads(n_threads)
        request = EmbedderRequest(
            batch_size=32, precision=precision, backend="torch" if precision == "float32" else "auto"
        )
        embedder = request.build()
        embedder.embed(chips[:1])
        embedders[f"{precision}, {n_threads} thread{'s' * (n_threads > 1)}"] = embedder
    torch.set_num_threads(1)
    return embedders


def _speed_table(embedders: dict[str, Embedder], chips: np.ndarray, n_rounds: int) -> str:
    rounds = [_round(embedders, chips, number) for number in range(n_rounds)]
    first = next(iter(embedders))
    rows = []
    for name in embedders:
        ratios = [seconds[first] / seconds[name] for seconds in rounds]
        milliseconds = statistics.median(seconds[name] for seconds in rounds) * 1e3
        figures = (statistics.median(ratios), min(ratios), max(ratios))
        rows.append([name, f"{milliseconds:.2f}", *(f"{ratio:.1f}" for ratio in figures)])
    return markdown_table(["", "ms a face, median", "times dlib's speed, median", "lowest", "highest"], rows)


def _round(embedders: dict[str, Embedder], chips: np.ndarray, number: int) -> dict[str, float]:
    """Seconds a face of each."""
    some = np.roll(chips, -number * DLIB_CHIPS_A_ROUND, axis=0)[:DLIB_CHIPS_A_ROUND]
    batches = {name: some if name.startswith("dlib") else chips for name in embedders}
    return {name: seconds_of(embedders[name], batch) / len(batch) for name, batch in batches.items()}


def cosine_distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """1 − cosine of the angle between the rows of two arrays, shape (n,)."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return 1 - (one * other).sum(axis=1) / lengths


def _print_errors(data: Path, n_photos: int, embedders: dict[str, Embedder]) -> None:
    root = data / LFW
    pairs = pd.concat([read_pairs(root.parent / f"pairsDev{part}.txt") for part in ("Train", "Test")])
    photos = sorted(set(pairs["probe"]) | set(pairs["reference"]))[:n_photos]
    seen = [image for image in FacePipeline(PipelineConfig()).look_at(root, photos) if image.found.crops is not None]
    chips = np.concatenate([image.found.crops[:, 0] for image in seen])
    row_of = {image.path: row for row, image in enumerate(seen)}
    pairs = pairs[pairs["probe"].isin(row_of) & pairs["reference"].isin(row_of)]
    rows = []
    for name, embedder in embedders.items():
        vectors = embedder.embed(chips)
        probe, reference = (vectors[[row_of[path] for path in pairs[side]]] for side in ("probe", "reference"))
        is_match = np.linalg.norm(probe - reference, axis=1) < SAME_PERSON
        rows.append([name, len(pairs), int((is_match != pairs["is_mated"].to_numpy()).sum())])
    print(markdown_table(["precision", "pairs of LFW View 1 with both faces", "errors at 0.6"], rows))


if __name__ == "__main__":
    main()
