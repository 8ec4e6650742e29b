"""dlib's 128-d embedding in torch, in batches, against dlib's own: how far apart and how much faster.

Chips are what ``dlib.get_face_chip`` cuts from photos of LFW (HOG boxes, 5 landmarks, padding 0.25). Both sides get the
chips ready made. dlib computes one at a time in one thread (its wheel has no other way); rounds of dlib and of each
setting of torch take turns, and the ratio is the median over the rounds.

    python -m benchmarks.dlib_embedding --data ../shared/data [--chips 200] [--rounds 5] [--batch_size 32]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

# Before torch is imported: a thread that waits must not take the core from the one that works.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import dlib
import numpy as np
import torch

from faceheads.networks.dlib_resnet import DlibResNet, build_dlib_resnet
from faceheads.weights import find_weights

from .arguments import benchmark_parser
from .photos import photos_in, spread
from .report import machine_line, markdown_table

#: Chips that dlib embeds in each round; the torch side gets all.
DLIB_CHIPS_A_ROUND = 16
THREADS = (1, 2)


def main() -> None:
    """Print the largest difference and the ratios."""
    args = _arguments()
    chips = _chips(args.data / "lfw" / "lfw-deepfunneled", args.chips)
    model = dlib.face_recognition_model_v1(str(find_weights("dlib_resnet")))
    network = build_dlib_resnet(find_weights("dlib_resnet"))
    print(f"{machine_line()}\n")
    reference = _embed_dlib(model, chips)
    difference = np.abs(_embed_torch(network, chips, args.batch_size) - reference).max()
    print(f"{len(chips)} chips, largest difference of a component {difference:.2e}\n")
    rounds = [_round(model, network, chips, args.batch_size, i) for i in range(args.rounds)]
    print(markdown_table(["", "ms a face, median", "times dlib's speed, median", "lowest", "highest"], _rows(rounds)))
    print(f"\nload now {os.getloadavg()[0]:.1f}")


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--chips", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch_size", type=int, default=32)
    return parser.parse_args()


def _chips(folder: Path, n_chips: int) -> np.ndarray:
    """Chips of faces, one a photo, from photos spread over the folder."""
    detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(str(find_weights("dlib_landmarks5")))
    chips = []
    for path in spread(photos_in(folder), n_chips + n_chips // 10):
        photo = dlib.load_rgb_image(str(path))
        if boxes := detector(photo, 0):
            chips.append(dlib.get_face_chip(photo, predictor(photo, boxes[0]), 150, 0.25))
    return np.stack(chips[:n_chips])


def _embed_dlib(model: dlib.face_recognition_model_v1, chips: np.ndarray) -> np.ndarray:
    return np.array([model.compute_face_descriptor(chip) for chip in chips])


def _embed_torch(network: DlibResNet, chips: np.ndarray, batch_size: int) -> np.ndarray:
    with torch.inference_mode():
        batches = torch.from_numpy(chips).permute(0, 3, 1, 2).split(batch_size)
        return torch.cat([network(batch) for batch in batches]).numpy()


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _round(
    model: dlib.face_recognition_model_v1, network: DlibResNet, chips: np.ndarray, batch_size: int, number: int
) -> dict[str, float]:
    """Seconds a face of dlib and of torch with each number of threads."""
    some = np.roll(chips, -number * DLIB_CHIPS_A_ROUND, axis=0)[:DLIB_CHIPS_A_ROUND]
    seconds = {"dlib, one at a time": _seconds(lambda: _embed_dlib(model, some)) / len(some)}
    for n_threads in THREADS:
        torch.set_num_threads(n_threads)
        _embed_torch(network, chips[:batch_size], batch_size)
        spent = _seconds(lambda: _embed_torch(network, chips, batch_size))
        seconds[f"torch, {n_threads} thread{'s' * (n_threads > 1)}, batches of {batch_size}"] = spent / len(chips)
    return seconds


def _rows(rounds: list[dict[str, float]]) -> list[list[str]]:
    rows = []
    baseline = next(iter(rounds[0]))
    for name in rounds[0]:
        milliseconds = statistics.median(seconds[name] for seconds in rounds) * 1e3
        ratios = [seconds[baseline] / seconds[name] for seconds in rounds]
        rows.append([name, f"{milliseconds:.2f}", *(f"{r:.1f}" for r in (statistics.median(ratios), *_ends(ratios)))])
    return rows


def _ends(values: list[float]) -> tuple[float, float]:
    return min(values), max(values)


if __name__ == "__main__":
    main()
