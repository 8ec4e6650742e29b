"""How much faster than dlib-bin is our HOG detector? Both on the same photos, one after the other, on one thread.

    python -m benchmarks.hog_speed

A round runs every photo through dlib and through ours in turn; a ratio is dlib's CPU time over ours for one round. The
table gives the median of the rounds and their range. CPU time, because other programs on the machine change wall
times of neighbouring calls by more than the rounds differ; wall times are in the table too. The last lines run ours
in one and in two processes, in turn, on half the photos each.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable

import cv2
import dlib
import numpy as np

from faceheads.images.reading import read_image
from features.detect.fhog import HogKernel

from .arguments import benchmark_parser
from .photos import photos_in, spread
from .report import machine_line, markdown_table

#: Sizes in the table: pixels, or None for the photo as it is.
_MEGAPIXEL = 1_000_000


def main() -> None:
    """Measure and print."""
    options = _parse()
    sets = _sets(options)
    rows = []
    for name, upsample in (("LFW 250 × 250", 0), ("LFW 250 × 250", 1), ("1 megapixel", 0), ("1 megapixel", 1)):
        rows.append([name, upsample, *_against_dlib(sets[name], upsample, options.rounds)])
    print(machine_line())
    print()
    header = "photos|upsample|dlib ms CPU (wall)|ours ms CPU (wall)|times faster|range"
    print(markdown_table(header.split("|"), rows))
    print()
    rows = [[name, *_two_processes(sets[name], options.rounds)] for name in sets]
    print(markdown_table(["photos", "one process, images/s", "two processes", "ratio", "range"], rows))


def _parse() -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--lfw", type=int, default=60, help="photos of LFW")
    parser.add_argument("--megapixel", type=int, default=6, help="photos of WIDER FACE, resized to one megapixel")
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


def _sets(options: argparse.Namespace) -> dict[str, list[np.ndarray]]:
    lfw = spread(photos_in(options.data / "lfw" / "lfw-deepfunneled"), options.lfw)
    wider = spread(photos_in(options.data / "wider_val" / "images"), options.megapixel)
    return {
        "LFW 250 × 250": [read_image(path).rgb for path in lfw],
        "1 megapixel": [_megapixel(read_image(path).rgb) for path in wider],
    }


def _megapixel(rgb: np.ndarray) -> np.ndarray:
    scale = np.sqrt(_MEGAPIXEL / (rgb.shape[0] * rgb.shape[1]))
    return cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)


def _against_dlib(photos: list[np.ndarray], upsample: int, n_rounds: int) -> list[str]:
    detector, ours = dlib.get_frontal_face_detector(), HogKernel(upsample)
    finders: list[Callable] = [lambda rgb: detector.run(rgb, upsample, 0.0), ours]
    for find in finders:
        find(photos[0])
    rounds = []
    for _ in range(n_rounds):
        seconds = np.zeros((2, 2))
        for rgb in photos:
            for number, find in enumerate(finders):
                seconds[number] += _time(find, rgb)
        rounds.append(seconds)
    per_photo = 1000 * np.median(rounds, axis=0) / len(photos)
    ratios = [seconds[0, 0] / seconds[1, 0] for seconds in rounds]
    times = [f"{cpu:.2f} ({wall:.2f})" for cpu, wall in per_photo]
    return [*times, f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f}–{max(ratios):.2f}"]


def _time(find: Callable, rgb: np.ndarray) -> tuple[float, float]:
    """CPU and wall seconds of one call."""
    cpu, wall = time.thread_time(), time.perf_counter()
    find(rgb)
    return time.thread_time() - cpu, time.perf_counter() - wall


def _two_processes(photos: list[np.ndarray], n_rounds: int) -> list[str]:
    context = multiprocessing.get_context("spawn")
    whole, halves = [slice(None)], [slice(0, None, 2), slice(1, None, 2)]
    rates = {1: [], 2: []}
    with context.Pool(2, _start, (photos,)) as pool:
        pool.map(_find_part, halves, chunksize=1)
        for _ in range(n_rounds):
            for parts in (whole, halves):
                start = time.perf_counter()
                pool.map(_find_part, parts, chunksize=1)
                rates[len(parts)].append(len(photos) / (time.perf_counter() - start))
    ratios = [two / one for one, two in zip(rates[1], rates[2])]
    medians = [f"{statistics.median(rate):.1f}" for rate in rates.values()]
    return [*medians, f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f}–{max(ratios):.2f}"]


def _start(photos: list[np.ndarray]) -> None:
    global _kernel, _photos
    _kernel, _photos = HogKernel(upsample=1), photos
    _kernel.warm_up()


def _find_part(part: slice) -> int:
    return sum(len(_kernel(rgb)[0]) for rgb in _photos[part])


if __name__ == "__main__":
    main()
