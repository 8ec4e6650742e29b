"""dlib's 128-d embedding in torch and OpenVINO, in batches, against dlib's own: how far apart and how much faster.

Chips are what ``dlib.get_face_chip`` cuts from photos of LFW (HOG boxes, 5 landmarks, padding 0.25). Both sides get the
chips ready made. dlib computes one at a time in one thread (its wheel has no other way); rounds of dlib and of each
backend take turns, and the ratio is the median over the rounds. OpenVINO is left out where it is not installed.

    python -m benchmarks.dlib_embedding --data ../shared/data [--chips 200] [--rounds 5] [--batch_size 32]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from importlib.util import find_spec
from pathlib import Path

# Before torch is imported: a thread that waits must not take the core from the one that works.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import dlib
import numpy as np
import torch

from faceheads.weights import find_weights
from features.embed import EmbedderRequest
from features.embedders import Embedder

from .arguments import benchmark_parser
from .photos import photos_in, spread
from .report import machine_line, markdown_table

#: Chips that dlib embeds in each round; the other side gets all.
DLIB_CHIPS_A_ROUND = 16
THREADS = (1, 2)
BACKENDS = ("torch", "openvino") if find_spec("openvino") else ("torch",)
#: Backend and number of threads: one line of the table. dlib's comes first.
Setting = tuple[str, int]
DLIB: Setting = ("dlib, one at a time", 1)


def main() -> None:
    """Print the largest difference and the ratios."""
    args = _arguments()
    chips = lfw_chips(args.data / "lfw" / "lfw-deepfunneled", args.chips)
    embedders = _embedders(args.batch_size, chips)
    print(f"{machine_line()}\n\n{len(chips)} chips in batches of {args.batch_size}\n")
    reference = embedders[DLIB].embed(chips)
    differences = {setting: np.abs(embedder.embed(chips) - reference).max() for setting, embedder in embedders.items()}
    rounds = [_round(embedders, chips, number) for number in range(args.rounds)]
    header = ["backend", "threads", "largest difference", "ms a face, median", "times dlib's speed, median"]
    print(markdown_table([*header, "lowest", "highest"], _rows(rounds, differences)))
    print(f"\nload now {os.getloadavg()[0]:.1f}")


def _arguments() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--chips", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch_size", type=int, default=32)
    return parser.parse_args()


def lfw_chips(folder: Path, n_chips: int) -> np.ndarray:
    """Chips of faces, one a photo, from photos spread over the folder."""
    detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(str(find_weights("dlib_landmarks5")))
    chips = []
    for path in spread(photos_in(folder), n_chips + n_chips // 10):
        photo = dlib.load_rgb_image(str(path))
        if boxes := detector(photo, 0):
            chips.append(dlib.get_face_chip(photo, predictor(photo, boxes[0]), 150, 0.25))
    return np.stack(chips[:n_chips])


def _embedders(batch_size: int, chips: np.ndarray) -> dict[Setting, Embedder]:
    """dlib's own, then each backend with each number of threads."""
    embedders = {DLIB: EmbedderRequest("dlib-reference").build()}
    for backend in BACKENDS:
        for n_threads in THREADS:
            torch.set_num_threads(n_threads)
            embedder = EmbedderRequest("dlib", batch_size=batch_size, backend=backend).build()
            embedder.embed(chips[:1])  # OpenVINO takes the number of threads when it is made, with the first chips
            embedders[backend, n_threads] = embedder
    return embedders


def seconds_of(embedder: Embedder, chips: np.ndarray) -> float:
    """Seconds that the embedder takes for the chips."""
    start = time.perf_counter()
    embedder.embed(chips)
    return time.perf_counter() - start


def _round(embedders: dict[Setting, Embedder], chips: np.ndarray, number: int) -> dict[Setting, float]:
    """Seconds a face of each setting."""
    some = np.roll(chips, -number * DLIB_CHIPS_A_ROUND, axis=0)[:DLIB_CHIPS_A_ROUND]
    seconds = {}
    for setting, embedder in embedders.items():
        torch.set_num_threads(setting[1])
        batch = some if setting == DLIB else chips
        embedder.embed(batch[:1])
        seconds[setting] = seconds_of(embedder, batch) / len(batch)
    return seconds


def _rows(rounds: list[dict[Setting, float]], differences: dict[Setting, float]) -> list[list[str]]:
    rows = []
    for setting in rounds[0]:
        milliseconds = statistics.median(seconds[setting] for seconds in rounds) * 1e3
        ratios = [seconds[DLIB] / seconds[setting] for seconds in rounds]
        figures = [f"{differences[setting]:.1e}", f"{milliseconds:.2f}"]
        rows.append([*map(str, setting), *figures, *(f"{r:.1f}" for r in (statistics.median(ratios), *_ends(ratios)))])
    return rows


def _ends(values: list[float]) -> tuple[float, float]:
    return min(values), max(values)


if __name__ == "__main__":
    main()
